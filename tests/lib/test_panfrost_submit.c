// SPDX-License-Identifier: MIT
/* SUBMIT and contexts: what runs, in which order, what it waits for, and what is refused. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panfrost_calls.h"

#define NOEXEC	PANFROST_BO_NOEXEC

static uint32_t fd_bo(struct fixture *f, volatile uint32_t **map)
{
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC);

	*map = pf_map_bo(f->fd, bo, PAGE);
	assert_true(*map != MAP_FAILED);
	return bo;
}

static void good_chain(struct chain *chain)
{
	chain->jobs[0] = jm_job(JM_NULL, 0);
}

/* ---- Refusals ---- */

static void bad_submits(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	const uint32_t syncobj = pf_new_syncobj(f->fd), unknown = NO_HANDLE;
	struct drm_panfrost_submit good = submit_args(&chain, 0), args;
	const struct {
		const char *what;
		int error;
		struct drm_panfrost_submit args;
	} cases[] = {
		{ "pad", -EINVAL, { .jc = good.jc, .pad = 1 } },
		{ "no chain", -EINVAL, { .jc = 0 } },
		{ "unknown requirement", -EINVAL, { .jc = good.jc, .requirements = 4 } },
		{ "unknown context", -EINVAL, { .jc = good.jc, .jm_ctx_handle = 63 } },
		{ "in_syncs at 0", -EFAULT, { .jc = good.jc, .in_sync_count = 1 } },
		{ "in_syncs unreadable", -EFAULT,
		  { .jc = good.jc, .in_syncs = 8, .in_sync_count = 1 } },
		{ "unknown in_sync", -ENOENT,
		  { .jc = good.jc, .in_syncs = (uintptr_t)&unknown, .in_sync_count = 1 } },
		{ "in_sync without fence", -EINVAL,
		  { .jc = good.jc, .in_syncs = (uintptr_t)&syncobj, .in_sync_count = 1 } },
		{ "bo_handles at 0", -EFAULT, { .jc = good.jc, .bo_handle_count = 1 } },
		{ "bo_handles unreadable", -EFAULT,
		  { .jc = good.jc, .bo_handles = 8, .bo_handle_count = 1 } },
		{ "unknown BO", -ENOENT,
		  { .jc = good.jc, .bo_handles = (uintptr_t)&unknown, .bo_handle_count = 1 } },
		{ "unknown out_sync", -ENODEV, { .jc = good.jc, .out_sync = NO_HANDLE } },
		{ "absurd number of BOs", -E2BIG,
		  { .jc = good.jc, .bo_handles = 8, .bo_handle_count = UINT32_MAX } },
		/* An address space has room for 516096. */
		{ "more BOs than there can be", -E2BIG,
		  { .jc = good.jc, .bo_handles = 8, .bo_handle_count = 516097 } },
		{ "as many BOs as there can be", -EFAULT,
		  { .jc = good.jc, .bo_handles = 8, .bo_handle_count = 516096 } },
		{ "more syncobjs than are waited for", -E2BIG,
		  { .jc = good.jc, .in_syncs = 8, .in_sync_count = 4097 } },
		{ "as many syncobjs as are waited for", -EFAULT,
		  { .jc = good.jc, .in_syncs = 8, .in_sync_count = 4096 } },
		{ "absurd number of syncobjs", -E2BIG,
		  { .jc = good.jc, .in_syncs = 8, .in_sync_count = UINT32_MAX } },
	};
	size_t i;
	int ret;

	good_chain(&chain);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		args = cases[i].args;
		ret = pf_submit(f->fd, &args);
		if (ret != cases[i].error)
			fail_msg("%s: %d, not %d", cases[i].what, ret, cases[i].error);
	}
	/* Nothing has run, and nothing was left behind. */
	assert_int_equal(chain.jobs[0].status, 0);
	assert_ok(run_chain(&chain));
}

/* ---- Chains ---- */

static void writes(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	volatile uint32_t *map;
	uint64_t va = pf_bo_va(f->fd, fd_bo(f, &map));

	memset((void *)map, 0xff, 64);
	chain.jobs[0] = jm_write_value(va, JM_IMM32, 0x11223344, job_va(&chain, 1));
	chain.jobs[1] = jm_write_value(va + 8, JM_IMM64, 0x5566778899aabbcc, job_va(&chain, 2));
	chain.jobs[2] = jm_write_value(va + 16, JM_ZERO, 1, job_va(&chain, 3));
	chain.jobs[3] = jm_write_value(va + 24, JM_TIMESTAMP, 0, job_va(&chain, 4));
	chain.jobs[4] = jm_job(JM_CACHE_FLUSH, 0);
	assert_ok(run_chain(&chain));
	assert_int_equal(map[0], 0x11223344);
	assert_int_equal(map[1], 0xffffffff);
	assert_int_equal(map[2], 0x99aabbcc);
	assert_int_equal(map[3], 0x55667788);
	assert_int_equal(map[4] | map[5], 0);
	assert_true((map[6] | (uint64_t)map[7] << 32) != UINT64_MAX);
	assert_int_equal(chain.jobs[4].status, 1);
}

/* The fence has the error, the header keeps its status, and the next chain runs. */
static void faults_end_their_chain_only(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	volatile uint32_t *map;
	uint64_t va = pf_bo_va(f->fd, fd_bo(f, &map));
	const struct jm_job bad[] = {
		jm_write_value(0, JM_IMM32, 1, 0),
		jm_write_value(va + PAGE - 4, JM_IMM64, 1, 0),
		jm_write_value(UINT64_MAX - 7, JM_IMM64, 1, 0),
		jm_write_value(va, (enum jm_value)99, 1, 0),
		jm_job(JM_COMPUTE, 0),
		jm_job(JM_FRAGMENT, 0),
		jm_job((enum jm_type)100, 0),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		chain.jobs[0] = jm_job(JM_NULL, job_va(&chain, 1));
		chain.jobs[1] = bad[i];
		chain.jobs[1].next = job_va(&chain, 2);
		chain.jobs[2] = jm_job(JM_NULL, 0);
		assert_int_equal(run_chain(&chain), -EINVAL);
		assert_int_equal(chain.jobs[0].status, 1);
		assert_int_equal(chain.jobs[1].status, 0);
		assert_int_equal(chain.jobs[2].status, 0);
		chain.jobs[0] = jm_write_value(va, JM_IMM32, (uint32_t)i + 1, 0);
		assert_ok(run_chain(&chain));
		assert_int_equal(map[0], i + 1);
	}
	/* A chain that was done has a status. */
	assert_int_equal(run_chain(&chain), -EINVAL);
}

/* ---- Order ---- */

/* What a chain waits for: until gate_open(). */
struct gate {
	struct chain chain;
	volatile uint32_t *word;
	uint32_t ctx;
	uint32_t syncobj;
};

static struct gate new_gate(struct fixture *f, const uint32_t *bos, uint32_t count)
{
	struct gate gate = { .chain = new_chain(f), .syncobj = pf_new_syncobj(f->fd) };
	struct drm_panfrost_submit args = submit_args(&gate.chain, gate.syncobj);
	uint64_t va = pf_bo_va(f->fd, fd_bo(f, &gate.word));

	assert_ok(pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_LOW, &gate.ctx));
	gate.chain.jobs[0] = jm_wait(va, 0, 0);
	args.jm_ctx_handle = gate.ctx;
	args.bo_handles = (uintptr_t)bos;
	args.bo_handle_count = count;
	assert_ok(pf_submit(f->fd, &args));
	return gate;
}

static void gate_open(struct gate *gate)
{
	*gate->word = 1;
}

static void in_syncs_are_waited_for(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct gate gate = new_gate(f, NULL, 0);
	struct chain chain = new_chain(f);
	uint32_t done = pf_new_syncobj(f->fd), ready = pf_new_syncobj(f->fd);
	uint32_t in_syncs[] = { ready, gate.syncobj };
	struct drm_panfrost_submit args = submit_args(&chain, done);

	assert_ok(drmSyncobjSignal(f->fd, &ready, 1));
	good_chain(&chain);
	args.in_syncs = (uintptr_t)in_syncs;
	args.in_sync_count = 2;
	assert_ok(pf_submit(f->fd, &args));
	assert_int_equal(pf_wait_syncobj(f->fd, done, 50 * MSEC), -ETIME);
	assert_int_equal(chain.jobs[0].status, 0);
	gate_open(&gate);
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_int_equal(chain.jobs[0].status, 1);
}

/* Without in_syncs it does not wait: the negative twin, and the slots do not either. */
static void slots_and_contexts_do_not_wait(void **state)
{
	static const uint32_t requirements[] = {
		0, PANFROST_JD_REQ_FS, PANFROST_JD_REQ_CYCLE_COUNT,
	};
	struct fixture *f = need_virtual_jobs(state);
	struct gate gate = new_gate(f, NULL, 0);
	struct chain chain = new_chain(f);
	struct drm_panfrost_submit args;
	uint32_t done = pf_new_syncobj(f->fd);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requirements); i++) {
		good_chain(&chain);
		args = submit_args(&chain, done);
		args.requirements = requirements[i];
		assert_ok(pf_submit(f->fd, &args));
		assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	}
	/* The other slot of the gate's own context. */
	good_chain(&chain);
	args.jm_ctx_handle = gate.ctx;
	args.requirements = PANFROST_JD_REQ_FS;
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	/* The same slot is busy. */
	good_chain(&chain);
	args.requirements = 0;
	assert_ok(pf_submit(f->fd, &args));
	assert_int_equal(pf_wait_syncobj(f->fd, done, 50 * MSEC), -ETIME);
	gate_open(&gate);
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
}

/* Implicit fences: chains that name one BO run one after the other, whatever their files. */
static void bos_are_waited_for(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	int other = gemsync_device_fd(fixture_other(f)), fd;
	volatile uint32_t *map;
	uint32_t bo = fd_bo(f, &map), imported, done = pf_new_syncobj(other);
	struct chain chain = new_chain_on(other);
	struct drm_panfrost_submit args = submit_args(&chain, done);
	struct gate gate;

	assert_ok(drmPrimeHandleToFD(f->fd, bo, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other, fd, &imported));
	close(fd);
	gate = new_gate(f, &bo, 1);
	good_chain(&chain);
	args.bo_handles = (uintptr_t)&imported;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(other, &args));
	assert_int_equal(pf_wait_syncobj(other, done, 50 * MSEC), -ETIME);
	assert_int_equal(pf_wait_bo(other, imported, 0), -EBUSY);
	gate_open(&gate);
	assert_ok(pf_wait_syncobj(other, done, LONG_NS));
	assert_ok(pf_wait_bo(f->fd, bo, LONG_NS));
}

/* Let the job of a gate be a user of what a dma-buf stands for: DMA_BUF_SYNC_READ or _WRITE. */
static void import_fence(struct fixture *f, const struct gate *gate, int dmabuf, uint32_t flags)
{
	struct dma_buf_import_sync_file args = { .flags = flags };

	assert_ok(drmSyncobjExportSyncFile(f->fd, gate->syncobj, &args.fd));
	assert_ok(raw_ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args));
	close(args.fd);
}

/* Others may only read: a job may write, and so waits for them, as WAIT_BO does. */
static void others_are_waited_for(void **state)
{
	static const uint32_t users[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE };
	struct fixture *f = need_virtual_jobs(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(users); i++) {
		uint32_t done = pf_new_syncobj(f->fd), bo;
		struct gate gate = new_gate(f, NULL, 0);
		struct chain chain = new_chain(f);
		struct drm_panfrost_submit args = submit_args(&chain, done);
		volatile uint32_t *map;
		int dmabuf;

		bo = fd_bo(f, &map);
		assert_ok(drmPrimeHandleToFD(f->fd, bo, DRM_CLOEXEC | DRM_RDWR, &dmabuf));
		assert_ok(pf_wait_bo(f->fd, bo, 0));
		import_fence(f, &gate, dmabuf, users[i]);
		close(dmabuf);
		assert_int_equal(pf_wait_bo(f->fd, bo, 0), -EBUSY);
		good_chain(&chain);
		args.bo_handles = (uintptr_t)&bo;
		args.bo_handle_count = 1;
		assert_ok(pf_submit(f->fd, &args));
		assert_int_equal(pf_wait_syncobj(f->fd, done, 50 * MSEC), -ETIME);
		gate_open(&gate);
		assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
		assert_ok(pf_wait_bo(f->fd, bo, LONG_NS));
	}
}

/* Whoever uses a BO counts as a wait, of which one chain has at most 4096. */
static void implicit_waits_count(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	uint32_t ready = pf_new_syncobj(f->fd), done = pf_new_syncobj(f->fd), in_syncs[4096];
	struct chain chain = new_chain(f);
	struct drm_panfrost_submit args = submit_args(&chain, done);
	volatile uint32_t *map;
	uint32_t bo = fd_bo(f, &map);
	struct gate gate = new_gate(f, &bo, 1);
	size_t i;

	assert_ok(drmSyncobjSignal(f->fd, &ready, 1));
	for (i = 0; i < ARRAY_SIZE(in_syncs); i++)
		in_syncs[i] = ready;
	good_chain(&chain);
	args.in_syncs = (uintptr_t)in_syncs;
	args.in_sync_count = 4096;
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	args.bo_handles = (uintptr_t)&bo;
	args.bo_handle_count = 1;
	assert_int_equal(pf_submit(f->fd, &args), -E2BIG);
	good_chain(&chain);
	args.in_sync_count = 4095;
	assert_ok(pf_submit(f->fd, &args));
	assert_int_equal(pf_wait_syncobj(f->fd, done, 50 * MSEC), -ETIME);
	gate_open(&gate);
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_int_equal(chain.jobs[0].status, 1);
}

/* A chain behind a gate's, in its context, which goes on when *@word is not 0. */
static void submit_behind(struct fixture *f, const struct gate *gate, const uint32_t *bo,
			  volatile uint32_t **word)
{
	struct chain chain = new_chain(f);
	struct drm_panfrost_submit args = submit_args(&chain, 0);

	chain.jobs[0] = jm_wait(pf_bo_va(f->fd, fd_bo(f, word)), 0, 0);
	args.jm_ctx_handle = gate->ctx;
	args.bo_handles = (uintptr_t)bo;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(f->fd, &args));
}

/* Of the users of several BOs that follow each other, the last one is waited for. */
static void last_user_is_waited_for(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	unsigned int first;

	for (first = 0; first < 2; first++) {
		uint32_t done = pf_new_syncobj(f->fd), bos[2], named[2];
		struct chain chain = new_chain(f);
		struct drm_panfrost_submit args = submit_args(&chain, done);
		volatile uint32_t *map, *word;
		struct gate gate;

		bos[0] = fd_bo(f, &map);
		bos[1] = fd_bo(f, &map);
		gate = new_gate(f, &bos[0], 1);
		submit_behind(f, &gate, &bos[1], &word);
		named[0] = bos[first];
		named[1] = bos[!first];
		good_chain(&chain);
		args.bo_handles = (uintptr_t)named;
		args.bo_handle_count = 2;
		assert_ok(pf_submit(f->fd, &args));
		gate_open(&gate);
		assert_int_equal(pf_wait_syncobj(f->fd, done, 100 * MSEC), -ETIME);
		*word = 1;
		assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	}
}

/* A BO may be named twice. */
static void bo_named_twice(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	uint32_t bos[] = { chain.bo, chain.bo };
	struct drm_panfrost_submit args = submit_args(&chain, 0);

	good_chain(&chain);
	args.bo_handles = (uintptr_t)bos;
	args.bo_handle_count = 2;
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_bo(f->fd, chain.bo, LONG_NS));
	assert_int_equal(chain.jobs[0].status, 1);
}

/* The handle goes while the chain waits: what it named is there until its end. */
static void closed_bo_stays_mapped(void **state)
{
	struct fixture *f = need_virtual_jobs(state);
	struct gate gate = new_gate(f, NULL, 0);
	struct chain chain = new_chain(f);
	uint32_t done = pf_new_syncobj(f->fd), bo = pf_new_bo(f->fd, PAGE, NOEXEC);
	struct drm_panfrost_submit args = submit_args(&chain, done);

	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, bo), JM_IMM32, 1, 0);
	args.in_syncs = (uintptr_t)&gate.syncobj;
	args.in_sync_count = 1;
	args.bo_handles = (uintptr_t)&bo;
	args.bo_handle_count = 1;
	assert_ok(pf_submit(f->fd, &args));
	pf_close_bo(f->fd, bo);
	gate_open(&gate);
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_ok(pf_syncobj_error(f->fd, done));
}

/* The twin: what it did not name goes with its handle. */
static void closed_bo_goes(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC);

	chain.jobs[0] = jm_write_value(pf_bo_va(f->fd, bo), JM_IMM32, 1, 0);
	assert_ok(run_chain(&chain));
	chain.jobs[0].status = 0;
	pf_close_bo(f->fd, bo);
	assert_int_equal(run_chain(&chain), -EINVAL);
}

/* ---- Ends ---- */

/* A chain that never ends is killed, by default after 500 ms, and the next one runs. */
static void endless_chain(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain endless = new_chain(f), chain = new_chain(f);
	uint32_t killed = pf_new_syncobj(f->fd), done = pf_new_syncobj(f->fd);
	struct drm_panfrost_submit args = submit_args(&endless, killed);
	long limit = pf_module_value("vpanfrost/parameters/job_timeout_ms");
	int64_t begin = now_ms();

	put_endless(&endless);
	assert_ok(pf_submit(f->fd, &args));
	good_chain(&chain);
	args = submit_args(&chain, done);
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_wait_syncobj(f->fd, killed, 4 * limit * MSEC + LONG_NS));
	assert_true(now_ms() - begin >= limit - 20);
	assert_int_equal(pf_syncobj_error(f->fd, killed), -ETIMEDOUT);
	assert_ok(pf_wait_syncobj(f->fd, done, LONG_NS));
	assert_ok(pf_syncobj_error(f->fd, done));
}

/* The same for one that waits for what never comes: here, a job that is not there. */
static void unmet_dependency(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);

	chain.jobs[0] = jm_job(JM_NULL, 0);
	chain.jobs[0].dependencies[0] = 7;
	assert_int_equal(run_chain(&chain), -ETIMEDOUT);
	assert_int_equal(chain.jobs[0].status, 0);
}

/* Closing the file kills at once: others that wait for the chain's BO need no timeout. */
static void closing_the_file_kills(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t bo = pf_new_bo(f->fd, PAGE, NOEXEC), imported;
	struct gemsync_device *other = fixture_other(f);
	int other_fd = gemsync_device_fd(other), fd;
	struct chain endless = new_chain_on(other_fd);
	struct drm_panfrost_submit args = submit_args(&endless, 0);
	long limit = pf_module_value("vpanfrost/parameters/job_timeout_ms");
	int64_t begin;

	assert_ok(drmPrimeHandleToFD(f->fd, bo, DRM_CLOEXEC | DRM_RDWR, &fd));
	assert_ok(drmPrimeFDToHandle(other_fd, fd, &imported));
	close(fd);
	put_endless(&endless);
	args.bo_handles = (uintptr_t)&imported;
	args.bo_handle_count = 1;
	begin = now_ms();
	assert_ok(pf_submit(other_fd, &args));
	assert_int_equal(pf_wait_bo(f->fd, bo, 0), -EBUSY);
	munmap(endless.jobs, CHAIN_MAX * JM_JOB_SIZE);
	gemsync_device_close(other);
	f->other = NULL;
	assert_ok(pf_wait_bo(f->fd, bo, LONG_NS));
	assert_true(now_ms() - begin < limit);
}

/* ---- Contexts ---- */

static void bad_contexts(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct drm_panfrost_jm_ctx_destroy args = { .pad = 1 };
	uint32_t ctx = 0;

	assert_int_equal(pf_create_ctx(f->fd, 3, &ctx), -EINVAL);
	assert_int_equal(pf_create_ctx(f->fd, UINT32_MAX, &ctx), -EINVAL);
	assert_ok(pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM, &ctx));
	assert_int_not_equal(ctx, 0);
	args.handle = ctx;
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANFROST_JM_CTX_DESTROY, &args), -EINVAL);
	assert_int_equal(pf_destroy_ctx(f->fd, 0), -EINVAL);
	assert_int_equal(pf_destroy_ctx(f->fd, NO_HANDLE), -EINVAL);
	assert_ok(pf_destroy_ctx(f->fd, ctx));
	assert_int_equal(pf_destroy_ctx(f->fd, ctx), -EINVAL);
}

/* As root, who may. */
static void high_priority(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint64_t allowed;
	uint32_t ctx;
	int ret;

	assert_ok(pf_get_param(f->fd, DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES, &allowed));
	ret = pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_HIGH, &ctx);
	assert_int_equal(ret, allowed & 4 ? 0 : -EACCES);
	if (!ret && !geteuid()) {
		assert_ok(seteuid(NOBODY));
		ret = pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_HIGH, &ctx);
		assert_ok(pf_get_param(f->fd, DRM_PANFROST_PARAM_ALLOWED_JM_CTX_PRIORITIES,
				       &allowed));
		assert_ok(seteuid(0));
		assert_int_equal(ret, -EACCES);
		assert_int_equal(allowed, 3);
	}
}

static void too_many_contexts(void **state)
{
	struct fixture *f = need_panfrost(state);
	uint32_t last = 0, ctx, count = 2;	/* context 0, and the fixture's GPU has one */
	int ret;

	while (!(ret = pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_LOW, &ctx))) {
		last = ctx;
		count++;
		assert_true(count <= 64);
	}
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(count, 64);
	assert_ok(pf_destroy_ctx(f->fd, last));
	assert_ok(pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_LOW, &ctx));
}

/* What a context still runs ends with it; the others go on. */
static void context_ends(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain endless = new_chain(f), chain = new_chain(f);
	uint32_t ctx, killed = pf_new_syncobj(f->fd);
	struct drm_panfrost_submit args = submit_args(&endless, killed);

	assert_ok(pf_create_ctx(f->fd, PANFROST_JM_CTX_PRIORITY_MEDIUM, &ctx));
	put_endless(&endless);
	args.jm_ctx_handle = ctx;
	assert_ok(pf_submit(f->fd, &args));
	assert_ok(pf_destroy_ctx(f->fd, ctx));
	assert_ok(pf_wait_syncobj(f->fd, killed, LONG_NS));
	assert_int_equal(pf_syncobj_error(f->fd, killed), -ECANCELED);
	assert_int_equal(pf_submit(f->fd, &args), -EINVAL);
	good_chain(&chain);
	assert_ok(run_chain(&chain));
}

/* ---- What /proc says of the file ---- */

/* Each slot has its time and cycles; the clock stands at its most. */
static void engines_in_fdinfo(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain = new_chain(f);
	int64_t max = fdinfo(f, "drm-maxfreq-fragment", NULL, 0);
	/* Opening the GPU runs chains. */
	int64_t time = fdinfo(f, "drm-engine-vertex-tiler", NULL, 0);
	int64_t cycles = fdinfo(f, "drm-cycles-vertex-tiler", NULL, 0);

	assert_true(max > 0);
	assert_int_equal(fdinfo(f, "drm-curfreq-fragment", NULL, 0), max);
	assert_int_equal(fdinfo(f, "drm-maxfreq-vertex-tiler", NULL, 0), max);
	assert_int_equal(fdinfo(f, "drm-curfreq-vertex-tiler", NULL, 0), max);
	assert_int_equal(fdinfo(f, "drm-engine-fragment", NULL, 0), 0);
	assert_int_equal(fdinfo(f, "drm-cycles-fragment", NULL, 0), 0);
	assert_true(time >= 0 && cycles >= 0);
	good_chain(&chain);
	assert_ok(run_chain(&chain));
	assert_int_equal(fdinfo(f, "drm-engine-fragment", NULL, 0), 0);
	assert_true(fdinfo(f, "drm-engine-vertex-tiler", NULL, 0) > time);
	assert_true(fdinfo(f, "drm-cycles-vertex-tiler", NULL, 0) > cycles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(bad_submits),
		device_test(writes),
		device_test(faults_end_their_chain_only),
		device_test(in_syncs_are_waited_for),
		device_test(slots_and_contexts_do_not_wait),
		device_test(bos_are_waited_for),
		device_test(others_are_waited_for),
		device_test(implicit_waits_count),
		device_test(last_user_is_waited_for),
		device_test(bo_named_twice),
		device_test(closed_bo_stays_mapped),
		device_test(closed_bo_goes),
		device_test(endless_chain),
		device_test(unmet_dependency),
		device_test(closing_the_file_kills),
		device_test(bad_contexts),
		device_test(high_priority),
		device_test(too_many_contexts),
		device_test(context_ends),
		device_test(engines_in_fdinfo),
	};

	return cmocka_run_group_tests_name("panfrost_submit", tests, NULL, NULL);
}
