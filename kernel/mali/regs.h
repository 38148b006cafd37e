/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of Mali GPUs, as offsets, and what their bits mean. */
#ifndef MALI_REGS_H
#define MALI_REGS_H

#include <linux/bits.h>

/* Control */
#define GPU_ID			0x000
#define L2_FEATURES		0x004
#define TILER_FEATURES		0x00c
#define MEM_FEATURES		0x010
#define MMU_FEATURES		0x014
#define AS_PRESENT		0x018
#define JS_PRESENT		0x01c
#define GPU_INT			0x020	/* of a block of four, as JOB_INT and MMU_INT */
#define GPU_COMMAND		0x030
#define LATEST_FLUSH_ID		0x038
#define CYCLE_COUNT		0x090
#define TIMESTAMP		0x098
#define THREAD_MAX_THREADS	0x0a0
#define THREAD_MAX_WORKGROUP	0x0a4
#define THREAD_MAX_BARRIER	0x0a8
#define THREAD_FEATURES		0x0ac
#define TEXTURE_FEATURES(n)	(0x0b0 + 4 * (n))
#define JS_FEATURES(n)		(0x0c0 + 4 * (n))
#define SHADER_PRESENT		0x100
#define TILER_PRESENT		0x110
#define L2_PRESENT		0x120
#define SHADER_READY		0x140
#define TILER_READY		0x150
#define L2_READY		0x160
#define SHADER_PWRON		0x180
#define TILER_PWRON		0x190
#define L2_PWRON		0x1a0
#define SHADER_PWROFF		0x1c0
#define TILER_PWROFF		0x1d0
#define L2_PWROFF		0x1e0

/* The four of a block of interrupts */
#define INT_RAWSTAT		0x0
#define INT_CLEAR		0x4
#define INT_MASK		0x8
#define INT_STAT		0xc

#define GPU_IRQ_RESET_DONE	BIT(8)
#define GPU_IRQ_POWER_CHANGED	(BIT(9) | BIT(10))
#define GPU_IRQ_CLEAN_DONE	BIT(17)

/* Jobs */
#define JOB_INT			0x1000
#define JOB_INT_JS_STATE	0x1010
#define JOB_SLOTS		0x1800
#define JOB_SLOT_SIZE		0x80
#define JS_HEAD			0x00
#define JS_TAIL			0x08
#define JS_CONFIG		0x18
#define JS_COMMAND		0x20
#define JS_STATUS		0x24
#define JS_HEAD_NEXT		0x40
#define JS_CONFIG_NEXT		0x58
#define JS_COMMAND_NEXT		0x60

#define JS_CONFIG_AS		GENMASK(3, 0)
#define JS_CONFIG_CHAIN_FLAG	BIT(8)

#define JS_COMMAND_NOP		0
#define JS_COMMAND_START	1
#define JS_COMMAND_SOFT_STOP	2
#define JS_COMMAND_SOFT_STOP_0	4
#define JS_COMMAND_HARD_STOP_1	7
#define JS_COMMAND_HARD		BIT(0)
#define JS_COMMAND_WITH_FLAG	BIT(1)	/* of those from JS_COMMAND_SOFT_STOP_0 on */

#define JOB_IRQ_DONE(slot)	BIT(slot)
#define JOB_IRQ_FAILED(slot)	BIT((slot) + 16)

/* What a job slot says of its last chain. */
#define JS_STATUS_DONE		0x01
#define JS_STATUS_STOPPED	0x03
#define JS_STATUS_TERMINATED	0x04
#define JS_STATUS_ACTIVE	0x08
#define JS_STATUS_CONFIG_FAULT	0x40
#define JS_STATUS_READ_FAULT	0x42
#define JS_STATUS_WRITE_FAULT	0x43
#define JS_STATUS_BUS_FAULT	0x48
#define JS_STATUS_DATA_INVALID	0x58

/* Address spaces */
#define MMU_INT			0x2000
#define MMU_AS			0x2400
#define MMU_AS_SIZE		0x40
#define AS_TRANSTAB		0x00
#define AS_MEMATTR		0x08
#define AS_LOCKADDR		0x10
#define AS_COMMAND		0x18
#define AS_FAULTSTATUS		0x1c
#define AS_FAULTADDRESS		0x20
#define AS_STATUS		0x28
#define AS_TRANSCFG		0x30

#define AS_COMMAND_UPDATE	1
#define AS_COMMAND_LOCK		2

#define AS_TRANSTAB_TABLE	3	/* the low bits, where AS_TRANSCFG has no mode */
#define AS_TRANSCFG_MODE	GENMASK(3, 0)
#define AS_TRANSCFG_LEGACY	0
#define AS_TRANSCFG_AARCH64_4K	6

#define AS_FAULT_TRANSLATION	0xc0	/* and the level */
#define AS_FAULT_PERMISSION	0xc8	/* and the level */
#define AS_FAULT_TABLE		0xd0	/* and the level */
#define AS_FAULT_READ		(2 << 8)
#define AS_FAULT_WRITE		(3 << 8)

#endif
