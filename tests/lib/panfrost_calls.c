// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xf86drm.h>

#include "gpu_syncobj.h"
#include "panfrost_calls.h"

struct fixture *need_panfrost(void **state)
{
	struct fixture *f = need_file(state);

	if (strcmp(f->info.driver, "panfrost"))
		skip_because("the driver is %s: run on a panfrost device", f->info.driver);
	return f;
}

struct fixture *need_virtual_jobs(void **state)
{
	struct fixture *f = need_panfrost(state);
	struct chain chain;

	if (!f->info.emulated)
		skip_because("hardware has no virtual jobs: run on an emulated device");
	chain = new_chain(f);
	chain.jobs[0] = jm_copy(0, 0, 0, 0);
	if (run_chain(&chain))
		skip_because("the device has no virtual jobs: load it without virtual_jobs=0");
	return f;
}

/* ---- BOs ---- */

int pf_create_bo(int fd, uint32_t size, uint32_t flags, uint32_t *handle)
{
	struct drm_panfrost_create_bo args = { .size = size, .flags = flags };
	int ret = raw_ioctl(fd, DRM_IOCTL_PANFROST_CREATE_BO, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

void pf_close_bo(int fd, uint32_t handle)
{
	assert_ok(drmCloseBufferHandle(fd, handle));
}

uint32_t pf_new_bo(int fd, uint32_t size, uint32_t flags)
{
	uint32_t handle = 0;

	assert_ok(pf_create_bo(fd, size, flags, &handle));
	assert_int_not_equal(handle, 0);
	return handle;
}

uint64_t pf_bo_va(int fd, uint32_t handle)
{
	struct drm_panfrost_get_bo_offset args = { .handle = handle };

	assert_ok(raw_ioctl(fd, DRM_IOCTL_PANFROST_GET_BO_OFFSET, &args));
	return args.offset;
}

void *pf_map_bo(int fd, uint32_t handle, uint64_t size)
{
	struct drm_panfrost_mmap_bo args = { .handle = handle };

	assert_ok(raw_ioctl(fd, DRM_IOCTL_PANFROST_MMAP_BO, &args));
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)args.offset);
}

static int64_t deadline(int64_t timeout_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + timeout_ns;
}

int pf_wait_bo(int fd, uint32_t handle, int64_t timeout_ns)
{
	struct drm_panfrost_wait_bo args = {
		.handle = handle,
		.timeout_ns = timeout_ns ? deadline(timeout_ns) : 0,
	};

	return raw_ioctl(fd, DRM_IOCTL_PANFROST_WAIT_BO, &args);
}

int pf_madvise_bo(int fd, uint32_t handle, uint32_t madv, uint32_t *retained)
{
	struct drm_panfrost_madvise args = { .handle = handle, .madv = madv };
	int ret = raw_ioctl(fd, DRM_IOCTL_PANFROST_MADVISE, &args);

	if (!ret)
		*retained = args.retained;
	return ret;
}

int pf_query_bo(int fd, uint32_t handle, uint32_t *create_flags, uint32_t *extra_flags)
{
	struct drm_panfrost_query_bo_info args = { .handle = handle };
	int ret = raw_ioctl(fd, DRM_IOCTL_PANFROST_QUERY_BO_INFO, &args);

	if (!ret) {
		*create_flags = args.create_flags;
		*extra_flags = args.extra_flags;
	}
	return ret;
}

int pf_sync_bo(int fd, const struct drm_panfrost_bo_sync_op *ops, uint32_t count)
{
	struct drm_panfrost_sync_bo args = { .ops = (uintptr_t)ops, .op_count = count };

	return raw_ioctl(fd, DRM_IOCTL_PANFROST_SYNC_BO, &args);
}

/* ---- Chains ---- */

struct chain new_chain_on(int fd)
{
	struct chain chain = { .fd = fd };
	void *map;

	chain.bo = pf_new_bo(fd, CHAIN_MAX * JM_JOB_SIZE, PANFROST_BO_NOEXEC);
	map = pf_map_bo(fd, chain.bo, CHAIN_MAX * JM_JOB_SIZE);
	assert_true(map != MAP_FAILED);
	chain.jobs = map;
	chain.va = pf_bo_va(fd, chain.bo);
	return chain;
}

struct chain new_chain(struct fixture *f)
{
	return new_chain_on(f->fd);
}

uint64_t job_va(const struct chain *chain, uint32_t n)
{
	return chain->va + n * JM_JOB_SIZE;
}

/* Each clears the status of the other, which would end it. */
void put_endless(struct chain *chain)
{
	chain->jobs[0] = jm_write_value(job_va(chain, 1), JM_ZERO, 0, job_va(chain, 1));
	chain->jobs[1] = jm_write_value(job_va(chain, 0), JM_ZERO, 0, job_va(chain, 0));
}

struct drm_panfrost_submit submit_args(const struct chain *chain, uint32_t out_sync)
{
	return (struct drm_panfrost_submit){ .jc = chain->va, .out_sync = out_sync };
}

int pf_submit(int fd, struct drm_panfrost_submit *args)
{
	/* Write-combined stores leave the CPU before the submit. */
	__sync_synchronize();
	return raw_ioctl(fd, DRM_IOCTL_PANFROST_SUBMIT, args);
}

/* ---- Syncobjs ---- */

uint32_t pf_new_syncobj(int fd)
{
	uint32_t syncobj = 0;

	assert_ok(drmSyncobjCreate(fd, 0, &syncobj));
	return syncobj;
}

int pf_wait_syncobj(int fd, uint32_t syncobj, int64_t timeout_ns)
{
	return gpu_syncobj_wait(fd, syncobj, timeout_ns);
}

int pf_syncobj_error(int fd, uint32_t syncobj)
{
	int error;

	assert_ok(gpu_syncobj_error(fd, syncobj, &error));
	return error;
}

int run_chain(const struct chain *chain)
{
	uint32_t syncobj = pf_new_syncobj(chain->fd);
	struct drm_panfrost_submit args = submit_args(chain, syncobj);
	int error;

	assert_ok(pf_submit(chain->fd, &args));
	assert_ok(pf_wait_syncobj(chain->fd, syncobj, LONG_NS));
	error = pf_syncobj_error(chain->fd, syncobj);
	assert_ok(drmSyncobjDestroy(chain->fd, syncobj));
	return error;
}

/* ---- The rest ---- */

int pf_create_ctx(int fd, uint32_t priority, uint32_t *handle)
{
	struct drm_panfrost_jm_ctx_create args = { .priority = priority };
	int ret = raw_ioctl(fd, DRM_IOCTL_PANFROST_JM_CTX_CREATE, &args);

	if (!ret)
		*handle = args.handle;
	return ret;
}

int pf_destroy_ctx(int fd, uint32_t handle)
{
	struct drm_panfrost_jm_ctx_destroy args = { .handle = handle };

	return raw_ioctl(fd, DRM_IOCTL_PANFROST_JM_CTX_DESTROY, &args);
}

int pf_get_param(int fd, uint32_t param, uint64_t *value)
{
	struct drm_panfrost_get_param args = { .param = param };
	int ret = raw_ioctl(fd, DRM_IOCTL_PANFROST_GET_PARAM, &args);

	if (!ret)
		*value = args.value;
	return ret;
}

long pf_module_value(const char *path)
{
	char name[128];
	FILE *file;
	long value;

	snprintf(name, sizeof(name), "/sys/module/%s", path);
	file = fopen(name, "re");
	if (!file)
		skip_because("cannot read %s: run on an emulated device", name);
	assert_int_equal(fscanf(file, "%ld", &value), 1);
	fclose(file);
	return value;
}
