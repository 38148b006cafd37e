// SPDX-License-Identifier: MIT
/*
 * Races of syncs, maps and handles with the end of what they use (R13, R19, R20).
 * A race that is lost shows in the kernel's log, or as a map that must not be.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "sharing.h"

#define DURATION_MS	3000
#define RING		16u	/* how many BOs live at once */

struct churn {
	struct fixture *f;
	_Atomic uint32_t handles[RING];
	atomic_bool stop;
	atomic_ulong done;
	atomic_int error;	/* of a call that must not fail */
};

static uint32_t create_mapped(struct fixture *f, void **map)
{
	struct drm_panthor_bo_create args = {
		.size = 64 * KIB,
		.flags = DRM_PANTHOR_BO_WB_MMAP,
		.exclusive_vm_id = f->vm,
	};
	uint64_t offset;

	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args));
	assert_ok(mmap_offset(f->fd, args.handle, &offset));
	*map = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, offset);
	assert_ptr_not_equal(*map, MAP_FAILED);
	return args.handle;
}

/* Syncs whatever BO is there; a BO that has just gone is -ENOENT and nothing else. */
static void *sync_thread(void *arg)
{
	struct churn *churn = arg;
	unsigned int i = 0;
	int ret;

	while (!churn->stop) {
		struct drm_panthor_bo_sync_op op = {
			.handle = churn->handles[i++ % RING],
			.type = i & 1,
			.size = 64,
		};

		ret = raw_sync(churn->f->fd, &op, 1, sizeof(op));
		if (ret && ret != -ENOENT)
			churn->error = ret;
		churn->done++;
	}
	return NULL;
}

static void close_one(struct churn *churn, unsigned int i, void **maps)
{
	if (!churn->handles[i])
		return;
	drmCloseBufferHandle(churn->f->fd, churn->handles[i]);
	churn->handles[i] = 0;
	munmap(maps[i], 64 * KIB);
}

/* R19: sync against create, map, close and free, on all sides of the memory's life. */
static void sync_against_close(void **state)
{
	struct churn churn = { .f = need_file(state) };
	int64_t end = now_ms() + DURATION_MS;
	void *maps[RING] = {};
	pthread_t threads[2];
	unsigned int i, n;

	for (i = 0; i < 2; i++)
		assert_ok(pthread_create(&threads[i], NULL, sync_thread, &churn));
	for (n = 0; now_ms() < end; n++) {
		i = n % RING;
		close_one(&churn, i, maps);
		churn.handles[i] = create_mapped(churn.f, &maps[i]);
		memset(maps[i], n, 1);
	}
	churn.stop = true;
	for (i = 0; i < 2; i++)
		assert_ok(pthread_join(threads[i], NULL));
	for (i = 0; i < RING; i++)
		close_one(&churn, i, maps);
	assert_int_equal(churn.error, 0);
	assert_true(churn.done > 0 && n > 0);
}

struct opener {
	int fd;
	uint32_t name;
	atomic_bool stop;
	atomic_ulong refused;
};

static void *open_thread(void *arg)
{
	struct opener *opener = arg;

	while (!opener->stop) {
		struct drm_gem_open args = { .name = opener->name };

		if (raw_ioctl(opener->fd, DRM_IOCTL_GEM_OPEN, &args) == -EPERM)
			opener->refused++;
	}
	return NULL;
}

/*
 * R13: while a GEM_OPEN is being refused, the DRM core lets the file map the BO;
 * the owner's own map is the proof that the offset is right.
 */
static void map_while_open_is_refused(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_vm_create vm = {};
	struct drm_panthor_bo_create bo = { .size = 4096 };
	struct drm_gem_flink flink = {};
	struct opener opener = {};
	int64_t end = now_ms() + DURATION_MS;
	unsigned long maps = 0;
	uint64_t offset;
	pthread_t thread;
	int owner;
	void *map;

	if (getuid())
		skip_because("GEM_FLINK wants an authenticated file: run as root");
	owner = open_primary(f);
	opener.fd = open_primary(f);
	assert_ok(raw_ioctl(owner, DRM_IOCTL_PANTHOR_VM_CREATE, &vm));
	bo.exclusive_vm_id = vm.id;
	assert_ok(raw_ioctl(owner, DRM_IOCTL_PANTHOR_BO_CREATE, &bo));
	assert_ok(mmap_offset(owner, bo.handle, &offset));
	flink.handle = bo.handle;
	assert_ok(raw_ioctl(owner, DRM_IOCTL_GEM_FLINK, &flink));
	opener.name = flink.name;
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, owner, offset);
	assert_ptr_not_equal(map, MAP_FAILED);
	munmap(map, 4096);

	assert_ok(pthread_create(&thread, NULL, open_thread, &opener));
	while (now_ms() < end && !maps)
		maps += mmap(NULL, 4096, PROT_READ, MAP_SHARED, opener.fd, offset) != MAP_FAILED;
	opener.stop = true;
	assert_ok(pthread_join(thread, NULL));
	assert_int_equal(maps, 0);
	assert_true(opener.refused > 0);
	close(opener.fd);
	close(owner);
}

/* R8, R19: a BO that no memory can hold is refused, and the kernel does not complain. */
static void larger_than_memory(void **state)
{
	struct fixture *f = need_file(state);
	struct drm_panthor_bo_create args = { .exclusive_vm_id = f->vm };

	for (args.size = 1ull << 38; args.size; args.size <<= 1)
		assert_true(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args) < 0);
	args.size = 4096;
	assert_ok(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args));
	drmCloseBufferHandle(f->fd, args.handle);
}

/* Maps in all states of being cut, moved and inherited show the right pages. */
static void cut_moved_and_inherited_maps(void **state)
{
	struct fixture *f = need_file(state);
	uint32_t *map, *moved;
	uint32_t handle, i;
	void *ptr;

	handle = create_mapped(f, &ptr);
	map = ptr;
	for (i = 0; i < 16; i++)
		map[i * 1024] = i;
	assert_ok(munmap(map, 4096));
	assert_ok(munmap(map + 7 * 1024, 4096));
	for (i = 1; i < 16; i++) {
		if (i != 7)
			assert_int_equal(map[i * 1024], i);
	}
	moved = mremap(map + 8 * 1024, 4 * 4096, 4 * 4096, MREMAP_MAYMOVE);
	assert_ptr_not_equal(moved, MAP_FAILED);
	drmCloseBufferHandle(f->fd, handle);
	assert_int_equal(moved[1024], 9);
	assert_int_equal(map[1024], 1);
	munmap(map + 1024, 15 * 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(sync_against_close),
		device_test(map_while_open_is_refused),
		device_test(larger_than_memory),
		device_test(cut_moved_and_inherited_maps),
	};

	return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
