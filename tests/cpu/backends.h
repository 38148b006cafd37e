/* SPDX-License-Identifier: MIT */
/* What test_backends.c expects of an architecture; each has a file of its own. */
#ifndef BACKENDS_H
#define BACKENDS_H

#include "fake.h"

#define NOTHING	FAKE_INSNS	/* no such instruction */

struct backend {
	const char *name;
	enum fake_insn before;		/* in front of the lines, or NOTHING */
	enum fake_insn clean;
	enum fake_insn clean_inval;
	enum fake_insn to_device;	/* fences */
	enum fake_insn to_cpu;
	unsigned int last_line;		/* times that the last line is maintained */
	unsigned int passes;		/* over all lines, with fence to_cpu between them */
};

/* A CPU, and what is to be chosen on it. */
struct machine {
	const char *what;
	struct fake_machine fake;
	const char *chosen;		/* name of a back end, or "none" */
	size_t line;			/* bytes; 0 without a back end */
	size_t granule;
};

/* All back ends of the architecture, and a machine that has them all. */
extern const struct backend backends[];
extern const size_t backend_count;
extern const struct fake_machine has_all;

extern const struct machine machines[];
extern const size_t machine_count;

/* A machine that has the last back end of all only, the name of one that it lacks; or NULL. */
extern const struct fake_machine lacks_some;
extern const char *const lacks_name;

#endif
