// SPDX-License-Identifier: MIT
/*
 * Render passes and their attachments: which images they load and store, and whether they end
 * with a barrier to the host. What a pass stores counts from its begin: in it there are no
 * barriers to the host.
 */
#include <stdlib.h>
#include <string.h>

#include "layer.h"

/* What passes do with an attachment. */
struct ops {
	bool loads;
	bool stores;
};

struct gsl_pass {
	bool to_host;	/* a dependency at its end is a barrier to the host */
	u32 count;
	struct ops ops[];
};

struct gsl_framebuffer {
	u32 count;	/* 0: the images come with the begin of the pass */
	VkImageView views[];
};

static struct ops ops_of(VkAttachmentLoadOp load, VkAttachmentStoreOp store)
{
	return (struct ops){ load == VK_ATTACHMENT_LOAD_OP_LOAD,
			     store == VK_ATTACHMENT_STORE_OP_STORE };
}

/* ---- What a pass is ---- */

static struct gsl_pass *make_pass(u32 count)
{
	struct gsl_pass *pass = calloc(1, sizeof(*pass) + count * sizeof(pass->ops[0]));

	if (pass)
		pass->count = count;
	return pass;
}

static void keep_pass(struct gsl_device *device, VkRenderPass handle, struct gsl_pass *pass)
{
	if (pass && !gsl_map_put(&device->passes, GSL_KEY(handle), pass))
		free(pass);
}

/*
 * Depth and stencil of an image are loaded and stored apart; of one that has only one of them,
 * or is of colours, the other's operations say nothing.
 */
static struct ops ops_of_both(VkFormat format, struct ops ops, struct ops stencil)
{
	switch (format) {
	case VK_FORMAT_S8_UINT:
		return stencil;
	case VK_FORMAT_D16_UNORM_S8_UINT:
	case VK_FORMAT_D24_UNORM_S8_UINT:
	case VK_FORMAT_D32_SFLOAT_S8_UINT:
		return (struct ops){ ops.loads || stencil.loads, ops.stores || stencil.stores };
	default:
		return ops;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateRenderPass(VkDevice handle,
						    const VkRenderPassCreateInfo *info,
						    const VkAllocationCallbacks *allocator,
						    VkRenderPass *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateRenderPass(handle, info, allocator, out);
	struct gsl_pass *pass = result ? NULL : make_pass(info->attachmentCount);
	u32 i;

	for (i = 0; pass && i < info->attachmentCount; i++) {
		const VkAttachmentDescription *described = &info->pAttachments[i];

		pass->ops[i] = ops_of_both(described->format,
					   ops_of(described->loadOp, described->storeOp),
					   ops_of(described->stencilLoadOp,
						  described->stencilStoreOp));
	}
	for (i = 0; pass && i < info->dependencyCount; i++)
		pass->to_host |= info->pDependencies[i].dstStageMask & VK_PIPELINE_STAGE_HOST_BIT &&
				 info->pDependencies[i].dstAccessMask & GSL_HOST_READS;
	keep_pass(device, *out, pass);
	return result;
}

#ifdef GSL_HAS_CreateRenderPass2
VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateRenderPass2(VkDevice handle,
						     const VkRenderPassCreateInfo2 *info,
						     const VkAllocationCallbacks *allocator,
						     VkRenderPass *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateRenderPass2(handle, info, allocator, out);
	struct gsl_pass *pass = result ? NULL : make_pass(info->attachmentCount);
	u32 i;

	for (i = 0; pass && i < info->attachmentCount; i++) {
		const VkAttachmentDescription2 *described = &info->pAttachments[i];

		pass->ops[i] = ops_of_both(described->format,
					   ops_of(described->loadOp, described->storeOp),
					   ops_of(described->stencilLoadOp,
						  described->stencilStoreOp));
	}
	/* A VkMemoryBarrier2 in a chain replaces the masks: then it is taken to be one. */
	for (i = 0; pass && i < info->dependencyCount; i++) {
		const VkSubpassDependency2 *dependency = &info->pDependencies[i];

		pass->to_host |= dependency->pNext ||
				 (dependency->dstStageMask & VK_PIPELINE_STAGE_HOST_BIT &&
				  dependency->dstAccessMask & GSL_HOST_READS);
	}
	keep_pass(device, *out, pass);
	return result;
}
#endif

VKAPI_ATTR void VKAPI_CALL gsl_DestroyRenderPass(VkDevice handle, VkRenderPass pass,
						 const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	free(gsl_map_take(&device->passes, GSL_KEY(pass)));
	device->calls.DestroyRenderPass(handle, pass, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL gsl_CreateFramebuffer(VkDevice handle,
						     const VkFramebufferCreateInfo *info,
						     const VkAllocationCallbacks *allocator,
						     VkFramebuffer *out)
{
	struct gsl_device *device = gsl_device_of(handle);
	VkResult result = device->calls.CreateFramebuffer(handle, info, allocator, out);
	u32 count = info->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT ? 0 : info->attachmentCount;
	struct gsl_framebuffer *framebuffer;

	if (result)
		return result;
	framebuffer = malloc(sizeof(*framebuffer) + count * sizeof(VkImageView));
	if (!framebuffer)
		return VK_SUCCESS;
	framebuffer->count = count;
	if (count)
		memcpy(framebuffer->views, info->pAttachments, count * sizeof(VkImageView));
	if (!gsl_map_put(&device->framebuffers, GSL_KEY(*out), framebuffer))
		free(framebuffer);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL gsl_DestroyFramebuffer(VkDevice handle, VkFramebuffer framebuffer,
						  const VkAllocationCallbacks *allocator)
{
	struct gsl_device *device = gsl_device_of(handle);

	free(gsl_map_take(&device->framebuffers, GSL_KEY(framebuffer)));
	device->calls.DestroyFramebuffer(handle, framebuffer, allocator);
}

/* ---- What is loaded and stored ---- */

static void use_attachment(struct gsl_device *device, VkCommandBuffer handle, VkImageView view,
			   struct ops ops, const VkRect2D *area)
{
	struct gsl_view *known = gsl_map_get(&device->views, GSL_IMAGE_KEY(view));
	u32 access = (ops.loads ? GSL_READ : 0) | (ops.stores ? GSL_WRITE : 0);
	VkExtent3D extent = { area->extent.width, area->extent.height, UINT32_MAX };

	if (known && access)
		gsl_commands_use_image(device, handle, known->resource, access, 1, extent);
}

static const VkRenderPassAttachmentBeginInfo *find_views(const void *chain)
{
	const VkBaseInStructure *next;

	for (next = chain; next; next = next->pNext) {
		if (next->sType == VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO)
			return (const void *)next;
	}
	return NULL;
}

static void begin_pass(VkCommandBuffer handle, const VkRenderPassBeginInfo *info)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_commands *commands = gsl_commands_of(device, handle);
	struct gsl_pass *pass = gsl_map_get(&device->passes, GSL_KEY(info->renderPass));
	struct gsl_framebuffer *framebuffer =
		gsl_map_get(&device->framebuffers, GSL_KEY(info->framebuffer));
	const VkRenderPassAttachmentBeginInfo *begun = find_views(info->pNext);
	const VkImageView *views = framebuffer ? framebuffer->views : NULL;
	u32 count = framebuffer ? framebuffer->count : 0, i;

	if (!commands || !pass)
		return;
	commands->pass_ends_with_barrier = pass->to_host;
	if (!count && begun) {
		views = begun->pAttachments;
		count = begun->attachmentCount;
	}
	for (i = 0; i < count && i < pass->count; i++)
		use_attachment(device, handle, views[i], pass->ops[i], &info->renderArea);
}

static void end_pass(VkCommandBuffer handle)
{
	struct gsl_device *device = gsl_device_of(handle);
	struct gsl_commands *commands = gsl_commands_of(device, handle);

	if (commands && commands->pass_ends_with_barrier)
		gsl_commands_barrier(device, handle);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBeginRenderPass(VkCommandBuffer handle,
						  const VkRenderPassBeginInfo *info,
						  VkSubpassContents contents)
{
	begin_pass(handle, info);
	gsl_device_of(handle)->calls.CmdBeginRenderPass(handle, info, contents);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdEndRenderPass(VkCommandBuffer handle)
{
	gsl_device_of(handle)->calls.CmdEndRenderPass(handle);
	end_pass(handle);
}

#ifdef GSL_HAS_CreateRenderPass2
VKAPI_ATTR void VKAPI_CALL gsl_CmdBeginRenderPass2(VkCommandBuffer handle,
						   const VkRenderPassBeginInfo *info,
						   const VkSubpassBeginInfo *contents)
{
	begin_pass(handle, info);
	gsl_device_of(handle)->calls.CmdBeginRenderPass2(handle, info, contents);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdEndRenderPass2(VkCommandBuffer handle,
						 const VkSubpassEndInfo *info)
{
	gsl_device_of(handle)->calls.CmdEndRenderPass2(handle, info);
	end_pass(handle);
}
#endif

/* ---- The same without pass objects ---- */

#ifdef GSL_HAS_CmdBeginRendering
/*
 * Of rendering that goes on in another command buffer, what is in between is neither stored nor
 * loaded.
 */
static void use_rendered(VkCommandBuffer handle, const VkRenderingInfoKHR *info,
			 const VkRenderingAttachmentInfoKHR *attachment)
{
	struct gsl_device *device = gsl_device_of(handle);
	static const struct ops resolved = { .stores = true };
	struct ops ops;

	if (!attachment)
		return;
	ops = ops_of(attachment->loadOp, attachment->storeOp);
	ops.loads &= !(info->flags & VK_RENDERING_RESUMING_BIT_KHR);
	ops.stores &= !(info->flags & VK_RENDERING_SUSPENDING_BIT_KHR);
	use_attachment(device, handle, attachment->imageView, ops, &info->renderArea);
	if (attachment->resolveMode)
		use_attachment(device, handle, attachment->resolveImageView, resolved,
			       &info->renderArea);
}

VKAPI_ATTR void VKAPI_CALL gsl_CmdBeginRendering(VkCommandBuffer handle,
						 const VkRenderingInfoKHR *info)
{
	u32 i;

	for (i = 0; i < info->colorAttachmentCount; i++)
		use_rendered(handle, info, &info->pColorAttachments[i]);
	use_rendered(handle, info, info->pDepthAttachment);
	use_rendered(handle, info, info->pStencilAttachment);
	gsl_device_of(handle)->calls.CmdBeginRendering(handle, info);
}
#endif
