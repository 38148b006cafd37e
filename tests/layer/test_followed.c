// SPDX-License-Identifier: MIT
/*
 * What the layer has to follow to know what a submission uses, and when: descriptors, however
 * they are written, and waits of the device for the host and of the host for the device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpu.h"

#define SIZE	4096

static int open_gpu(void **state)
{
	static struct gpu gpu;

	gpu_open(&gpu, "mode=strict");
	*state = &gpu;
	return 0;
}

static int close_gpu(void **state)
{
	gpu_close(*state);
	return 0;
}

static void expect_one(struct gpu *gpu, const char *id)
{
	gpu_find(gpu, id);
	assert_int_equal(gpu->message_count, 1);
}

/* A buffer with stores that are not flushed, or are. */
static void make_stored(struct gpu *gpu, struct gpu_buffer *buffer, bool flushed)
{
	gpu_buffer_create(gpu, buffer, SIZE, GPU_NONCOHERENT);
	gpu_map(gpu, buffer);
	memset(buffer->map, 1, SIZE);
	if (flushed)
		gpu_flush(gpu, buffer, 0, VK_WHOLE_SIZE);
}

/* ---- Descriptors ---- */

static VkDescriptorUpdateTemplate make_template(struct gpu *gpu,
						VkDescriptorUpdateTemplateType type,
						VkPipelineLayout layout)
{
	VkDescriptorUpdateTemplateEntry entry = {
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.offset = 16,
		.stride = 1000,
	};
	VkDescriptorUpdateTemplateCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = 1,
		.pDescriptorUpdateEntries = &entry,
		.templateType = type,
		.descriptorSetLayout = gpu->set_layout,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipelineLayout = layout,
	};
	VkDescriptorUpdateTemplate template;

	CHECK(vkCreateDescriptorUpdateTemplate(gpu->device, &info, NULL, &template));
	return template;
}

/* What a template reads: the info is not at its begin. */
struct template_data {
	char before[16];
	VkDescriptorBufferInfo info;
};

/* The set names another buffer first, whose stores nobody needs any more. */
static void update_by_template(struct gpu *gpu, bool flushed)
{
	VkDescriptorUpdateTemplate template =
		make_template(gpu, VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
			      gpu->pipeline_layout);
	VkDescriptorSet set = gpu_set_allocate(gpu);
	struct gpu_buffer used, replaced;
	struct template_data data = { .info = { .range = VK_WHOLE_SIZE } };

	make_stored(gpu, &used, flushed);
	make_stored(gpu, &replaced, false);
	gpu_name(gpu, &used, "used");
	gpu_set_write(gpu, set, &replaced);
	data.info.buffer = used.buffer;
	vkUpdateDescriptorSetWithTemplate(gpu->device, set, template, &data);
	gpu_begin(gpu);
	gpu_set_bind(gpu, set);
	gpu_dispatch(gpu, SIZE);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	if (flushed)
		gpu_invalidate(gpu, &used, 0, VK_WHOLE_SIZE);
	gpu_buffer_destroy(gpu, &used);
	gpu_buffer_destroy(gpu, &replaced);
	vkDestroyDescriptorUpdateTemplate(gpu->device, template, NULL);
}

static void template_names_what_is_read(void **state)
{
	update_by_template(*state, false);
	expect_one(*state, "dev-read-dirty");
	assert_non_null(strstr(gpu_find(*state, "dev-read-dirty")->text, "\"used\""));
}

static void template_names_what_is_flushed(void **state)
{
	update_by_template(*state, true);
	gpu_expect_silence(*state);
}

/* ---- Descriptors that are pushed ---- */

static VkPipelineLayout make_push_layout(struct gpu *gpu, VkDescriptorSetLayout *set_layout)
{
	VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	VkDescriptorSetLayoutCreateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = set_layout,
	};
	VkPipelineLayout pushed;

	CHECK(vkCreateDescriptorSetLayout(gpu->device, &set, NULL, set_layout));
	CHECK(vkCreatePipelineLayout(gpu->device, &layout, NULL, &pushed));
	return pushed;
}

static void push(struct gpu *gpu, VkPipelineLayout layout, const struct gpu_buffer *buffer,
		 bool by_template)
{
	PFN_vkCmdPushDescriptorSetKHR by_write = (PFN_vkCmdPushDescriptorSetKHR)
		vkGetDeviceProcAddr(gpu->device, "vkCmdPushDescriptorSetKHR");
	PFN_vkCmdPushDescriptorSetWithTemplateKHR with_template =
		(PFN_vkCmdPushDescriptorSetWithTemplateKHR)
		vkGetDeviceProcAddr(gpu->device, "vkCmdPushDescriptorSetWithTemplateKHR");
	struct template_data data = { .info = { buffer->buffer, 0, VK_WHOLE_SIZE } };
	VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &data.info,
	};
	VkDescriptorUpdateTemplate template;

	if (!by_template) {
		by_write(gpu->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &write);
		return;
	}
	template = make_template(gpu, VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR,
				 layout);
	with_template(gpu->commands, template, layout, 0, &data);
	vkDestroyDescriptorUpdateTemplate(gpu->device, template, NULL);
}

/* A push replaces what was pushed before. No shader runs: what counts is what it would read. */
static void push_twice(struct gpu *gpu, bool by_template, bool flushed)
{
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout = make_push_layout(gpu, &set_layout);
	struct gpu_buffer used, replaced;

	make_stored(gpu, &used, flushed);
	make_stored(gpu, &replaced, false);
	gpu_begin(gpu);
	push(gpu, layout, &replaced, !by_template);
	push(gpu, layout, &used, by_template);
	vkCmdBindPipeline(gpu->commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->add_one);
	vkCmdDispatch(gpu->commands, 0, 1, 1);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_buffer_destroy(gpu, &used);
	gpu_buffer_destroy(gpu, &replaced);
	vkDestroyPipelineLayout(gpu->device, layout, NULL);
	vkDestroyDescriptorSetLayout(gpu->device, set_layout, NULL);
}

static void pushed_by_writes(void **state)
{
	push_twice(*state, false, false);
	expect_one(*state, "dev-read-dirty");
}

static void pushed_by_writes_and_flushed(void **state)
{
	push_twice(*state, false, true);
	gpu_expect_silence(*state);
}

static void pushed_by_template(void **state)
{
	push_twice(*state, true, false);
	expect_one(*state, "dev-read-dirty");
}

static void pushed_by_template_and_flushed(void **state)
{
	push_twice(*state, true, true);
	gpu_expect_silence(*state);
}

/* ---- Bound, but not used ---- */

/* @late: the set with the stores is bound after the only dispatch. */
static void bind_unused(struct gpu *gpu, bool late)
{
	VkDescriptorSet unused = gpu_set_allocate(gpu), used = gpu_set_allocate(gpu);
	struct gpu_buffer stored, flushed;

	make_stored(gpu, &stored, false);
	make_stored(gpu, &flushed, true);
	gpu_set_write(gpu, unused, &stored);
	gpu_set_write(gpu, used, &flushed);
	gpu_begin(gpu);
	if (!late)
		gpu_set_bind(gpu, unused);
	gpu_set_bind(gpu, used);
	gpu_dispatch(gpu, SIZE);
	if (late)
		gpu_set_bind(gpu, unused);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_invalidate(gpu, &flushed, 0, VK_WHOLE_SIZE);
	gpu_expect_silence(gpu);
	gpu_buffer_destroy(gpu, &stored);
	gpu_buffer_destroy(gpu, &flushed);
}

static void replaced_before_work(void **state)
{
	bind_unused(*state, false);
}

static void bound_after_work(void **state)
{
	bind_unused(*state, true);
}

/* The shader writes again after the barrier, with what was bound before it. */
static void work_after_the_barrier(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer results;

	make_stored(gpu, &results, true);
	gpu_begin(gpu);
	gpu_add_one(gpu, &results, SIZE);
	gpu_host_barrier(gpu);
	gpu_dispatch(gpu, SIZE);
	gpu_run(gpu);
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	expect_one(gpu, "no-host-barrier");
	gpu_buffer_destroy(gpu, &results);
}

/* A set that names a buffer that is gone, whose handle the next one may get. */
static void names_of_the_dead(void **state)
{
	struct gpu *gpu = *state;
	VkDescriptorSet set = gpu_set_allocate(gpu);
	struct gpu_buffer buffers[16];
	unsigned int i;

	make_stored(gpu, &buffers[0], true);
	gpu_set_write(gpu, set, &buffers[0]);
	gpu_name(gpu, &buffers[0], "dead");
	gpu_buffer_destroy(gpu, &buffers[0]);
	for (i = 0; i < 16; i++)
		make_stored(gpu, &buffers[i], false);
	gpu_begin(gpu);
	gpu_set_bind(gpu, set);
	/* Nothing runs: that would be an access to what is gone. */
	vkCmdBindPipeline(gpu->commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->add_one);
	gpu_run(gpu);
	gpu_expect_silence(gpu);
	gpu_begin(gpu);
	gpu_copy(gpu, &buffers[0], &buffers[1], 0, 64);
	gpu_run(gpu);
	assert_null(strstr(gpu_find(gpu, "dev-read-dirty")->text, "dead"));
	for (i = 0; i < 16; i++)
		gpu_buffer_destroy(gpu, &buffers[i]);
}

/* ---- What the host is likely to look at ---- */

/* Two buffers in one memory, as allocators have them. */
static void make_block(struct gpu *gpu, struct gpu_buffer *first, VkBuffer *second)
{
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = SIZE,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkMemoryRequirements requirements;

	gpu_buffer_create(gpu, first, 2 * SIZE, GPU_NONCOHERENT);
	CHECK(vkCreateBuffer(gpu->device, &info, NULL, second));
	vkGetBufferMemoryRequirements(gpu->device, *second, &requirements);
	CHECK(vkBindBufferMemory(gpu->device, *second, first->memory, SIZE));
}

static void blocks_stay_mapped(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer block;
	VkBuffer second;

	make_block(gpu, &block, &second);
	gpu_map(gpu, &block);
	memset(block.map, 1, 2 * SIZE);
	gpu_flush(gpu, &block, 0, VK_WHOLE_SIZE);
	gpu_begin(gpu);
	vkCmdFillBuffer(gpu->commands, second, 0, SIZE, 7);
	gpu_run(gpu);
	gpu_unmap(gpu, &block);
	gpu_expect_silence(gpu);
	vkDestroyBuffer(gpu->device, second, NULL);
	gpu_buffer_destroy(gpu, &block);
}

static void mapped_to_be_read(void **state)
{
	struct gpu *gpu = *state;
	struct gpu_buffer block;
	VkBuffer second;

	make_block(gpu, &block, &second);
	gpu_begin(gpu);
	vkCmdFillBuffer(gpu->commands, second, 0, SIZE, 7);
	gpu_host_barrier(gpu);
	gpu_run(gpu);
	gpu_map(gpu, &block);
	(void)*(volatile uint8_t *)&block.map[SIZE];
	gpu_unmap(gpu, &block);
	expect_one(gpu, "cpu-read-stale");
	vkDestroyBuffer(gpu->device, second, NULL);
	gpu_buffer_destroy(gpu, &block);
}

/* ---- The device waits for the host ---- */

enum gate { TIMELINE, EVENT };

/* Stores between the submit and the signal: they have to be flushed by the signal. */
static uint32_t store_behind_submit(struct gpu *gpu, enum gate gate, bool flush)
{
	VkEventCreateInfo info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_HOST_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
	};
	VkSemaphore timeline = gpu_timeline_create(gpu);
	struct gpu_buffer from, to;
	uint32_t seen;
	VkEvent event;

	CHECK(vkCreateEvent(gpu->device, &info, NULL, &event));
	make_stored(gpu, &from, true);
	gpu_buffer_create(gpu, &to, SIZE, GPU_COHERENT);
	gpu_map(gpu, &to);
	memset(from.map, 2, SIZE);
	gpu_begin(gpu);
	if (gate == EVENT)
		vkCmdWaitEvents(gpu->commands, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
				VK_PIPELINE_STAGE_TRANSFER_BIT, 1, &barrier, 0, NULL, 0, NULL);
	gpu_copy(gpu, &from, &to, 0, SIZE);
	gpu_host_barrier(gpu);
	if (gate == TIMELINE)
		gpu_submit_behind(gpu, timeline, 1);
	else
		gpu_submit(gpu);
	if (flush)
		gpu_flush(gpu, &from, 0, VK_WHOLE_SIZE);
	if (gate == TIMELINE)
		gpu_timeline_signal(gpu, timeline, 1);
	else
		CHECK(vkSetEvent(gpu->device, event));
	/* For a job to come. */
	memset(from.map, 3, SIZE);
	gpu_wait(gpu);
	memcpy(&seen, to.map, sizeof(seen));
	gpu_buffer_destroy(gpu, &from);
	gpu_buffer_destroy(gpu, &to);
	vkDestroySemaphore(gpu->device, timeline, NULL);
	vkDestroyEvent(gpu->device, event, NULL);
	return seen;
}

static void flush_before_the_signal(void **state)
{
	assert_int_equal(store_behind_submit(*state, TIMELINE, true), 0x02020202);
	gpu_expect_silence(*state);
}

static void no_flush_before_the_signal(void **state)
{
	assert_int_equal(store_behind_submit(*state, TIMELINE, false), 0x01010101);
	expect_one(*state, "flush-too-early");
}

static void flush_before_the_event(void **state)
{
	assert_int_equal(store_behind_submit(*state, EVENT, true), 0x02020202);
	gpu_expect_silence(*state);
}

static void no_flush_before_the_event(void **state)
{
	assert_int_equal(store_behind_submit(*state, EVENT, false), 0x01010101);
	expect_one(*state, "flush-too-early");
}

/* What nothing signals but the end of the wait is not judged, and not waited for. */
static void what_is_over_is_not_judged(void **state)
{
	struct gpu *gpu = *state;
	VkSemaphore timeline = gpu_timeline_create(gpu);
	struct gpu_buffer from, to;

	make_stored(gpu, &from, true);
	make_stored(gpu, &to, true);
	gpu_timeline_signal(gpu, timeline, 5);
	gpu_begin(gpu);
	gpu_copy(gpu, &from, &to, 0, SIZE);
	gpu_host_barrier(gpu);
	gpu_submit_behind(gpu, timeline, 3);
	gpu_wait(gpu);
	gpu_invalidate(gpu, &to, 0, VK_WHOLE_SIZE);
	assert_int_equal(to.map[0], 1);
	gpu_expect_silence(gpu);
	gpu_buffer_destroy(gpu, &from);
	gpu_buffer_destroy(gpu, &to);
	vkDestroySemaphore(gpu->device, timeline, NULL);
}

/* ---- The host waits for the device ---- */

/*
 * The event is in the middle of the job, and tells of what came before it: that is known to be
 * done, so that the barrier is all that is missing.
 */
static void an_event_ends_the_wait(void **state)
{
	VkEventCreateInfo info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	struct gpu *gpu = *state;
	struct gpu_buffer before, after;
	VkEvent event;

	CHECK(vkCreateEvent(gpu->device, &info, NULL, &event));
	make_stored(gpu, &before, true);
	make_stored(gpu, &after, true);
	gpu_begin(gpu);
	gpu_fill(gpu, &before, 0, SIZE, 0x33333333);
	vkCmdSetEvent(gpu->commands, event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	gpu_fill(gpu, &after, 0, SIZE, 0x33333333);
	gpu_submit(gpu);
	while (vkGetEventStatus(gpu->device, event) != VK_EVENT_SET)
		;
	gpu_invalidate(gpu, &after, 0, VK_WHOLE_SIZE);
	gpu_expect_silence(gpu);
	gpu_invalidate(gpu, &before, 0, VK_WHOLE_SIZE);
	assert_int_equal(before.map[0], 0x33);
	expect_one(gpu, "no-host-barrier");
	gpu_wait(gpu);
	gpu_buffer_destroy(gpu, &before);
	gpu_buffer_destroy(gpu, &after);
	vkDestroyEvent(gpu->device, event, NULL);
}

/* A timeline value is passed by a higher one that was signalled. */
static void a_higher_value_ends_the_wait(void **state)
{
	struct gpu *gpu = *state;
	VkSemaphore timeline = gpu_timeline_create(gpu);
	struct gpu_buffer results;

	make_stored(gpu, &results, true);
	gpu_begin(gpu);
	gpu_fill(gpu, &results, 0, SIZE, 0x34343434);
	gpu_submit_signal(gpu, VK_NULL_HANDLE, 0, timeline, 5);
	gpu_timeline_wait(gpu, timeline, 3);
	/* It is known to be done, so that the barrier is all that is missing. */
	gpu_invalidate(gpu, &results, 0, VK_WHOLE_SIZE);
	expect_one(gpu, "no-host-barrier");
	assert_int_equal(results.map[0], 0x34);
	gpu_buffer_destroy(gpu, &results);
	vkDestroySemaphore(gpu->device, timeline, NULL);
}

/* ---- Indices of memory types ---- */

/* lavapipe has one type; shown are two, and every resource may be in both. */
static void bits_are_of_the_types_shown(void **state)
{
	struct gpu *gpu = *state;
	VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = { 16, 16, 1 },
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	VkDeviceImageMemoryRequirements device_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
		.pCreateInfo = &info,
	};
	VkImageMemoryRequirementsInfo2 info2 = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
	};
	VkMemoryRequirements2 requirements = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
	};
	uint32_t all = (1u << gpu->types.memoryTypeCount) - 1;

	CHECK(vkCreateImage(gpu->device, &info, NULL, &info2.image));
	vkGetImageMemoryRequirements(gpu->device, info2.image, &requirements.memoryRequirements);
	assert_int_equal(requirements.memoryRequirements.memoryTypeBits, all);
	vkGetImageMemoryRequirements2(gpu->device, &info2, &requirements);
	assert_int_equal(requirements.memoryRequirements.memoryTypeBits, all);
	vkGetDeviceImageMemoryRequirements(gpu->device, &device_info, &requirements);
	assert_int_equal(requirements.memoryRequirements.memoryTypeBits, all);
	vkDestroyImage(gpu->device, info2.image, NULL);
}

/* ---- Two instances, with a device each ---- */

static void two_devices_are_apart(void **state)
{
	static struct gpu other;
	struct gpu *gpu = *state;
	struct gpu_buffer wrong, right;

	gpu_open(&other, "mode=strict");
	make_stored(gpu, &wrong, false);
	make_stored(&other, &right, true);
	gpu_begin(gpu);
	gpu_begin(&other);
	gpu_add_one(gpu, &wrong, SIZE);
	gpu_add_one(&other, &right, SIZE);
	gpu_host_barrier(gpu);
	gpu_host_barrier(&other);
	gpu_run(gpu);
	gpu_run(&other);
	gpu_invalidate(&other, &right, 0, VK_WHOLE_SIZE);
	assert_int_equal(right.map[0], 2);
	expect_one(gpu, "dev-read-dirty");
	gpu_expect_silence(&other);
	gpu_buffer_destroy(gpu, &wrong);
	gpu_buffer_destroy(&other, &right);
	gpu_close(&other);
	gpu_expect_silence(&other);
}

/* ---- Without VK_EXT_debug_utils ---- */

/* The loader gives its functions out all the same, and libplacebo calls them. */
static void names_without_the_extension(void **state)
{
	const char *layer = "VK_LAYER_GEMSYNC_noncoherent";
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.enabledLayerCount = 1,
		.ppEnabledLayerNames = &layer,
	};
	const float priority = 1;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo device_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
	};
	VkDebugUtilsObjectNameInfoEXT name = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
		.objectType = VK_OBJECT_TYPE_DEVICE,
		.pObjectName = "device",
	};
	PFN_vkSetDebugUtilsObjectNameEXT set_name;
	VkPhysicalDevice physical;
	VkInstance instance;
	uint32_t count = 1;
	VkDevice device;

	CHECK(vkCreateInstance(&info, NULL, &instance));
	vkEnumeratePhysicalDevices(instance, &count, &physical);
	CHECK(vkCreateDevice(physical, &device_info, NULL, &device));
	set_name = (PFN_vkSetDebugUtilsObjectNameEXT)
		vkGetDeviceProcAddr(device, "vkSetDebugUtilsObjectNameEXT");
	name.objectHandle = (uint64_t)(uintptr_t)device;
	if (set_name)
		CHECK(set_name(device, &name));
	vkDestroyDevice(device, NULL);
	vkDestroyInstance(instance, NULL);
}

/* ---- The log ---- */

#define MISTAKES	16
#define UMLAUTS		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"

static char log_name[] = "/tmp/test-layer-followed.XXXXXX";

static int open_logging(void **state)
{
	static struct gpu gpu;
	char settings[64];
	int fd = mkstemp(log_name);

	if (fd < 0)
		return -1;
	close(fd);
	snprintf(settings, sizeof(settings), "limit=10,log=%s", log_name);
	gpu_open(&gpu, settings);
	*state = &gpu;
	return 0;
}

static int remove_log(void **state)
{
	(void)state;
	return unlink(log_name);
}

/* Buffers with names that are longer than what is kept of them, each with a mistake. */
static void make_mistakes(struct gpu *gpu)
{
	struct gpu_buffer from;
	char name[128], byte;
	int i;

	for (i = 0; i < MISTAKES; i++) {
		snprintf(name, sizeof(name), "%02d " UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS, i);
		gpu_buffer_create(gpu, &from, SIZE, GPU_NONCOHERENT);
		gpu_name(gpu, &from, name + (i % 2));
		gpu_map(gpu, &from);
		memset(from.map, 1, SIZE);
		gpu_peek(gpu, &from, 0, &byte, 1);
		gpu_buffer_destroy(gpu, &from);
	}
}

/* There are so many messages as the limit says; the log has all, as UTF-8. */
static void log_has_more_than_messages(void **state)
{
	struct gpu *gpu = *state;
	int lines = 0, first = 0, second = 0, byte;
	FILE *log;

	make_mistakes(gpu);
	assert_int_equal(gpu_count(gpu, "dev-read-dirty"), 10);
	gpu_close(gpu);
	log = fopen(log_name, "r");
	assert_non_null(log);
	while ((byte = fgetc(log)) != EOF) {
		lines += byte == '\n';
		first += byte == 0xc3;
		second += byte == 0xa4;
	}
	fclose(log);
	/* The first line tells of the instance. */
	assert_int_equal(lines, 1 + MISTAKES);
	assert_in_range(first, 1, 1 << 20);
	assert_int_equal(first, second);
}

#define STRICT(test)	cmocka_unit_test_setup_teardown(test, open_gpu, close_gpu)

static const struct CMUnitTest tests[] = {
	STRICT(template_names_what_is_read),
	STRICT(template_names_what_is_flushed),
	STRICT(pushed_by_writes),
	STRICT(pushed_by_writes_and_flushed),
	STRICT(pushed_by_template),
	STRICT(pushed_by_template_and_flushed),
	STRICT(replaced_before_work),
	STRICT(bound_after_work),
	STRICT(work_after_the_barrier),
	STRICT(names_of_the_dead),
	STRICT(blocks_stay_mapped),
	STRICT(mapped_to_be_read),
	STRICT(flush_before_the_signal),
	STRICT(no_flush_before_the_signal),
	STRICT(flush_before_the_event),
	STRICT(no_flush_before_the_event),
	STRICT(what_is_over_is_not_judged),
	STRICT(an_event_ends_the_wait),
	STRICT(a_higher_value_ends_the_wait),
	STRICT(bits_are_of_the_types_shown),
	STRICT(two_devices_are_apart),
	cmocka_unit_test(names_without_the_extension),
	cmocka_unit_test_setup_teardown(log_has_more_than_messages, open_logging,
					remove_log),
};

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_skip_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
