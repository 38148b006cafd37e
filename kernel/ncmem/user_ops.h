/* SPDX-License-Identifier: GPL-2.0-only */
/* Between what traps cache instructions of user space, and what they do. */
#ifndef NCMEM_USER_OPS_H
#define NCMEM_USER_OPS_H

#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/types.h>

#include <access.h>

#include "ncmem.h"

enum ncmem_user_op ncmem_user_op_at(unsigned long address, u32 size, enum gs_sync_type type);

#ifdef NCMEM_HAS_TRAP
int ncmem_trap_init(void);
void ncmem_trap_exit(void);
#else
static inline int ncmem_trap_init(void)
{
	pr_err("ncmem: user_ops: it takes arm64 with function tracing to trap instructions\n");
	return -EOPNOTSUPP;
}

static inline void ncmem_trap_exit(void)
{
}
#endif

#endif
