// SPDX-License-Identifier: MIT
/*
 * Maps of the kernel's own, through a dma-buf (R12, R14, R16): a camera of the driver vivid
 * draws into whatever buffer it is given, with the CPU. Where such a map is refused, the
 * kernel's dma-buf code warns, whatever the reason: the log has to allow "dma_buf_vmap".
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fixture.h"

#define SIZE		(128 * KIB)
#define WIDTH		320
#define HEIGHT		180
#define PICTURE		(WIDTH * HEIGHT * 2ull)	/* bytes, few of which are 0 */
#define WITHIN_MS	30000
#define CAMERAS		16

static bool is_camera(int fd)
{
	struct v4l2_capability cap = { 0 };

	return !ioctl(fd, VIDIOC_QUERYCAP, &cap) && !strcmp((const char *)cap.driver, "vivid") &&
	       cap.device_caps & V4L2_CAP_VIDEO_CAPTURE;
}

static int open_camera(void)
{
	char path[32];
	int i, fd;

	for (i = 0; i < CAMERAS; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_camera(fd))
			return fd;
		close(fd);
	}
	skip_because("nothing maps dma-bufs in the kernel: load vivid, and run as root");
}

/* A camera that waits for one buffer. */
static int new_camera(void)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = WIDTH,
			.height = HEIGHT,
			.pixelformat = V4L2_PIX_FMT_YUYV,
		},
	};
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.count = 1,
	};
	int fd = open_camera();

	assert_ok(ioctl(fd, VIDIOC_S_FMT, &format));
	assert_int_equal(format.fmt.pix.sizeimage, PICTURE);
	assert_ok(ioctl(fd, VIDIOC_REQBUFS, &request));
	return fd;
}

/* The kernel maps it here. */
static int give(int camera, int dmabuf)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = dmabuf,
	};

	return raw_ioctl(camera, VIDIOC_QBUF, &buffer);
}

static void take_picture(int dmabuf)
{
	enum v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	int camera = new_camera();
	struct pollfd poller = { .fd = camera, .events = POLLIN };

	assert_ok(give(camera, dmabuf));
	assert_ok(ioctl(camera, VIDIOC_STREAMON, &type));
	assert_int_equal(poll(&poller, 1, WITHIN_MS), 1);
	assert_int_equal(poller.revents & POLLIN, POLLIN);
	assert_ok(ioctl(camera, VIDIOC_STREAMOFF, &type));
	close(camera);
}

static uint64_t count_nonzero(const uint8_t *data)
{
	uint64_t count = 0, i;

	for (i = 0; i < SIZE; i++)
		count += data[i] != 0;
	return count;
}

static uint64_t count_by_gpu(struct fixture *f, const struct buffer *buf)
{
	static uint8_t data[SIZE];

	assert_ok(gpu_read(f->gpu, buf->va, data, SIZE));
	return count_nonzero(data);
}

/* Where nothing needs a sync, a kernel's map needs none. */
static void all_see_it_at_once(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *buf = new_buffer(f, SIZE, GEMSYNC_BO_SHAREABLE);
	int dmabuf;

	assert_ok(gemsync_bo_export(buf->bo, &dmabuf));
	assert_int_equal(count_by_gpu(f, buf), 0);
	take_picture(dmabuf);
	assert_true(count_nonzero(buf->map) > PICTURE / 2);
	assert_int_equal(count_by_gpu(f, buf), count_nonzero(buf->map));
	close(dmabuf);
}

/* A kernel's map of a cached BO is cached: it shows what the user's maps do, and not memory. */
static void as_cached_as_the_users(void **state)
{
	const uint32_t flags = GEMSYNC_BO_CACHED | GEMSYNC_BO_SHAREABLE;
	struct fixture *f = need_lazy(state);
	struct buffer *buf;
	struct gemsync_bo *bo;
	int dmabuf, ret;

	ret = gemsync_bo_create(f->dev, SIZE, flags, &bo);
	if (ret == -EINVAL)
		skip_because("cached BOs are not shared: run with policy=hooks");
	assert_ok(ret);
	gemsync_bo_destroy(bo);
	buf = new_buffer(f, SIZE, flags);
	assert_ok(gemsync_bo_export(buf->bo, &dmabuf));
	take_picture(dmabuf);
	assert_true(count_nonzero(buf->map) > PICTURE / 2);
	assert_int_equal(count_by_gpu(f, buf), 0);
	assert_ok(gemsync_dmabuf_end_access(dmabuf, GEMSYNC_ACCESS_WRITE));
	assert_int_equal(count_by_gpu(f, buf), count_nonzero(buf->map));
	close(dmabuf);
}

static void no_mmap_means_no_kernel_map(void **state)
{
	struct fixture *f = need_file(state);
	struct buffer *hidden = new_buffer(f, SIZE, GEMSYNC_BO_SHAREABLE | GEMSYNC_BO_NO_MMAP);
	struct buffer *shown = new_buffer(f, SIZE, GEMSYNC_BO_SHAREABLE);
	int camera = new_camera(), hidden_fd, shown_fd;

	assert_ok(gemsync_bo_export(hidden->bo, &hidden_fd));
	assert_ok(gemsync_bo_export(shown->bo, &shown_fd));
	/* What the camera makes of any error. */
	assert_int_equal(give(camera, hidden_fd), -EFAULT);
	assert_ok(give(camera, shown_fd));
	close(camera);
	close(hidden_fd);
	close(shown_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		device_test(all_see_it_at_once),
		device_test(as_cached_as_the_users),
		device_test(no_mmap_means_no_kernel_map),
	};

	return cmocka_run_group_tests_name("kernel_map", tests, NULL, NULL);
}
