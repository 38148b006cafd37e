// SPDX-License-Identifier: MIT
/* gemsync watch: the violations of emulated devices, live, as one line of words each. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"
#include "watched.h"

#define SOURCES_MAX	8
#define POLL_NS		50000000
#define SIM		"sim"

struct source {
	struct gemsync_device *dev;
	struct gemsync_device_info info;
	struct watched watched;
	struct gemsync_costs costs;	/* when it began */
	uint64_t serial;	/* of the last one that was printed */
};

struct watch {
	struct source sources[SOURCES_MAX];
	size_t count;
	const char *name;	/* of the only source; NULL: all that there are */
	uint32_t looks_for;	/* GEMSYNC_WATCH_*; WATCH_AS_IT_IS if nothing was said */
	bool json;
	bool colour;
	bool costs;
	uint64_t seen[GEMSYNC_CPU_READ_STALE + 1];
	uint64_t others;	/* of kinds that this tool does not know */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* ---- Lines ---- */

static void print_words(const struct watch *watch, const struct source *source,
			const struct gemsync_violation *violation)
{
	char text[512];

	gemsync_violation_describe(violation, text, sizeof(text));
	printf("%s%s%s %s: %s [%s]\n", watch->colour ? "\033[1;31m" : "",
	       gemsync_violation_name(violation->kind), watch->colour ? "\033[0m" : "",
	       source->info.driver, text, violation->owner);
}

static void json_text(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	text_json(stdout, text);
}

static void json_number(const char *name, uint64_t number)
{
	printf(",\"%s\":%" PRIu64, name, number);
}

static void print_json(const struct source *source, const struct gemsync_violation *violation)
{
	char text[512];

	gemsync_violation_describe(violation, text, sizeof(text));
	printf("{\"serial\":%" PRIu64, source->serial);
	json_text("device", source->info.node);
	json_text("kind", gemsync_violation_name(violation->kind));
	json_text("text", text);
	json_text("label", violation->label);
	json_text("owner", violation->owner);
	json_number("time_ns", violation->time_ns);
	json_number("offset", violation->offset);
	json_number("size", violation->size);
	json_number("rows", violation->rows);
	json_number("stride", violation->stride);
	json_number("sync_offset", violation->sync_offset);
	json_number("sync_size", violation->sync_size);
	json_number("bo", violation->bo);
	json_number("bo_handle", violation->bo_handle);
	json_number("bo_size", violation->bo_size);
	json_number("job", violation->job);
	json_number("submission", violation->submission);
	json_number("queue", violation->queue);
	json_number("job_address", violation->job_address);
	json_number("again", violation->again);
	json_number("times", violation->times);
	json_number("cpu_address", violation->cpu_address);
	json_number("pc", violation->pc);
	puts("}");
}

static void print(struct watch *watch, const struct source *source,
		  const struct gemsync_violation *violation)
{
	if ((size_t)violation->kind < ARRAY_SIZE(watch->seen))
		watch->seen[violation->kind]++;
	else
		watch->others++;
	if (watch->json)
		print_json(source, violation);
	else
		print_words(watch, source, violation);
}

static uint64_t total(const struct watch *watch)
{
	uint64_t sum = watch->others;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(watch->seen); i++)
		sum += watch->seen[i];
	return sum;
}

/* To stderr, beside what the watched program prints. */
static void print_summary(const struct watch *watch)
{
	size_t i;

	if (!total(watch)) {
		fputs("gemsync watch: no violations\n", stderr);
		return;
	}
	fprintf(stderr, "gemsync watch: %" PRIu64 " violations\n", total(watch));
	for (i = 0; i < ARRAY_SIZE(watch->seen); i++)
		if (watch->seen[i])
			fprintf(stderr, "  %8" PRIu64 " %s: %s\n", watch->seen[i],
				gemsync_violation_name((enum gemsync_violation_kind)i),
				gemsync_violation_explain((enum gemsync_violation_kind)i));
}

static void print_costs_of(const struct watch *watch, const struct source *source)
{
	const struct gemsync_costs *before = &source->costs;
	struct gemsync_costs now;

	if (gemsync_device_costs(source->dev, &now, sizeof(now)))
		return;
	now.lines_cleaned -= before->lines_cleaned;
	now.lines_dirty -= before->lines_dirty;
	now.lines_dropped -= before->lines_dropped;
	now.lines_stale -= before->lines_stale;
	if (!watch->json) {
		fprintf(stderr,
			"gemsync watch: %s wrote back %" PRIu64 " lines, %" PRIu64
			" of them dirty, and dropped %" PRIu64 ", %" PRIu64 " of them stale\n",
			source->info.driver, now.lines_cleaned, now.lines_dirty,
			now.lines_dropped, now.lines_stale);
		return;
	}
	printf("{\"costs\":");
	text_json(stdout, source->info.node);
	json_number("lines_cleaned", now.lines_cleaned);
	json_number("lines_dirty", now.lines_dirty);
	json_number("lines_dropped", now.lines_dropped);
	json_number("lines_stale", now.lines_stale);
	puts("}");
}

/* What syncs did, and what of it was of use. */
static void print_costs(const struct watch *watch)
{
	size_t i;

	for (i = 0; watch->costs && i < watch->count; i++)
		print_costs_of(watch, &watch->sources[i]);
}

/* ---- Devices ---- */

/* As it was before it was watched. */
static void close_source(struct source *source)
{
	watch_again(source->dev, &source->watched);
	gemsync_device_close(source->dev);
}

/* Of many, one that cannot look for more tells what it always sees. */
static int look_for(const struct watch *watch, struct source *source)
{
	int ret = watch_device(source->dev, watch->looks_for, &source->watched);

	return ret == -ENODATA && !watch->name ? 0 : ret;
}

/* 0; -EOPNOTSUPP if there is nothing to see on it; or another error. */
static int add_source(struct watch *watch, const char *name)
{
	struct source *source = &watch->sources[watch->count];
	int ret;

	*source = (struct source){ 0 };
	ret = gemsync_device_open(name, &source->dev);
	if (ret)
		return ret;
	gemsync_device_query(source->dev, &source->info);
	ret = gemsync_device_last_violation(source->dev, &source->serial);
	if (!ret && watch->costs)
		ret = gemsync_device_costs(source->dev, &source->costs, sizeof(source->costs));
	if (!ret)
		ret = look_for(watch, source);
	if (ret)
		close_source(source);
	else
		watch->count++;
	return ret;
}

static enum exit_code complain(const char *name, int error)
{
	if (error == -EOPNOTSUPP)
		tool_complain("%s has no emulated cache: only such a device knows", name);
	else if (error == -ENODATA)
		tool_complain_of_device(name, -error);
	else if (error == -EACCES)
		tool_complain("%s: the records are root's, in debugfs", name);
	else
		tool_complain("%s: %s", name, strerror(-error));
	return TOOL_CANNOT;
}

static enum exit_code open_sources(struct watch *watch)
{
	static const char *const drivers[] = { "panthor", "panfrost", "powervr" };
	const char *name = watch->name;
	int ret, error = -ENODEV;
	size_t i;

	if (name && !strncmp(name, SIM, strlen(SIM))) {
		tool_complain("a simulated device is its process's own: nobody else can watch it");
		return TOOL_CANNOT;
	}
	if (name) {
		ret = add_source(watch, name);
		return ret ? complain(name, ret) : TOOL_OK;
	}
	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		ret = add_source(watch, drivers[i]);
		if (ret && ret != -ENODEV)
			error = ret;
	}
	return watch->count ? TOOL_OK : complain("no device can be watched", error);
}

static void close_sources(struct watch *watch)
{
	while (watch->count)
		close_source(&watch->sources[--watch->count]);
}

/* ---- Watching ---- */

static int look_at(struct watch *watch, struct source *source)
{
	struct gemsync_violation violation;
	int ret;

	while (!(ret = gemsync_device_next_violation(source->dev, &source->serial, &violation)))
		print(watch, source, &violation);
	return ret == -ENOENT ? 0 : ret;
}

static enum exit_code look(struct watch *watch)
{
	size_t i;
	int ret;

	for (i = 0; i < watch->count; i++) {
		ret = look_at(watch, &watch->sources[i]);
		if (ret)
			return complain(watch->sources[i].info.node, ret);
	}
	fflush(stdout);
	return TOOL_OK;
}

static int start_command(char **command, pid_t *child)
{
	*child = fork();
	if (*child < 0)
		return -errno;
	if (*child)
		return 0;
	tool_exec(command);
}

/* Whether the command, if there is one, has ended; then with what status. */
static bool has_ended(pid_t child, int *status)
{
	if (!child)
		return false;
	return waitpid(child, status, WNOHANG) == child;
}

/* The command's own, if it failed; else whether there was anything to see. */
static int final_status(const struct watch *watch, int status)
{
	if (tool_command_status(status))
		return tool_command_status(status);
	return total(watch) ? TOOL_FAILED : TOOL_OK;
}

static int run(struct watch *watch, pid_t child)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	enum exit_code code = TOOL_OK;
	bool ended = false;
	int status = 0;

	/* What was recorded before the end is looked at after it. */
	while (code == TOOL_OK && !ended && !stopped) {
		nanosleep(&pause, NULL);
		ended = has_ended(child, &status);
		code = look(watch);
	}
	if (child && !ended) {
		kill(child, SIGTERM);
		waitpid(child, &status, 0);
	}
	if (code != TOOL_OK)
		return code;
	print_summary(watch);
	print_costs(watch);
	return final_status(watch, status);
}

static int watch_until_end(struct watch *watch, char **command)
{
	struct sigaction action = { .sa_handler = stop };
	pid_t child = 0;
	int ret;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (*command) {
		ret = start_command(command, &child);
		if (ret) {
			tool_complain("cannot start %s: %s", *command, strerror(-ret));
			return TOOL_CANNOT;
		}
	}
	return run(watch, child);
}

static const char help[] =
	"usage: gemsync watch [OPTION...] [DEVICE] [-- COMMAND [ARGUMENT...]]\n\n"
	"Shows the violations that emulated devices record from now on: of DEVICE, a node or a\n"
	"driver's name, or of all; while COMMAND runs, or until it is interrupted. Needs root.\n\n"
	"  -w, --watch WHAT  what they look for meanwhile beside what they always see: all, loads,\n"
	"                    stores or nothing; without it what they looked for before\n"
	"  -j, --json        a line of JSON for each\n"
	"      --costs       say at the end how many lines syncs wrote back and dropped, and how\n"
	"                    many of these were dirty, or stale: the others only cost time\n"
	"  -c, --colour      in colour, which a terminal has unless NO_COLOR is set\n\n"
	"Exit status: that of COMMAND if it failed; else 1 if there were violations.\n";

enum { OPTION_COSTS = 256 };

static bool take_option(int opt, void *data)
{
	struct watch *watch = data;

	switch (opt) {
	case 'w':
		return tool_watch_option(optarg, &watch->looks_for);
	case 'j':
		watch->json = true;
		break;
	case 'c':
		watch->colour = true;
		break;
	case OPTION_COSTS:
		watch->costs = true;
		break;
	}
	return true;
}

static const struct tool_syntax syntax = {
	.letters = "+w:jch",
	.options = (const struct option[]) {
		{ "watch", required_argument, NULL, 'w' },
		{ "costs", no_argument, NULL, OPTION_COSTS },
		{ "json", no_argument, NULL, 'j' },
		{ "colour", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	},
	.help = help,
	.take = take_option,
};

/* The command begins at argv[optind]. */
static bool parse(int argc, char **argv, struct watch *watch, enum exit_code *code)
{
	if (!tool_parse(argc, argv, &syntax, watch, code))
		return false;
	/* What follows "--" is a command. */
	if (optind >= argc || !strcmp(argv[optind - 1], "--"))
		return true;
	watch->name = argv[optind++];
	if (optind >= argc || !strcmp(argv[optind++], "--"))
		return true;
	tool_complain("a command comes after --");
	*code = tool_usage(argv[0]);
	return false;
}

enum exit_code tool_watch(int argc, char **argv)
{
	struct watch watch = { .looks_for = WATCH_AS_IT_IS, .colour = tool_has_colour() };
	enum exit_code code;
	int status;

	if (!parse(argc, argv, &watch, &code))
		return code;
	status = open_sources(&watch);
	if (status == TOOL_OK)
		status = watch_until_end(&watch, argv + optind);
	close_sources(&watch);
	return (enum exit_code)status;
}
