/* SPDX-License-Identifier: MIT */
/* What a case wrote word by word, and had synchronized, in its order: for pictures. */
#ifndef ASKED_H
#define ASKED_H

#include "case.h"

/* A word that is about to be written, by the CPU or by the device. Any thread may. */
void note_write(const struct buffer *buf, uint64_t offset, bool by_gpu);

/* A sync that is about to be done. */
void note_sync(const struct buffer *buf, uint64_t offset, uint64_t size,
	       enum gemsync_op_type type);

enum asked {
	ASKED_NOT,
	ASKED_EARLY,	/* but not since the last write that it would have been for */
	ASKED,
};

/* Whether a line was to be written back, which is for what the CPU stored to it. */
enum asked asked_to_clean(const struct buffer *buf, uint64_t line, uint64_t line_size);

/* Whether it was to be dropped, which is for what the device wrote. */
enum asked asked_to_drop(const struct buffer *buf, uint64_t line, uint64_t line_size);

#endif
