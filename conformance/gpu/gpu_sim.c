// SPDX-License-Identifier: MIT
/*
 * GPU work for the simulated device. The streams are in gpu_csf.c, the chains of a device
 * with a job manager in gpu_jm.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "gpu_csf.h"
#include "gpu_jm.h"
#include "sim.h"

struct sim_queue {
	struct gpu_queue base;	/* the first member */
	struct gemsync_sim_queue *sim;
};

static struct gemsync_sim_queue *to_sim(struct gpu_queue *queue)
{
	return ((struct sim_queue *)queue)->sim;
}

static int sim_queue_create(struct gpu_csf *gpu, struct gpu_queue **out)
{
	struct sim_queue *queue;
	int ret;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	ret = gemsync_sim_queue_create(gpu->base.dev, &queue->sim);
	if (ret)
		free(queue);
	else
		*out = &queue->base;
	return ret;
}

static void sim_queue_destroy(struct gpu_queue *queue)
{
	gemsync_sim_queue_destroy(to_sim(queue));
	free(queue);
}

static int sim_submit(struct gpu_queue *queue, uint64_t va, uint32_t size)
{
	return gemsync_sim_submit(to_sim(queue), va, size);
}

static int sim_wait(struct gpu_queue *queue, int64_t timeout_ns)
{
	return gemsync_sim_wait(to_sim(queue), timeout_ns);
}

static int sim_bind_program(struct gpu_csf *gpu, uint32_t handle, uint64_t size, uint64_t va)
{
	return gemsync_sim_bind(gpu->base.dev, handle, 0, size, va, GEMSYNC_SIM_READONLY);
}

static const struct gpu_csf_ops sim_csf_ops = {
	.queue_create = sim_queue_create,
	.queue_destroy = sim_queue_destroy,
	.submit = sim_submit,
	.wait = sim_wait,
	.bind_program = sim_bind_program,
};

static int sim_bind(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset, uint64_t size,
		    uint64_t va)
{
	return gemsync_sim_bind(gpu->dev, handle, offset, size, va, 0);
}

static int sim_bind_readonly(struct gemsync_gpu *gpu, uint32_t handle, uint64_t offset,
			     uint64_t size, uint64_t va)
{
	return gemsync_sim_bind(gpu->dev, handle, offset, size, va, GEMSYNC_SIM_READONLY);
}

static int sim_unbind(struct gemsync_gpu *gpu, uint64_t va, uint64_t size)
{
	return gemsync_sim_unbind(gpu->dev, va, size);
}

static int csf_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	struct gpu_csf *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->base.ops = &gpu_sim_ops;
	gpu->base.dev = dev;
	gpu->csf = &sim_csf_ops;
	ret = gpu_csf_init(gpu, dev);
	if (ret)
		free(gpu);
	else
		*out = &gpu->base;
	return ret;
}

static void csf_close(struct gemsync_gpu *gpu)
{
	gpu_csf_fini((struct gpu_csf *)gpu);
	free(gpu);
}

/* ---- Job chains ---- */

struct sim_jm {
	struct gpu_jm jm;	/* the first member */
	struct gemsync_sim_queue *queue;
};

static int jm_submit(struct gpu_jm *gpu, uint64_t va)
{
	return gemsync_sim_submit(((struct sim_jm *)gpu)->queue, va, 0);
}

static int jm_wait_end(struct gpu_jm *gpu, int64_t timeout_ns)
{
	return gemsync_sim_wait(((struct sim_jm *)gpu)->queue, timeout_ns);
}

static const struct gpu_jm_ops sim_jm_ops = {
	.submit = jm_submit,
	.wait = jm_wait_end,
};

static int jm_address(struct gemsync_gpu *gpu, uint32_t handle, uint64_t *va)
{
	return gemsync_sim_address(gpu->dev, handle, va);
}

static void jm_close(struct gemsync_gpu *base)
{
	struct sim_jm *gpu = (struct sim_jm *)base;

	gemsync_sim_queue_destroy(gpu->queue);
	gpu_jm_fini(&gpu->jm);
	free(gpu);
}

static const struct gpu_ops sim_jm_gpu_ops = {
	.driver = "sim",
	.close = jm_close,
	.address = jm_address,
	.copy = gpu_jm_copy,
	.write = gpu_jm_write,
	.fill = gpu_jm_fill,
	.spin_begin = gpu_jm_spin_begin,
	.spin_running = gpu_jm_spin_running,
	.spin_end = gpu_jm_spin_end,
};

static int jm_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	struct sim_jm *gpu;
	int ret;

	gpu = calloc(1, sizeof(*gpu));
	if (!gpu)
		return -ENOMEM;
	gpu->jm.base.ops = &sim_jm_gpu_ops;
	gpu->jm.base.dev = dev;
	gpu->jm.jm = &sim_jm_ops;
	ret = gemsync_sim_queue_create(dev, &gpu->queue);
	if (ret)
		goto err_free;
	ret = gpu_jm_init(&gpu->jm, true);
	if (ret)
		goto err_destroy;
	*out = &gpu->jm.base;
	return 0;
err_destroy:
	gemsync_sim_queue_destroy(gpu->queue);
err_free:
	free(gpu);
	return ret;
}

/* ---- Either ---- */

static int sim_open(struct gemsync_device *dev, struct gemsync_gpu **out)
{
	return gemsync_sim_has_job_manager(dev) ? jm_open(dev, out) : csf_open(dev, out);
}

const struct gpu_ops gpu_sim_ops = {
	.driver = "sim",
	.open = sim_open,
	.close = csf_close,
	.bind = sim_bind,
	.bind_readonly = sim_bind_readonly,
	.unbind = sim_unbind,
	.copy = gpu_csf_copy,
	.fill = gpu_csf_fill,
	.spin_begin = gpu_csf_spin_begin,
	.spin_running = gpu_csf_spin_running,
	.spin_end = gpu_csf_spin_end,
};
