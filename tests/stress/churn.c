// SPDX-License-Identifier: MIT
/*
 * BOs come and go, with maps that are cut, moved and outlive them, while another worker
 * synchronizes whatever has their handles.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "stress.h"

#define PAGES		16u
#define SIZE		(PAGES * PAGE)
#define HALF		(SIZE / 2)

struct churn {
	void *maps[RING];
	size_t sizes[RING];	/* of what is left of them */
};

static int create(struct worker *worker, uint32_t flags, uint32_t vm, uint32_t *handle)
{
	struct drm_panthor_bo_create args = {
		.size = SIZE, .flags = flags, .exclusive_vm_id = vm,
	};
	int ret;

	ret = call(worker->session->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args);
	if (!ret)
		*handle = args.handle;
	return done(worker, OP_CREATE, ret);
}

static int map(struct worker *worker, uint32_t handle, void **out)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = handle };
	int fd = worker->session->fd, ret;
	void *ptr;

	ret = call(fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);
	if (ret)
		return done(worker, OP_MAP, ret);
	ptr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	if (ptr == MAP_FAILED)
		return done(worker, OP_MAP, -errno);
	*out = ptr;
	return done(worker, OP_MAP, 0);
}

static int label_and_query(struct worker *worker, uint32_t handle, uint32_t flags)
{
	struct drm_panthor_bo_query_info info = { .handle = handle };
	struct drm_panthor_bo_set_label label = { .handle = handle };
	int fd = worker->session->fd, ret;
	char text[32];

	snprintf(text, sizeof(text), "stress %u", below(worker, 100000));
	label.label = below(worker, 4) ? (uintptr_t)text : 0;
	if (done(worker, OP_LABEL, call(fd, DRM_IOCTL_PANTHOR_BO_SET_LABEL, &label)))
		return -ENODEV;
	ret = call(fd, DRM_IOCTL_PANTHOR_BO_QUERY_INFO, &info);
	if (!ret && (info.create_flags != flags || info.extra_flags))
		ret = -EBADMSG;
	return done(worker, OP_QUERY, ret);
}

/* R17: new pages are zero. Pages are written, or left unpopulated on this side. */
static void touch(struct worker *worker, void *ptr)
{
	volatile uint32_t *word = ptr;
	uint32_t page, seen, zero = 0;

	for (page = 0; page < PAGES; page++) {
		if (below(worker, 2))
			continue;
		seen = word[page * PAGE / 4 + 5];
		check_bytes(worker, OP_LOAD, &seen, &zero, 4);
		word[page * PAGE / 4 + below(worker, PAGE / 4)] = page;
	}
}

/* The middle page goes; the rear moves, and shows what was in it. The front is left. */
static int cut_and_move(struct worker *worker, unsigned int slot)
{
	struct churn *churn = worker->data;
	char *front = churn->maps[slot], *rear = front + HALF, *to;
	uint32_t right = below(worker, 1u << 31), seen;

	/* What is unmapped here may be another's at once, also if SIGBUS ends this. */
	churn->sizes[slot] = HALF - PAGE;
	munmap(rear - PAGE, PAGE);
	*(volatile uint32_t *)(rear + PAGE) = right;
	to = mmap(NULL, HALF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED ||
	    mremap(rear, HALF, HALF, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return done(worker, OP_REMAP, -errno);
	seen = *(volatile uint32_t *)(to + PAGE);
	check_bytes(worker, OP_REMAP, &seen, &right, 4);
	munmap(to, HALF);
	return done(worker, OP_REMAP, 0);
}

static void unmap_slot(struct churn *churn, unsigned int slot)
{
	if (churn->maps[slot])
		munmap(churn->maps[slot], churn->sizes[slot]);
	churn->maps[slot] = NULL;
}

static void close_slot(struct worker *worker, unsigned int slot)
{
	struct session *session = worker->session;
	struct churn *churn = worker->data;
	bool map_first = below(worker, 2);

	if (map_first)
		unmap_slot(churn, slot);
	if (session->ring[slot])
		drmCloseBufferHandle(session->fd, session->ring[slot]);
	session->ring[slot] = 0;
	unmap_slot(churn, slot);
	control->counts[OP_CLOSE]++;
}

static int churn_step(struct worker *worker)
{
	struct session *session = worker->session;
	struct churn *churn = worker->data;
	unsigned int slot = below(worker, RING);
	uint32_t flags = below(worker, 3) ? DRM_PANTHOR_BO_WB_MMAP : 0, handle = 0;
	int ret;

	close_slot(worker, slot);
	ret = create(worker, flags, session->vm, &handle);
	if (ret)
		return ret;
	session->ring[slot] = handle;
	if (!below(worker, 4))
		return label_and_query(worker, handle, flags);
	ret = map(worker, handle, &churn->maps[slot]);
	if (ret)
		return ret;
	churn->sizes[slot] = SIZE;
	touch(worker, churn->maps[slot]);
	return below(worker, 3) ? 0 : cut_and_move(worker, slot);
}

/* Maps outlive their file. */
static void churn_after_close(struct worker *worker)
{
	struct churn *churn = worker->data;
	unsigned int i;

	for (i = 0; i < RING; i++)
		unmap_slot(churn, i);
}

const struct work churn_work = {
	.name = "churn",
	.size = sizeof(struct churn),
	.step = churn_step,
	.after_close = churn_after_close,
};

/* ---- Syncs of what comes and goes ---- */

static int sync_raw(struct worker *worker, const void *ops, uint32_t count, uint32_t stride)
{
	struct drm_panthor_bo_sync args = {
		.ops = { .stride = stride, .count = count, .array = (uintptr_t)ops },
	};

	return call(worker->session->fd, DRM_IOCTL_PANTHOR_BO_SYNC, &args);
}

/* The handle may be gone, or already be that of another BO, which is smaller. */
static int sync_some(struct worker *worker)
{
	struct drm_panthor_bo_sync_op ops[8];
	uint32_t count = 1 + below(worker, ARRAY_SIZE(ops)), i;
	int ret;

	for (i = 0; i < count; i++) {
		ops[i] = (struct drm_panthor_bo_sync_op){
			.handle = worker->session->ring[below(worker, RING)],
			.type = below(worker, 2),
			.offset = below(worker, SIZE),
		};
		ops[i].size = below(worker, SIZE - ops[i].offset + 1);
	}
	ret = sync_raw(worker, ops, count, sizeof(ops[0]));
	return done(worker, OP_SYNC, ret == -ENOENT || ret == -EINVAL ? 0 : ret);
}

/* R8 */
static int refusal(struct worker *worker)
{
	struct drm_panthor_bo_sync_op op = {
		.handle = gemsync_bo_handle(worker->session->bos[0].bo), .size = 64,
	};
	struct drm_panthor_bo_sync_op ops[2] = { op, op };
	uint32_t count = 2, stride = sizeof(op), kind = below(worker, 6);
	const void *array = ops;
	int right = -EINVAL, ret;

	ops[0].size = 0;
	if (kind == 0)
		ops[1].type = 7;
	else if (kind == 1)
		ops[1].offset = UINT64_MAX - 32;
	else if (kind == 2)
		stride = 8;
	else if (kind == 3)
		right = -ENOENT, ops[1].handle = 0xfffffffeu;
	else if (kind == 4)
		right = -E2BIG, count = (1u << 20) + 1;
	else
		right = -EFAULT, array = (void *)16;
	ret = sync_raw(worker, array, count, stride);
	return done(worker, OP_REFUSAL, ret == right ? 0 : ret ? ret : -EBADMSG);
}

static int sync_step(struct worker *worker)
{
	return below(worker, 8) ? sync_some(worker) : refusal(worker);
}

const struct work sync_work = {
	.name = "sync",
	.step = sync_step,
};
