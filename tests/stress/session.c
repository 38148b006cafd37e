// SPDX-License-Identifier: MIT
/* A DRM file from its opening to its end, and the threads on it. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define SESSION_MS	400u	/* the shortest */
#define SESSION_MORE_MS	2000u

static const char *const operation_names[] = {
#define OPERATION_NAME(name, text) text,
	OPERATIONS(OPERATION_NAME)
};

uint32_t below(struct worker *worker, uint32_t limit)
{
	return gs_random_below(&worker->random, limit);
}

int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg) ? -errno : 0;
	while (ret == -EINTR);
	return ret;
}

/* ---- What is counted and reported ---- */

static bool is_gone(const struct worker *worker)
{
	return control->generation != worker->session->generation;
}

static void say(const struct worker *worker, enum operation op, const char *what)
{
	if (control->messages++ < 40)
		printf("# client %u, %s %u: %s: %s\n", worker->client, worker->work->name,
		       worker->index, operation_names[op], what);
}

static void report(const struct worker *worker, enum operation op, const char *what)
{
	control->failures++;
	say(worker, op, what);
}

/* With what a call may fail because the device went. */
static bool is_end(int ret)
{
	return ret == -ENODEV || ret == -EIO || ret == -ECANCELED;
}

int done(struct worker *worker, enum operation op, int ret)
{
	if (!ret)
		control->counts[op]++;
	else if (is_gone(worker) && is_end(ret))
		control->counts[OP_GONE]++;
	else if (!worker->tolerant)
		report(worker, op, strerror(-ret));
	return ret;
}

void check_bytes(struct worker *worker, enum operation op, const void *seen, const void *right,
		 size_t size)
{
	const uint8_t *a = seen, *b = right;
	size_t i, wrong = 0, first = 0;
	char text[96];

	for (i = 0; i < size; i++) {
		if (a[i] == b[i])
			continue;
		if (!wrong++)
			first = i;
	}
	control->bytes += size;
	if (!wrong)
		return;
	control->bytes_wrong += wrong;
	snprintf(text, sizeof(text), "%zu of %zu bytes wrong, the first at %zu: %#x, not %#x",
		 wrong, size, first, a[first], b[first]);
	say(worker, op, text);
}

/* ---- SIGBUS: the device's maps go with it ---- */

static __thread sigjmp_buf *landing;

static void on_sigbus(int number)
{
	static const char text[] = "# SIGBUS outside of a step\n";

	if (landing)
		siglongjmp(*landing, 1);
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static int guarded(struct worker *worker, int (*function)(struct worker *worker))
{
	sigjmp_buf here;
	int ret;

	if (sigsetjmp(here, 1)) {
		landing = NULL;
		control->counts[OP_SIGBUS]++;
		return done(worker, OP_SIGBUS, -ENODEV);
	}
	landing = &here;
	ret = function(worker);
	landing = NULL;
	return ret;
}

/* ---- Opening and closing ---- */

int new_shared_bo(struct worker *worker, uint64_t size, uint32_t flags, struct shared_bo *out)
{
	void *map;
	int ret;

	ret = gemsync_bo_create(worker->session->dev, size, flags, &out->bo);
	if (ret)
		return ret;
	ret = gemsync_bo_map(out->bo, &map);
	if (ret)
		return ret;
	out->map = map;
	return gpu_bind(worker->session->gpu, out->bo, &out->va);
}

static int create_bos(struct worker *worker)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < LINE_BOS && !ret; i++)
		ret = new_shared_bo(worker, LINE_BO_SIZE,
				    i < LINE_BOS - 1 ? GEMSYNC_BO_CACHED : 0,
				    &worker->session->bos[i]);
	return ret;
}

/* Waits while there is no device; -ENODEV also if it goes again at once. */
static int open_file(struct worker *worker)
{
	struct session *session = worker->session;
	int ret;

	memset(session, 0, sizeof(*session));
	while ((session->generation = control->generation) & 1 && !control->stop)
		usleep(1000);
	ret = gemsync_device_open("panthor", &session->dev);
	if (ret)
		return ret;
	gemsync_device_query(session->dev, &session->info);
	session->fd = gemsync_device_fd(session->dev);
	session->vm = gemsync_device_vm(session->dev);
	session->cut = gs_random_next(&worker->random);
	ret = gpu_open(session->dev, &session->gpu);
	return ret ? ret : create_bos(worker);
}

static int setup_worker(struct worker *worker)
{
	int ret;

	worker->tolerant = false;
	ret = engine_setup(worker);
	if (ret)
		return ret;
	return worker->work->setup ? worker->work->setup(worker) : 0;
}

static void close_file(struct worker *workers, unsigned int count)
{
	struct session *session = workers->session;
	unsigned int i;

	if (!session->dev)
		return;
	for (i = 0; i < count; i++) {
		if (workers[i].work->finish)
			guarded(&workers[i], workers[i].work->finish);
		engine_finish(&workers[i]);
		memset(&workers[i].engine, 0, sizeof(workers[i].engine));
	}
	gpu_close(session->gpu);
	for (i = 0; i < LINE_BOS; i++)
		gemsync_bo_destroy(session->bos[i].bo);
	gemsync_device_close(session->dev);
	for (i = 0; i < count; i++) {
		if (workers[i].work->after_close)
			workers[i].work->after_close(&workers[i]);
		memset(workers[i].data, 0, workers[i].work->size);
	}
}

/* ---- Running ---- */

static void *worker_thread(void *arg)
{
	struct worker *worker = arg;
	struct session *session = worker->session;

	while (!session->ending && !control->stop) {
		if (guarded(worker, worker->work->step) &&
		    (!worker->tolerant || !worker->engine.queue))
			session->ending = true;
		worker->tolerant = false;
	}
	return NULL;
}

/* Maps of a device that is gone are gone, also when it is back. */
static int touch_old_map(struct worker *worker)
{
	bool back = control->generation - worker->session->generation > 1;

	(void)*(volatile uint8_t *)worker->session->bos[0].map;
	if (back)
		report(worker, OP_SIGBUS, "a map of a device that has gone is still there");
	return 0;
}

static void run_threads(struct worker *workers, unsigned int count)
{
	struct session *session = workers->session;
	uint32_t ms = SESSION_MS + below(workers, SESSION_MORE_MS);
	unsigned int i;

	for (i = 0; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, worker_thread, &workers[i]))
			abort();
	while (ms-- && !session->ending && !control->stop)
		usleep(1000);
	session->ending = true;
	for (i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	if (is_gone(workers))
		guarded(workers, touch_old_map);
}

static int setup_all(struct worker *workers, unsigned int count)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = guarded(&workers[i], setup_worker);
	return ret;
}

void run_sessions(struct worker *workers, unsigned int count)
{
	struct sigaction action = { .sa_handler = on_sigbus };
	unsigned int i;
	int ret;

	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < count; i++) {
		workers[i].data = calloc(1, workers[i].work->size + 1);
		if (!workers[i].data)
			abort();
	}
	while (!control->stop) {
		ret = guarded(workers, open_file);
		if (!ret)
			ret = setup_all(workers, count);
		if (!done(workers, OP_OPEN, ret))
			run_threads(workers, count);
		close_file(workers, count);
	}
}
