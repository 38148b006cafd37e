// SPDX-License-Identifier: MIT
/*
 * A simulated device: a panthor- or panfrost-like GPU on non-coherent memory, in this
 * process.
 * Here is the device as the library sees it; what it refuses, and in which order,
 * is what the kernel refuses (R7, R8, R9, R13).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "sim_internal.h"

#define NAME		"sim"
#define DEFAULT_LINE	64
#define DEFAULT_SEED	1
#define SIZE_MAX_BO	(1ull << 40)
#define THE_VM		1	/* private BOs belong to the only address space there is */

void gemsync_sim_lock(struct sim *sim)
{
	pthread_mutex_lock(&sim->turn);
	pthread_mutex_lock(&sim->lock);
	pthread_mutex_unlock(&sim->turn);
}

void gemsync_sim_unlock(struct sim *sim)
{
	pthread_mutex_unlock(&sim->lock);
}

/* ---- Options ---- */

static int parse_driver(const char *value, struct sim_config *config)
{
	if (!strcmp(value, "panthor"))
		config->driver = SIM_PANTHOR;
	else if (!strcmp(value, "panfrost"))
		config->driver = SIM_PANFROST;
	else
		return -EINVAL;
	return 0;
}

static int parse_line(const char *value, struct sim_config *config)
{
	static const struct {
		const char *text;
		uint32_t line;
	} lines[] = { { "32", 32 }, { "64", 64 }, { "128", 128 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strcmp(value, lines[i].text))
			continue;
		config->line = lines[i].line;
		return 0;
	}
	return -EINVAL;
}

static int parse_mode(const char *value, struct sim_config *config)
{
	if (!strcmp(value, "lazy"))
		config->mode = SIM_LAZY;
	else if (!strcmp(value, "chaos"))
		config->mode = SIM_CHAOS;
	else if (!strcmp(value, "coherent"))
		config->mode = SIM_COHERENT;
	else if (!strcmp(value, "kind"))
		config->mode = SIM_KIND;
	else
		return -EINVAL;
	return 0;
}

static int parse_seed(const char *value, struct sim_config *config)
{
	unsigned long long seed;
	char *end;

	/* strtoull() would take signs and blanks. */
	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	seed = strtoull(value, &end, 10);
	if (errno || *end)
		return -EINVAL;
	config->seed = seed;
	return 0;
}

static int parse_policy(const char *value, struct sim_config *config)
{
	if (!strcmp(value, "strict"))
		config->policy = GS_POLICY_STRICT;
	else if (!strcmp(value, "hooks"))
		config->policy = GS_POLICY_HOOKS;
	else
		return -EINVAL;
	return 0;
}

static int parse_watch(const char *value, struct sim_config *config)
{
	const char *name;

	for (config->watch = 0; (name = gemsync_watch_name(config->watch)); config->watch++)
		if (!strcmp(value, name))
			return 0;
	return -EINVAL;
}

static const struct {
	const char *name;
	const char *usage;
	int (*parse)(const char *value, struct sim_config *config);
} options[] = {
	{ "driver", "driver=panthor|panfrost", parse_driver },
	{ "line", "line=32|64|128", parse_line },
	{ "mode", "mode=lazy|kind|chaos|coherent", parse_mode },
	{ "seed", "seed=NUMBER", parse_seed },
	{ "policy", "policy=strict|hooks", parse_policy },
	{ "watch", "watch=nothing|loads|stores|all", parse_watch },
};

const char *gemsync_sim_option_at(unsigned int index)
{
	return index < ARRAY_SIZE(options) ? options[index].usage : NULL;
}

/* "name=value"; the text is changed. */
static int parse_option(char *text, struct sim_config *config)
{
	char *value = strchr(text, '=');
	size_t i;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(text, options[i].name))
			return options[i].parse(value, config);
	return -EINVAL;
}

static int parse_name(const char *name, struct sim_config *config)
{
	char text[128], *rest = text, *option;
	size_t size;
	int ret;

	*config = (struct sim_config){ .line = DEFAULT_LINE, .seed = DEFAULT_SEED };
	if (!strcmp(name, NAME))
		return 0;
	name += strlen(NAME) + 1;
	size = strlen(name) + 1;
	if (size > sizeof(text))
		return -EINVAL;
	memcpy(text, name, size);
	while ((option = strsep(&rest, ","))) {
		ret = parse_option(option, config);
		if (ret)
			return ret;
	}
	return 0;
}

/* The name that opens another one like it. */
static void write_name(const struct sim_config *config, char *name, size_t size)
{
	static const char *const modes[] = {
		[SIM_LAZY] = "lazy",
		[SIM_CHAOS] = "chaos",
		[SIM_COHERENT] = "coherent",
		[SIM_KIND] = "kind",
	};
	const char *driver = config->driver == SIM_PANFROST ? "driver=panfrost," : "";
	char seed[32] = "", policy[16] = "", watch[16] = "";

	if (config->seed != DEFAULT_SEED)
		snprintf(seed, sizeof(seed), ",seed=%llu", (unsigned long long)config->seed);
	if (config->policy != GS_POLICY_STRICT)
		snprintf(policy, sizeof(policy), ",policy=hooks");
	if (config->watch)
		snprintf(watch, sizeof(watch), ",watch=%s", gemsync_watch_name(config->watch));
	snprintf(name, size, NAME ":%sline=%u,mode=%s%s%s%s", driver, config->line,
		 modes[config->mode], seed, policy, watch);
}

/* ---- Opening ---- */

static void sim_close(struct gemsync_device *dev)
{
	struct sim *sim = dev->sim;

	gemsync_sim_gpu_stop(sim);
	gemsync_sim_watch_stop(sim);
	gemsync_sim_vm_fini(&sim->vm);
	pthread_cond_destroy(&sim->stream_ended);
	pthread_cond_destroy(&sim->gpu_wakes);
	pthread_mutex_destroy(&sim->bell_lock);
	pthread_mutex_destroy(&sim->lock);
	pthread_mutex_destroy(&sim->turn);
	free(sim->records);
	free(sim->handles);
	free(sim);
}

bool gemsync_sim_is_name(const char *name)
{
	return !strcmp(name, NAME) || !strncmp(name, NAME ":", strlen(NAME ":"));
}

static void fill_info(const struct sim_config *config, struct gemsync_device_info *info)
{
	snprintf(info->driver, sizeof(info->driver), NAME);
	write_name(config, info->node, sizeof(info->node));
	info->version_major = 1;
	info->coherent = config->mode == SIM_COHERENT;
	info->chaos = config->mode == SIM_CHAOS;
	info->emulated = true;
	info->line_size = config->line;
	info->granule = config->line;
	info->page_size = sysconf(_SC_PAGESIZE);
	info->can_sync = true;
}

static int alloc_sim(struct sim **out)
{
	struct sim *sim;
	int ret;

	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return -ENOMEM;
	sim->records = calloc(1, gs_journal_bytes(GS_RECORDS_ROOM));
	if (!sim->records) {
		ret = -ENOMEM;
		goto err_free;
	}
	ret = gemsync_sim_gpu_init(sim);
	if (ret)
		goto err_records;
	pthread_mutex_init(&sim->turn, NULL);
	pthread_mutex_init(&sim->lock, NULL);
	*out = sim;
	return 0;
err_records:
	free(sim->records);
err_free:
	free(sim);
	return ret;
}

/* ---- Buffer objects ---- */

struct sim_bo *gemsync_sim_bo_find(struct sim *sim, uint32_t handle)
{
	return handle && handle <= sim->handle_count ? sim->handles[handle - 1].bo : NULL;
}

/* The lowest handle that is free. */
static int add_handle(struct sim *sim, struct sim_bo *bo, uint32_t *handle)
{
	struct sim_handle *handles;
	size_t i, room;

	for (i = 0; i < sim->handle_count && sim->handles[i].bo; i++)
		;
	if (i == sim->handle_count) {
		room = sim->handle_count ? 2 * sim->handle_count : 16;
		handles = realloc(sim->handles, room * sizeof(*handles));
		if (!handles)
			return -ENOMEM;
		memset(handles + i, 0, (room - i) * sizeof(*handles));
		sim->handles = handles;
		sim->handle_count = room;
	}
	sim->handles[i].bo = bo;
	*handle = i + 1;
	bo->object.id = ++sim->last_id;
	bo->object.size = bo->size;
	bo->object.handle = *handle;
	bo->object.pid = getpid();
	snprintf(bo->object.program, sizeof(bo->object.program), "%s",
		 program_invocation_short_name);
	return 0;
}

/* panfrost knows no private BOs. */
static struct gs_policy_object policy_object(const struct sim *sim, const struct sim_bo *bo)
{
	return (struct gs_policy_object){
		.cached = bo->flags & GEMSYNC_BO_CACHED,
		.private = sim->config.driver == SIM_PANTHOR &&
			   !(bo->flags & GEMSYNC_BO_SHAREABLE),
	};
}

static struct gs_policy_device policy_device(const struct sim *sim)
{
	return (struct gs_policy_device){
		.policy = sim->config.policy,
		.coherent = sim->config.mode == SIM_COHERENT,
		.cached_needs_private = sim->config.driver == SIM_PANTHOR,
	};
}

/* A BO with its handle, and where SIM_PANFROST decides that, its address. */
static int add_bo(struct sim *sim, struct sim_bo *bo, uint32_t *handle)
{
	int ret;

	ret = add_handle(sim, bo, handle);
	if (ret || sim->config.driver == SIM_PANTHOR)
		return ret;
	ret = gemsync_sim_bind_somewhere(sim, bo);
	if (ret)
		sim->handles[*handle - 1].bo = NULL;
	return ret;
}

/* As the kernel does it, and in its place the back end for panfrost (R13). */
static int check_policy(const struct sim *sim, const struct sim_bo *bo)
{
	const struct gs_policy_device device = policy_device(sim);
	const struct gs_policy_object object = policy_object(sim, bo);

	if (sim->config.driver == SIM_PANFROST && bo->flags & GEMSYNC_BO_SHAREABLE &&
	    gs_policy_export(&device, &object))
		return -EINVAL;
	return gs_policy_create(&device, &object);
}

static int sim_bo_create(struct gemsync_device *dev, uint32_t flags, uint64_t *size,
			 uint32_t *handle)
{
	uint64_t mask = dev->info.page_size - 1;
	struct sim_bo *bo;
	int ret;

	if (*size > SIZE_MAX_BO)
		return -ENOMEM;
	bo = calloc(1, sizeof(*bo));
	if (!bo)
		return -ENOMEM;
	bo->refs = 1;
	bo->size = (*size + mask) & ~mask;
	bo->flags = flags;
	ret = check_policy(dev->sim, bo);
	if (ret)
		goto err_free;
	gemsync_sim_lock(dev->sim);
	ret = add_bo(dev->sim, bo, handle);
	gemsync_sim_unlock(dev->sim);
	if (ret)
		goto err_free;
	*size = bo->size;
	return 0;
err_free:
	free(bo);
	return ret;
}

static void sim_bo_destroy(struct gemsync_device *dev, uint32_t handle)
{
	struct sim_bo *bo;

	gemsync_sim_lock(dev->sim);
	bo = gemsync_sim_bo_find(dev->sim, handle);
	if (bo) {
		dev->sim->handles[handle - 1].bo = NULL;
		gemsync_sim_unbind_bo(dev->sim, bo);
		gemsync_sim_bo_put(bo);
	}
	gemsync_sim_unlock(dev->sim);
}

static int map_locked(struct sim *sim, struct sim_bo *bo, void **out)
{
	int ret;

	if (bo->flags & GEMSYNC_BO_NO_MMAP)
		return -EPERM;
	ret = gemsync_sim_populate(sim, bo);
	return ret ? ret : gemsync_sim_cpu_view(sim, bo, out);
}

static int sim_bo_map(struct gemsync_device *dev, const struct gemsync_bo *bo, void **out)
{
	struct sim_bo *found;
	int ret = -ENOENT;

	gemsync_sim_lock(dev->sim);
	found = gemsync_sim_bo_find(dev->sim, bo->handle);
	if (found)
		ret = map_locked(dev->sim, found, out);
	gemsync_sim_unlock(dev->sim);
	return ret;
}

static int sim_bo_query(struct gemsync_device *dev, uint32_t handle,
			struct gemsync_bo_info *info)
{
	struct sim_bo *bo;

	gemsync_sim_lock(dev->sim);
	bo = gemsync_sim_bo_find(dev->sim, handle);
	if (bo)
		info->flags = bo->flags & (GEMSYNC_BO_CACHED | GEMSYNC_BO_NO_MMAP);
	gemsync_sim_unlock(dev->sim);
	info->imported = false;
	return bo ? 0 : -ENOENT;
}

static int sim_bo_set_label(struct gemsync_device *dev, uint32_t handle, const char *label)
{
	struct sim_bo *bo;
	int ret = -ENOENT;

	gemsync_sim_lock(dev->sim);
	bo = gemsync_sim_bo_find(dev->sim, handle);
	if (bo && label && strlen(label) >= sizeof(bo->object.label)) {
		ret = -E2BIG;
	} else if (bo) {
		snprintf(bo->object.label, sizeof(bo->object.label), "%s", label ? label : "");
		ret = 0;
	}
	gemsync_sim_unlock(dev->sim);
	return ret;
}

/* There is nobody to share with, but the policy is the same. */
static int sim_bo_export(struct gemsync_device *dev, uint32_t handle, int *fd)
{
	const struct gs_policy_device device = policy_device(dev->sim);
	struct gs_policy_object object;
	struct sim_bo *bo;
	int ret = -ENOENT;

	(void)fd;
	gemsync_sim_lock(dev->sim);
	bo = gemsync_sim_bo_find(dev->sim, handle);
	if (bo) {
		object = policy_object(dev->sim, bo);
		ret = gs_policy_export(&device, &object);
	}
	gemsync_sim_unlock(dev->sim);
	return ret ? ret : -EOPNOTSUPP;
}

bool gemsync_sim_has_job_manager(const struct gemsync_device *dev)
{
	return dev->sim->config.driver == SIM_PANFROST;
}

int gemsync_sim_address(struct gemsync_device *dev, uint32_t handle, uint64_t *va)
{
	struct sim_bo *bo;

	if (!gemsync_sim_has_job_manager(dev))
		return -EOPNOTSUPP;
	gemsync_sim_lock(dev->sim);
	bo = gemsync_sim_bo_find(dev->sim, handle);
	if (bo)
		*va = bo->va;
	gemsync_sim_unlock(dev->sim);
	return bo ? 0 : -ENOENT;
}

/* ---- Synchronization ---- */

static int check_op(struct sim *sim, const struct gs_sync_op *op)
{
	struct sim_bo *bo = gemsync_sim_bo_find(sim, op->handle);
	struct gs_sync_target target = { 0 };

	if (!bo)
		return -ENOENT;
	target.size = bo->size;
	return gs_sync_op_check(op, &target);
}

/* The steps between which others get the lock (R10); long enough to be cheap. */
#define STEP	(256ull << 10)

/* The BO may not go meanwhile: the caller of the library keeps it. */
static void run_op(struct sim *sim, const struct gs_sync_op *op)
{
	struct sim_bo *bo = gemsync_sim_bo_find(sim, op->handle);
	uint64_t done, size;

	if (!bo->cache || !op->size)	/* write-combined, coherent, or not populated (R9) */
		return;
	for (done = 0; done < op->size; done += size) {
		if (done) {
			gemsync_sim_unlock(sim);
			gemsync_sim_lock(sim);
		}
		/* Steps end where lines do, so that only the range's own edges are partial. */
		size = STEP - (op->offset + done) % STEP;
		if (size > op->size - done)
			size = op->size - done;
		gemsync_sim_chaos(sim, bo, op->offset + done);
		gemsync_sim_clean(sim, bo, op->offset + done, size);
		if (op->type == GS_SYNC_FLUSH_AND_INVALIDATE)
			gemsync_sim_drop(sim, bo, op->offset + done, size);
	}
	/* The last sync of what this one shows is the one before it. */
	gemsync_sim_note_sync(sim, bo, op->offset, op->size, op->type);
}

static struct gs_sync_op convert_op(const struct gemsync_op *op)
{
	return (struct gs_sync_op){
		.handle = op->bo->handle,
		.type = op->type,
		.offset = op->offset,
		.size = op_size(op),
	};
}

static int sync_locked(struct sim *sim, const struct gemsync_op *ops, size_t count)
{
	struct gs_sync_op op;
	size_t i;
	int ret;

	for (i = 0; i < count; i++) {
		op = convert_op(&ops[i]);
		ret = check_op(sim, &op);
		if (ret)
			return ret;
	}
	for (i = 0; i < count; i++) {
		op = convert_op(&ops[i]);
		run_op(sim, &op);
	}
	gemsync_sim_gpu_kick(sim);
	return 0;
}

static int sim_sync(struct gemsync_device *dev, const struct gemsync_op *ops, size_t count)
{
	int ret;

	if (count > GS_BATCH_MAX)
		return -E2BIG;
	ret = gs_batch_check(count, sizeof(*ops), sizeof(*ops));
	if (ret <= 0)
		return ret;
	gemsync_sim_lock(dev->sim);
	ret = sync_locked(dev->sim, ops, count);
	gemsync_sim_unlock(dev->sim);
	return ret;
}

/* ---- The cache looked into ---- */

static int sim_counters(struct gemsync_device *dev, struct gemsync_counters *counters)
{
	const struct gemsync_costs *costs = &dev->sim->costs;

	gemsync_sim_lock(dev->sim);
	*counters = (struct gemsync_counters){
		.lines_cleaned = costs->lines_cleaned,
		.lines_dropped = costs->lines_dropped,
	};
	gemsync_sim_unlock(dev->sim);
	return 0;
}

static int sim_costs(struct gemsync_device *dev, struct gemsync_costs *costs)
{
	gemsync_sim_lock(dev->sim);
	*costs = dev->sim->costs;
	gemsync_sim_unlock(dev->sim);
	return 0;
}

static int sim_violation_count(struct gemsync_device *dev, enum gemsync_violation_kind kind,
			       uint64_t *count)
{
	gemsync_sim_lock(dev->sim);
	*count = gs_journal_count(&dev->sim->journal, (enum gs_violation_kind)kind);
	gemsync_sim_unlock(dev->sim);
	return 0;
}

static int sim_next_violation(struct gemsync_device *dev, uint64_t serial,
			      struct found_violation *found)
{
	struct gs_record record;
	bool any;

	gemsync_sim_lock(dev->sim);
	any = gs_journal_next(&dev->sim->journal, serial, &record);
	gemsync_sim_unlock(dev->sim);
	if (!any)
		return -ENOENT;
	gemsync_found_violation(&record, found);
	return 0;
}

static int sim_last_violation(struct gemsync_device *dev, uint64_t *serial)
{
	gemsync_sim_lock(dev->sim);
	*serial = gs_journal_now(&dev->sim->journal);
	gemsync_sim_unlock(dev->sim);
	return 0;
}

static int sim_watch(struct gemsync_device *dev, uint32_t watch, uint32_t *before)
{
	uint32_t watched = dev->sim->watch.fd < 0 ? 0 : dev->sim->config.watch;

	if (watch & ~watched)
		return -EOPNOTSUPP;
	*before = watched;
	return 0;
}

static const struct emulation_ops sim_emulation_ops = {
	.counters = sim_counters,
	.costs = sim_costs,
	.violation_count = sim_violation_count,
	.next_violation = sim_next_violation,
	.last_violation = sim_last_violation,
	.watch = sim_watch,
};

static const struct device_ops sim_ops = {
	.driver = NAME,
	.close = sim_close,
	.bo_create = sim_bo_create,
	.bo_destroy = sim_bo_destroy,
	.bo_map = sim_bo_map,
	.bo_query = sim_bo_query,
	.bo_set_label = sim_bo_set_label,
	.bo_export = sim_bo_export,
	.sync = sim_sync,
};

int gemsync_sim_open(struct gemsync_device *dev, const char *name)
{
	struct sim_config config;
	int ret;

	ret = parse_name(name, &config);
	if (ret)
		return ret;
	ret = alloc_sim(&dev->sim);
	if (ret)
		return ret;
	dev->sim->config = config;
	gs_journal_init(&dev->sim->journal, dev->sim->records, GS_RECORDS_ROOM, config.line);
	gs_random_seed(&dev->sim->random, config.seed);
	dev->sim->watch.fd = -1;
	if (config.watch && config.mode != SIM_COHERENT) {
		ret = gemsync_sim_watch_init(dev->sim);
		if (ret) {
			sim_close(dev);
			return ret;
		}
	}
	fill_info(&config, &dev->info);
	dev->ops = &sim_ops;
	dev->emulation = &sim_emulation_ops;
	dev->fd = -EOPNOTSUPP;
	dev->attributes = -1;
	dev->vm = config.driver == SIM_PANTHOR ? THE_VM : 0;
	return 0;
}
