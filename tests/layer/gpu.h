/* SPDX-License-Identifier: MIT */
/* A small Vulkan for the layer's tests: one device, one queue, and what the layer said. */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#define GPU_MESSAGES	64

struct gpu_message {
	char id[64];		/* without GEMSYNC- */
	char text[1024];
	bool possibly;
	uint64_t object;	/* the first one */
};

struct gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceMemoryProperties types;
	uint32_t atom;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
	VkDebugUtilsMessengerEXT messenger;
	PFN_vkSetDebugUtilsObjectNameEXT set_name;
	struct gpu_message messages[GPU_MESSAGES];
	unsigned int message_count;
	/* Of the shader that adds 1 to each word of a storage buffer. */
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout pipeline_layout;
	VkPipeline add_one;
	VkDescriptorPool sets;
};

/*
 * Open the first device with the layer, whose settings are @settings, as for GEMSYNC; NULL:
 * without the layer. Fails the test if that cannot be.
 */
void gpu_open(struct gpu *gpu, const char *settings);
void gpu_close(struct gpu *gpu);

/* How many messages of an id there were. */
unsigned int gpu_count(const struct gpu *gpu, const char *id);

/* The first message of an id; fails the test if there is none. */
const struct gpu_message *gpu_find(const struct gpu *gpu, const char *id);

/* Fails the test if there was any message. */
void gpu_expect_silence(const struct gpu *gpu);

struct gpu_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize size;	/* of the memory */
	uint8_t *map;		/* by gpu_map() */
};

enum gpu_kind {
	GPU_NONCOHERENT,	/* host-visible, not coherent */
	GPU_COHERENT,		/* host-visible and coherent */
};

/* A memory type of those that @bits allow. */
uint32_t gpu_find_type(const struct gpu *gpu, uint32_t bits, enum gpu_kind kind);

/* With every usage that transfers and storage need. */
void gpu_buffer_create(struct gpu *gpu, struct gpu_buffer *buffer, VkDeviceSize size,
		       enum gpu_kind kind);
void gpu_buffer_create_for(struct gpu *gpu, struct gpu_buffer *buffer, VkDeviceSize size,
			   enum gpu_kind kind, VkBufferUsageFlags usage);
void gpu_buffer_destroy(struct gpu *gpu, struct gpu_buffer *buffer);
void gpu_name(struct gpu *gpu, const struct gpu_buffer *buffer, const char *name);

void gpu_map(struct gpu *gpu, struct gpu_buffer *buffer);
void gpu_unmap(struct gpu *gpu, struct gpu_buffer *buffer);
void gpu_flush(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
	       VkDeviceSize size);
void gpu_invalidate(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
		    VkDeviceSize size);

/* Record: begin, some of these, and then submit, or submit and wait. */
void gpu_begin(struct gpu *gpu);
void gpu_copy(struct gpu *gpu, const struct gpu_buffer *from, const struct gpu_buffer *to,
	      VkDeviceSize offset, VkDeviceSize size);
void gpu_fill(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset,
	      VkDeviceSize size, uint32_t word);
void gpu_add_one(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize size);
/* The parts of gpu_add_one(). */
VkDescriptorSet gpu_set_allocate(struct gpu *gpu);
void gpu_set_write(struct gpu *gpu, VkDescriptorSet set, const struct gpu_buffer *buffer);
void gpu_set_bind(struct gpu *gpu, VkDescriptorSet set);
void gpu_dispatch(struct gpu *gpu, VkDeviceSize size);
void gpu_host_barrier(struct gpu *gpu);
void gpu_transfer_barrier(struct gpu *gpu);
void gpu_submit(struct gpu *gpu);
void gpu_wait(struct gpu *gpu);
void gpu_run(struct gpu *gpu);

/* A timeline semaphore, and a submission that waits for a value of it. */
VkSemaphore gpu_timeline_create(struct gpu *gpu);
void gpu_timeline_signal(struct gpu *gpu, VkSemaphore timeline, uint64_t value);
void gpu_timeline_wait(struct gpu *gpu, VkSemaphore timeline, uint64_t value);
/* The commands if they wait for nothing, else nothing; and a signal. */
void gpu_submit_signal(struct gpu *gpu, VkSemaphore wait, uint64_t wait_value,
		       VkSemaphore signal, uint64_t signal_value);
void gpu_submit_behind(struct gpu *gpu, VkSemaphore timeline, uint64_t value);

/* What the device has at an offset: read by a copy to coherent memory, past the layer. */
void gpu_peek(struct gpu *gpu, const struct gpu_buffer *buffer, VkDeviceSize offset, void *to,
	      VkDeviceSize size);

#define CHECK(call)	assert_int_equal(call, VK_SUCCESS)

#endif
