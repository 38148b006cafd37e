// SPDX-License-Identifier: MIT
/* Text for people: as wide as the terminal, with colour where it has any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

#define WIDTH	80	/* of what is no terminal, and does not say */

size_t tool_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long width;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	width = columns ? strtol(columns, NULL, 10) : 0;
	return width > 0 && width < 10000 ? (size_t)width : WIDTH;
}

bool tool_has_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && term &&
	       strcmp(term, "dumb") != 0;
}

void tool_print_coloured(enum tool_colour colour, const char *text)
{
	if (tool_has_colour())
		printf("\033[%dm%s\033[0m", colour, text);
	else
		fputs(text, stdout);
}

/* How many bytes of @text fit: up to its last blank before @room, or all of a long word. */
static size_t fitting(const char *text, size_t room)
{
	size_t length = strlen(text), end;

	if (length <= room)
		return length;
	for (end = room; end && text[end] != ' '; end--)
		;
	return end ? end : strcspn(text, " ");
}

/* What a terminal would take for a command of its own is shown as a question mark. */
static void print_plain(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		putchar((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
}

void tool_print_wrapped(const char *text, size_t at, size_t indent)
{
	size_t width = tool_width(), length;

	while (*text) {
		length = fitting(text, width > at ? width - at : 1);
		print_plain(text, length);
		putchar('\n');
		text += length;
		text += strspn(text, " ");
		at = indent;
		if (*text)
			printf("%*s", (int)indent, "");
	}
}
