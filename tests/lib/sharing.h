/* SPDX-License-Identifier: MIT */
/* Handles and dma-bufs of the fixture's device, and vgem to import them. */
#ifndef SHARING_H
#define SHARING_H

#include "fixture.h"

/* Where an imported BO is bound: far from what the fixture binds. */
#define IMPORT_VA	(1ull << 40)

/* PRIME: 0 or -errno. */
int export_handle(int drm, uint32_t handle, int *dmabuf);
int import_dmabuf(int drm, int dmabuf, uint32_t *handle);

/* The dma-buf of a shareable BO, which must work. */
int export_buffer(struct fixture *f, const struct buffer *buf);

/* VM_BIND, BO_QUERY_INFO and BO_MMAP_OFFSET of a bare handle: 0 or -errno. */
int bind_handle(int drm, uint32_t vm, uint32_t handle, uint64_t va, uint64_t size);
int query_handle(int drm, uint32_t handle, uint32_t *create_flags, uint32_t *extra_flags);
int mmap_offset(int drm, uint32_t handle, uint64_t *offset);

/* The primary node of the fixture's device, opened once more, or the test is skipped. */
int open_primary(struct fixture *f);

/* Shared map of a dma-buf; MAP_FAILED with errno if it is refused. */
void *map_dmabuf(int dmabuf, uint64_t size);

/* DMA_BUF_IOCTL_SYNC with DMA_BUF_SYNC_*. */
void sync_dmabuf(int dmabuf, uint64_t flags);

/* The vgem device, or the test is skipped. */
int vgem_open(void);

#endif
