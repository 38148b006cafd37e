// SPDX-License-Identifier: MIT
#include "backends.h"

#define ZICBOM	(1ull << 55)
#define KEY	12

const struct backend backends[] = {
	{ "zicbom", NOTHING, FAKE_CBO_CLEAN, FAKE_CBO_FLUSH, FAKE_FENCE, FAKE_FENCE, 1, 1 },
};
const size_t backend_count = sizeof(backends) / sizeof(backends[0]);

const struct fake_machine has_all = { .extensions = ZICBOM, .block_key = KEY, .block_size = 64 };
const struct fake_machine lacks_some = { .block_key = KEY, .block_size = 64 };
const char *const lacks_name = "zicbom";

const struct machine machines[] = {
	{ "Zicbom", { .extensions = ZICBOM, .block_key = KEY, .block_size = 64 }, "zicbom", 64,
	  64 },
	{ "blocks of 128 bytes", { .extensions = ZICBOM, .block_key = KEY, .block_size = 128 },
	  "zicbom", 128, 128 },
	{ "no Zicbom", { .extensions = ~ZICBOM, .block_key = KEY, .block_size = 64 }, "none", 0,
	  4096 },
	{ "a kernel that does not know the key",
	  { .extensions = ZICBOM, .block_key = -1, .block_size = 64 }, "none", 0, 4096 },
	{ "a kernel without the call",
	  { .no_hwprobe = true, .extensions = ZICBOM, .block_key = KEY, .block_size = 64 }, "none",
	  0, 4096 },
	{ "blocks of no size", { .extensions = ZICBOM, .block_key = KEY }, "none", 0, 4096 },
	{ "blocks of 48 bytes", { .extensions = ZICBOM, .block_key = KEY, .block_size = 48 },
	  "none", 0, 4096 },
	{ "blocks whose size has more than 32 bits",
	  { .extensions = ZICBOM, .block_key = KEY, .block_size = 1ull << 32 | 64 }, "none", 0,
	  4096 },
};
const size_t machine_count = sizeof(machines) / sizeof(machines[0]);
