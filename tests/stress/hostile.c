// SPDX-License-Identifier: MIT
/* Streams that fault or never end, and closing with them under way. No other may notice. */
#include <unistd.h>

#include "stress.h"

#define NOWHERE		(GPU_BIND_AT_END - (1ull << 30))

static int fault(struct worker *worker)
{
	int ret;

	if (below(worker, 2))
		ret = engine_copy(worker, NOWHERE, worker->engine.scratch.va, 64);
	else
		ret = engine_fill(worker, NOWHERE, 1, 64);
	if (!ret)
		ret = engine_wait(worker);
	return done(worker, OP_HOSTILE, ret == -EIO ? 0 : ret ? ret : -EEXIST);
}

/* The group goes while its stream runs; now and then it has the driver's timeout. */
static int endless(struct worker *worker)
{
	int ret;

	ret = engine_endless(worker);
	if (ret)
		return done(worker, OP_ENDLESS, ret);
	if (below(worker, 16)) {
		usleep(below(worker, 20000));
		return done(worker, OP_ENDLESS, engine_replace(worker));
	}
	ret = engine_wait(worker);
	return done(worker, OP_ENDLESS, ret == -ETIMEDOUT ? 0 : ret ? ret : -EEXIST);
}

static int hostile_step(struct worker *worker)
{
	return below(worker, 4) ? fault(worker) : endless(worker);
}

/* The file is closed with this under way. */
static int hostile_finish(struct worker *worker)
{
	return worker->engine.queue ? engine_endless(worker) : 0;
}

const struct work hostile_work = {
	.name = "hostile",
	.step = hostile_step,
	.finish = hostile_finish,
};
