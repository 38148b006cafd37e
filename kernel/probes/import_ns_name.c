// SPDX-License-Identifier: GPL-2.0-only
/* The name space of imported symbols is a name, of which the kernel makes a string. */
#include <linux/module.h>

MODULE_IMPORT_NS(DMA_BUF);
