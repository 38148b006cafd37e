// SPDX-License-Identifier: MIT
/*
 * Architectures without cache maintenance in user space, or unknown here: the kernel's
 * calls are the only way (R24).
 */
#include "cpu_internal.h"

const struct cpu_ops gemsync_cpu_backends[] = {
	{ 0 },
};
