// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cases of the dma-buf hooks (R14). Every byte of every view is compared after each
 * call: the CPU's, the exporter's device's, and that of each mapping of the importer. All
 * of them differ before the call, so what it has not copied is stale.
 */
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "witness.h"

/* More than swiotlb maps at once. */
#define PIECES	(SZ_256K + 3 * PAGE_SIZE)

/* What is exported. */
enum export_kind {
	SHMEM,		/* by the helper's own export, under DRM_GEM_SYNC_HOOKS */
	SHMEM_PIECES,	/* the same, in several pieces */
	COHERENT,	/* of a device that needs no sync; its importer does */
	WRITE_COMBINED,	/* without hooks */
	OWN,		/* not shmem-backed */
	OWN_UNKNOWN,	/* whose importers' mappings nobody tells the helper of */
	KINDS
};

static const char *const kind_names[] = {
	"shmem", "shmem in pieces", "coherent", "write-combined", "own", "own, unknown mappings",
};

static_assert(ARRAY_SIZE(kind_names) == KINDS);

/*
 * What the importer has mapped. The first ones are for objects in pieces too, which take
 * their time, and for write-combined ones, whose attachments keep their first mapping.
 */
#define FEW_PLANS	2

static const struct plan {
	const char *name;
	unsigned int count;
	struct {
		unsigned int attachment;
		enum dma_data_direction dir;
	} mappings[WITNESS_MAPPINGS];
} plans[] = {
	{ "both ways", 1, { { 1, DMA_BIDIRECTIONAL } } },
	{ "nothing mapped", 0, {} },
	{ "reader", 1, { { 1, DMA_TO_DEVICE } } },
	{ "writer", 1, { { 1, DMA_FROM_DEVICE } } },
	{ "writer behind a reader", 2, { { 0, DMA_TO_DEVICE }, { 0, DMA_BIDIRECTIONAL } } },
	{ "writer before a reader", 2, { { 0, DMA_BIDIRECTIONAL }, { 0, DMA_TO_DEVICE } } },
	{ "writer on the first attachment", 3,
	  { { 0, DMA_BIDIRECTIONAL }, { 1, DMA_TO_DEVICE }, { 1, DMA_TO_DEVICE } } },
	{ "writer on the second attachment", 3,
	  { { 0, DMA_TO_DEVICE }, { 0, DMA_TO_DEVICE }, { 1, DMA_FROM_DEVICE } } },
	{ "two writers on one attachment", 3,
	  { { 0, DMA_BIDIRECTIONAL }, { 0, DMA_BIDIRECTIONAL }, { 1, DMA_TO_DEVICE } } },
	{ "two writers on two attachments", 3,
	  { { 0, DMA_BIDIRECTIONAL }, { 1, DMA_BIDIRECTIONAL }, { 1, DMA_TO_DEVICE } } },
};

static struct witness_object *create(struct witness *w, enum export_kind kind)
{
	if (kind == OWN || kind == OWN_UNKNOWN)
		return witness_own_object(w, SMALL);
	return witness_object(w, kind == COHERENT ? &w->coherent : &w->hooks,
			      kind == SHMEM_PIECES ? PIECES : SMALL, kind != WRITE_COMBINED);
}

static struct dma_buf *export(struct witness_object *object, enum export_kind kind)
{
	if (kind == OWN || kind == OWN_UNKNOWN)
		return witness_own_export(object, kind == OWN);
	return drm_gem_sync_shmem_export(&object->base.base, O_RDWR | O_CLOEXEC);
}

/* An export with two attachments and nothing mapped. */
static bool open_share(struct witness *w, struct witness_share *share, enum export_kind kind)
{
	*share = (struct witness_share){
		.w = w,
		.object = create(w, kind),
		.synced = kind != COHERENT && kind != WRITE_COMBINED,
		.known = kind != OWN_UNKNOWN && kind != WRITE_COMBINED,
	};
	return share->object && witness_share(share, export(share->object, kind));
}

static bool map_plan(struct witness_share *share, const struct plan *plan)
{
	for (unsigned int i = 0; i < plan->count; i++)
		if (!witness_map(share, i, plan->mappings[i].attachment, plan->mappings[i].dir))
			return false;
	return true;
}

/* ---- Calls, and what they should have done ---- */

static void begin_access(struct witness_share *share, enum dma_data_direction dir, const char *what)
{
	int ret = dma_buf_begin_cpu_access(share->dma_buf, dir);

	EXPECT(share->w, !ret, "%s: begin %d: %d", what, dir, ret);
	witness_want_begin(share);
	witness_share_verify(share, what);
}

static void end_access(struct witness_share *share, enum dma_data_direction dir, const char *what)
{
	int ret = dma_buf_end_cpu_access(share->dma_buf, dir);

	EXPECT(share->w, !ret, "%s: end %d: %d", what, dir, ret);
	if (dir != DMA_FROM_DEVICE)
		witness_want_end(share);
	witness_share_verify(share, what);
}

/* Each direction alone, from views that all differ. */
static void check_begins(struct witness_share *share, const char *what)
{
	for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE; dir++) {
		witness_share_reset(share);
		begin_access(share, dir, what);
	}
}

static void check_ends(struct witness_share *share, const char *what)
{
	for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE; dir++) {
		witness_share_reset(share);
		end_access(share, dir, what);
	}
}

typedef void (*check_share)(struct witness_share *share, const char *what);

static void check_plan(struct witness_share *share, const struct plan *plan, check_share check,
		       const char *kind)
{
	char what[80];

	snprintf(what, sizeof(what), "%s, %s", kind, plan->name);
	if (map_plan(share, plan))
		check(share, what);
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++)
		witness_unmap(share, i);
}

/* Every kind with every plan. */
static void for_shares(struct witness *w, check_share check)
{
	struct witness_share share;

	for (enum export_kind kind = 0; kind < KINDS; kind++) {
		bool few = kind == SHMEM_PIECES || kind == WRITE_COMBINED;
		unsigned int count = few ? FEW_PLANS : ARRAY_SIZE(plans);

		if (!open_share(w, &share, kind))
			return;
		for (unsigned int i = 0; i < count; i++)
			check_plan(&share, &plans[i], check, kind_names[kind]);
		witness_unshare(&share);
		witness_release(w);
	}
}

/* ---- The cases ---- */

/*
 * Neither by a mapping that comes, nor in time, nor by one that goes; but the CPU of a
 * coherent device, which need not call anything, has what the importer's device wrote.
 */
static void check_without_access(struct witness_share *share, const char *what,
				 enum dma_data_direction dir)
{
	const unsigned int last = WITNESS_MAPPINGS - 1;
	const u8 *content = share->object->content[BY_IMPORTER + last];

	witness_unmap(share, last);
	witness_share_reset(share);
	witness_share_verify(share, what);
	if (!witness_map(share, last, 0, dir))
		return;
	witness_importer_writes(share, last, content);
	witness_share_verify(share, what);
	if (share->known && !share->synced && dir != DMA_TO_DEVICE)
		memcpy(share->object->want.cpu, content, share->object->base.base.size);
	witness_unmap(share, last);
	witness_share_verify(share, what);
}

static void check_without_accesses(struct witness_share *share, const char *what)
{
	check_without_access(share, what, DMA_BIDIRECTIONAL);
	/* Attachments of a write-combined object keep their first mapping. */
	if (!share->known)
		return;
	check_without_access(share, what, DMA_TO_DEVICE);
	check_without_access(share, what, DMA_FROM_DEVICE);
}

static void without_access(struct witness *w)
{
	for_shares(w, check_without_accesses);
}

/* ---- Between a write-back and a drop ---- */

/* Written back and not yet dropped, at any time: what the documentation says. */
#define NARROW		512

#define MAX_CALLS	1024

/* The offset in an object of an address of one of its mappings, or -1. */
static s64 offset_of(const struct sg_table *sgt, dma_addr_t addr)
{
	struct scatterlist *sg;
	s64 offset = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (addr >= sg_dma_address(sg) && addr - sg_dma_address(sg) < sg_dma_len(sg))
			return offset + (addr - sg_dma_address(sg));
		offset += sg_dma_len(sg);
	}
	return -1;
}

/* Each drop, of any device, is of what the exporter has written back just before. */
static void check_calls(struct witness_share *share, const struct witness_call *calls,
			unsigned int count)
{
	u64 size = share->object->base.base.size, dropped[2] = {};
	s64 start = 0, end = 0;

	for (unsigned int i = 0; i < count; i++) {
		const struct witness_call *call = &calls[i];
		bool importer = call->dev == share->w->importer;
		s64 offset = offset_of(importer ? share->mappings[0].sgt : share->object->sgt,
				       call->addr);

		EXPECT(share->w, offset >= 0, "call %u of nothing", i);
		if (!call->for_cpu) {
			EXPECT(share->w, !importer, "call %u fills a bounce buffer", i);
			start = offset;
			end = offset + call->size;
			continue;
		}
		dropped[importer] += call->size;
		EXPECT(share->w, offset >= start && offset + call->size <= end,
		       "call %u drops %lld+%zu, written back is %lld-%lld", i, offset,
		       call->size, start, end);
		EXPECT(share->w, end - start <= NARROW, "%lld bytes at once", end - start);
		/* An importer's drop comes too late for that: stores have been made since. */
		if (!importer)
			end = start;
	}
	EXPECT(share->w, dropped[0] == size && dropped[1] == size, "%llu and %llu bytes",
	       dropped[0], dropped[1]);
}

static void narrow(struct witness *w)
{
	struct witness_call *calls = kcalloc(MAX_CALLS, sizeof(*calls), GFP_KERNEL);
	struct witness_share share = {};
	unsigned int count;
	int ret;

	EXPECT(w, calls, "no memory");
	if (!calls || !open_share(w, &share, SHMEM))
		goto out;
	if (witness_map(&share, 0, 0, DMA_BIDIRECTIONAL)) {
		witness_record(calls, MAX_CALLS);
		ret = dma_buf_begin_cpu_access(share.dma_buf, DMA_FROM_DEVICE);
		count = witness_record_end();
		EXPECT(w, !ret && count <= MAX_CALLS, "begin: %d, %u calls", ret, count);
		check_calls(&share, calls, min(count, MAX_CALLS));
	}
	witness_unshare(&share);
out:
	kfree(calls);
}

static void end_writes_back(struct witness *w)
{
	for_shares(w, check_ends);
}

static void begin_brings(struct witness *w)
{
	for_shares(w, check_begins);
}

/* Either of two may go first, and the other one stays in sync. */
static void check_unmap(struct witness *w, unsigned int attachment, unsigned int gone)
{
	struct witness_share own;

	if (!open_share(w, &own, SHMEM))
		return;
	if (!witness_map(&own, 0, 0, DMA_BIDIRECTIONAL) ||
	    !witness_map(&own, 1, attachment, DMA_BIDIRECTIONAL))
		goto out;
	check_begins(&own, "begin, both mapped");
	check_ends(&own, "end, both mapped");
	witness_unmap(&own, gone);
	check_begins(&own, "begin, one unmapped");
	check_ends(&own, "end, one unmapped");
	/* A new one is the last of the list where the old one was not. */
	if (!witness_map(&own, gone, 0, DMA_BIDIRECTIONAL))
		goto out;
	check_ends(&own, "end, mapped again");
	witness_unmap(&own, !gone);
	check_begins(&own, "begin, the other unmapped");
	check_ends(&own, "end, the other unmapped");
	witness_unmap(&own, gone);
	check_begins(&own, "begin, none mapped");
	check_ends(&own, "end, none mapped");
out:
	witness_unshare(&own);
}

static void unmap_in_any_order(struct witness *w)
{
	for (unsigned int i = 0; i < 4; i++)
		check_unmap(w, i / 2, i % 2);
}

/*
 * What the CPU wrote and has not flushed is with the device before anything is dropped, so
 * a device that does not write leaves it. A mapping that writes has a whole view of its
 * own here, which hides that from the CPU: the importer only reads.
 */
static void check_unflushed(struct witness_share *share, const char *what)
{
	struct witness_object *object = share->object;
	size_t size = object->base.base.size;

	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++)
		if (share->mappings[i].sgt && share->mappings[i].dir != DMA_TO_DEVICE)
			return;
	object->quiet = true;
	check_begins(share, what);
	EXPECT(share->w, !memcmp(object->cpu, object->content[BY_CPU], size), "%s: lost", what);
	/* The twin: the device writes, and the CPU has that. */
	object->quiet = false;
	check_begins(share, what);
	EXPECT(share->w, share->synced ==
	       !memcmp(object->cpu, object->content[BY_DEVICE_LATE], size),
	       "%s: not the device's", what);
}

static void unflushed_survives(struct witness *w)
{
	for_shares(w, check_unflushed);
}

/* An end without a begin, a begin without an end, each of them again, and they still work. */
static void check_unbalanced(struct witness_share *share, const char *what)
{
	witness_share_reset(share);
	end_access(share, DMA_FROM_DEVICE, what);
	end_access(share, DMA_TO_DEVICE, what);
	end_access(share, DMA_BIDIRECTIONAL, what);
	witness_share_reset(share);
	begin_access(share, DMA_FROM_DEVICE, what);
	begin_access(share, DMA_BIDIRECTIONAL, what);
	end_access(share, DMA_FROM_DEVICE, what);
	end_access(share, DMA_BIDIRECTIONAL, what);
	end_access(share, DMA_TO_DEVICE, what);
	begin_access(share, DMA_TO_DEVICE, what);
	/* What the importer wrote since. */
	for (unsigned int i = 0; i < WITNESS_MAPPINGS; i++)
		if (share->mappings[i].sgt)
			witness_importer_writes(share, i, share->object->content[BY_DEVICE]);
	begin_access(share, DMA_FROM_DEVICE, what);
}

static void unbalanced(struct witness *w)
{
	for_shares(w, check_unbalanced);
}

static void check_nothing(struct witness_share *share, const char *what)
{
	struct dma_buf *dma_buf = share->dma_buf;

	witness_share_reset(share);
	end_access(share, DMA_FROM_DEVICE, what);
	EXPECT(share->w, drm_gem_dmabuf_begin_cpu_access(dma_buf, DMA_NONE) == -EINVAL,
	       "%s: begin of nothing", what);
	EXPECT(share->w, drm_gem_dmabuf_end_cpu_access(dma_buf, DMA_NONE) == -EINVAL,
	       "%s: end of nothing", what);
	witness_share_verify(share, what);
}

static void nothing_to_do(struct witness *w)
{
	for_shares(w, check_nothing);
}

/* ---- Fences ---- */

static const char *fence_name(struct dma_fence *fence)
{
	return "gem-sync-witness";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

/* The device's work: it ends with a write to its memory. The fence comes first: it frees all. */
struct job {
	struct dma_fence fence;
	spinlock_t lock;	/* of @fence */
	struct delayed_work work;
	struct witness_share *share;
};

static void run_job(struct work_struct *work)
{
	struct job *job = container_of(to_delayed_work(work), struct job, work);

	witness_importer_writes(job->share, 0, job->share->object->content[BY_IMPORTER_2]);
	dma_fence_signal(&job->fence);
}

static struct job *add_job(struct witness_share *share, enum dma_resv_usage usage)
{
	struct dma_resv *resv = share->dma_buf->resv;
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	int ret;

	EXPECT(share->w, job, "no job");
	if (!job)
		return NULL;
	job->share = share;
	spin_lock_init(&job->lock);
	INIT_DELAYED_WORK(&job->work, run_job);
	dma_fence_init(&job->fence, &fence_ops, &job->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &job->fence, usage);
	dma_resv_unlock(resv);
	EXPECT(share->w, !ret, "no fence: %d", ret);
	if (!ret)
		return job;
	dma_fence_put(&job->fence);
	return NULL;
}

/* The job ends while the call waits for it, or else behind the call. */
static void check_job(struct witness *w, enum export_kind kind, enum dma_resv_usage usage,
		      enum dma_data_direction dir, bool waits)
{
	struct witness_share own;
	struct job *job;

	if (!open_share(w, &own, kind))
		return;
	job = witness_map(&own, 0, 0, DMA_BIDIRECTIONAL) ? add_job(&own, usage) : NULL;
	if (!job)
		goto out;
	witness_share_reset(&own);
	if (waits)
		schedule_delayed_work(&job->work, HZ / 20);
	begin_access(&own, dir, waits ? "behind a job" : "before the end of a job");
	EXPECT(w, dma_fence_is_signaled(&job->fence) == waits, "usage %d, begin %d", usage, dir);
	if (!waits)
		schedule_delayed_work(&job->work, 0);
	flush_delayed_work(&job->work);
	/* The twin: what came behind the call is not with the CPU. */
	witness_share_verify(&own, "the job is done");
	dma_fence_put(&job->fence);
out:
	witness_unshare(&own);
}

static void waits_first(struct witness *w)
{
	static const enum export_kind exports[] = { SHMEM, COHERENT, OWN };

	for (unsigned int i = 0; i < ARRAY_SIZE(exports); i++) {
		check_job(w, exports[i], DMA_RESV_USAGE_WRITE, DMA_FROM_DEVICE, true);
		check_job(w, exports[i], DMA_RESV_USAGE_WRITE, DMA_TO_DEVICE, true);
		check_job(w, exports[i], DMA_RESV_USAGE_READ, DMA_BIDIRECTIONAL, true);
		check_job(w, exports[i], DMA_RESV_USAGE_READ, DMA_FROM_DEVICE, false);
	}
}

/* A job that, when it ends, leaves another one behind, which ends much later. */
struct relay {
	struct work_struct work;
	struct job *first;
	struct job *next;
	bool over;		/* the call to be looked at has returned */
};

static void run_relay(struct work_struct *work)
{
	struct relay *relay = container_of(work, struct relay, work);

	/* Who waits for the first one knows by then which fences there are. */
	while (!test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &relay->first->fence.flags) &&
	       !READ_ONCE(relay->over))
		usleep_range(1000, 2000);
	relay->next = add_job(relay->first->share, DMA_RESV_USAGE_WRITE);
	if (relay->next)
		schedule_delayed_work(&relay->next->work, 30 * HZ);
	dma_fence_signal(&relay->first->fence);
}

/* The fences that are there at the call are waited for, and none that comes later. */
static void waits_for_what_was_there(struct witness *w)
{
	struct witness_share own;
	struct relay relay = {};
	int ret;

	if (!open_share(w, &own, SHMEM))
		return;
	if (witness_map(&own, 0, 0, DMA_BIDIRECTIONAL))
		relay.first = add_job(&own, DMA_RESV_USAGE_WRITE);
	if (!relay.first)
		goto out;
	INIT_WORK_ONSTACK(&relay.work, run_relay);
	schedule_work(&relay.work);
	/* Not by the core, which waits behind the hook. */
	ret = drm_gem_dmabuf_begin_cpu_access(own.dma_buf, DMA_FROM_DEVICE);
	EXPECT(w, !ret, "begin: %d", ret);
	EXPECT(w, dma_fence_is_signaled(&relay.first->fence), "the first job was not waited for");
	WRITE_ONCE(relay.over, true);
	flush_work(&relay.work);
	destroy_work_on_stack(&relay.work);
	if (relay.next) {
		EXPECT(w, !dma_fence_is_signaled(&relay.next->fence), "the next one was");
		mod_delayed_work(system_wq, &relay.next->work, 0);
		flush_delayed_work(&relay.next->work);
		dma_fence_put(&relay.next->fence);
	}
	dma_fence_put(&relay.first->fence);
out:
	witness_unshare(&own);
}

const struct witness_case witness_hook_cases[] = {
	{ "R14: without an access nothing is copied", without_access },
	{ "R14: begin drops what it has just written back", narrow },
	{ "R14: begin waits for the fences that were there", waits_for_what_was_there },
	{ "R14: end writes back for the exporter and every mapping", end_writes_back },
	{ "R14: begin brings what a device wrote", begin_brings },
	{ "R14: mappings of an attachment come and go in any order", unmap_in_any_order },
	{ "R14: begin keeps what the CPU has not flushed", unflushed_survives },
	{ "R14: begin waits first", waits_first },
	{ "R14: unbalanced calls", unbalanced },
	{ "R14: calls that have nothing to do", nothing_to_do },
	{}
};
