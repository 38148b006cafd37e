/* SPDX-License-Identifier: MIT */
/* A picture of a benchmark: ratios over sizes, one panel for each kind of work. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "bench.h"

struct bench_plot;

/* NULL if there is no memory. */
struct bench_plot *bench_plot_create(void);
void bench_plot_destroy(struct bench_plot *plot);

/* 0 or -ENOMEM. */
int bench_plot_add(struct bench_plot *plot, const struct bench_case *done);

/* Write an SVG by gnuplot. 0; -ENOENT if that cannot be run; -EIO if it fails. */
int bench_plot_draw(const struct bench_plot *plot, const char *file);

#endif
