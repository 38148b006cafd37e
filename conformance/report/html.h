/* SPDX-License-Identifier: MIT */
/* The parts of the page (html.c). It is well-formed XML too. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report.h"
#include "text.h"

extern const char report_html_style[];

/* A sign and a word, so that colour is not all there is: "pass", "fail", "skip", "none". */
void html_badge(const char *kind, const char *text, FILE *file);

void html_failures(const struct conform_report *report, FILE *file);
void html_skips(const struct conform_report *report, FILE *file);
void html_groups(const struct conform_report *report, FILE *file);
void html_picture(const struct conform_picture *picture, FILE *file);

#endif
