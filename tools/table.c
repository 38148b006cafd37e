// SPDX-License-Identifier: MIT
/* Tables and JSON from one description of the columns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define MAX_COLUMNS	16
#define SEPARATOR	1	/* blanks between columns */

/* ---- Filling ---- */

static int add_column(struct libscols_table *table, const struct tool_column *column)
{
	struct libscols_column *added;

	added = scols_table_new_column(table, column->name, 0, column->flags);
	if (!added)
		return -ENOMEM;
	return scols_column_set_json_type(added, column->json);
}

struct libscols_table *tool_table_create(const char *name, const struct tool_column *columns,
					 size_t count, bool json)
{
	struct libscols_table *table;
	size_t i;

	table = scols_new_table();
	if (!table)
		return NULL;
	if (scols_table_set_name(table, name) || scols_table_enable_json(table, json))
		goto err_unref;
	for (i = 0; i < count; i++)
		if (add_column(table, &columns[i]))
			goto err_unref;
	return table;
err_unref:
	scols_unref_table(table);
	return NULL;
}

int tool_table_add(struct libscols_table *table, const char *const *cells, size_t count)
{
	struct libscols_line *line;
	size_t i;
	int ret;

	line = scols_table_new_line(table, NULL);
	if (!line)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		ret = scols_line_set_data(line, i, cells[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- Printing ---- */

/*
 * The library wraps a cell in the middle of a word, or at line ends that the cell has:
 * so it is given these, at blanks.
 */
struct layout {
	size_t count;
	struct {
		struct libscols_column *column;
		size_t width;
		size_t least;	/* the longest word of a column that wraps; else as wide */
	} columns[MAX_COLUMNS];
};

static size_t longest_word(const char *text)
{
	size_t longest = 0, length;

	for (; *text; text += length + (text[length] == ' ')) {
		length = strcspn(text, " ");
		longest = length > longest ? length : longest;
	}
	return longest;
}

static const char *cell_text(struct libscols_line *line, struct libscols_column *column)
{
	const char *text = scols_line_get_column_data(line, column);

	return text ? text : "";
}

static void make_room(struct layout *layout, size_t index, const char *text)
{
	size_t width = strlen(text), least = width;

	if (scols_column_is_wrap(layout->columns[index].column))
		least = longest_word(text);
	if (width > layout->columns[index].width)
		layout->columns[index].width = width;
	if (least > layout->columns[index].least)
		layout->columns[index].least = least;
}

/* How wide the columns are if none is wrapped. */
static void measure(struct libscols_table *table, struct layout *layout)
{
	struct libscols_line *line;
	size_t i, row;

	layout->count = scols_table_get_ncols(table);
	for (i = 0; i < layout->count; i++) {
		layout->columns[i].column = scols_table_get_column(table, i);
		make_room(layout, i, scols_column_get_name(layout->columns[i].column));
		for (row = 0; (line = scols_table_get_line(table, row)); row++)
			make_room(layout, i, cell_text(line, layout->columns[i].column));
	}
}

/* Make the widest narrower, again and again, until all have room or none can give any. */
static void narrow(struct layout *layout, size_t room)
{
	size_t i, total, widest;

	for (;;) {
		total = SEPARATOR * (layout->count - 1);
		widest = layout->count;
		for (i = 0; i < layout->count; i++) {
			total += layout->columns[i].width;
			if (layout->columns[i].width > layout->columns[i].least &&
			    (widest == layout->count ||
			     layout->columns[i].width > layout->columns[widest].width))
				widest = i;
		}
		if (total <= room || widest == layout->count)
			return;
		layout->columns[widest].width--;
	}
}

/* A line's end in place of the last blank before @width, again and again. */
static void wrap(char *text, size_t width)
{
	size_t at;

	while (strlen(text) > width) {
		for (at = width; at && text[at] != ' '; at--)
			;
		if (!at)
			return;
		text[at] = '\n';
		text += at + 1;
	}
}

static int wrap_column(struct libscols_table *table, struct libscols_column *column, size_t width)
{
	struct libscols_line *line;
	size_t row;
	char *text;
	int ret;

	ret = scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					NULL);
	if (!ret)
		ret = scols_column_set_safechars(column, "\n");
	for (row = 0; !ret && (line = scols_table_get_line(table, row)); row++) {
		text = strdup(cell_text(line, column));
		if (!text)
			return -ENOMEM;
		wrap(text, width);
		ret = scols_line_refer_column_data(line, column, text);
		if (ret)
			free(text);
	}
	return ret;
}

int tool_table_print(struct libscols_table *table)
{
	struct layout layout = { 0 };
	size_t i;
	int ret;

	if (scols_table_get_ncols(table) > MAX_COLUMNS)
		return -E2BIG;
	if (!scols_table_is_json(table)) {
		measure(table, &layout);
		narrow(&layout, tool_width());
	}
	for (i = 0; i < layout.count; i++) {
		if (!scols_column_is_wrap(layout.columns[i].column))
			continue;
		ret = wrap_column(table, layout.columns[i].column, layout.columns[i].width);
		if (ret)
			return ret;
	}
	return scols_print_table(table);
}
