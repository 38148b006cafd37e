// SPDX-License-Identifier: GPL-2.0-only
/* The syncobjs of a submission: what its jobs wait for, and what they signal. */
#include <linux/dma-fence-chain.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "internal.h"

/*
 * The most syncobj points that one submission signals: publishing each walks the
 * timeline's unfinished points, and cannot be interrupted.
 */
#define MAX_SIGNALS	4096

/* A syncobj point that at least one job of the submission signals. */
struct signal {
	struct rb_node node;
	u32 handle;
	u64 point;
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;	/* NULL for a binary syncobj */
	struct dma_fence *fence;	/* of the last job so far that signals it, or NULL */
};

#define to_signal(node_) rb_entry(node_, struct signal, node)

static int compare_op(const void *key, const struct rb_node *node)
{
	const struct vgpu_sync_op *op = key;
	const struct signal *signal = to_signal(node);

	if (op->handle != signal->handle)
		return op->handle < signal->handle ? -1 : 1;
	if (op->point != signal->point)
		return op->point < signal->point ? -1 : 1;
	return 0;
}

static int compare_node(struct rb_node *new, const struct rb_node *node)
{
	const struct signal *signal = to_signal(new);
	const struct vgpu_sync_op op = { .handle = signal->handle, .point = signal->point };

	return compare_op(&op, node);
}

static struct signal *find_signal(struct vgpu_submit *submit, const struct vgpu_sync_op *op)
{
	struct rb_node *node = rb_find(op, &submit->signals, compare_op);

	return node ? to_signal(node) : NULL;
}

static void free_signal(struct signal *signal)
{
	dma_fence_put(signal->fence);
	dma_fence_chain_free(signal->chain);
	if (signal->syncobj)
		drm_syncobj_put(signal->syncobj);
	kfree(signal);
}

static int add_signal(struct vgpu_submit *submit, const struct vgpu_sync_op *op)
{
	struct signal *signal;
	int ret;

	if (submit->signal_count == MAX_SIGNALS)
		return -E2BIG;
	signal = kzalloc(sizeof(*signal), GFP_KERNEL_ACCOUNT);
	if (!signal)
		return -ENOMEM;
	signal->handle = op->handle;
	signal->point = op->point;
	signal->syncobj = drm_syncobj_find(submit->file, op->handle);
	if (!signal->syncobj) {
		ret = -EINVAL;
		goto err_free;
	}
	if (op->point) {
		signal->chain = dma_fence_chain_alloc();
		if (!signal->chain) {
			ret = -ENOMEM;
			goto err_free;
		}
	}
	rb_find_add(&signal->node, &submit->signals, compare_node);
	submit->signal_count++;
	return 0;

err_free:
	free_signal(signal);
	return ret;
}

static int collect_signals(struct vgpu_submit *submit, const struct vgpu_submit_entry *entry)
{
	for (u32 i = 0; i < entry->sync_count; i++) {
		const struct vgpu_sync_op *op = &entry->syncs[i];

		if (op->signal && !find_signal(submit, op)) {
			int ret = add_signal(submit, op);

			if (ret)
				return ret;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Allocate all that publishing needs. Returns 0 or what vgpu_submit_commit() returns. */
int vgpu_signals_collect(struct vgpu_submit *submit)
{
	for (u32 i = 0; i < submit->count; i++) {
		int ret = collect_signals(submit, &submit->entries[i]);

		if (ret)
			return ret;
	}
	return 0;
}

/* The fence to wait for: of a job earlier in the submission, else the syncobj's. */
static int find_fence(struct vgpu_submit *submit, const struct vgpu_sync_op *op,
		      struct dma_fence **fence)
{
	struct signal *signal = find_signal(submit, op);

	if (signal && signal->fence) {
		*fence = dma_fence_get(signal->fence);
		return 0;
	}
	return drm_syncobj_find_fence(submit->file, op->handle, op->point, 0, fence);
}

/*
 * Make a job depend on what it waits for. Returns 0; -ENOENT for an unknown handle;
 * -EINVAL for a syncobj or point without a fence; -ENOMEM; -EINTR.
 */
int vgpu_signals_wait(struct vgpu_submit *submit, struct vgpu_submit_entry *entry)
{
	for (u32 i = 0; i < entry->sync_count; i++) {
		struct dma_fence *fence;
		int ret;

		if (entry->syncs[i].signal)
			continue;
		ret = find_fence(submit, &entry->syncs[i], &fence);
		if (!ret)
			ret = drm_sched_job_add_dependency(&entry->task->base, fence);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* The job has its fence: those behind it in the submission may wait for it. */
void vgpu_signals_update(struct vgpu_submit *submit, struct vgpu_submit_entry *entry)
{
	for (u32 i = 0; i < entry->sync_count; i++) {
		struct signal *signal;

		if (!entry->syncs[i].signal)
			continue;
		signal = find_signal(submit, &entry->syncs[i]);
		dma_fence_put(signal->fence);
		signal->fence = dma_fence_get(entry->fence);
		cond_resched();
	}
}

/* The jobs will run: let the world see their fences. */
void vgpu_signals_publish(struct vgpu_submit *submit)
{
	struct rb_node *node;

	for (node = rb_first(&submit->signals); node; node = rb_next(node)) {
		struct signal *signal = to_signal(node);

		if (signal->chain)
			drm_syncobj_add_point(signal->syncobj, signal->chain, signal->fence,
					      signal->point);
		else
			drm_syncobj_replace_fence(signal->syncobj, signal->fence);
		signal->chain = NULL;
		cond_resched();
	}
}

void vgpu_signals_free(struct vgpu_submit *submit)
{
	struct signal *signal, *next;

	rbtree_postorder_for_each_entry_safe(signal, next, &submit->signals, node) {
		free_signal(signal);
		cond_resched();
	}
	submit->signals = RB_ROOT;
}
