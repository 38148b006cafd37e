// SPDX-License-Identifier: MIT
#include "vk.h"

/* Not empty, so that it is executed: a barrier of the workgroup. */
static const uint32_t barrier[] = {
	0x07230203, 0x00010000, 0, 9, 0,
	2 << 16 | 17, 1,				/* OpCapability Shader */
	3 << 16 | 14, 0, 1,				/* OpMemoryModel Logical GLSL450 */
	5 << 16 | 15, 5, 1, 0x6e69616d, 0,		/* OpEntryPoint GLCompute %1 "main" */
	6 << 16 | 16, 1, 17, 64, 1, 1,			/* OpExecutionMode %1 LocalSize 64 1 1 */
	2 << 16 | 19, 2,				/* %2 = OpTypeVoid */
	3 << 16 | 33, 3, 2,				/* %3 = OpTypeFunction %2 */
	4 << 16 | 21, 6, 32, 0,				/* %6 = OpTypeInt 32 0 */
	4 << 16 | 43, 6, 7, 2,				/* %7 = OpConstant %6 2 */
	4 << 16 | 43, 6, 8, 0x108,			/* %8 = OpConstant %6 0x108 */
	5 << 16 | 54, 2, 1, 0, 3,			/* %1 = OpFunction %2 None %3 */
	2 << 16 | 248, 4,				/* %4 = OpLabel */
	4 << 16 | 224, 7, 7, 8,				/* OpControlBarrier %7 %7 %8 */
	1 << 16 | 253,					/* OpReturn */
	1 << 16 | 56,					/* OpFunctionEnd */
};

void vk_shader_create(struct vk *vk, struct vk_shader *shader)
{
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
	};
	VkShaderModuleCreateInfo module = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(barrier),
		.pCode = barrier,
	};
	VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.pName = "main",
		},
	};

	CHECK(vkCreatePipelineLayout(vk->device, &layout, NULL, &shader->layout));
	CHECK(vkCreateShaderModule(vk->device, &module, NULL, &pipeline.stage.module));
	pipeline.layout = shader->layout;
	CHECK(vkCreateComputePipelines(vk->device, VK_NULL_HANDLE, 1, &pipeline, NULL,
				       &shader->pipeline));
	vkDestroyShaderModule(vk->device, pipeline.stage.module, NULL);
}

void vk_shader_destroy(struct vk *vk, const struct vk_shader *shader)
{
	vkDestroyPipeline(vk->device, shader->pipeline, NULL);
	vkDestroyPipelineLayout(vk->device, shader->layout, NULL);
}
