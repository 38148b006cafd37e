// SPDX-License-Identifier: MIT
/*
 * Linear images that the host maps and render passes load and store, and uploads into images of
 * each shape: each mistake, and its twin. Nothing is drawn: passes clear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

#define SIDE	16
#define OFFSET	256	/* of uploads in their buffer */
#define FORMAT	VK_FORMAT_R8G8B8A8_UNORM

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

/* ---- Images ---- */

struct image {
	VkImage image;
	VkImageView view;
	struct gpu_buffer at;	/* its memory and map; no buffer */
};

static const VkImageSubresourceRange all = { VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1 };
static const VkRect2D everywhere = { { 0, 0 }, { SIDE, SIDE } };
static const VkClearValue white = { .color.float32 = { 1, 1, 1, 1 } };

#define USAGE	(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT)

static void create_view(struct gpu *gpu, struct image *image)
{
	VkImageViewCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = image->image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = FORMAT,
		.subresourceRange = all,
	};

	CHECK(vkCreateImageView(gpu->device, &info, NULL, &image->view));
}

/* Mapped, in a layout for all, and zero for the host and for the device. */
static void create_image(struct gpu *gpu, struct image *image)
{
	VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = FORMAT,
		.extent = { SIDE, SIDE, 1 },
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = USAGE,
		.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED,
	};
	VkMemoryAllocateInfo allocate = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkMemoryRequirements requirements;

	memset(image, 0, sizeof(*image));
	CHECK(vkCreateImage(gpu->device, &info, NULL, &image->image));
	vkGetImageMemoryRequirements(gpu->device, image->image, &requirements);
	allocate.allocationSize = requirements.size;
	allocate.memoryTypeIndex =
		gpu_find_type(gpu, requirements.memoryTypeBits, GPU_NONCOHERENT);
	image->at.size = requirements.size;
	CHECK(vkAllocateMemory(gpu->device, &allocate, NULL, &image->at.memory));
	CHECK(vkBindImageMemory(gpu->device, image->image, image->at.memory, 0));
	create_view(gpu, image);
	gpu_map(gpu, &image->at);
	memset(image->at.map, 0, image->at.size);
	gpu_flush(gpu, &image->at, 0, VK_WHOLE_SIZE);
}

static void destroy_image(struct gpu *gpu, struct image *image)
{
	vkDestroyImageView(gpu->device, image->view, NULL);
	vkDestroyImage(gpu->device, image->image, NULL);
	gpu_buffer_destroy(gpu, &image->at);
}

/* ---- Passes ---- */

/* How an image is rendered to. */
enum way { PASS, PASS2, IMAGELESS, DYNAMIC };

static VkRenderPass make_pass(struct gpu *gpu, VkAttachmentLoadOp load, bool to_host)
{
	VkAttachmentDescription attachment = {
		.format = FORMAT,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = load,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
		.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED,
		.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
	};
	VkAttachmentReference reference = { 0, VK_IMAGE_LAYOUT_GENERAL };
	VkSubpassDescription subpass = {
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.colorAttachmentCount = 1,
		.pColorAttachments = &reference,
	};
	VkSubpassDependency dependency = {
		.srcSubpass = 0,
		.dstSubpass = VK_SUBPASS_EXTERNAL,
		.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_HOST_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};
	VkRenderPassCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
		.dependencyCount = to_host,
		.pDependencies = &dependency,
	};
	VkRenderPass pass;

	CHECK(vkCreateRenderPass(gpu->device, &info, NULL, &pass));
	return pass;
}

static VkRenderPass make_pass2(struct gpu *gpu, VkAttachmentLoadOp load, bool to_host)
{
	VkAttachmentDescription2 attachment = {
		.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
		.format = FORMAT,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = load,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
		.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED,
		.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
	};
	VkAttachmentReference2 reference = {
		.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
		.layout = VK_IMAGE_LAYOUT_GENERAL,
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
	};
	VkSubpassDescription2 subpass = {
		.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.colorAttachmentCount = 1,
		.pColorAttachments = &reference,
	};
	VkSubpassDependency2 dependency = {
		.sType = VK_STRUCTURE_TYPE_SUBPASS_DEPENDENCY_2,
		.dstSubpass = VK_SUBPASS_EXTERNAL,
		.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_HOST_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};
	VkRenderPassCreateInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
		.dependencyCount = to_host,
		.pDependencies = &dependency,
	};
	VkRenderPass pass;

	CHECK(vkCreateRenderPass2(gpu->device, &info, NULL, &pass));
	return pass;
}

static VkFramebuffer make_framebuffer(struct gpu *gpu, VkRenderPass pass,
				      const struct image *image, bool imageless)
{
	VkFormat format = FORMAT;
	VkFramebufferAttachmentImageInfo described = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENT_IMAGE_INFO,
		.usage = USAGE,
		.width = SIDE,
		.height = SIDE,
		.layerCount = 1,
		.viewFormatCount = 1,
		.pViewFormats = &format,
	};
	VkFramebufferAttachmentsCreateInfo attachments = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENTS_CREATE_INFO,
		.attachmentImageInfoCount = 1,
		.pAttachmentImageInfos = &described,
	};
	VkFramebufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.pNext = imageless ? &attachments : NULL,
		.flags = imageless ? VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT : 0,
		.renderPass = pass,
		.attachmentCount = 1,
		.pAttachments = imageless ? NULL : &image->view,
		.width = SIDE,
		.height = SIDE,
		.layers = 1,
	};
	VkFramebuffer framebuffer;

	CHECK(vkCreateFramebuffer(gpu->device, &info, NULL, &framebuffer));
	return framebuffer;
}

static void run_pass(struct gpu *gpu, const struct image *image, enum way way,
		     VkAttachmentLoadOp load, bool to_host)
{
	VkRenderPass pass = (way == PASS2 ? make_pass2 : make_pass)(gpu, load, to_host);
	VkRenderPassAttachmentBeginInfo attachments = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO,
		.attachmentCount = 1,
		.pAttachments = &image->view,
	};
	VkRenderPassBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.pNext = way == IMAGELESS ? &attachments : NULL,
		.renderPass = pass,
		.framebuffer = make_framebuffer(gpu, pass, image, way == IMAGELESS),
		.renderArea = everywhere,
		.clearValueCount = 1,
		.pClearValues = &white,
	};
	VkSubpassBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO };
	VkSubpassEndInfo end = { .sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO };

	gpu_begin(gpu);
	if (way == PASS2) {
		vkCmdBeginRenderPass2(gpu->commands, &info, &begin);
		vkCmdEndRenderPass2(gpu->commands, &end);
	} else {
		vkCmdBeginRenderPass(gpu->commands, &info, VK_SUBPASS_CONTENTS_INLINE);
		vkCmdEndRenderPass(gpu->commands);
	}
	gpu_run(gpu);
	vkDestroyFramebuffer(gpu->device, info.framebuffer, NULL);
	vkDestroyRenderPass(gpu->device, pass, NULL);
}

static void run_dynamic(struct gpu *gpu, const struct image *image, VkAttachmentLoadOp load,
			bool to_host)
{
	VkRenderingAttachmentInfo attachment = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = image->view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = load,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.clearValue = white,
	};
	VkRenderingInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.renderArea = everywhere,
		.layerCount = 1,
		.colorAttachmentCount = 1,
		.pColorAttachments = &attachment,
	};

	gpu_begin(gpu);
	vkCmdBeginRendering(gpu->commands, &info);
	vkCmdEndRendering(gpu->commands);
	if (to_host)
		gpu_host_barrier(gpu);
	gpu_run(gpu);
}

static void render(struct gpu *gpu, const struct image *image, enum way way,
		   VkAttachmentLoadOp load, bool to_host)
{
	if (way == DYNAMIC)
		run_dynamic(gpu, image, load, to_host);
	else
		run_pass(gpu, image, way, load, to_host);
}

/* ---- What passes store ---- */

static void store(struct gpu *gpu, enum way way, bool barrier, bool invalidate)
{
	struct image image;

	create_image(gpu, &image);
	render(gpu, &image, way, VK_ATTACHMENT_LOAD_OP_CLEAR, barrier);
	if (invalidate)
		gpu_invalidate(gpu, &image.at, 0, VK_WHOLE_SIZE);
	assert_int_equal(image.at.map[0], invalidate ? 0xff : 0);
	gpu_unmap(gpu, &image.at);
	destroy_image(gpu, &image);
}

static void expect_one(struct gpu *gpu, const char *id)
{
	gpu_find(gpu, id);
	assert_int_equal(gpu->message_count, 1);
	assert_non_null(strstr(gpu->messages[0].text, "in VkImage"));
}

#define STORES(name, way)							\
	static void name##_is_not_invalidated(void **state)			\
	{									\
		store(*state, way, true, false);				\
		expect_one(*state, "cpu-read-stale");				\
	}									\
	static void name##_has_no_barrier(void **state)				\
	{									\
		store(*state, way, false, true);				\
		expect_one(*state, "no-host-barrier");				\
	}									\
	static void name##_is_invalidated(void **state)				\
	{									\
		store(*state, way, true, true);					\
		gpu_expect_silence(*state);					\
	}

STORES(pass, PASS)
STORES(pass2, PASS2)
STORES(imageless, IMAGELESS)
STORES(dynamic, DYNAMIC)

/* ---- What they load ---- */

static void load(struct gpu *gpu, enum way way, VkAttachmentLoadOp op, bool flush)
{
	struct image image;

	create_image(gpu, &image);
	memset(image.at.map, 0x77, image.at.size);
	if (flush)
		gpu_flush(gpu, &image.at, 0, VK_WHOLE_SIZE);
	render(gpu, &image, way, op, true);
	gpu_invalidate(gpu, &image.at, 0, VK_WHOLE_SIZE);
	destroy_image(gpu, &image);
}

static void loaded_is_not_flushed(void **state)
{
	load(*state, PASS, VK_ATTACHMENT_LOAD_OP_LOAD, false);
	gpu_find(*state, "flush-too-early");
}

static void loaded_is_flushed(void **state)
{
	load(*state, PASS, VK_ATTACHMENT_LOAD_OP_LOAD, true);
	gpu_expect_silence(*state);
}

static void dynamically_loaded_is_not_flushed(void **state)
{
	load(*state, DYNAMIC, VK_ATTACHMENT_LOAD_OP_LOAD, false);
	gpu_find(*state, "flush-too-early");
}

static void dynamically_loaded_is_flushed(void **state)
{
	load(*state, DYNAMIC, VK_ATTACHMENT_LOAD_OP_LOAD, true);
	gpu_expect_silence(*state);
}

/* What is cleared was not read; but it is written over stores that a later flush brings back. */
static void cleared_is_not_read(void **state)
{
	load(*state, PASS, VK_ATTACHMENT_LOAD_OP_CLEAR, false);
	assert_int_equal(gpu_count(*state, "dev-read-dirty"), 0);
	gpu_find(*state, "dev-write-dirty");
}

/* ---- Uploads ---- */

/* A copy from a buffer, and how many of its bytes it reads by the specification. */
struct upload {
	VkFormat format;
	VkImageAspectFlags aspect;
	uint32_t depth;
	uint32_t layers;
	uint32_t row_length;
	uint32_t image_height;
	VkDeviceSize size;
};

static const struct upload uploads[] = {
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 1, 1, 0, 0, SIDE * SIDE * 4 },
	/* The last row of the last slice ends with its texels. */
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 1, 1, 32, 0, (15 * 32 + SIDE) * 4 },
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 2, 1, 0, 0, 2 * SIDE * SIDE * 4 },
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 3, 1, 0, 24, (2 * 24 + SIDE) * SIDE * 4 },
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 1, 3, 0, 0, 3 * SIDE * SIDE * 4 },
	{ FORMAT, VK_IMAGE_ASPECT_COLOR_BIT, 1, 2, 32, 20, ((20 + 15) * 32 + SIDE) * 4 },
	/* Of two aspects one is copied, as texels of its own size. */
	{ VK_FORMAT_D32_SFLOAT_S8_UINT, VK_IMAGE_ASPECT_DEPTH_BIT, 1, 1, 0, 0, SIDE * SIDE * 4 },
	{ VK_FORMAT_D32_SFLOAT_S8_UINT, VK_IMAGE_ASPECT_STENCIL_BIT, 1, 1, 0, 0, SIDE * SIDE },
};

static VkImage make_target(struct gpu *gpu, const struct upload *upload, VkDeviceMemory *memory)
{
	VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = upload->depth > 1 ? VK_IMAGE_TYPE_3D : VK_IMAGE_TYPE_2D,
		.format = upload->format,
		.extent = { SIDE, SIDE, upload->depth },
		.mipLevels = 1,
		.arrayLayers = upload->layers,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_OPTIMAL,
		.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkMemoryAllocateInfo allocate = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkMemoryRequirements requirements;
	VkImage image;

	CHECK(vkCreateImage(gpu->device, &info, NULL, &image));
	vkGetImageMemoryRequirements(gpu->device, image, &requirements);
	allocate.allocationSize = requirements.size;
	allocate.memoryTypeIndex =
		gpu_find_type(gpu, requirements.memoryTypeBits, GPU_NONCOHERENT);
	CHECK(vkAllocateMemory(gpu->device, &allocate, NULL, memory));
	CHECK(vkBindImageMemory(gpu->device, image, *memory, 0));
	return image;
}

static void record_upload(struct gpu *gpu, const struct upload *upload,
			  const struct gpu_buffer *from, VkImage image)
{
	VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = image,
		.subresourceRange = {
			upload->format == FORMAT ?
				VK_IMAGE_ASPECT_COLOR_BIT :
				VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT,
			0, 1, 0, upload->layers,
		},
	};
	VkBufferImageCopy region = {
		.bufferOffset = OFFSET,
		.bufferRowLength = upload->row_length,
		.bufferImageHeight = upload->image_height,
		.imageSubresource = { upload->aspect, 0, 0, upload->layers },
		.imageExtent = { SIDE, SIDE, upload->depth },
	};

	vkCmdPipelineBarrier(gpu->commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	vkCmdCopyBufferToImage(gpu->commands, from->buffer, image,
			       VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
}

/*
 * The host stores to all of a buffer, and flushes what the copy reads but for some bytes at its
 * end. What lies before the copy and behind it is never flushed.
 */
static void upload(struct gpu *gpu, const struct upload *upload, VkDeviceSize missing)
{
	char name[32];
	struct gpu_buffer from;
	VkDeviceMemory memory;
	VkImage image;

	gpu_buffer_create(gpu, &from, OFFSET + upload->size + 4096, GPU_NONCOHERENT);
	/* Findings of things of one name are told once. */
	snprintf(name, sizeof(name), "upload %td", upload - uploads);
	gpu_name(gpu, &from, name);
	gpu_map(gpu, &from);
	memset(from.map, 0x42, from.size);
	gpu_flush(gpu, &from, OFFSET, upload->size - missing);
	image = make_target(gpu, upload, &memory);
	gpu_begin(gpu);
	record_upload(gpu, upload, &from, image);
	gpu_run(gpu);
	vkDestroyImage(gpu->device, image, NULL);
	vkFreeMemory(gpu->device, memory, NULL);
	gpu_buffer_destroy(gpu, &from);
}

static void end_of_an_upload_is_not_flushed(void **state)
{
	struct gpu *gpu = *state;
	char place[64];
	size_t i;

	for (i = 0; i < sizeof(uploads) / sizeof(uploads[0]); i++) {
		upload(gpu, &uploads[i], gpu->atom);
		assert_int_equal(gpu_count(gpu, "dev-read-dirty"), 1);
		snprintf(place, sizeof(place), "%u bytes at offset %u", gpu->atom,
			 (uint32_t)(OFFSET + uploads[i].size - gpu->atom));
		assert_non_null(strstr(gpu_find(gpu, "dev-read-dirty")->text, place));
		gpu->message_count = 0;
	}
}

static void uploads_are_flushed(void **state)
{
	struct gpu *gpu = *state;
	size_t i;

	for (i = 0; i < sizeof(uploads) / sizeof(uploads[0]); i++) {
		upload(gpu, &uploads[i], 0);
		gpu_expect_silence(gpu);
	}
}

#define STRICT(test)	cmocka_unit_test_setup_teardown(test, open_gpu, close_gpu)
#define THREE(name)	STRICT(name##_is_not_invalidated), STRICT(name##_has_no_barrier), \
			STRICT(name##_is_invalidated)

static const struct CMUnitTest tests[] = {
	THREE(pass),
	THREE(pass2),
	THREE(imageless),
	THREE(dynamic),
	STRICT(loaded_is_not_flushed),
	STRICT(loaded_is_flushed),
	STRICT(dynamically_loaded_is_not_flushed),
	STRICT(dynamically_loaded_is_flushed),
	STRICT(cleared_is_not_read),
	STRICT(end_of_an_upload_is_not_flushed),
	STRICT(uploads_are_flushed),
};

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_skip_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
