// SPDX-License-Identifier: MIT
/* Tables and JSON from one description of the columns. */
#include <errno.h>

#include "tool.h"

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
