// SPDX-License-Identifier: MIT
/*
 * Which bytes move between the application's copy and memory: exactly the atoms of the range,
 * with the kernel's help and without it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "copies.h"
#include "random.h"

#define SIZE	(4 * 4096 + 200)	/* the last atom is not whole */
#define ATOM	64

struct memory {
	u8 *mem;
	u8 *app;
	struct gsl_copies *copies;
};

static int set_up(void **state, u32 flags)
{
	static struct memory memory;

	memory.mem = aligned_alloc(4096, 8 * 4096);
	memset(memory.mem, 0xee, 8 * 4096);
	memory.copies = gsl_copies_create(memory.mem, SIZE, ATOM, 4096, flags);
	memory.app = gsl_copies_address(memory.copies);
	*state = &memory;
	return 0;
}

static int set_up_watched(void **state)
{
	return set_up(state, GSL_COPIES_WATCH);
}

static int set_up_compared(void **state)
{
	return set_up(state, 0);
}

static int set_up_gentle(void **state)
{
	return set_up(state, GSL_COPIES_WATCH | GSL_COPIES_GENTLE);
}

static int tear_down(void **state)
{
	struct memory *memory = *state;

	gsl_copies_destroy(memory->copies);
	free(memory->mem);
	return 0;
}

static bool all(const u8 *bytes, u8 value, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

struct row {
	u64 offset;
	u64 size;
	int count;
};

static void keep_row(void *ctx, u64 offset, u64 size)
{
	struct row *row = ctx;

	row->offset = offset;
	row->size = size;
	row->count++;
}

/* A store is not in memory before it is flushed, and a write of the device not in the cache. */
static void nothing_moves_by_itself(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	assert_true(all(memory->mem, 0xee, SIZE));
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, SIZE);
	assert_true(all(memory->app, 1, SIZE));
}

static void flush_moves_its_atoms_alone(void **state)
{
	struct memory *memory = *state;
	struct gsl_moved moved;

	memset(memory->app, 1, SIZE);
	moved = gsl_copies_flush(memory->copies, 4096 - 1, 2, GSL_WROTE, NULL, NULL);
	assert_int_equal(moved.atoms, 2);
	assert_int_equal(moved.changed, 2);
	assert_true(all(memory->mem, 0xee, 4096 - ATOM));
	assert_true(all(memory->mem + 4096 - ATOM, 1, 2 * ATOM));
	assert_true(all(memory->mem + 4096 + ATOM, 0xee, SIZE - 4096 - ATOM));
}

static void invalidate_drops_its_atoms_alone(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, SIZE);
	assert_int_equal(gsl_copies_invalidate(memory->copies, 128, 64, NULL, NULL).atoms, 1);
	assert_true(all(memory->app, 1, 128));
	assert_true(all(memory->app + 128, 2, 64));
	assert_true(all(memory->app + 192, 1, SIZE - 192));
}

/* The bytes behind a memory that ends in the middle of an atom are not the layer's. */
static void last_atom_ends_with_the_memory(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, SIZE - 8, 8, GSL_WROTE, NULL, NULL);
	assert_true(all(memory->mem + SIZE - 8, 1, 8));
	assert_true(all(memory->mem + SIZE, 0xee, 64));
	memset(memory->mem + SIZE - 8, 3, 8);
	gsl_copies_invalidate(memory->copies, SIZE - 8, 8, NULL, NULL);
	assert_true(all(memory->app + SIZE - 8, 3, 8));
}

/* An atom is written back whole, as a cache line is: beside a store, what was cached. */
static void atoms_are_written_back_whole(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, ATOM);
	memory->app[0] = 9;
	gsl_copies_flush(memory->copies, 0, 1, GSL_WROTE, NULL, NULL);
	assert_int_equal(memory->mem[0], 9);
	assert_true(all(memory->mem + 1, 1, ATOM - 1));
}

/* A flush of all leaves alone what the host did not store to: the device may have written. */
static void clean_atoms_stay_where_the_device_writes(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, SIZE);
	memory->app[512] = 3;
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_true(all(memory->mem, 2, 512));
	assert_int_equal(memory->mem[512], 3);
	assert_true(all(memory->mem + 576, 2, SIZE - 576));
}

/* The same in the page whose last atom is not whole, to both sides. */
static void clean_atoms_stay_in_the_last_page(void **state)
{
	struct memory *memory = *state;
	u32 page = SIZE / 4096 * 4096, tail = SIZE / ATOM * ATOM;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, SIZE);
	memory->app[page] = 3;
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_int_equal(memory->mem[page], 3);
	assert_true(all(memory->mem + tail, 2, SIZE - tail));
	memory->app[tail] = 4;
	memset(memory->mem, 5, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_int_equal(memory->mem[tail], 4);
	assert_true(all(memory->mem, 5, tail));
}

/* A counter that the host sets to 0 again and again, and the device counts up. */
static void store_of_the_same_value_is_moved(void **state)
{
	struct memory *memory = *state;

	/* Only the kernel can tell. */
	if (!gsl_copies_are_watched(memory->copies)) {
		print_message("# SKIP the kernel does not tell what is written to\n");
		skip();
	}
	memset(memory->app, 5, 64);
	gsl_copies_flush(memory->copies, 0, 64, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 6, 64);
	memset(memory->app, 5, 64);
	gsl_copies_flush(memory->copies, 0, 64, GSL_WROTE, NULL, NULL);
	assert_true(all(memory->mem, 5, 64));
}

/* Where the device only reads, memory was unlike only before the first store. */
static void store_of_the_same_value_where_the_device_reads(void **state)
{
	struct memory *memory = *state;
	u8 birth = memory->app[0];

	memset(memory->app, birth, 64);
	gsl_copies_flush(memory->copies, 0, 64, GSL_WROTE_NOT, NULL, NULL);
	assert_true(all(memory->mem, birth, 64));
}

/* First stores of zeros reach memory that holds anything else. */
static void first_zeros_are_moved(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 0, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_true(all(memory->mem, 0, SIZE));
}

/* Zeros beside other stores, in memory that held anything before. */
static void store_mixed_zeros(struct memory *memory)
{
	memset(memory->app, 0, 4096);
	memset(memory->app + 1024, 1, 64);
}

static void expect_mixed_zeros(struct memory *memory)
{
	assert_true(all(memory->mem, 0, 1024));
	assert_true(all(memory->mem + 1024, 1, 64));
	assert_true(all(memory->mem + 1088, 0, 4096 - 1088));
}

static void first_zeros_beside_stores_are_moved(void **state)
{
	struct memory *memory = *state;

	store_mixed_zeros(memory);
	gsl_copies_flush(memory->copies, 0, 4096, GSL_WROTE_UNKNOWN, NULL, NULL);
	expect_mixed_zeros(memory);
}

/* What was there before is another resource's: nobody wants to keep it. */
static void zeros_are_moved_where_the_device_wrote_nothing(void **state)
{
	struct memory *memory = *state;

	store_mixed_zeros(memory);
	gsl_copies_flush(memory->copies, 0, 4096, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 0xee, SIZE);
	store_mixed_zeros(memory);
	gsl_copies_flush(memory->copies, 0, 4096, GSL_WROTE_NOT, NULL, NULL);
	expect_mixed_zeros(memory);
}

/* ---- Gentle copies: as if all were coherent ---- */

static void gentle_flush_keeps_what_is_beside(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem + 4, 2, 60);
	memory->app[0] = 9;
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_int_equal(memory->mem[0], 9);
	assert_true(all(memory->mem + 4, 2, 60));
}

static void gentle_refill_shows_what_is_beside(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem + 4, 2, 60);
	memory->app[0] = 9;
	gsl_copies_refill(memory->copies, 0, SIZE);
	assert_int_equal(memory->app[0], 9);
	assert_true(all(memory->app + 4, 2, 60));
}

static void gentle_flush_of_the_same_value_harms_nothing(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem + 1024, 2, 1024);
	memset(memory->app, 1, 64);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_true(all(memory->mem + 1024, 2, 1024));
}

static void gentle_invalidate_keeps_stores(void **state)
{
	struct memory *memory = *state;
	struct row row = { 0 };

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem + 256, 2, 64);
	memset(memory->app + 192, 3, 64);
	gsl_copies_invalidate(memory->copies, 0, 1024, keep_row, &row);
	assert_int_equal(row.count, 1);
	assert_true(all(memory->app + 192, 3, 64));
	assert_true(all(memory->mem + 192, 3, 64));
	assert_true(all(memory->app + 256, 2, 64));
}

/* The kernel's stores count: a file that is read into the map. */
static void read_into_the_map_is_seen(void **state)
{
	struct memory *memory = *state;
	int fd = open("/dev/zero", O_RDONLY);

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_int_equal(read(fd, memory->app + 4096, 100), 100);
	close(fd);
	assert_int_equal(gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL).changed,
			 2);
	assert_true(all(memory->mem + 4096, 0, 100));
}

static void changed_atoms_are_found(void **state)
{
	struct memory *memory = *state;
	struct row row = { 0 };

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	assert_false(gsl_copies_find_changed(memory->copies, 0, SIZE, keep_row, &row));
	memset(memory->app + 4096 - 64, 2, 100);
	assert_true(gsl_copies_find_changed(memory->copies, 0, SIZE, keep_row, &row));
	assert_int_equal(row.count, 1);
	assert_int_equal(row.offset, 4096 - 64);
	assert_int_equal(row.size, 128);
	/* Looking changes nothing. */
	assert_true(gsl_copies_find_changed(memory->copies, 0, SIZE, keep_row, &row));
	assert_false(gsl_copies_find_changed(memory->copies, 0, 4096 - 64, keep_row, &row));
	assert_true(all(memory->mem, 1, SIZE));
}

/* Zeros that nobody flushed are not in memory, whatever the copy began with. */
static void first_zeros_are_found(void **state)
{
	struct memory *memory = *state;
	struct row row = { 0 };

	memset(memory->app + 4096, 0, 4096);
	assert_true(gsl_copies_find_changed(memory->copies, 0, SIZE, keep_row, &row));
	assert_int_equal(row.offset, 4096);
	assert_int_equal(row.size, 4096);
	gsl_copies_flush(memory->copies, 4096, 4096, GSL_WROTE, NULL, NULL);
	assert_false(gsl_copies_find_changed(memory->copies, 0, SIZE, NULL, NULL));
	memset(memory->app + 4096, 0, 4096);
	assert_false(gsl_copies_find_changed(memory->copies, 0, SIZE, NULL, NULL));
}

static void lost_stores_are_told(void **state)
{
	struct memory *memory = *state;
	struct row row = { 0 };

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memory->app[200] = 2;
	gsl_copies_invalidate(memory->copies, 0, 1024, keep_row, &row);
	assert_int_equal(row.count, 1);
	assert_int_equal(row.offset, 192);
	assert_int_equal(row.size, 64);
	assert_int_equal(memory->app[200], 1);
}

static void stale_atoms_are_found(void **state)
{
	struct memory *memory = *state;
	struct row row = { 0 };

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem + 640, 2, 64);
	assert_true(gsl_copies_find_stale(memory->copies, 0, SIZE, keep_row, &row));
	assert_int_equal(row.offset, 640);
	assert_int_equal(row.size, 64);
	gsl_copies_invalidate(memory->copies, 640, 64, NULL, NULL);
	assert_false(gsl_copies_find_stale(memory->copies, 0, SIZE, NULL, NULL));
}

static void refill_keeps_stores(void **state)
{
	struct memory *memory = *state;

	memset(memory->app, 1, SIZE);
	gsl_copies_flush(memory->copies, 0, SIZE, GSL_WROTE, NULL, NULL);
	memset(memory->mem, 2, SIZE);
	memory->app[64] = 3;
	gsl_copies_refill(memory->copies, 0, SIZE);
	assert_true(all(memory->app, 2, 64));
	assert_int_equal(memory->app[64], 3);
	assert_true(all(memory->app + 65, 1, 63));
	assert_true(all(memory->app + 128, 2, SIZE - 128));
}

/* A model of single bytes: what any row of operations has to leave in both copies. */
struct model {
	u8 mem[SIZE];
	u8 app[SIZE];
	bool stored[SIZE / ATOM + 1];
};

static u32 end_of(u32 atom)
{
	return (atom + 1) * ATOM < SIZE ? (atom + 1) * ATOM : SIZE;
}

static void model_flush(struct model *model, u32 first, u32 last)
{
	u32 atom;

	for (atom = first; atom <= last; atom++) {
		if (model->stored[atom])
			memcpy(model->mem + atom * ATOM, model->app + atom * ATOM,
			       end_of(atom) - atom * ATOM);
		model->stored[atom] = false;
	}
}

static void model_invalidate(struct model *model, u32 first, u32 last)
{
	u32 atom;

	for (atom = first; atom <= last; atom++) {
		memcpy(model->app + atom * ATOM, model->mem + atom * ATOM,
		       end_of(atom) - atom * ATOM);
		model->stored[atom] = false;
	}
}

/*
 * Whether each page of a flush has a store in it. Of one that has none, but that was stored to
 * elsewhere, it cannot be told from a store of the same value.
 */
static bool is_clear(const struct model *model, u32 first, u32 last)
{
	bool stored = false;
	u32 atom;

	for (atom = first; atom <= last; atom++) {
		stored |= model->stored[atom];
		if (atom == last || !((atom + 1) % (4096 / ATOM))) {
			if (!stored)
				return false;
			stored = false;
		}
	}
	return true;
}

/* Words of a value that is nowhere yet: each store is a change. */
static void put(u8 *to, u32 offset, u32 size, u32 value)
{
	u32 i;

	for (i = 0; i < size; i += sizeof(value))
		memcpy(to + offset + i, &value, sizeof(value));
}

/*
 * What a cache did by itself: it may have written any stored atom back, whole, and refilled any
 * other one, and has done nothing else.
 */
static void model_move(struct model *model, const struct memory *memory)
{
	u32 atom;

	for (atom = 0; atom <= SIZE / ATOM; atom++) {
		u32 offset = atom * ATOM, size = end_of(atom) - offset;

		if (memcmp(memory->mem + offset, model->mem + offset, size)) {
			assert_true(model->stored[atom]);
			model_flush(model, atom, atom);
		} else if (memcmp(memory->app + offset, model->app + offset, size)) {
			assert_false(model->stored[atom]);
			model_invalidate(model, atom, atom);
		}
	}
}

static void step(struct memory *memory, struct model *model, struct gs_random *random, u32 value)
{
	u32 offset = gs_random_below(random, SIZE / 4) * 4;
	u32 left = (SIZE - offset) / 4;
	u32 size = (1 + gs_random_below(random, left < 200 ? left : 200)) * 4;
	u32 first, last;

	/* Often up to the end, which is in the middle of an atom. */
	if (!gs_random_below(random, 8)) {
		size = offset % 400 + 4;
		offset = SIZE - size;
	}
	first = offset / ATOM;
	last = (offset + size - 1) / ATOM;
	switch (gs_random_below(random, 5)) {
	case 0:
		put(memory->app, offset, size, value);
		put(model->app, offset, size, value);
		memset(model->stored + first, 1, last - first + 1);
		break;
	case 1:
		put(memory->mem, offset, size, value);
		put(model->mem, offset, size, value);
		break;
	case 2:
		if (gsl_copies_are_watched(memory->copies) && !is_clear(model, first, last))
			break;
		gsl_copies_flush(memory->copies, offset, size, GSL_WROTE, NULL, NULL);
		model_flush(model, first, last);
		break;
	case 3:
		gsl_copies_move(memory->copies, random, 8);
		model_move(model, memory);
		break;
	default:
		gsl_copies_invalidate(memory->copies, offset, size, NULL, NULL);
		model_invalidate(model, first, last);
		break;
	}
}

static void random_operations_follow_the_model(void **state)
{
	struct memory *memory = *state;
	struct model *model = calloc(1, sizeof(*model));
	struct gs_random random;
	int i;

	gs_random_seed(&random, 5);
	gsl_copies_invalidate(memory->copies, 0, SIZE, NULL, NULL);
	memcpy(model->app, memory->app, SIZE);
	memcpy(model->mem, memory->mem, SIZE);
	for (i = 0; i < 20000; i++) {
		step(memory, model, &random, (u32)i + 1);
		assert_memory_equal(memory->mem, model->mem, SIZE);
		assert_memory_equal(memory->app, model->app, SIZE);
	}
	free(model);
}

/* Each atom moves in the end, and the last one as far as there is memory. */
static void all_stores_move_by_themselves(void **state)
{
	struct memory *memory = *state;
	struct gs_random random;
	int i;

	memset(memory->app, 1, SIZE);
	gs_random_seed(&random, 6);
	for (i = 0; i < 1000 && !all(memory->mem, 1, SIZE); i++)
		gsl_copies_move(memory->copies, &random, 64);
	assert_true(all(memory->mem, 1, SIZE));
	assert_true(all(memory->mem + SIZE, 0xee, 64));
	assert_false(gsl_copies_find_changed(memory->copies, 0, SIZE, NULL, NULL));
}

/* Two threads, each with its half of every page: none sees or harms the other's. */
struct half {
	struct memory *memory;
	u32 offset;
};

static void *work(void *ctx)
{
	struct half *half = ctx;
	struct memory *memory = half->memory;
	bool good = true;
	int i;

	for (i = 1; i < 2000; i++) {
		u32 offset = half->offset + (u32)(i % 4) * 4096;
		u8 value = (u8)(i % 250 + 1);

		memset(memory->app + offset, value, 2048);
		gsl_copies_flush(memory->copies, offset, 2048, GSL_WROTE, NULL, NULL);
		good &= all(memory->mem + offset, value, 2048);
		memset(memory->mem + offset, value + 1, 2048);
		gsl_copies_invalidate(memory->copies, offset, 2048, NULL, NULL);
		good &= all(memory->app + offset, value + 1, 2048);
	}
	return good ? memory : NULL;
}

static void halves_are_independent(void **state)
{
	struct half halves[2] = { { *state, 0 }, { *state, 2048 } };
	pthread_t other;
	void *good;

	pthread_create(&other, NULL, work, &halves[1]);
	assert_non_null(work(&halves[0]));
	pthread_join(other, &good);
	assert_non_null(good);
}

/* With the kernel's help, if it gives any, and without. */
#define CASE(test)									\
	{ #test " (watched)", test, set_up_watched, tear_down, NULL },			\
	{ #test " (compared)", test, set_up_compared, tear_down, NULL }

#define GENTLE(test)	cmocka_unit_test_setup_teardown(test, set_up_gentle, tear_down)

static const struct CMUnitTest tests[] = {
	CASE(nothing_moves_by_itself),
	CASE(flush_moves_its_atoms_alone),
	CASE(invalidate_drops_its_atoms_alone),
	CASE(last_atom_ends_with_the_memory),
	CASE(atoms_are_written_back_whole),
	CASE(clean_atoms_stay_where_the_device_writes),
	CASE(clean_atoms_stay_in_the_last_page),
	CASE(store_of_the_same_value_is_moved),
	CASE(store_of_the_same_value_where_the_device_reads),
	CASE(first_zeros_are_moved),
	CASE(first_zeros_are_found),
	CASE(first_zeros_beside_stores_are_moved),
	CASE(zeros_are_moved_where_the_device_wrote_nothing),
	GENTLE(gentle_flush_keeps_what_is_beside),
	GENTLE(gentle_refill_shows_what_is_beside),
	GENTLE(gentle_flush_of_the_same_value_harms_nothing),
	GENTLE(gentle_invalidate_keeps_stores),
	CASE(read_into_the_map_is_seen),
	CASE(changed_atoms_are_found),
	CASE(lost_stores_are_told),
	CASE(stale_atoms_are_found),
	CASE(refill_keeps_stores),
	CASE(random_operations_follow_the_model),
	CASE(all_stores_move_by_themselves),
	CASE(halves_are_independent),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
