// SPDX-License-Identifier: GPL-2.0-only
/* dma-buf keeps the mapping of an attachment until it is detached, if the exporter wants. */
#include <linux/dma-buf.h>

const struct dma_buf_ops probe = {
	.cache_sgt_mapping = sizeof(((struct dma_buf_attachment *)0)->sgt),
};
