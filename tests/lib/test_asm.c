// SPDX-License-Identifier: MIT
/* The assembler against words put together by hand from the encoding's tables. */
#include "fixture.h"

static void encodings(void **state)
{
	(void)state;
	assert_int_equal(csf_nop(), 0);
	assert_int_equal(csf_move48(66, 0x123456789abcull), 0x0142123456789abcull);
	assert_int_equal(csf_move32(5, 0xdeadbeef), 0x02050000deadbeefull);
	assert_int_equal(csf_wait(0xff), 0x0300000000ff0000ull);
	assert_int_equal(csf_add_immediate32(1, 2, -1), 0x10010200ffffffffull);
	assert_int_equal(csf_add_immediate64(4, 6, 256), 0x1104060000000100ull);
	assert_int_equal(csf_load_multiple(16, 0xffff, 64, -64), 0x14104000ffffffc0ull);
	assert_int_equal(csf_store_multiple(0, 1, 66, 4), 0x1500420000010004ull);
	assert_int_equal(csf_branch(-3, CSF_ALWAYS, 7), 0x160007006000fffdull);
	assert_int_equal(csf_flush_cache2(69), 0x2400450000000233ull);
	assert_int_equal(csf_sync_add32(3, 8), 0x2500080300000000ull);
	assert_int_equal(csf_sync_set32(3, 8), 0x2600080300000000ull);
	assert_int_equal(csf_sync_wait32(CSF_GT, 3, 8), 0x2700080310000000ull);
	assert_int_equal(csf_sync_add64(4, 8), 0x3300080400000000ull);
	assert_int_equal(csf_sync_set64(4, 8), 0x3400080400000000ull);
	assert_int_equal(csf_sync_wait64(CSF_LE, 4, 8), 0x3500080400000000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
	};

	return cmocka_run_group_tests_name("asm", tests, NULL, NULL);
}
