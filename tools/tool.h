/* SPDX-License-Identifier: MIT */
/* What the commands of gemsync(1) share. */
#ifndef TOOL_H
#define TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <gemsync/gemsync.h>
#include <libsmartcols.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

enum exit_code {
	TOOL_OK = 0,		/* done; every row holds */
	TOOL_FAILED = 1,	/* a row does not hold */
	TOOL_USAGE = 2,		/* unknown command or option */
	TOOL_CANNOT = 3,	/* no device, or nothing to be seen on it */
};

/* What options a command has, --help among them. */
struct tool_syntax {
	const char *letters;		/* as for getopt_long() */
	const struct option *options;
	const char *help;		/* what --help prints */
	/* Take an option, with its argument in optarg. False if it is wrong. */
	bool (*take)(int opt, void *data);
};

/*
 * Whether the command is to go on, with its arguments from argv[optind] on. If not, it ends
 * with *@code.
 */
bool tool_parse(int argc, char **argv, const struct tool_syntax *syntax, void *data,
		enum exit_code *code);

/* Those that several commands have. */
struct tool_options {
	const char *device;	/* as for gemsync_device_open(), or NULL */
	bool json;
	uint32_t watch;		/* GEMSYNC_WATCH_*; WATCH_WHAT_CAN_BE if nothing was said */
};

/* Take -d DEVICE, -j, or -w WHAT into the &struct tool_options. */
bool tool_take_common(int opt, void *data);

/* What --watch says; complains of a word that says nothing. */
bool tool_watch_option(const char *word, uint32_t *watch);

/*
 * The commands. argv[0] is the command's name; each has options of its own, and prints
 * what they are for --help.
 */
enum exit_code tool_bench(int argc, char **argv);
enum exit_code tool_conform(int argc, char **argv);
enum exit_code tool_demo(int argc, char **argv);
enum exit_code tool_info(int argc, char **argv);
enum exit_code tool_run(int argc, char **argv);
enum exit_code tool_watch(int argc, char **argv);

/* Whether there are arguments that no command takes; complains of the first. */
bool tool_has_arguments(int argc, char **argv);

/* Print where to find help. Returns TOOL_USAGE. */
enum exit_code tool_usage(const char *command);

/* Print "gemsync: " and a line to stderr. */
__attribute__((format(printf, 1, 2)))
void tool_complain(const char *format, ...);

/* A column, for print and JSON alike. */
struct tool_column {
	const char *name;
	int json;	/* SCOLS_JSON_* */
	int flags;	/* SCOLS_FL_* */
};

/* A table to be filled and printed; NULL if there is no memory. */
struct libscols_table *tool_table_create(const char *name, const struct tool_column *columns,
					 size_t count, bool json);

/* Add a row of @count cells. 0 or -errno. */
int tool_table_add(struct libscols_table *table, const char *const *cells, size_t count);

/*
 * Print it, once, no wider than tool_width() as far as columns with SCOLS_FL_WRAP allow,
 * which are wrapped at blanks. 0 or -errno.
 */
int tool_table_print(struct libscols_table *table);

/* ---- Text for people ---- */

/* Of the terminal; else what COLUMNS says, or 80. */
size_t tool_width(void);

/* Whether standard output is a terminal that has some, and NO_COLOR does not forbid it. */
bool tool_has_colour(void);

enum tool_colour { TOOL_RED = 31, TOOL_GREEN = 32, TOOL_YELLOW = 33 };

void tool_print_coloured(enum tool_colour colour, const char *text);

/*
 * Print @text and a line's end, wrapped at blanks; @at: the column where it begins. Further
 * lines begin at column @indent. An empty text prints nothing.
 */
void tool_print_wrapped(const char *text, size_t at, size_t indent);

/* ---- Commands ---- */

/* Become a command; where that fails say why, and end as a shell would. */
__attribute__((noreturn)) void tool_exec(char **command);

/* What waitpid() said of a command, as a shell would say it. */
int tool_command_status(int status);

/* ---- Devices ---- */

/*
 * Say why no device of that name, NULL for any, can be used by a command, and what to do
 * about it: which names there are, who may open the node.
 */
void tool_complain_of_device(const char *name, int error);

/*
 * Let the library know a driver by its description, in the shared object @path; *@name is that
 * of the driver. False if that failed: then it was said why.
 */
bool tool_load_driver(const char *path, const char **name);

#endif
