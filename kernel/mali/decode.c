// SPDX-License-Identifier: GPL-2.0-only
/* The instructions of A64 by which registers of a device are loaded and stored. */
#include <linux/bitfield.h>

#include "mali.h"

/* Of the loads and stores of one register: any size, no vector. */
#define UNSIGNED_OFFSET(word)	(((word) & 0x3f000000) == 0x39000000)
#define UNSCALED(word)		(((word) & 0x3f200c00) == 0x38000000)
#define PRE_OR_POST(word)	(((word) & 0x3f200400) == 0x38000400)
#define REGISTER_OFFSET(word)	(((word) & 0x3f200c00) == 0x38200800)
/* LDAR and STLR */
#define ORDERED(word)		(((word) & 0x3fbffc00) == 0x089ffc00)

#define STACK_POINTER	31

static bool decode_plain(u32 word, struct mali_instruction *instruction)
{
	u32 opc = FIELD_GET(GENMASK(23, 22), word);

	/* With 8 bytes the other two are prefetches, and with 4 the last is nothing. */
	if (opc >= 2 && (instruction->size == 8 || (instruction->size == 4 && opc == 3)))
		return false;
	instruction->store = !opc;
	instruction->is_signed = opc >= 2;
	instruction->wide = opc == 2 || instruction->size == 8;
	return true;
}

/* False for what is none of them. */
bool mali_decode(u32 word, struct mali_instruction *instruction)
{
	*instruction = (struct mali_instruction){
		.size = BIT(word >> 30),
		.reg = FIELD_GET(GENMASK(4, 0), word),
		.base = FIELD_GET(GENMASK(9, 5), word),
	};

	if (ORDERED(word)) {
		instruction->store = !(word & BIT(22));
		instruction->wide = instruction->size == 8;
		return true;
	}
	if (PRE_OR_POST(word)) {
		instruction->writeback = sign_extend32(FIELD_GET(GENMASK(20, 12), word), 8);
		if (instruction->base == STACK_POINTER)
			return false;
	} else if (!UNSIGNED_OFFSET(word) && !UNSCALED(word) && !REGISTER_OFFSET(word)) {
		return false;
	}
	return decode_plain(word, instruction);
}
