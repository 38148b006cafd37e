#version 450
// SPDX-License-Identifier: MIT
// Adds 1 to each word.
layout(local_size_x = 64) in;

layout(set = 0, binding = 0) buffer Words {
	uint words[];
};

void main()
{
	words[gl_GlobalInvocationID.x] += 1;
}
