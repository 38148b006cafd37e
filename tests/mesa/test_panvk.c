// SPDX-License-Identifier: MIT
/*
 * Unmodified Mesa's panvk on the virtual panthor: what it does is right and told of as right,
 * and a flush or invalidate that its application leaves out is found. There are no shader
 * cores: what needs one loses the device.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vk.h"

#define KIB		1024ull
#define LINE		64ull
#define PAGE		4096ull
/* For what is not to happen. */
#define SHORT_NS	100000000ull

static int open_vk(void **state)
{
	static struct vk vk;

	vk_open(&vk);
	*state = &vk;
	return 0;
}

static int close_vk(void **state)
{
	vk_close(*state);
	return 0;
}

static void expect_silence(struct vk *vk)
{
	assert_int_equal(vk_violations(vk, NULL), 0);
}

__attribute__((noreturn))
static void skip_because(const char *reason)
{
	printf("# SKIP %s\n", reason);
	skip();
	abort();
}

/* Mesa 26.1 has one, 25.0 has none. */
static void need_cached(const struct vk *vk)
{
	if (vk_find_type(vk, UINT32_MAX, MEMORY_CACHED) == UINT32_MAX)
		skip_because("this Mesa has no cached memory that is not coherent");
}

/* ---- Memory ---- */

/* A device that does not snoop, so a cached type is not coherent, and its atom is a line. */
static void cached_type_is_not_coherent(void **state)
{
	struct vk *vk = *state;
	uint32_t type = vk_find_type(vk, UINT32_MAX, MEMORY_CACHED);
	VkPhysicalDeviceProperties properties;

	need_cached(vk);
	assert_true(vk->types.memoryTypes[type].propertyFlags &
		    VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
	vkGetPhysicalDeviceProperties(vk->physical, &properties);
	assert_int_equal(properties.limits.nonCoherentAtomSize, LINE);
}

/* Each type in a size below, at, and above a page. */
static void memory_of_each_type(void **state)
{
	static const VkDeviceSize sizes[] = { 1, PAGE, 300 * KIB };
	struct vk *vk = *state;
	uint32_t type, i;

	for (type = 0; type < vk->types.memoryTypeCount; type++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			VkMemoryAllocateInfo info = {
				.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
				.allocationSize = sizes[i],
				.memoryTypeIndex = type,
			};
			VkDeviceMemory memory;
			uint8_t *map;

			CHECK(vkAllocateMemory(vk->device, &info, NULL, &memory));
			if (vk->types.memoryTypes[type].propertyFlags &
			    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
				CHECK(vkMapMemory(vk->device, memory, 0, VK_WHOLE_SIZE, 0,
						  (void **)&map));
				memset(map, 0x5a, sizes[i]);
				assert_int_equal(map[sizes[i] - 1], 0x5a);
				vkUnmapMemory(vk->device, memory);
			}
			vkFreeMemory(vk->device, memory, NULL);
		}
	}
	vk_run(vk, false);
	expect_silence(vk);
}

/* ---- Exactly the range ---- */

static uint64_t lines_of(VkDeviceSize offset, VkDeviceSize size)
{
	return (offset + size + LINE - 1) / LINE - offset / LINE;
}

/* Mesa may keep flushes back until the next submission. */
static uint64_t cleaned_by_submission(struct vk *vk, uint64_t before)
{
	vk_run(vk, false);
	return vk_costs(vk).lines_cleaned - before;
}

#define WHOLE	VK_WHOLE_SIZE

/* What the application may ask for: multiples of the atom, or up to the end. */
static const struct {
	VkDeviceSize offset, size;
} ranges[] = {
	{ 0, LINE },
	{ 5 * LINE, 3 * LINE },
	/* Over a page. */
	{ PAGE - LINE, 2 * LINE },
	{ PAGE - LINE, PAGE + 2 * LINE },
	/* At the end. */
	{ 64 * KIB - LINE, LINE },
	{ 64 * KIB - 3 * LINE, WHOLE },
	{ 0, WHOLE },
};

static uint64_t lines_of_range(size_t i)
{
	VkDeviceSize size = ranges[i].size == WHOLE ? 64 * KIB - ranges[i].offset :
						      ranges[i].size;

	return lines_of(ranges[i].offset, size);
}

/* Where lines move on their own, a flush that is left out need not show. */
static void need_lazy(const struct vk *vk)
{
	if (vk->info.chaos)
		skip_because("the emulated cache's mode is chaos: run it in mode lazy");
}

static void flushes_are_exact(void **state)
{
	struct vk *vk = *state;
	struct vk_memory memory;
	uint64_t before, own;
	size_t i;

	need_cached(vk);
	vk_alloc(vk, &memory, 64 * KIB, MEMORY_CACHED, NULL, 0);
	vk_run(vk, false);
	own = cleaned_by_submission(vk, vk_costs(vk).lines_cleaned);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		memset(memory.map, (int)i, memory.size);
		before = vk_costs(vk).lines_cleaned;
		vk_flush(vk, &memory, ranges[i].offset, ranges[i].size);
		assert_int_equal(cleaned_by_submission(vk, before), lines_of_range(i) + own);
	}
	vk_free(vk, &memory);
	expect_silence(vk);
}

static void invalidates_are_exact(void **state)
{
	struct vk *vk = *state;
	struct vk_memory memory;
	uint64_t before;
	size_t i;

	need_cached(vk);
	vk_alloc(vk, &memory, 64 * KIB, MEMORY_CACHED, NULL, 0);
	vk_run(vk, false);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		before = vk_costs(vk).lines_dropped;
		vk_invalidate(vk, &memory, ranges[i].offset, ranges[i].size);
		assert_int_equal(vk_costs(vk).lines_dropped - before, lines_of_range(i));
	}
	vk_free(vk, &memory);
	expect_silence(vk);
}

/*
 * Several in one call, of two memories, one of which is mapped from the middle on. (Mesa takes
 * VK_WHOLE_SIZE there as up to the end of the memory, not of the map: that is more than is
 * asked for, and no mistake.)
 */
static void ranges_of_one_call(void **state)
{
	struct vk *vk = *state;
	struct vk_memory memory[2];
	uint64_t before, own;
	VkMappedMemoryRange call[3];
	size_t i;

	need_cached(vk);
	for (i = 0; i < 2; i++)
		vk_alloc(vk, &memory[i], 64 * KIB, MEMORY_CACHED, NULL, 0);
	vkUnmapMemory(vk->device, memory[1].memory);
	CHECK(vkMapMemory(vk->device, memory[1].memory, 32 * KIB, 8 * KIB, 0,
			  (void **)&memory[1].map));
	memset(memory[0].map, 1, 64 * KIB);
	memset(memory[1].map, 1, 8 * KIB);
	for (i = 0; i < ARRAY_SIZE(call); i++)
		call[i] = (VkMappedMemoryRange) {
			.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		};
	call[0].memory = memory[0].memory;
	call[0].offset = LINE;
	call[0].size = 2 * LINE;
	call[1].memory = memory[1].memory;
	call[1].offset = 33 * KIB;
	call[1].size = KIB;
	/* To the end of what is mapped. */
	call[2].memory = memory[1].memory;
	call[2].offset = 39 * KIB;
	call[2].size = KIB;
	vk_run(vk, false);
	own = cleaned_by_submission(vk, vk_costs(vk).lines_cleaned);
	before = vk_costs(vk).lines_cleaned;
	CHECK(vkFlushMappedMemoryRanges(vk->device, 3, call));
	assert_int_equal(cleaned_by_submission(vk, before), 2 + 2 * KIB / LINE + own);
	for (i = 0; i < 2; i++)
		vk_free(vk, &memory[i]);
	expect_silence(vk);
}

/* ---- Submissions ---- */

static VkSemaphore create_semaphore(struct vk *vk, VkSemaphoreType type)
{
	VkSemaphoreTypeCreateInfo kind = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = type,
	};
	VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &kind,
	};
	VkSemaphore semaphore;

	CHECK(vkCreateSemaphore(vk->device, &info, NULL, &semaphore));
	return semaphore;
}

/* A submission without commands, which waits for one semaphore and signals another one. */
static void submit_between(struct vk *vk, VkSemaphore wait, uint64_t wait_value,
			   VkSemaphore signal, uint64_t signal_value, VkFence fence)
{
	VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphoreValues = &wait_value,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &signal_value,
	};
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.waitSemaphoreCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphores = &wait,
		.pWaitDstStageMask = &stage,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &signal,
	};

	CHECK(vkQueueSubmit(vk->queue, 1, &submit, fence));
}

static uint64_t value_of(struct vk *vk, VkSemaphore semaphore)
{
	uint64_t value;

	CHECK(vkGetSemaphoreCounterValue(vk->device, semaphore, &value));
	return value;
}

static void wait_for_fence(struct vk *vk)
{
	CHECK(vkWaitForFences(vk->device, 1, &vk->fence, VK_TRUE, LONG_NS));
	CHECK(vkResetFences(vk->device, 1, &vk->fence));
}

static void submissions_follow_each_other(void **state)
{
	struct vk *vk = *state;
	VkSemaphore binary = create_semaphore(vk, VK_SEMAPHORE_TYPE_BINARY);
	VkSemaphore points = create_semaphore(vk, VK_SEMAPHORE_TYPE_TIMELINE);
	VkSemaphoreSignalInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = points,
		.value = 2,
	};

	submit_between(vk, VK_NULL_HANDLE, 0, binary, 0, VK_NULL_HANDLE);
	submit_between(vk, binary, 0, points, 1, vk->fence);
	wait_for_fence(vk);
	assert_int_equal(value_of(vk, points), 1);
	/* Twin: nothing happens until the host says so. */
	submit_between(vk, points, 2, points, 3, vk->fence);
	assert_int_equal(vkWaitForFences(vk->device, 1, &vk->fence, VK_TRUE, SHORT_NS),
			 VK_TIMEOUT);
	assert_int_equal(value_of(vk, points), 1);
	CHECK(vkSignalSemaphore(vk->device, &signal));
	wait_for_fence(vk);
	assert_int_equal(value_of(vk, points), 3);
	vkDestroySemaphore(vk->device, points, NULL);
	vkDestroySemaphore(vk->device, binary, NULL);
	expect_silence(vk);
}

static void barriers_and_timestamps(void **state)
{
	struct vk *vk = *state;
	VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = 2,
	};
	VkMemoryBarrier to_host = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};
	uint64_t times[2] = { 0 };
	VkQueryPool queries;

	if (!vk->has_times)
		skip_because("this Mesa has no timestamps");
	CHECK(vkCreateQueryPool(vk->device, &info, NULL, &queries));
	vkResetQueryPool(vk->device, queries, 0, 2);
	/* Twin: there is no time yet. */
	assert_int_equal(vkGetQueryPoolResults(vk->device, queries, 0, 2, sizeof(times), times,
					       sizeof(times[0]), VK_QUERY_RESULT_64_BIT),
			 VK_NOT_READY);
	vk_begin(vk);
	vkCmdWriteTimestamp(vk->commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queries, 0);
	vkCmdPipelineBarrier(vk->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &to_host, 0, NULL, 0, NULL);
	vkCmdWriteTimestamp(vk->commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries, 1);
	vk_run(vk, true);
	CHECK(vkGetQueryPoolResults(vk->device, queries, 0, 2, sizeof(times), times,
				    sizeof(times[0]), VK_QUERY_RESULT_64_BIT));
	assert_true(times[0]);
	assert_true(times[1] >= times[0]);
	vkDestroyQueryPool(vk->device, queries, NULL);
	expect_silence(vk);
}

static void wait_for_event(struct vk *vk, VkEvent event, VkPipelineStageFlags from)
{
	vkCmdWaitEvents(vk->commands, 1, &event, from, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0,
			NULL, 0, NULL, 0, NULL);
}

/* The host sets one before the submission, as it has to, and the device another one. */
static void events_both_ways(void **state)
{
	struct vk *vk = *state;
	VkEventCreateInfo info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	VkEvent of_device, of_host;

	CHECK(vkCreateEvent(vk->device, &info, NULL, &of_device));
	CHECK(vkCreateEvent(vk->device, &info, NULL, &of_host));
	CHECK(vkSetEvent(vk->device, of_host));
	vk_begin(vk);
	wait_for_event(vk, of_host, VK_PIPELINE_STAGE_HOST_BIT);
	vkCmdSetEvent(vk->commands, of_device, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	wait_for_event(vk, of_device, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	vkCmdResetEvent(vk->commands, of_host, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	/* Twin: nothing has happened yet. */
	assert_int_equal(vkGetEventStatus(vk->device, of_device), VK_EVENT_RESET);
	assert_int_equal(vkGetEventStatus(vk->device, of_host), VK_EVENT_SET);
	vk_run(vk, true);
	assert_int_equal(vkGetEventStatus(vk->device, of_device), VK_EVENT_SET);
	assert_int_equal(vkGetEventStatus(vk->device, of_host), VK_EVENT_RESET);
	vkDestroyEvent(vk->device, of_host, NULL);
	vkDestroyEvent(vk->device, of_device, NULL);
	expect_silence(vk);
}

/* ---- What the device reads of what the CPU wrote ---- */

#define PREDICATE	(PAGE + 3 * LINE)

/* A dispatch that only a predicate other than 0 lets happen. */
static VkResult dispatch_if(struct vk *vk, const struct vk_memory *memory)
{
	PFN_vkCmdBeginConditionalRenderingEXT begin = (PFN_vkCmdBeginConditionalRenderingEXT)
		vkGetDeviceProcAddr(vk->device, "vkCmdBeginConditionalRenderingEXT");
	PFN_vkCmdEndConditionalRenderingEXT end = (PFN_vkCmdEndConditionalRenderingEXT)
		vkGetDeviceProcAddr(vk->device, "vkCmdEndConditionalRenderingEXT");
	VkConditionalRenderingBeginInfoEXT condition = {
		.sType = VK_STRUCTURE_TYPE_CONDITIONAL_RENDERING_BEGIN_INFO_EXT,
		.buffer = memory->buffer,
		.offset = PREDICATE,
	};
	struct vk_shader shader;
	VkResult result;

	vk_shader_create(vk, &shader);
	vk_begin(vk);
	vkCmdBindPipeline(vk->commands, VK_PIPELINE_BIND_POINT_COMPUTE, shader.pipeline);
	begin(vk->commands, &condition);
	vkCmdDispatch(vk->commands, 1, 1, 1);
	end(vk->commands);
	result = vk_try(vk, true);
	vk_shader_destroy(vk, &shader);
	return result;
}

static void need_conditions(const struct vk *vk)
{
	need_cached(vk);
	if (!vk->has_conditions)
		skip_because("this Mesa has no VK_EXT_conditional_rendering");
}

static void set_predicate(const struct vk_memory *memory, uint32_t value)
{
	memcpy(memory->map + PREDICATE, &value, sizeof(value));
}

static void condition_is_flushed(void **state)
{
	struct vk *vk = *state;
	struct vk_memory memory;

	need_conditions(vk);
	vk_alloc(vk, &memory, 64 * KIB, MEMORY_CACHED, NULL, 0);
	set_predicate(&memory, 1);
	vk_flush(vk, &memory, PREDICATE, LINE);
	vk_run(vk, false);
	set_predicate(&memory, 0);
	vk_flush(vk, &memory, PREDICATE, LINE);
	CHECK(dispatch_if(vk, &memory));
	expect_silence(vk);
	vk_free(vk, &memory);
}

/* The device finds the old one, and the record says what was not flushed. */
static void condition_is_not_flushed(void **state)
{
	struct vk *vk = *state;
	struct gemsync_violation violation;
	struct vk_memory memory;

	need_lazy(vk);
	need_conditions(vk);
	vk_alloc(vk, &memory, 64 * KIB, MEMORY_CACHED, NULL, 0);
	set_predicate(&memory, 1);
	vk_flush(vk, &memory, PREDICATE, LINE);
	vk_run(vk, false);
	expect_silence(vk);
	set_predicate(&memory, 0);
	assert_int_equal(dispatch_if(vk, &memory), VK_ERROR_DEVICE_LOST);
	assert_int_equal(vk_violations(vk, &violation), 1);
	assert_int_equal(violation.kind, GEMSYNC_DEV_READ_DIRTY);
	assert_int_equal(violation.offset % PAGE, PREDICATE % PAGE);
	assert_int_equal(violation.sync_size, LINE);
	vk_free(vk, &memory);
}

/* ---- What needs a shader core ---- */

static void shaders_lose_the_device(void **state)
{
	struct vk *vk = *state;
	struct vk_shader shader;

	vk_shader_create(vk, &shader);
	vk_begin(vk);
	vkCmdBindPipeline(vk->commands, VK_PIPELINE_BIND_POINT_COMPUTE, shader.pipeline);
	vkCmdDispatch(vk->commands, 1, 1, 1);
	assert_int_equal(vk_try(vk, true), VK_ERROR_DEVICE_LOST);
	vk_shader_destroy(vk, &shader);
	expect_silence(vk);
}

/* ---- Sharing ---- */

static void export_memory(struct vk *vk, struct vk_memory *memory, int *fd)
{
	VkExportMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	VkMemoryGetFdInfoKHR get = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.handleType = info.handleTypes,
	};
	PFN_vkGetMemoryFdKHR get_fd =
		(PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(vk->device, "vkGetMemoryFdKHR");

	vk_alloc(vk, memory, 64 * KIB, MEMORY_COHERENT, &info, info.handleTypes);
	get.memory = memory->memory;
	CHECK(get_fd(vk->device, &get, fd));
}

static void import_memory(struct vk *vk, struct vk_memory *memory, int fd)
{
	VkImportMemoryFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
		.fd = fd,
	};

	vk_alloc(vk, memory, 64 * KIB, MEMORY_COHERENT, &info, info.handleType);
}

static void shared_between_devices(void **state)
{
	struct vk *vk = *state;
	struct vk_memory exported, imported;
	struct vk other;
	int fd;

	export_memory(vk, &exported, &fd);
	memset(exported.map, 0x5a, exported.size);
	vk_open(&other);
	import_memory(&other, &imported, fd);
	assert_memory_equal(imported.map, exported.map, exported.size);
	imported.map[7] = 1;
	assert_int_equal(exported.map[7], 1);
	vk_free(&other, &imported);
	vk_close(&other);
	vk_free(vk, &exported);
	expect_silence(vk);
}

static void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = "", byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd = -1;

	assert_int_equal(recvmsg(socket, &message, 0), 1);
	header = CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	assert_true(fd >= 0);
	return fd;
}

/*
 * Another process of this program, for a role in which it has @fd: as in a new one nothing of
 * Mesa is there, and what fails ends it.
 */
static pid_t start_as(const char *role, int fd)
{
	char number[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execl("/proc/self/exe", "test-panvk", role, number, NULL);
		_exit(127);
	}
	return pid;
}

__attribute__((noreturn))
static void look_at_import(int socket)
{
	struct vk_memory memory;
	struct vk vk;

	vk_open(&vk);
	import_memory(&vk, &memory, receive_fd(socket));
	assert_int_equal(memory.map[4711], 0x5a);
	memory.map[4711] = 0xa5;
	vk_free(&vk, &memory);
	vk_close(&vk);
	_exit(0);
}

static void shared_between_processes(void **state)
{
	struct vk_memory memory;
	int sockets[2], fd, status;
	struct vk vk;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	pid = start_as("importer", sockets[1]);
	vk_open(&vk);
	export_memory(&vk, &memory, &fd);
	memset(memory.map, 0x5a, memory.size);
	send_fd(sockets[0], fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(memory.map[4711], 0xa5);
	close(fd);
	close(sockets[0]);
	close(sockets[1]);
	vk_free(&vk, &memory);
	expect_silence(&vk);
	vk_close(&vk);
}

/* ---- Killed ---- */

enum phase { WITH_DEVICE, WITH_MEMORY, WITH_WORK, PHASES };

static const char *const phase_names[PHASES] = { "device", "memory", "work" };

/* Says that it is there, and then waits to be killed. */
__attribute__((noreturn))
static void go_to(enum phase phase, int ready)
{
	VkEventCreateInfo info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	struct vk_memory memory;
	VkSubmitInfo submit = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO };
	VkEvent event;
	struct vk vk;

	vk_open(&vk);
	if (phase >= WITH_MEMORY) {
		vk_alloc(&vk, &memory, 16 * KIB * KIB, MEMORY_COHERENT, NULL, 0);
		memset(memory.map, 1, memory.size);
	}
	if (phase >= WITH_WORK) {
		/* For an event that nobody sets. */
		CHECK(vkCreateEvent(vk.device, &info, NULL, &event));
		vk_begin(&vk);
		wait_for_event(&vk, event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
		CHECK(vkEndCommandBuffer(vk.commands));
		submit.commandBufferCount = 1;
		submit.pCommandBuffers = &vk.commands;
		CHECK(vkQueueSubmit(vk.queue, 1, &submit, VK_NULL_HANDLE));
	}
	assert_int_equal(write(ready, "", 1), 1);
	for (;;)
		pause();
}

/* What is left behind then, tests/vm/leaks would find. */
static void killed_in_each_phase(void **state)
{
	enum phase phase;

	(void)state;
	for (phase = 0; phase < PHASES; phase++) {
		int ready[2], status;
		pid_t pid;
		char byte;

		assert_int_equal(pipe(ready), 0);
		pid = start_as(phase_names[phase], ready[1]);
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		close(ready[0]);
	}
}

#define WITH_VK(test)	cmocka_unit_test_setup_teardown(test, open_vk, close_vk)

/* As start_as() says. */
__attribute__((noreturn))
static void play(const char *role, int fd)
{
	enum phase phase;

	if (!strcmp(role, "importer"))
		look_at_import(fd);
	for (phase = 0; phase < PHASES; phase++) {
		if (!strcmp(role, phase_names[phase]))
			go_to(phase, fd);
	}
	_exit(2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_in_each_phase),
		cmocka_unit_test(shared_between_processes),
		WITH_VK(cached_type_is_not_coherent),
		WITH_VK(memory_of_each_type),
		WITH_VK(flushes_are_exact),
		WITH_VK(invalidates_are_exact),
		WITH_VK(ranges_of_one_call),
		WITH_VK(submissions_follow_each_other),
		WITH_VK(barriers_and_timestamps),
		WITH_VK(events_both_ways),
		WITH_VK(condition_is_flushed),
		WITH_VK(condition_is_not_flushed),
		WITH_VK(shaders_lose_the_device),
		WITH_VK(shared_between_devices),
	};

	if (argc == 3)
		play(argv[1], (int)strtol(argv[2], NULL, 10));
	return cmocka_run_group_tests_name("panvk", tests, NULL, NULL);
}
