// SPDX-License-Identifier: MIT
/*
 * Loads of stale lines, and stores of what was there, seen by the pages that they touch.
 *
 * When a job ends, the pages that it wrote are taken away from the CPU's map. The next
 * touch of each waits in the kernel, in a system call too, until the thread here has looked
 * at it (userfaultfd, minor faults): a load from a line that the device wrote since it was
 * filled is a violation. Then the page is there again, and the program sees what it would
 * have seen. So what is seen is the first touch of each page after a job.
 *
 * Pages that a running job writes are left alone: who polls them, and invalidates each
 * time, makes no mistake if the device is quicker once.
 *
 * Where stores are watched, the map shows pages to loads alone until something is stored.
 * That waits as well, and its line is known to be dirty, whatever the value. When a job
 * ends, all such pages are taken away again. So what is seen is the first store to each page
 * after a job; of the others those that change something, as always.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "sim_internal.h"

#ifndef UFFD_FEATURE_EXACT_ADDRESS
#define UFFD_FEATURE_EXACT_ADDRESS	(1 << 11)
#endif

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW	_IO(0xaa, 0x00)
#endif

#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM	(1 << 12)
#endif

#ifndef UFFDIO_CONTINUE_MODE_WP
#define UFFDIO_CONTINUE_MODE_WP		((__u64)1 << 1)
#endif

#define FEATURES	(UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_MISSING_SHMEM | \
			 UFFD_FEATURE_EXACT_ADDRESS)

/* ---- Touches ---- */

static struct sim_bo *find_bo(struct sim *sim, uint64_t address, uint64_t *offset)
{
	size_t i;

	for (i = 0; i < sim->handle_count; i++) {
		struct sim_bo *bo = sim->handles[i].bo;
		uint64_t start = bo ? (uintptr_t)bo->view : 0;

		if (!start || address < start || address - start >= bo->size)
			continue;
		*offset = address - start;
		return bo;
	}
	return NULL;
}

/*
 * The page is in the file, but for those that nobody has touched yet. It is touched in one
 * piece: a thread may store there meanwhile.
 */
static void make_page(struct sim_bo *bo, uint64_t offset)
{
	char *page = (char *)bo->cache + offset / SIM_WINDOW * SIM_WINDOW;

	__atomic_fetch_or(page, 0, __ATOMIC_RELAXED);
}

/* The page was shown to loads alone. */
static void let_store(struct sim *sim, uint64_t address)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct uffdio_writeprotect args = {
		.range = { .start = address / page * page, .len = page },
	};

	if (ioctl(sim->watch.fd, UFFDIO_WRITEPROTECT, &args))
		ioctl(sim->watch.fd, UFFDIO_WAKE, &args.range);
}

static void let_go_on(struct sim *sim, uint64_t address, bool load)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct uffdio_continue go_on = {
		.range = { .start = address / page * page, .len = page },
	};

	if (load && sim->config.watch & GEMSYNC_WATCH_STORES)
		go_on.mode = UFFDIO_CONTINUE_MODE_WP;
	/* Another thread's touch of the same page may have brought it back. */
	if (ioctl(sim->watch.fd, UFFDIO_CONTINUE, &go_on))
		ioctl(sim->watch.fd, UFFDIO_WAKE, &go_on.range);
}

static void look_at(struct sim *sim, struct sim_bo *bo, uint64_t offset, bool load)
{
	struct sim_window *window = &bo->windows[offset / SIM_WINDOW];

	if (!load && sim->config.watch & GEMSYNC_WATCH_STORES)
		gemsync_sim_cpu_store(sim, bo, offset);
	if (load && window->watched)
		gemsync_sim_cpu_load(sim, bo, offset);
	window->watched = 0;
}

static void handle(struct sim *sim, const struct uffd_msg *message)
{
	uint64_t address = message->arg.pagefault.address, offset;
	uint64_t flags = message->arg.pagefault.flags;
	bool protected = flags & UFFD_PAGEFAULT_FLAG_WP;
	bool load = !protected && !(flags & UFFD_PAGEFAULT_FLAG_WRITE);
	struct sim_bo *bo;

	gemsync_sim_lock(sim);
	bo = find_bo(sim, address, &offset);
	if (bo) {
		make_page(bo, offset);
		look_at(sim, bo, offset, load);
	}
	gemsync_sim_unlock(sim);
	if (protected)
		let_store(sim, address);
	else
		let_go_on(sim, address, load);
}

static void *watch_main(void *arg)
{
	struct sim *sim = arg;
	struct pollfd fds[2] = {
		{ .fd = sim->watch.fd, .events = POLLIN },
		{ .fd = sim->watch.stop, .events = POLLIN },
	};
	struct uffd_msg message;

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		if (read(sim->watch.fd, &message, sizeof(message)) == sizeof(message) &&
		    message.event == UFFD_EVENT_PAGEFAULT)
			handle(sim, &message);
	}
	return NULL;
}

/* ---- Maps ---- */

int gemsync_sim_watch_map(struct sim *sim, uint64_t size, uint64_t **cache, void **view)
{
	struct uffdio_register args = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR,
	};
	void *first, *second;
	int fd, ret = -ENOMEM;

	if (sim->config.watch & GEMSYNC_WATCH_STORES)
		args.mode |= UFFDIO_REGISTER_MODE_WP;
	fd = memfd_create("gemsync-sim", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size))
		goto err_close;
	first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (first == MAP_FAILED)
		goto err_close;
	second = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (second == MAP_FAILED)
		goto err_unmap;
	args.range.start = (uintptr_t)second;
	args.range.len = size;
	if (ioctl(sim->watch.fd, UFFDIO_REGISTER, &args)) {
		ret = -errno;
		munmap(second, size);
		goto err_unmap;
	}
	close(fd);
	*cache = first;
	*view = second;
	return 0;
err_unmap:
	munmap(first, size);
err_close:
	close(fd);
	return ret;
}

static void take_row(struct sim_bo *bo, uint64_t first, uint64_t end)
{
	if (first < end)
		madvise((char *)bo->view + first * SIM_WINDOW, (end - first) * SIM_WINDOW,
			MADV_DONTNEED);
}

/* Whether the window goes: the job wrote it last, or the CPU can. */
static bool goes_away(struct sim_window *window, uint32_t job)
{
	bool wrote = window->written && window->writer == job;
	bool goes = wrote || window->writable;

	window->writable = 0;
	if (wrote) {
		window->written = 0;
		window->watched = 1;
	}
	return goes;
}

/* What other jobs wrote that run stays listed. */
static void take_away(struct sim_bo *bo, uint32_t job)
{
	uint64_t row = bo->listed_first, first = bo->listed_end, end = bo->listed_end, i;

	for (i = bo->listed_first; i < bo->listed_end; i++) {
		if (!goes_away(&bo->windows[i], job)) {
			take_row(bo, row, i);
			row = i + 1;
		}
		if (bo->windows[i].written) {
			first = i < first ? i : first;
			end = i + 1;
		}
	}
	take_row(bo, row, i);
	bo->listed_first = first;
	bo->listed_end = end;
}

void gemsync_sim_watch_job_ends(struct sim *sim, const struct gs_job *job)
{
	size_t i;

	if (sim->watch.fd < 0)
		return;
	sim->watch.jobs[job->number % SIM_JOBS] = *job;
	for (i = 0; i < sim->handle_count; i++)
		if (sim->handles[i].bo && sim->handles[i].bo->view)
			take_away(sim->handles[i].bo, (uint32_t)job->number);
}

/* ---- Begin and end ---- */

/* Either way it takes a privilege to see touches by system calls, which must not fail. */
static int new_uffd(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int dev;

	if (fd >= 0 || errno != EPERM)
		return fd;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (dev < 0) {
		errno = EPERM;
		return -1;
	}
	fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	close(dev);
	return fd;
}

static int open_uffd(uint32_t watch)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int fd, err;

	if (watch & GEMSYNC_WATCH_STORES)
		api.features |= UFFD_FEATURE_WP_HUGETLBFS_SHMEM;

	fd = new_uffd();
	if (fd < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	err = errno;
	close(fd);
	return err == EINVAL ? -EOPNOTSUPP : -err;
}

int gemsync_sim_watch_init(struct sim *sim)
{
	int ret;

	sim->watch.fd = open_uffd(sim->config.watch);
	if (sim->watch.fd < 0)
		return sim->watch.fd;
	sim->watch.stop = eventfd(0, EFD_CLOEXEC);
	if (sim->watch.stop < 0) {
		ret = -errno;
		goto err_close;
	}
	ret = -pthread_create(&sim->watch.thread, NULL, watch_main, sim);
	if (ret)
		goto err_close_stop;
	return 0;
err_close_stop:
	close(sim->watch.stop);
err_close:
	close(sim->watch.fd);
	sim->watch.fd = -1;
	return ret;
}

void gemsync_sim_watch_stop(struct sim *sim)
{
	if (sim->watch.fd < 0)
		return;
	eventfd_write(sim->watch.stop, 1);
	pthread_join(sim->watch.thread, NULL);
	close(sim->watch.stop);
	close(sim->watch.fd);
}
