// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define REPLACEMENT	0xfffdu

/* The next character: its length in bytes. What is no UTF-8 is replaced, byte by byte. */
static size_t decode(const char *text, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *byte = (const uint8_t *)text;
	uint32_t code;
	size_t length, i;

	*out = *byte;
	if (*byte < 0x80)
		return 1;
	*out = REPLACEMENT;
	if (*byte < 0xc0 || *byte >= 0xf8)
		return 1;
	length = *byte >= 0xf0 ? 4 : *byte >= 0xe0 ? 3 : 2;
	code = *byte & (0x7fu >> length);
	for (i = 1; i < length && (byte[i] & 0xc0) == 0x80; i++)
		code = code << 6 | (byte[i] & 0x3fu);
	if (i < length || code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 1;
	*out = code;
	return length;
}

/* Controls, and what is never a character. */
static bool is_unprintable(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code & 0xfffe) == 0xfffe;
}

static void put(FILE *file, const char *text, size_t length, uint32_t code)
{
	if (code == REPLACEMENT)
		fputs("\xef\xbf\xbd", file);
	else
		fwrite(text, 1, length, file);
}

void text_json(FILE *file, const char *text)
{
	uint32_t code;
	size_t length;

	fputc('"', file);
	for (; *text; text += length) {
		length = decode(text, &code);
		if (code == '"' || code == '\\')
			fprintf(file, "\\%c", (char)code);
		else if (is_unprintable(code) && code < 0x10000)
			fprintf(file, "\\u%04x", code);
		else
			put(file, text, length, code);
	}
	fputc('"', file);
}

static bool is_markup(uint32_t code)
{
	return code == '<' || code == '>' || code == '&' || code == '"' || code == '\'';
}

void text_xml(FILE *file, const char *text)
{
	uint32_t code;
	size_t length;

	for (; *text; text += length) {
		length = decode(text, &code);
		if (code == '\n' || code == '\t' || is_markup(code))
			fprintf(file, "&#%u;", code);
		else
			put(file, text, length, is_unprintable(code) ? REPLACEMENT : code);
	}
}

void text_markup(FILE *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (format[0] == '%' && format[1] == 's') {
			text_xml(file, va_arg(args, const char *));
			format++;
		} else {
			fputc(*format, file);
		}
	}
	va_end(args);
}

void text_line(FILE *file, const char *text)
{
	uint32_t code;
	size_t length;

	for (; *text; text += length) {
		length = decode(text, &code);
		if (is_unprintable(code))
			fputc(' ', file);
		else
			put(file, text, length, code);
	}
}
