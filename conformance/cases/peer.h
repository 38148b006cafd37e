/* SPDX-License-Identifier: MIT */
/* Another process, which uses a dma-buf on the GPU of another driver. */
#ifndef PEER_H
#define PEER_H

#include <sys/types.h>

#include "share.h"

struct peer {
	pid_t pid;
	int sock;
};

#define PEER_DRIVERS	3

/*
 * On the driver of that number, below PEER_DRIVERS. False, and there is no process, if that
 * is the case's own, or there is no device of it whose GPU can be made to work.
 */
bool start_peer(struct cf *cf, unsigned int index, int dmabuf, struct peer *peer);
void end_peer(struct peer *peer);

/* By its GPU, which must succeed. */
uint32_t peer_load(struct peer *peer, uint64_t offset);
void peer_store(struct peer *peer, uint64_t offset, uint32_t value);

/* End the case as skipped: no driver has a peer. */
__attribute__((noreturn))
void skip_without_peer(void);

#endif
