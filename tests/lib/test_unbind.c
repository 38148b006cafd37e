// SPDX-License-Identifier: MIT
/*
 * R19: the device goes while files, maps and jobs are there, and comes back. Old files
 * get -ENODEV, old maps SIGBUS, fences end; new files work.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#include "panthor_calls.h"
#include "sharing.h"

#define ROUNDS	5

/* The device's name and its driver's folder in sysfs. */
struct place {
	char name[64];
	char driver[256];
};

static struct place find_place(struct fixture *f)
{
	char path[128], link[256];
	struct place place;
	struct stat st;
	ssize_t length;

	assert_ok(fstat(f->fd, &st));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	length = readlink(path, link, sizeof(link) - 1);
	assert_true(length > 0);
	link[length] = '\0';
	snprintf(place.name, sizeof(place.name), "%s", strrchr(link, '/') + 1);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/driver", major(st.st_rdev),
		 minor(st.st_rdev));
	assert_non_null(realpath(path, link));
	snprintf(place.driver, sizeof(place.driver), "%s", link);
	return place;
}

static struct fixture *need_unbinding(void **state, struct place *place)
{
	struct fixture *f = need_file(state);
	char path[300];

	*place = find_place(f);
	snprintf(path, sizeof(path), "%s/unbind", place->driver);
	if (access(path, W_OK))
		skip_because("cannot write %s: run as root", path);
	if (!f->info.emulated)
		skip_because("not with the hardware of this machine: run on an emulated device");
	return f;
}

static int write_name(const struct place *place, const char *file)
{
	char path[300];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", place->driver, file);
	stream = fopen(path, "we");
	if (!stream)
		return -errno;
	fprintf(stream, "%s\n", place->name);
	return fclose(stream) ? -errno : 0;
}

static void unbind(const struct place *place)
{
	assert_ok(write_name(place, "unbind"));
}

static void bind(const struct place *place)
{
	assert_ok(write_name(place, "bind"));
}

static sigjmp_buf after_sigbus;

static void on_sigbus(int signal)
{
	siglongjmp(after_sigbus, 1);
}

static int touch_is_sigbus(volatile uint32_t *word)
{
	struct sigaction action = { .sa_handler = on_sigbus }, old;
	volatile int caught = 0;

	sigaction(SIGBUS, &action, &old);
	if (sigsetjmp(after_sigbus, 1))
		caught = 1;
	else
		(void)*word;
	sigaction(SIGBUS, &old, NULL);
	return caught;
}

/* A new file on the device works. */
static void check_new_file(void)
{
	struct fixture *f;
	void *state;

	assert_ok(fixture_setup(&state));
	f = state;
	put_both(f, new_buffer(f, PAGE, GEMSYNC_BO_CACHED), 64, 0x1234);
	gpu_put(f, &f->buffers[0], 128, 0x5678);
	assert_ok(gemsync_bo_invalidate(f->buffers[0].bo, 128, 4));
	assert_int_equal(cpu_get(&f->buffers[0], 128), 0x5678);
	fixture_teardown(&state);
}

static void check_gone(struct fixture *f)
{
	struct drm_panthor_vm_create vm = { 0 };
	struct drm_panthor_dev_query query = { .type = DRM_PANTHOR_DEV_QUERY_GPU_INFO };

	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &query), -ENODEV);
	assert_int_equal(raw_ioctl(f->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &vm), -ENODEV);
	assert_int_equal(raw_sync(f->fd, NULL, 0, sizeof(struct drm_panthor_bo_sync_op)), -ENODEV);
	assert_true(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, f->fd,
			 (off_t)DRM_PANTHOR_USER_MMIO_OFFSET_64BIT) == MAP_FAILED);
	assert_int_equal(errno, ENODEV);
}

static void maps_and_files(void **state)
{
	struct place place;
	struct fixture *f = need_unbinding(state, &place);
	struct buffer *cached = new_buffer(f, PAGE, GEMSYNC_BO_CACHED);
	struct buffer *wc = new_buffer(f, PAGE, 0);
	volatile uint32_t *flush_id;

	flush_id = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, f->fd,
			(off_t)DRM_PANTHOR_USER_MMIO_OFFSET_64BIT);
	assert_true(flush_id != MAP_FAILED);
	cpu_put(cached, 0, 1);
	cpu_put(wc, 0, *flush_id);
	unbind(&place);
	check_gone(f);
	assert_true(touch_is_sigbus((volatile uint32_t *)cached->map));
	assert_true(touch_is_sigbus((volatile uint32_t *)wc->map));
	assert_true(touch_is_sigbus(flush_id));
	bind(&place);
	check_new_file();
	check_gone(f);
	assert_true(touch_is_sigbus((volatile uint32_t *)cached->map));
	munmap((void *)flush_id, PAGE);
}

/* Whoever waits outside of the device's file gets an end. */
static void fences_end(void **state)
{
	struct place place;
	struct fixture *f = need_unbinding(state, &place);
	struct gate gate = new_gate(f);
	struct pollfd poller = { .events = POLLIN };

	assert_ok(drmSyncobjExportSyncFile(f->fd, gate.syncobj, &poller.fd));
	assert_int_equal(poll(&poller, 1, 50), 0);
	unbind(&place);
	assert_int_equal(poll(&poller, 1, 5000), 1);
	close(poller.fd);
	bind(&place);
	check_new_file();
}

/* A dma-buf outlives the device, without its pages' maps. */
static void exported(void **state)
{
	struct place place;
	struct fixture *f = need_unbinding(state, &place);
	struct buffer *buf = new_buffer(f, PAGE, GEMSYNC_BO_SHAREABLE);
	volatile uint32_t *map;
	int fd;

	assert_ok(gemsync_bo_export(buf->bo, &fd));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	*map = 1;
	unbind(&place);
	assert_true(touch_is_sigbus(map));
	bind(&place);
	assert_true(touch_is_sigbus(map));
	munmap((void *)map, PAGE);
	close(fd);
	check_new_file();
}

/* Threads of one file do all they can until they are told that the device is gone. */
/* Imports are unmapped too, also those whose exporter would keep the mapping. */
static void imported(void **state)
{
	struct place place;
	struct fixture *f = need_unbinding(state, &place);
	int vgem = vgem_open(), dmabufs[2], i;
	uint32_t handle, handles[2];

	dmabufs[0] = vgem_alloc(vgem, 4096, &handle);
	dmabufs[1] = heap_alloc(4096);
	for (i = 0; i < 2; i++)
		assert_ok(import_dmabuf(f->fd, dmabufs[i], &handles[i]));
	assert_ok(bind_handle(f->fd, f->vm, handles[0], IMPORT_VA, 4096));
	unbind(&place);
	bind(&place);
	check_new_file();
	for (i = 0; i < 2; i++)
		close(dmabufs[i]);
	close(vgem);
	check_gone(f);
}

struct load {
	struct fixture *f;
	struct buffer *buf;
	atomic_bool stop;
	atomic_int wrong;	/* an error that is not -ENODEV */
};

static void note(struct load *load, int ret)
{
	if (ret == -ENODEV || ret == -EIO)
		load->stop = true;
	else if (ret)
		load->wrong = ret;
}

static void *syncs(void *arg)
{
	struct load *load = arg;

	while (!load->stop && !load->wrong)
		note(load, gemsync_bo_invalidate(load->buf->bo, 0, 64 * KIB));
	return NULL;
}

static void *submits(void *arg)
{
	struct load *load = arg;

	while (!load->stop && !load->wrong)
		note(load, gpu_write32(load->f->gpu, load->buf->va, 1));
	return NULL;
}

/* Maps come and go, so that each touch is a fault, which may well be the end. */
static void *faults(void *arg)
{
	struct load *load = arg;
	struct gemsync_bo *bo;
	void *map;
	int ret;

	while (!load->stop && !load->wrong) {
		ret = gemsync_bo_create(load->f->dev, 64 * KIB, GEMSYNC_BO_CACHED, &bo);
		if (!ret) {
			ret = gemsync_bo_map(bo, &map);
			if (!ret)
				touch_is_sigbus(map);
			gemsync_bo_destroy(bo);
		}
		note(load, ret);
	}
	return NULL;
}

static void one_round(const struct place *place)
{
	void *(*const work[])(void *) = { syncs, submits, faults };
	struct load load = { 0 };
	pthread_t threads[3];
	void *state;
	size_t i;

	assert_ok(fixture_setup(&state));
	load.f = state;
	load.buf = new_buffer(load.f, 64 * KIB, GEMSYNC_BO_CACHED);
	for (i = 0; i < ARRAY_SIZE(work); i++)
		assert_ok(pthread_create(&threads[i], NULL, work[i], &load));
	usleep(100000);
	assert_false(load.stop);
	unbind(place);
	for (i = 0; i < ARRAY_SIZE(work); i++)
		assert_ok(pthread_join(threads[i], NULL));
	assert_int_equal(load.wrong, 0);
	bind(place);
	fixture_teardown(&state);
}

static void under_load(void **state)
{
	struct place place;
	unsigned int i;

	need_unbinding(state, &place);
	for (i = 0; i < ROUNDS; i++)
		one_round(&place);
	check_new_file();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(maps_and_files),
		device_test(fences_end),
		device_test(exported),
		device_test(imported),
		device_test(under_load),
	};

	return cmocka_run_group_tests_name("unbind", tests, NULL, NULL);
}
