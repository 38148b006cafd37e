// SPDX-License-Identifier: MIT
/*
 * aarch64: maintenance by address to the point of coherency.
 *
 * Where EL0 may not do it (SCTLR_EL1.UCI is 0), and on cores with errata, Linux does
 * it in a trap: slower, and as right. On systems of mixed cores Linux also answers
 * reads of CTR_EL0, with the shortest line of all. CTR_EL0.IDC is about instruction
 * fetches and says nothing of devices. A DC is ordered after older stores of this
 * thread to its line, so only what comes later needs the barrier.
 */
#include <aarch64_insn.h>

#include "cpu_internal.h"

#define WORD		4u	/* units of the fields of CTR_EL0 */
#define CWG_UNKNOWN	2048u	/* what field 0 means: the architecture's limit */

static bool probe(struct cpu_lines *lines)
{
	uint64_t ctr = insn_read_ctr_el0();
	unsigned int line = ctr >> 16 & 0xf;	/* DminLine */
	unsigned int granule = ctr >> 24 & 0xf;	/* CWG */

	lines->line = (size_t)WORD << line;
	lines->granule = granule ? (size_t)WORD << granule : CWG_UNKNOWN;
	if (lines->granule < lines->line)
		lines->granule = lines->line;
	return true;
}

static bool never(void)
{
	return false;
}

static void clean(uintptr_t start, uintptr_t end, size_t line)
{
	for (; start != end; start += line)
		insn_dc_cvac(start);
}

static void clean_inval(uintptr_t start, uintptr_t end, size_t line)
{
	for (; start != end; start += line)
		insn_dc_civac(start);
}

/* The second pass begins when the first one is reported to be done. */
static void clean_twice(uintptr_t start, uintptr_t end, size_t line)
{
	clean(start, end, line);
	insn_dsb_sy();
	clean(start, end, line);
}

static void clean_inval_twice(uintptr_t start, uintptr_t end, size_t line)
{
	clean_inval(start, end, line);
	insn_dsb_sy();
	clean_inval(start, end, line);
}

/* Only DSB waits for maintenance; SY, because devices are outside of every domain. */
static void fence(enum gemsync_direction direction)
{
	(void)direction;
	insn_dsb_sy();
}

const struct cpu_ops gemsync_cpu_backends[] = {
	{
		.name = "dc",
		.why = "every aarch64 CPU has it",
		.features = GEMSYNC_CPU_KEEPS_LINES,
		.probe = probe,
		.clean = clean,
		.clean_inval = clean_inval,
		.fence = fence,
	},
	{
		.name = "dc-twice",
		.features = GEMSYNC_CPU_KEEPS_LINES | GEMSYNC_CPU_REPEATS,
		.probe = probe,
		.preferred = never,
		.clean = clean_twice,
		.clean_inval = clean_inval_twice,
		.fence = fence,
	},
	{ 0 },
};
