/* SPDX-License-Identifier: MIT */
/*
 * Memory that is shared: made by one, mapped and used by another. What is made here
 * lives as long as the case's process.
 */
#ifndef SHARE_H
#define SHARE_H

#include "case.h"
#include "exporter.h"

#define PAGE	4096ull

/*
 * A buffer of the device under test. An exporter makes it by its own means; on a GPU's
 * device it is a shareable BO of another file. Its maker's map, if there is one, was
 * not touched.
 */
struct exported *new_exported(struct cf *cf, uint64_t size);

/* A buffer of the maker of that name. The case is skipped if it is not there. */
struct exported *new_foreign(const char *maker, uint64_t size);

/* Close all that its maker has: map, handle and file. The dma-buf stays. */
void forget_maker(struct exported *made);

/*
 * A GPU that imports: that of the case, or, where an exporter is tested, that of the
 * first device that opens, which is the case's own from here on. The case is skipped
 * if there is none.
 */
void need_importer(struct cf *cf);

/* Import into the GPU's device, or a skip if the library cannot (R23). Not bound. */
struct gemsync_bo *import_bo(struct cf *cf, int dmabuf);

/* Import into the GPU's device. It is bound, and not mapped; it lives as long as the case. */
struct buffer *import_buffer(struct cf *cf, int dmabuf);

/* The device's primary node, where GEM names are, opened once more; or a skip. */
struct gemsync_device *primary_node(struct cf *cf);

/* A descriptor over a socket, to another process; what is received, or -1. */
void send_fd(int sock, int fd);
int receive_fd(int sock);

/* A shared map, which must work, or 0 or -errno of trying; then nothing stays mapped. */
void *map_fd(int fd, uint64_t offset, uint64_t size);
int try_map(int fd, uint64_t offset, uint64_t size);

/* What the CPU writes through @map the GPU reads, and the other way, in each page. */
void expect_shared(struct cf *cf, const struct exported *made, void *map,
		   const struct buffer *imported);

/* How many bytes are not 0. */
uint64_t count_nonzero(const void *data, uint64_t size);
uint64_t count_nonzero_by_gpu(struct cf *cf, const struct buffer *buf, uint64_t size);

/* Whether a call ended with SIGBUS, or the load of a byte does. For any thread. */
bool ends_with_sigbus(void (*call)(void *data), void *data);
bool is_sigbus(const void *byte);

#endif
