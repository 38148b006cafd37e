// SPDX-License-Identifier: MIT
/* Text in reports: what any bytes become in JSON, in markup and on a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "text.h"

#define REPLACED	"\xef\xbf\xbd"

static void check(void (*write)(FILE *file, const char *text), const char *text,
		  const char *expected)
{
	char *seen = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&seen, &size);

	assert_non_null(file);
	write(file, text);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(seen, expected);
	free(seen);
}

static void json(void **state)
{
	(void)state;
	check(text_json, "", "\"\"");
	check(text_json, "plain / 'text' <&>", "\"plain / 'text' <&>\"");
	check(text_json, "a\\b\"c", "\"a\\\\b\\\"c\"");
	check(text_json, "\n\t\x01\x1f\x7f", "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"");
	check(text_json, "\xc2\x9f", "\"\\u009f\"");
}

static void markup(void **state)
{
	(void)state;
	check(text_xml, "<a href=\"x\">'&'</a>",
	      "&#60;a href=&#34;x&#34;&#62;&#39;&#38;&#39;&#60;/a&#62;");
	check(text_xml, "a\nb\tc", "a&#10;b&#9;c");
	check(text_xml, "\x01\x7f", REPLACED REPLACED);
}

static void one_line(void **state)
{
	(void)state;
	check(text_line, "a\nb\rc\x1b[0m<&\"\\", "a b c [0m<&\"\\");
}

/* What is UTF-8 stays, and what is not, byte by byte, does not. */
static void characters(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "\xc3\xa9", "\xc3\xa9" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x99\x82", "\xf0\x9f\x99\x82" }, { "\x80", REPLACED },
		{ "\xc0\xaf", REPLACED REPLACED }, { "\xc3", REPLACED }, { "\xc3x", REPLACED "x" },
		{ "\xe0\x80\x80", REPLACED REPLACED REPLACED },
		{ "\xed\xa0\x80", REPLACED REPLACED REPLACED },
		{ "\xf4\x90\x80\x80", REPLACED REPLACED REPLACED REPLACED },
		{ "\xf8", REPLACED }, { "\xff", REPLACED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check(text_xml, cases[i].text, cases[i].expected);
		check(text_line, cases[i].text, cases[i].expected);
	}
}

static void formatted(void **state)
{
	char *seen = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&seen, &size);

	(void)state;
	assert_non_null(file);
	text_markup(file, "<p title=\"%s\">%s</p>", "\"<", "a&b");
	assert_int_equal(fclose(file), 0);
	assert_string_equal(seen, "<p title=\"&#34;&#60;\">a&#38;b</p>");
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(markup),
		cmocka_unit_test(one_line),
		cmocka_unit_test(characters),
		cmocka_unit_test(formatted),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
