// SPDX-License-Identifier: MIT
/* Lines on the page: a row each, in memory's order, with what is wrong marked. */
#include <inttypes.h>
#include <string.h>

#include "html.h"

/* The class of a content, for its colour; its name is in the cell. */
static const char *class_of(const char *content)
{
	static const struct {
		const char *content;
		const char *class;
	} classes[] = {
		{ "old", "old" }, { "new", "new" }, { "device's", "dev" },
	};
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (!strcmp(content, classes[i].content))
			return classes[i].class;
	return *content ? "" : "unseen";
}

static void write_content(const char *is, const char *due, FILE *file)
{
	text_markup(file, "<td class=\"content%s\"><span class=\"chip %s\">%s</span>",
		    *due ? " wrong" : "", class_of(is), *is ? is : "not seen");
	if (*due)
		text_markup(file, " <span class=\"due\">"
				  "<span aria-hidden=\"true\">\xe2\x9c\x97</span> should be "
				  "<span class=\"chip %s\">%s</span></span>",
			    class_of(due), due);
	fputs("</td>", file);
}

/*
 * What was done, and whether it should have been: a full dot is yes, an empty one no.
 * @early, if not NULL: that it was asked for, but too early.
 */
static void write_answer(enum conform_answer was, enum conform_answer should, const char *early,
			 FILE *file)
{
	static const char *const texts[3][2] = {
		[CONFORM_NO] = { "\xe2\x97\x8b no", "\xe2\x97\x8b no \xe2\x9c\x97 should be" },
		[CONFORM_YES] = { "\xe2\x97\x8f yes \xe2\x9c\x97 should not be",
				  "\xe2\x97\x8f yes" },
		[CONFORM_UNKNOWN] = { "\xe2\x97\x8b not asked for", "\xe2\x97\x8f asked for" },
	};

	text_markup(file, "<td class=\"done%s\">%s</td>",
		    was != CONFORM_UNKNOWN && was != should ? " wrong" : "",
		    early ? early : texts[was][should == CONFORM_YES]);
}

/* Lines that were left out before @line. */
static void write_gap(const struct conform_picture *picture, const struct conform_line *line,
		      FILE *file)
{
	uint64_t gap;

	if (line == picture->lines || !picture->line_size)
		return;
	gap = (line->offset - line[-1].offset) / picture->line_size;
	if (gap > 1)
		fprintf(file, "<tr class=\"gap\"><td colspan=\"5\">%" PRIu64
			      " lines between are not shown</td></tr>\n", gap - 1);
}

static void write_line(const struct conform_line *line, FILE *file)
{
	static const char early_clean[] = "\xe2\x97\x8b asked for before the CPU's last store";
	static const char early_drop[] = "\xe2\x97\x8b asked for before the device's last write";
	bool wrong = *line->memory_due || *line->cache_due;

	fprintf(file, "<tr%s><th scope=\"row\"><code>%#" PRIx64 "</code></th>",
		wrong ? " class=\"wrong\"" : "", line->offset);
	write_content(line->memory, line->memory_due, file);
	write_content(line->cache, line->cache_due, file);
	write_answer(line->cleaned, line->should_clean, line->clean_early ? early_clean : NULL,
		     file);
	write_answer(line->dropped, line->should_drop, line->drop_early ? early_drop : NULL, file);
	fputs("</tr>\n", file);
}

static void write_legend(FILE *file)
{
	fputs("<ul class=\"legend\">"
	      "<li><span class=\"chip old\">old</span> before the CPU wrote</li>"
	      "<li><span class=\"chip new\">new</span> what the CPU wrote</li>"
	      "<li><span class=\"chip dev\">device's</span> what the device wrote</li>"
	      "<li><span class=\"due\">\xe2\x9c\x97</span> wrong</li></ul>\n", file);
}

void html_picture(const struct conform_picture *picture, FILE *file)
{
	const struct conform_line *line;

	text_markup(file, "<figure>\n<figcaption><b>%s</b>", picture->title);
	text_markup(file, "<span>%s</span></figcaption>\n", picture->note);
	fputs("<div class=\"scroll\" tabindex=\"0\"><table class=\"picture\"><thead><tr>"
	      "<th>Line at</th><th>Memory: the device sees</th><th>Cache: the CPU sees</th>"
	      "<th>Written back</th><th>Dropped</th></tr></thead><tbody>\n", file);
	for (line = picture->lines; line < picture->lines + picture->count; line++) {
		write_gap(picture, line, file);
		write_line(line, file);
	}
	fputs("</tbody></table></div>\n", file);
	write_legend(file);
	fputs("</figure>\n", file);
}
