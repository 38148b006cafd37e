// SPDX-License-Identifier: MIT
/*
 * line.h against a model that knows neither words nor masks: three arrays of
 * bytes, and for each byte the line that it is in (R1, R4, R5).
 */
#include "window.h"

#define MAX_SIZE	8192
#define OPS		40000	/* for each geometry */

struct model {
	u8 mem[MAX_SIZE];
	u8 cache[MAX_SIZE];
	u8 base[MAX_SIZE];
	u32 size;
	u32 line;
	bool stored[MAX_SIZE];	/* lines to which somebody saw a store */
};

static bool model_overlaps(const struct model *model, u32 line, u32 offset, u32 size)
{
	return size && line * model->line < offset + size && (line + 1) * model->line > offset;
}

static bool model_inside(const struct model *model, u32 line, u32 offset, u32 size)
{
	return line * model->line >= offset && (line + 1) * model->line <= offset + size;
}

static bool model_line_dirty(const struct model *model, u32 line)
{
	return model->stored[line] ||
	       memcmp(model->cache + line * model->line, model->base + line * model->line,
		      model->line) != 0;
}

static void model_line_clean(struct model *model, u32 line)
{
	if (!model_line_dirty(model, line))
		return;
	model->stored[line] = false;
	for (u32 i = line * model->line; i < (line + 1) * model->line; i++)
		model->mem[i] = model->base[i] = model->cache[i];
}

static void model_line_load(struct model *model, u32 line)
{
	model->stored[line] = false;
	for (u32 i = line * model->line; i < (line + 1) * model->line; i++)
		model->cache[i] = model->base[i] = model->mem[i];
}

enum op { OP_STORE, OP_WRITE, OP_READ, OP_CLEAN, OP_DROP, OP_REFILL, OP_DIRTY, OPS_KINDS };

/* What the operation returns. */
static u32 model_sync(struct model *model, enum op op, u32 offset, u32 size)
{
	u32 result = 0;

	for (u32 line = 0; line < model->size / model->line; line++) {
		if (!model_overlaps(model, line, offset, size))
			continue;
		switch (op) {
		case OP_CLEAN:
			model_line_clean(model, line);
			result++;
			break;
		case OP_DROP:
			if (!model_inside(model, line, offset, size))
				model_line_clean(model, line);
			model_line_load(model, line);
			result++;
			break;
		case OP_REFILL:
			if (model_line_dirty(model, line))
				break;
			model_line_load(model, line);
			result++;
			break;
		default:
			result |= model_line_dirty(model, line);
		}
	}
	return result;
}

static u32 window_sync(struct window *window, enum op op, u32 offset, u32 size)
{
	switch (op) {
	case OP_CLEAN:
		return gs_lines_clean(&window->lines, offset, size);
	case OP_DROP:
		return gs_lines_drop(&window->lines, offset, size);
	case OP_REFILL:
		return gs_lines_refill(&window->lines, offset, size);
	default:
		return gs_lines_dirty(&window->lines, offset, size);
	}
}

static void assert_same(const struct window *window, const struct model *model)
{
	assert_memory_equal(window->mem, model->mem, model->size);
	assert_memory_equal(window->cache, model->cache, model->size);
	assert_memory_equal(window->base, model->base, model->size);
}

/* Few different values, so that stores of the value already there happen. */
static void random_bytes(struct rng *rng, u8 *bytes, u32 size)
{
	for (u32 i = 0; i < size; i++)
		bytes[i] = (u8)rng_below(rng, 4);
}

static void random_access(struct rng *rng, struct window *window, struct model *model, enum op op,
			  u32 offset, u32 size)
{
	u8 bytes[MAX_SIZE];

	random_bytes(rng, bytes, size);
	if (op == OP_STORE && size && !rng_below(rng, 4)) {
		/* Of what is there, and somebody sees the first byte of it. */
		gs_lines_store(&window->lines, offset);
		model->stored[offset / model->line] = true;
	} else if (op == OP_STORE) {
		memcpy(window->cache + offset, bytes, size);
		memcpy(model->cache + offset, bytes, size);
	} else if (op == OP_WRITE) {
		gs_lines_dev_write(&window->lines, offset, bytes, size);
		memcpy(model->mem + offset, bytes, size);
	} else {
		gs_lines_dev_read(&window->lines, offset, bytes, size);
		assert_memory_equal(bytes, model->mem + offset, size);
	}
}

static void random_op(struct rng *rng, struct window *window, struct model *model)
{
	u32 offset = rng_below(rng, model->size + 1);
	u32 limit = model->size - offset;
	enum op op = rng_below(rng, OPS_KINDS);
	u32 size;

	if (limit > 5 * model->line && rng_below(rng, 8))
		limit = 5 * model->line;
	size = rng_below(rng, limit + 1);
	if (op <= OP_READ)
		random_access(rng, window, model, op, offset, size);
	else
		assert_int_equal(window_sync(window, op, offset, size),
				 model_sync(model, op, offset, size));
}

static void run_geometry(struct rng *rng, u32 size, u32 line, u32 ops)
{
	struct window *window = window_create(size, line);
	struct model model = { .size = size, .line = line };

	for (u32 i = 0; i < ops; i++) {
		random_op(rng, window, &model);
		assert_same(window, &model);
	}
	window_destroy(window);
}

static void random_small_windows(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 line = 2; line <= 8; line *= 2) {
		for (u32 size = 16; size <= 64; size *= 2)
			run_geometry(&rng, size, line, OPS);
	}
}

static void random_real_lines(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 line = 32; line <= 128; line *= 2) {
		run_geometry(&rng, line, line, OPS / 4);
		run_geometry(&rng, 512, line, OPS);
	}
}

/* R1: windows of more than a page, so that maintenance of a page more shows. */
static void random_pages(void **state)
{
	struct rng rng = rng_seeded();

	(void)state;
	for (u32 line = 32; line <= 128; line *= 2)
		run_geometry(&rng, MAX_SIZE, line, OPS / 20);
	run_geometry(&rng, MAX_SIZE, 4096, OPS / 20);
}

/* Bit 0 of a line's state: the CPU stored to its first byte; bit 1: the device to its last. */
static void set_states(struct window *window, struct model *model, u32 states)
{
	memset(window->mem, 0, model->size);
	memset(window->cache, 0, model->size);
	memset(window->base, 0, model->size);
	for (u32 line = 0; line < model->size / model->line; line++, states >>= 2) {
		if (states & 1)
			window->cache[line * model->line] = 1;
		if (states & 2)
			window->mem[(line + 1) * model->line - 1] = 2;
	}
	memcpy(model->mem, window->mem, model->size);
	memcpy(model->cache, window->cache, model->size);
	memcpy(model->base, window->base, model->size);
}

static void all_ranges(struct window *window, struct model *model, u32 states)
{
	for (u32 offset = 0; offset <= model->size; offset++) {
		for (u32 size = 0; size <= model->size - offset; size++) {
			for (enum op op = OP_CLEAN; op <= OP_DIRTY; op++) {
				set_states(window, model, states);
				assert_int_equal(window_sync(window, op, offset, size),
						 model_sync(model, op, offset, size));
				assert_same(window, model);
			}
		}
	}
}

/* Every operation on every range of four lines in every combination of states. */
static void exhaustive(u32 line, u32 size)
{
	struct window *window = window_create(size, line);
	struct model model = { .size = size, .line = line };

	for (u32 states = 0; states < 1u << (2 * size / line); states++)
		all_ranges(window, &model, states);
	window_destroy(window);
}

static void exhaustive_lines_of_2(void **state)
{
	(void)state;
	exhaustive(2, 8);
}

static void exhaustive_lines_of_4(void **state)
{
	(void)state;
	exhaustive(4, 16);
}

static void exhaustive_lines_of_8(void **state)
{
	(void)state;
	exhaustive(8, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exhaustive_lines_of_2),
		cmocka_unit_test(exhaustive_lines_of_4),
		cmocka_unit_test(exhaustive_lines_of_8),
		cmocka_unit_test(random_small_windows),
		cmocka_unit_test(random_real_lines),
		cmocka_unit_test(random_pages),
	};

	return cmocka_run_group_tests_name("line_random", tests, NULL, NULL);
}
