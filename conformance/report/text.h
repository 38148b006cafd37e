/* SPDX-License-Identifier: MIT */
/*
 * Text in reports. A case may have put any bytes into it: what is not UTF-8, or has no
 * place in the format, is replaced (U+FFFD).
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

/* A string of JSON, with its quotes. */
void text_json(FILE *file, const char *text);

/* Content of an element, or of an attribute in double quotes: XML and HTML alike. */
void text_xml(FILE *file, const char *text);

/* As printf(), for markup; each %s is escaped as text_xml() does. Knows nothing but %s. */
__attribute__((format(printf, 2, 3)))
void text_markup(FILE *file, const char *format, ...);

/* As it is, but on one line. */
void text_line(FILE *file, const char *text);

#endif
