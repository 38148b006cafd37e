// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "written.h"

/* Of Linux 6.7; the headers may be older. */
#define FEATURES		(UFFD_FEATURE_PAGEFAULT_FLAG_WP | 1u << 12 | 1u << 13 | 1u << 15)
#define USER_MODE_ONLY		1
#define CATEGORY_WRITTEN	(1u << 1)
#define SCAN_PROTECT		(1u << 0)	/* what was found is not written any more */
#define SCAN_CHECK		(1u << 1)	/* fail where nobody watches */

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

static void open_files(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

	if (fd < 0)
		return;
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0 || ioctl(fd, UFFDIO_API, &api) || (api.features & FEATURES) != FEATURES) {
		close(fd);
		return;
	}
	faults = fd;
}

bool gsl_written_supported(void)
{
	pthread_once(&once, open_files);
	return faults >= 0;
}

static int collect(void *start, u64 size, void (*written)(void *ctx, u64 offset, u64 size),
		   void *ctx)
{
	struct row rows[64];
	u64 from = (uintptr_t)start;
	struct scan scan = {
		.size = sizeof(scan),
		.flags = SCAN_PROTECT | SCAN_CHECK,
		.start = from,
		.end = from + size,
		.vec = (uintptr_t)rows,
		.vec_len = sizeof(rows) / sizeof(*rows),
		.category_mask = CATEGORY_WRITTEN,
		.return_mask = CATEGORY_WRITTEN,
	};

	while (scan.start < scan.end) {
		int count = ioctl(pagemap, SCAN, &scan), i;

		if (count < 0)
			return -errno;
		for (i = 0; i < count; i++)
			written(ctx, rows[i].start - from, rows[i].end - rows[i].start);
		scan.start = scan.walk_end;
	}
	return 0;
}

static void ignore(void *ctx, u64 offset, u64 size)
{
}

int gsl_written_watch(void *start, u64 size)
{
	struct uffdio_register range = {
		.range = { (uintptr_t)start, size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int ret;

	if (!gsl_written_supported())
		return -EOPNOTSUPP;
	if (ioctl(faults, UFFDIO_REGISTER, &range))
		return -errno;
	ret = collect(start, size, ignore, NULL);
	if (ret)
		gsl_written_forget(start, size);
	return ret;
}

void gsl_written_forget(void *start, u64 size)
{
	struct uffdio_range range = { (uintptr_t)start, size };

	ioctl(faults, UFFDIO_UNREGISTER, &range);
}

int gsl_written_collect(void *start, u64 size,
			void (*written)(void *ctx, u64 offset, u64 size), void *ctx)
{
	return collect(start, size, written, ctx);
}
