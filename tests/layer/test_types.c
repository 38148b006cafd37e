// SPDX-License-Identifier: MIT
/* The specification's rules hold for the types shown, of any driver that keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory_types.h"
#include "random.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define LOCAL		VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
#define COHERENT	VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
#define CACHED		VK_MEMORY_PROPERTY_HOST_CACHED_BIT
#define LAZY		VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT
#define PROTECTED	VK_MEMORY_PROPERTY_PROTECTED_BIT
#define AMD_COHERENT	VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD
#define AMD_UNCACHED	VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD
#define RDMA		VK_MEMORY_PROPERTY_RDMA_CAPABLE_BIT_NV

/* The sets that the specification allows. */
static const VkMemoryPropertyFlags allowed[] = {
	0,
	VISIBLE | COHERENT,
	VISIBLE | CACHED,
	VISIBLE | CACHED | COHERENT,
	LOCAL,
	LOCAL | VISIBLE | COHERENT,
	LOCAL | VISIBLE | CACHED,
	LOCAL | VISIBLE | CACHED | COHERENT,
	LOCAL | LAZY,
	PROTECTED,
	PROTECTED | LOCAL,
	VISIBLE | COHERENT | AMD_COHERENT,
	VISIBLE | CACHED | COHERENT | AMD_COHERENT,
	LOCAL | AMD_COHERENT,
	LOCAL | VISIBLE | COHERENT | AMD_COHERENT,
	LOCAL | VISIBLE | CACHED | COHERENT | AMD_COHERENT,
	VISIBLE | COHERENT | AMD_COHERENT | AMD_UNCACHED,
	VISIBLE | CACHED | COHERENT | AMD_COHERENT | AMD_UNCACHED,
	LOCAL | AMD_COHERENT | AMD_UNCACHED,
	LOCAL | VISIBLE | COHERENT | AMD_COHERENT | AMD_UNCACHED,
	LOCAL | VISIBLE | CACHED | COHERENT | AMD_COHERENT | AMD_UNCACHED,
	LOCAL | RDMA,
};

static bool is_allowed(VkMemoryPropertyFlags flags)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i] == flags)
			return true;
	}
	return false;
}

static bool is_strict_subset(VkMemoryPropertyFlags a, VkMemoryPropertyFlags b)
{
	return a != b && !(a & ~b);
}

static bool has(const VkPhysicalDeviceMemoryProperties *properties, VkMemoryPropertyFlags flags)
{
	u32 i;

	for (i = 0; i < properties->memoryTypeCount; i++) {
		if ((properties->memoryTypes[i].propertyFlags & flags) == flags)
			return true;
	}
	return false;
}

/* What is wrong with a table, or NULL. */
static const char *judge(const VkPhysicalDeviceMemoryProperties *properties)
{
	u32 i, j;

	if (properties->memoryTypeCount > VK_MAX_MEMORY_TYPES)
		return "too many types";
	if (!has(properties, VISIBLE | COHERENT))
		return "no host-visible coherent type";
	if (!has(properties, LOCAL))
		return "no device-local type";
	for (i = 0; i < properties->memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = properties->memoryTypes[i].propertyFlags;

		if (!is_allowed(flags))
			return "a set that is not allowed";
		if (properties->memoryTypes[i].heapIndex >= properties->memoryHeapCount)
			return "a heap that is not there";
		for (j = 0; j < i; j++) {
			if (is_strict_subset(flags, properties->memoryTypes[j].propertyFlags))
				return "a subset behind its superset";
		}
	}
	return NULL;
}

/* Put a type where it may be, if it may be anywhere. */
static void add_type(VkPhysicalDeviceMemoryProperties *driver, VkMemoryType type)
{
	u32 place = 0, i;

	for (i = 0; i < driver->memoryTypeCount; i++) {
		if (is_strict_subset(driver->memoryTypes[i].propertyFlags, type.propertyFlags))
			place = i + 1;
	}
	for (i = driver->memoryTypeCount++; i > place; i--)
		driver->memoryTypes[i] = driver->memoryTypes[i - 1];
	driver->memoryTypes[place] = type;
}

static void make_driver(struct gs_random *random, VkPhysicalDeviceMemoryProperties *driver)
{
	u32 count = 1 + gs_random_below(random, VK_MAX_MEMORY_TYPES);

	do {
		memset(driver, 0, sizeof(*driver));
		driver->memoryHeapCount = 1 + gs_random_below(random, 3);
		while (driver->memoryTypeCount < count) {
			add_type(driver, (VkMemoryType){
				allowed[gs_random_below(random, ARRAY_SIZE(allowed))],
				gs_random_below(random, driver->memoryHeapCount),
			});
		}
	} while (judge(driver));
}

static struct gsl_types_options random_options(struct gs_random *random)
{
	return (struct gsl_types_options){
		.mode = (enum gsl_types_mode)gs_random_below(random, GSL_TYPES_COHERENT + 1),
		.last = gs_random_below(random, 2),
		.strip = gs_random_below(random, 2),
	};
}

static void rules_hold_for_any_driver(void **state)
{
	struct gs_random random;
	VkPhysicalDeviceMemoryProperties driver;
	struct gsl_types types;
	int i;

	gs_random_seed(&random, 17);
	for (i = 0; i < 100000; i++) {
		struct gsl_types_options options = random_options(&random);
		const char *wrong;

		make_driver(&random, &driver);
		gsl_types_init(&types, &driver, &options);
		wrong = judge(&types.shown);
		if (wrong)
			fail_msg("driver %d, mode %d, last %d, strip %d: %s", i, options.mode,
				 options.last, options.strip, wrong);
	}
}

/* What can be allocated is what could be: of the driver's type behind it, and its heap. */
static void indices_are_of_the_drivers_types(void **state)
{
	struct gs_random random;
	VkPhysicalDeviceMemoryProperties driver;
	struct gsl_types types;
	u32 j;
	int i;

	gs_random_seed(&random, 18);
	for (i = 0; i < 10000; i++) {
		struct gsl_types_options options = random_options(&random);
		u32 bits = (u32)gs_random_next(&random);

		make_driver(&random, &driver);
		gsl_types_init(&types, &driver, &options);
		for (j = 0; j < types.shown.memoryTypeCount; j++) {
			u32 behind = types.to_driver[j];

			assert_true(behind < driver.memoryTypeCount);
			assert_int_equal(gsl_types_shown_bits(&types, bits) >> j & 1,
					 bits >> behind & 1);
			if (types.mode != GSL_TYPES_COHERENT)
				assert_int_equal(types.shown.memoryTypes[j].heapIndex,
						 driver.memoryTypes[behind].heapIndex);
			assert_int_equal(driver.memoryTypes[behind].propertyFlags & VISIBLE,
					 types.shown.memoryTypes[j].propertyFlags & VISIBLE);
		}
	}
}

/* A resource that could be in coherent memory of the driver can be: linear ones have to. */
static void coherent_types_stay_allowed(void **state)
{
	struct gs_random random;
	VkPhysicalDeviceMemoryProperties driver;
	struct gsl_types types;
	int i;

	gs_random_seed(&random, 19);
	for (i = 0; i < 10000; i++) {
		struct gsl_types_options options = random_options(&random);
		u32 j, bits = 0, shown, found = 0;

		if (options.mode == GSL_TYPES_DOWNGRADE)
			options.mode = GSL_TYPES_AUTO;
		make_driver(&random, &driver);
		for (j = 0; j < driver.memoryTypeCount; j++)
			bits |= (u32)!!(driver.memoryTypes[j].propertyFlags & COHERENT) << j;
		gsl_types_init(&types, &driver, &options);
		shown = gsl_types_shown_bits(&types, bits);
		for (j = 0; j < types.shown.memoryTypeCount; j++)
			found |= (shown >> j & 1) &&
				 (types.shown.memoryTypes[j].propertyFlags & COHERENT);
		assert_true(found);
	}
}

static const VkPhysicalDeviceMemoryProperties lavapipe = {
	.memoryTypeCount = 1,
	.memoryTypes = { { LOCAL | VISIBLE | COHERENT | CACHED, 0 } },
	.memoryHeapCount = 1,
};

/* One type with all flags: there is nothing to downgrade, and a twin comes before it. */
static void lavapipe_gets_a_twin(void **state)
{
	struct gsl_types_options options = { GSL_TYPES_AUTO, false, false };
	struct gsl_types types;

	gsl_types_init(&types, &lavapipe, &options);
	assert_int_equal(types.shown.memoryTypeCount, 2);
	assert_int_equal(types.shown.memoryTypes[0].propertyFlags, LOCAL | VISIBLE | CACHED);
	assert_int_equal(types.shown.memoryTypes[1].propertyFlags,
			 LOCAL | VISIBLE | COHERENT | CACHED);
	assert_int_equal(gsl_types_shown_bits(&types, 1), 3);
	assert_true(gsl_types_has_copies(&types, 0));
	assert_false(gsl_types_has_copies(&types, 1));
}

static void strip_makes_a_mali_of_lavapipe(void **state)
{
	struct gsl_types_options options = { GSL_TYPES_ADD, true, true };
	struct gsl_types types;

	gsl_types_init(&types, &lavapipe, &options);
	assert_int_equal(types.shown.memoryTypes[0].propertyFlags, LOCAL | VISIBLE | CACHED);
	assert_int_equal(types.shown.memoryTypes[1].propertyFlags, LOCAL | VISIBLE | COHERENT);
}

static const VkPhysicalDeviceMemoryProperties desktop = {
	.memoryTypeCount = 4,
	.memoryTypes = {
		{ LOCAL, 0 },
		{ VISIBLE | COHERENT, 1 },
		{ VISIBLE | COHERENT | CACHED, 1 },
		{ LOCAL | VISIBLE | COHERENT, 0 },
	},
	.memoryHeapCount = 2,
};

/* No index changes, and one coherent type is left. */
static void downgrade_takes_the_flag_in_place(void **state)
{
	struct gsl_types_options options = { GSL_TYPES_DOWNGRADE, false, false };
	struct gsl_types types;

	gsl_types_init(&types, &desktop, &options);
	assert_int_equal(types.shown.memoryTypeCount, 4);
	assert_int_equal(types.shown.memoryTypes[1].propertyFlags, VISIBLE | COHERENT);
	assert_int_equal(types.shown.memoryTypes[2].propertyFlags, VISIBLE | CACHED);
	assert_true(gsl_types_has_copies(&types, 2));
	gsl_types_init(&types, &lavapipe, &options);
	assert_int_equal(types.shown.memoryTypes[0].propertyFlags,
			 LOCAL | VISIBLE | COHERENT | CACHED);
}

/* 'Is it a flush?': what is not coherent is put into memory that is, under the same flags. */
static void coherent_puts_all_into_coherent_memory(void **state)
{
	struct gsl_types_options options = { GSL_TYPES_COHERENT, false, false };
	VkPhysicalDeviceMemoryProperties driver = desktop;
	struct gsl_types types;

	driver.memoryTypes[2].propertyFlags = VISIBLE | CACHED;
	gsl_types_init(&types, &driver, &options);
	assert_int_equal(types.shown.memoryTypes[2].propertyFlags, VISIBLE | CACHED);
	assert_int_equal(types.to_driver[2], 1);
	assert_false(gsl_types_has_copies(&types, 2));
}

/* Memory stays in its heap, where that has a coherent type. */
static void coherent_stays_in_its_heap(void **state)
{
	VkPhysicalDeviceMemoryProperties driver = {
		.memoryTypeCount = 3,
		.memoryTypes = {
			{ VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
			  VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 1 },
			{ VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
			  VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 0 },
			{ VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
			  VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
			  VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 0 },
		},
		.memoryHeapCount = 2,
	};
	struct gsl_types_options options = { GSL_TYPES_COHERENT, false, false };
	struct gsl_types types;

	gsl_types_init(&types, &driver, &options);
	assert_int_equal(types.to_driver[1], 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rules_hold_for_any_driver),
	cmocka_unit_test(indices_are_of_the_drivers_types),
	cmocka_unit_test(coherent_types_stay_allowed),
	cmocka_unit_test(lavapipe_gets_a_twin),
	cmocka_unit_test(strip_makes_a_mali_of_lavapipe),
	cmocka_unit_test(downgrade_takes_the_flag_in_place),
	cmocka_unit_test(coherent_puts_all_into_coherent_memory),
	cmocka_unit_test(coherent_stays_in_its_heap),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
