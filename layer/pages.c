// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pages.h"

/* Of Linux 6.7 and 7.3; the headers may be older. */
#define FEATURES_WRITTEN	(UFFD_FEATURE_PAGEFAULT_FLAG_WP | 1u << 12 | 1u << 13 | 1u << 15)
#define FEATURES_TOUCHED	(FEATURES_WRITTEN | 1u << 17 | 1u << 18)
#define USER_MODE_ONLY		1
#define MODE_TOUCHED		(1u << 3)
#define CATEGORY_WRITTEN	(1u << 1)
#define CATEGORY_TOUCHED	(1u << 9)
#define SCAN_PROTECT		(1u << 0)	/* what was found is not written any more */
#define SCAN_CHECK		(1u << 1)	/* fail where nobody watches */

struct protect {
	struct uffdio_range range;
	u64 mode;	/* 1: take the pages away until they are touched */
};

#define PROTECT	_IOWR(UFFDIO, 0x09, struct protect)

struct row {
	u64 start;
	u64 end;
	u64 categories;
};

struct scan {
	u64 size;
	u64 flags;
	u64 start;
	u64 end;
	u64 walk_end;
	u64 vec;
	u64 vec_len;
	u64 max_pages;
	u64 category_inverted;
	u64 category_mask;
	u64 category_anyof_mask;
	u64 return_mask;
};

#define SCAN	_IOWR('f', 16, struct scan)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int faults = -1;
static int pagemap = -1;
static bool touches;	/* the kernel tells of these as well */

/* A file that has the features asked for; -1 if the kernel does not have them. */
static int open_faults(u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

	if (fd < 0)
		return -1;
	if (!ioctl(fd, UFFDIO_API, &api) && (api.features & features) == features)
		return fd;
	close(fd);
	return -1;
}

static void open_files(void)
{
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return;
	faults = open_faults(FEATURES_TOUCHED);
	touches = faults >= 0;
	if (!touches)
		faults = open_faults(FEATURES_WRITTEN);
}

bool gsl_written_supported(void)
{
	pthread_once(&once, open_files);
	return faults >= 0;
}

bool gsl_touched_supported(void)
{
	return gsl_written_supported() && touches;
}

/* The rows of pages of a category. */
static int collect(void *start, u64 size, u64 category, u64 flags, gsl_pages_row found, void *ctx)
{
	struct row rows[64];
	u64 from = (uintptr_t)start;
	struct scan scan = {
		.size = sizeof(scan),
		.flags = flags,
		.start = from,
		.end = from + size,
		.vec = (uintptr_t)rows,
		.vec_len = sizeof(rows) / sizeof(*rows),
		.category_mask = category,
		.return_mask = category,
	};

	while (scan.start < scan.end) {
		int count = ioctl(pagemap, SCAN, &scan), i;

		if (count < 0)
			return -errno;
		for (i = 0; i < count; i++)
			found(ctx, rows[i].start - from, rows[i].end - rows[i].start);
		scan.start = scan.walk_end;
	}
	return 0;
}

static int watch(void *start, u64 size, u64 mode)
{
	struct uffdio_register range = { .range = { (uintptr_t)start, size }, .mode = mode };

	return ioctl(faults, UFFDIO_REGISTER, &range) ? -errno : 0;
}

void gsl_pages_forget(void *start, u64 size)
{
	struct uffdio_range range = { (uintptr_t)start, size };

	ioctl(faults, UFFDIO_UNREGISTER, &range);
}

/* ---- Stores ---- */

static void ignore(void *ctx, u64 offset, u64 size)
{
}

int gsl_written_collect(void *start, u64 size, gsl_pages_row written, void *ctx)
{
	return collect(start, size, CATEGORY_WRITTEN, SCAN_PROTECT | SCAN_CHECK, written, ctx);
}

int gsl_written_watch(void *start, u64 size)
{
	int ret;

	if (!gsl_written_supported())
		return -EOPNOTSUPP;
	ret = watch(start, size, UFFDIO_REGISTER_MODE_WP);
	if (ret)
		return ret;
	ret = gsl_written_collect(start, size, ignore, NULL);
	if (ret)
		gsl_pages_forget(start, size);
	return ret;
}

/* ---- Touches ---- */

int gsl_touched_watch(void *start, u64 size)
{
	struct protect protect = { { (uintptr_t)start, size }, 1 };
	int ret;

	if (!gsl_touched_supported())
		return -EOPNOTSUPP;
	ret = watch(start, size, MODE_TOUCHED);
	if (ret)
		return ret;
	if (!ioctl(faults, PROTECT, &protect))
		return 0;
	ret = -errno;
	gsl_pages_forget(start, size);
	return ret;
}

int gsl_touched_collect(void *start, u64 size, gsl_pages_row touched, void *ctx)
{
	return collect(start, size, CATEGORY_TOUCHED, 0, touched, ctx);
}
