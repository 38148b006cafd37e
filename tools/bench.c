// SPDX-License-Identifier: MIT
/* gemsync bench: how fast this CPU's cache maintenance is, next to others. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gemsync/cpu.h>

#include "bench.h"
#include "bench_plot.h"
#include "tool.h"
#include "verify.h"

#define VERIFY_SIZE	(4u << 20)
#define VERIFY_TURNS	500u	/* for each back end */

static const struct tool_column columns[] = {
	{ "work", SCOLS_JSON_STRING, 0 },
	{ "size", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "who", SCOLS_JSON_STRING, 0 },
	{ "ns", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "GB/s", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "ratio", SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	{ "goal", SCOLS_JSON_STRING, 0 },
	{ "verdict", SCOLS_JSON_STRING, 0 },
	{ "note", SCOLS_JSON_STRING, SCOLS_FL_WRAP },
};

struct bench {
	struct bench_options options;
	const char *json;	/* files, or NULL */
	const char *plot_file;
	bool strict;
	double goal;		/* the one of all work, or 0 */
	const struct bench_class *class;
	struct libscols_table *table;
	struct bench_plot *plot;
	unsigned int goals, limited, missed, absent;
	int error;
};

static const struct option long_options[] = {
	{ "json", required_argument, NULL, 'j' },
	{ "plot", required_argument, NULL, 'p' },
	{ "strict", no_argument, NULL, 's' },
	{ "goal", required_argument, NULL, 'g' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "max", required_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	size_t i;

	puts("usage: gemsync bench [OPTION...] [WORK...]\n\n"
	     "Compares gemsync/cpu.h with the loop that user-mode drivers have today (fence,\n"
	     "clflush for each line, fence), with libpmem, and with the limits of the machine:\n"
	     "by turns, in one run. A ratio is the median of the rounds' ratios of time to the\n"
	     "reference, which has 1; less is better.\n\n"
	     "Work:");
	for (i = 0; i < bench_group_count; i++)
		printf("  %-12s %s\n", bench_groups[i].name, bench_groups[i].what);
	puts("\nOptions:\n"
	     "      --json FILE   write the table as JSON too\n"
	     "      --plot FILE   draw the ratios, as SVG (needs gnuplot)\n"
	     "      --strict      exit with 1 if a goal of this class of CPUs is missed\n"
	     "      --goal RATIO  the goal of all work, instead of the class's\n"
	     "      --rounds N    so many rounds; without it, as many as the size allows\n"
	     "      --max BYTES   no larger sizes\n"
	     "  -h, --help        print this help");
}

/* ---- The table ---- */

static const char *const verdicts[] = {
	[BENCH_HOLDS] = "holds",
	[BENCH_ABSENT] = "not compared",
	[BENCH_LIMIT] = "limit",
	[BENCH_MISSES] = "MISSES",
};

/* @note is changed only if a comparison is missing: to why. */
static void note_goals(struct bench *bench, const struct bench_case *done, char *text, size_t size,
		       const char **verdict, const char **note)
{
	const struct bench_contender *absent;
	const struct bench_goal *goal;
	const char *against;
	size_t used = 0;
	enum bench_verdict judged, worst = BENCH_NO_GOAL;
	double ratio;

	*text = '\0';
	for (goal = bench->class->goals; goal->group; goal++) {
		judged = bench_judge(goal, done, &ratio);
		if (judged == BENCH_NO_GOAL)
			continue;
		if (judged == BENCH_ABSENT) {
			bench->absent++;
			absent = bench_absent(done, goal->against ? goal->against : goal->limit);
			*note = absent->note;
		}
		bench->goals++;
		against = goal->against;
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s%s%.2f",
						 used ? ", " : "", against ? against : "",
						 against ? " " : "", goal->ratio);
		if (judged > worst)
			worst = judged;
		bench->limited += judged == BENCH_LIMIT;
		if (judged != BENCH_MISSES)
			continue;
		bench->missed++;
		tool_complain("%s of %zu bytes takes %.3f of %s's time; the goal for %s is %.3f",
			      goal->group, done->results[0].size, ratio,
			      against ? against : "the reference", bench->class->name, goal->ratio);
	}
	*verdict = verdicts[worst];
}

static void add_result(struct bench *bench, const struct bench_case *done,
		       const struct bench_result *result)
{
	char size[24], ns[32], speed[32], ratio[16], goal[64] = "";
	const char *cells[ARRAY_SIZE(columns)], *verdict = NULL, *note = result->contender->note;

	snprintf(size, sizeof(size), "%zu", result->size);
	snprintf(ns, sizeof(ns), result->ns < 100 ? "%.1f" : "%.0f", result->ns);
	snprintf(speed, sizeof(speed), "%.2f", (double)result->size / result->ns);
	snprintf(ratio, sizeof(ratio), "%.3f", result->ratio);
	if (!strcmp(result->contender->name, BENCH_OWN))
		note_goals(bench, done, goal, sizeof(goal), &verdict, &note);
	if (result->contender->incomparable)
		verdict = "not comparable";
	cells[0] = result->group->name;
	cells[1] = size;
	cells[2] = result->contender->name;
	cells[3] = ns;
	cells[4] = speed;
	cells[5] = ratio;
	cells[6] = goal;
	cells[7] = verdict;
	cells[8] = note;
	if (tool_table_add(bench->table, cells, ARRAY_SIZE(cells)))
		bench->error = -ENOMEM;
}

static void take_case(const struct bench_case *done, void *context)
{
	struct bench *bench = context;
	size_t i;

	for (i = 0; i < done->count; i++)
		add_result(bench, done, &done->results[i]);
	if (bench->plot && bench_plot_add(bench->plot, done))
		bench->error = -ENOMEM;
}

/* ---- Running ---- */

static int verify_backend(void *context)
{
	const uint64_t *seed = context;
	struct verify work;
	int ret;

	ret = verify_init(&work, VERIFY_SIZE, *seed);
	if (ret)
		return ret;
	ret = verify_random(&work, VERIFY_TURNS);
	verify_fini(&work);
	return ret;
}

/* A wrong copy needs no stopwatch: each back end that this CPU has against the plain form. */
static int verify(void)
{
	uint64_t seed = (uint64_t)time(NULL);
	const struct verify_backend *backend;
	int ret;

	for (backend = verify_backends; backend->name; backend++) {
		ret = verify_with(backend->name, verify_backend, &seed);
		if (ret && ret != -EOPNOTSUPP) {
			tool_complain("back end %s, with seed %llu: %s", backend->name,
				      (unsigned long long)seed,
				      ret == -EILSEQ ? "copies differ from memcpy()" :
						       strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static bool is_wanted(const struct bench_group *group, char **names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], group->name))
			return true;
	return !count;
}

static int run_groups(struct bench *bench, char **names, int count)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < bench_group_count; i++) {
		if (!is_wanted(&bench_groups[i], names, count))
			continue;
		ret = bench_run(&bench_groups[i], &bench->options, take_case, bench);
		if (!ret)
			ret = bench->error;
	}
	return ret;
}

static int write_json(struct bench *bench)
{
	FILE *file = fopen(bench->json, "w");

	if (!file)
		return -errno;
	scols_table_enable_json(bench->table, 1);
	scols_table_set_stream(bench->table, file);
	scols_print_table(bench->table);
	scols_table_enable_json(bench->table, 0);
	scols_table_set_stream(bench->table, stdout);
	return fclose(file) ? -errno : 0;
}

static int write_results(struct bench *bench)
{
	int ret = 0;

	if (bench->json) {
		ret = write_json(bench);
		if (ret)
			tool_complain("%s: %s", bench->json, strerror(-ret));
	}
	/* This wraps what is in the cells. */
	tool_table_print(bench->table);
	printf("\n%s: %u goals, %u at the machine's limit, %u missed", bench->class->name,
	       bench->goals, bench->limited, bench->missed);
	if (bench->absent)
		printf(", %u not compared: see the notes", bench->absent);
	putchar('\n');
	if (!ret && bench->plot) {
		ret = bench_plot_draw(bench->plot, bench->plot_file);
		if (ret)
			tool_complain("%s: %s", bench->plot_file,
				      ret == -ENOENT ? "gnuplot cannot be run" : strerror(-ret));
	}
	return ret;
}

static enum exit_code run(struct bench *bench, char **names, int count)
{
	struct gemsync_cpu_info info;
	int ret;

	ret = verify();	/* before this process chooses a back end */
	if (ret)
		return ret == -EILSEQ ? TOOL_FAILED : TOOL_CANNOT;
	if (gemsync_cpu_query(&info)) {
		tool_complain("%s", info.why);
		return TOOL_CANNOT;
	}
	bench->class = bench->goal > 0 ? bench_class_of_ratio(bench->goal) : bench_class_here();
	printf("back end %s: %s; lines of %zu bytes, granule of %zu\n", info.backend, info.why,
	       info.line_size, info.granule);
	ret = run_groups(bench, names, count);
	if (ret) {
		tool_complain("%s", strerror(-ret));
		return TOOL_CANNOT;
	}
	if (write_results(bench))
		return TOOL_CANNOT;
	return bench->strict && bench->missed ? TOOL_FAILED : TOOL_OK;
}

/* ---- Options ---- */

static bool parse_number(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && !*end && *number && *number <= max;
}

static bool names_are_known(char **names, int count)
{
	size_t known;
	int i;

	for (i = 0; i < count; i++) {
		for (known = 0; known < bench_group_count; known++)
			if (!strcmp(bench_groups[known].name, names[i]))
				break;
		if (known == bench_group_count) {
			tool_complain("unknown work '%s'", names[i]);
			return false;
		}
	}
	return true;
}

/* TOOL_OK to go on; -1 if all is done. */
static int parse_options(struct bench *bench, int argc, char **argv)
{
	unsigned long number;
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			bench->json = optarg;
			break;
		case 'p':
			bench->plot_file = optarg;
			break;
		case 's':
			bench->strict = true;
			break;
		case 'g':
			bench->goal = strtod(optarg, &end);
			if (end == optarg || *end || !(bench->goal > 0))
				return TOOL_USAGE;
			break;
		case 'r':
			if (!parse_number(optarg, 10000, &number))
				return TOOL_USAGE;
			bench->options.rounds = (unsigned int)number;
			break;
		case 'm':
			if (!parse_number(optarg, 1ul << 30, &number))
				return TOOL_USAGE;
			bench->options.size_max = number;
			break;
		case 'h':
			print_help();
			return -1;
		default:
			return TOOL_USAGE;
		}
	}
	return names_are_known(argv + optind, argc - optind) ? TOOL_OK : TOOL_USAGE;
}

enum exit_code tool_bench(int argc, char **argv)
{
	struct bench bench = { 0 };
	enum exit_code code = TOOL_CANNOT;
	int ret;

	ret = parse_options(&bench, argc, argv);
	if (ret)
		return ret < 0 ? TOOL_OK : tool_usage(argv[0]);
	bench.table = tool_table_create("bench", columns, ARRAY_SIZE(columns), false);
	if (bench.plot_file)
		bench.plot = bench_plot_create();
	if (bench.table && (bench.plot || !bench.plot_file))
		code = run(&bench, argv + optind, argc - optind);
	else
		tool_complain("out of memory");
	bench_plot_destroy(bench.plot);
	scols_unref_table(bench.table);
	return code;
}
