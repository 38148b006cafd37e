// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench_plot.h"

struct bench_plot {
	struct bench_result *results;
	size_t count;
	size_t room;
};

struct bench_plot *bench_plot_create(void)
{
	return calloc(1, sizeof(struct bench_plot));
}

void bench_plot_destroy(struct bench_plot *plot)
{
	if (!plot)
		return;
	free(plot->results);
	free(plot);
}

int bench_plot_add(struct bench_plot *plot, const struct bench_case *done)
{
	struct bench_result *results;
	size_t room;

	if (plot->count + done->count > plot->room) {
		room = 2 * plot->room + BENCH_CONTENDERS;
		results = realloc(plot->results, room * sizeof(*results));
		if (!results)
			return -ENOMEM;
		plot->results = results;
		plot->room = room;
	}
	memcpy(plot->results + plot->count, done->results, done->count * sizeof(*done->results));
	plot->count += done->count;
	return 0;
}

/* Groups of one size have no line to draw. */
static bool is_drawn(const struct bench_plot *plot, const struct bench_group *group)
{
	size_t i, points = 0;

	for (i = 0; i < plot->count; i++)
		points += plot->results[i].group == group;
	return points && group->size_min < group->size_max;
}

static void write_data(FILE *to, const struct bench_plot *plot, const struct bench_group *group,
		       const struct bench_contender *contender)
{
	const struct bench_result *result;
	size_t i;

	for (i = 0; i < plot->count; i++) {
		result = &plot->results[i];
		if (result->group == group && result->contender == contender)
			fprintf(to, "%zu %.4f\n", result->size, result->ratio);
	}
	fputs("e\n", to);
}

static bool took_part(const struct bench_plot *plot, const struct bench_group *group,
		      const struct bench_contender *contender)
{
	size_t i;

	for (i = 0; i < plot->count; i++)
		if (plot->results[i].group == group && plot->results[i].contender == contender)
			return true;
	return false;
}

static void write_panel(FILE *to, const struct bench_plot *plot, const struct bench_group *group)
{
	const struct bench_contender *contender = group->contenders;
	size_t i;

	fprintf(to, "set title \"%s\"\nplot ", group->what);
	for (i = 0; i < BENCH_CONTENDERS && contender[i].name; i++)
		if (took_part(plot, group, &contender[i]))
			fprintf(to, "%s'-' with linespoints title \"%s\"", i ? ", " : "",
				contender[i].name);
	fputc('\n', to);
	for (i = 0; i < BENCH_CONTENDERS && contender[i].name; i++)
		if (took_part(plot, group, &contender[i]))
			write_data(to, plot, group, &contender[i]);
}

static void write_script(FILE *to, const struct bench_plot *plot, const char *file)
{
	size_t i, panels = 0;

	for (i = 0; i < bench_group_count; i++)
		panels += is_drawn(plot, &bench_groups[i]);
	fprintf(to, "set terminal svg size 900,%zu\nset output '", 320 * (panels ? panels : 1));
	for (; *file; file++)
		fputs(*file == '\'' ? "''" : (char[]){ *file, '\0' }, to);
	fprintf(to,
		"'\nset multiplot layout %zu,1\nset logscale x 2\nset format x '%%.0b%%B'\n"
		"set xlabel 'bytes'\nset ylabel 'time / reference'\nset yrange [0:*]\n"
		"set grid\nset key outside right noenhanced\n",
		panels ? panels : 1);
	for (i = 0; i < bench_group_count; i++)
		if (is_drawn(plot, &bench_groups[i]))
			write_panel(to, plot, &bench_groups[i]);
	fputs("unset multiplot\n", to);
}

int bench_plot_draw(const struct bench_plot *plot, const char *file)
{
	void (*before)(int signal);
	FILE *to;
	int status;

	to = popen("exec gnuplot", "w");
	if (!to)
		return -errno;
	/* One that is not there, or gives up, closes the pipe. */
	before = signal(SIGPIPE, SIG_IGN);
	write_script(to, plot, file);
	status = pclose(to);
	signal(SIGPIPE, before);
	if (!status)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : -EIO;
}
