// SPDX-License-Identifier: MIT
/*
 * riscv64: Zicbom, where Linux says that user space may. cbo.inval is not for user
 * space, and not wanted (R4). A CBO is ordered after older stores of this thread to
 * its block, so only what comes later needs the fence.
 */
#include <riscv64_insn.h>

#include "cpu_internal.h"

#define HWPROBE_IMA_EXT_0		4
#define HWPROBE_EXT_ZICBOM		(1ull << 55)
#define HWPROBE_ZICBOM_BLOCK_SIZE	12

/* A kernel that knows the second key has given user space the instructions. */
static bool probe(struct cpu_lines *lines)
{
	struct insn_hwprobe pairs[] = {
		{ .key = HWPROBE_IMA_EXT_0 },
		{ .key = HWPROBE_ZICBOM_BLOCK_SIZE },
	};

	if (insn_hwprobe(pairs, sizeof(pairs) / sizeof(pairs[0])))
		return false;
	if (pairs[0].key != HWPROBE_IMA_EXT_0 || !(pairs[0].value & HWPROBE_EXT_ZICBOM))
		return false;
	if (pairs[1].key != HWPROBE_ZICBOM_BLOCK_SIZE)
		return false;
	lines->line = pairs[1].value;
	lines->granule = pairs[1].value;
	return true;
}

static void clean(uintptr_t start, uintptr_t end, size_t line)
{
	for (; start != end; start += line)
		insn_cbo_clean(start);
}

static void clean_inval(uintptr_t start, uintptr_t end, size_t line)
{
	for (; start != end; start += line)
		insn_cbo_flush(start);
}

static void fence(enum gemsync_direction direction)
{
	(void)direction;
	insn_fence();
}

const struct cpu_ops gemsync_cpu_backends[] = {
	{
		.name = "zicbom",
		.why = "Linux says that all CPUs have Zicbom",
		.features = GEMSYNC_CPU_KEEPS_LINES,
		.probe = probe,
		.clean = clean,
		.clean_inval = clean_inval,
		.fence = fence,
	},
	{ 0 },
};
