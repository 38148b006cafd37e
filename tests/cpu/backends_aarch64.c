// SPDX-License-Identifier: MIT
#include "backends.h"

/* CTR_EL0: log2 of the granule and of the smallest line, in words; IDC and DIC set. */
#define CTR(cwg, line)	((cwg) << 24 | (line) << 16 | 3ull << 28)

const struct backend backends[] = {
	{ "dc", NOTHING, FAKE_DC_CVAC, FAKE_DC_CIVAC, FAKE_DSB_SY, FAKE_DSB_SY, 1, 1 },
	{ "dc-twice", NOTHING, FAKE_DC_CVAC, FAKE_DC_CIVAC, FAKE_DSB_SY, FAKE_DSB_SY, 1, 2 },
};
const size_t backend_count = sizeof(backends) / sizeof(backends[0]);

const struct fake_machine has_all = { .ctr_el0 = CTR(4ull, 4ull) };
const struct fake_machine lacks_some;
const char *const lacks_name;

const struct machine machines[] = {
	{ "64-byte lines", { .ctr_el0 = CTR(4ull, 4ull) }, "dc", 64, 64 },
	{ "granule of two lines", { .ctr_el0 = CTR(5ull, 4ull) }, "dc", 64, 128 },
	{ "32-byte lines", { .ctr_el0 = CTR(3ull, 3ull) }, "dc", 32, 32 },
	{ "granule not told", { .ctr_el0 = CTR(0ull, 4ull) }, "dc", 64, 2048 },
	{ "granule below the line", { .ctr_el0 = CTR(2ull, 4ull) }, "dc", 64, 64 },
	{ "lines beyond all sense", { .ctr_el0 = CTR(4ull, 15ull) }, "none", 0, 4096 },
};
const size_t machine_count = sizeof(machines) / sizeof(machines[0]);
