/* SPDX-License-Identifier: MIT */
/*
 * Between the process that runs a case (case.c) and the one that judges it (run.c):
 * the result lies in memory that both share.
 */
#ifndef RESULT_H
#define RESULT_H

#include "case.h"

/*
 * In the case's process: open the device, run the case, release everything. Does not
 * return; an exit status of 0 says that result->verdict stands.
 */
__attribute__((noreturn))
void case_process(const struct conform_case *c, const char *device, uint32_t watch,
		  struct conform_result *result);

/* What a device is, learned in a process of its own. 0 or -errno. */
int case_probe(const char *device, uint32_t watch, struct conform_facts *facts);

/* What case_probe() had the device look for ends. */
void case_end_watch(const char *device, const struct watched *watched);

/* What a word is called in pictures, NULL if it has no name. */
const char *picture_name(uint32_t word);

/* A picture of the lines around a word, as one side sees it, that is not what is due. */
void picture_of_word(struct cf *cf, const struct buffer *buf, uint64_t offset, uint32_t due,
		     bool by_gpu);

#endif
