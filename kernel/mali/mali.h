/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of mali.ko share. The overview is in main.c (DOC: overview). */
#ifndef MALI_H
#define MALI_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "ncmem/ncmem.h"

struct device;
struct mali;
struct platform_device;
struct pt_regs;

#define MALI_ADDRESS_SPACES	8

/* The blocks of interrupts, in the order of their registers' use. */
enum mali_irq { MALI_IRQ_JOB, MALI_IRQ_MMU, MALI_IRQ_GPU, MALI_IRQS };

/* A register that never changes. */
struct mali_constant {
	u32 offset;
	u32 value;
};

/**
 * struct mali_model - what one GPU has that others have not
 * @compatible: of its node in the device tree
 * @driver: Linux's driver for it
 * @constants: registers that say what it is; the last is all zero
 * @create: makes its part of &struct mali; 0 or -errno
 * @destroy: ends what runs, and frees that part
 * @reset: with &mali.lock held
 * @read: other registers, with &mali.lock held
 * @write: likewise
 * @written: after @write, without the lock
 * @unstall: an address space was changed: what waits for memory goes on
 */
struct mali_model {
	const char *compatible;
	const char *driver;
	const struct mali_constant *constants;
	int (*create)(struct mali *gpu);
	void (*destroy)(struct mali *gpu);
	void (*reset)(struct mali *gpu);
	u32 (*read)(struct mali *gpu, u32 offset);
	void (*write)(struct mali *gpu, u32 offset, u32 value);
	void (*written)(struct mali *gpu, u32 offset, u32 value);
	void (*unstall)(struct mali *gpu, u32 as);
};

/* Translations that are in use: since the last AS_COMMAND_UPDATE. Under &mali.memory_lock. */
struct mali_tables {
	bool enabled;
	bool aarch64;			/* else Mali's own format */
	u64 root;
};

struct mali_as {
	u64 transtab;
	u64 memattr;
	u64 lockaddr;
	u64 transcfg;
	u64 fault_address;
	u32 fault_status;
	struct mali_tables tables;
	u32 commands;			/* that there were */
};

/**
 * struct mali - an emulated GPU
 * @node: in the list of all
 * @model: what it is
 * @dev: the platform device, which is the driver's
 * @base: physical address of its registers
 * @size: bytes of them
 * @irq: Linux's numbers of its interrupts
 * @bound: a driver has it; it pins this module
 * @driver: which had it last
 * @nc: its memory
 * @lock: registers; taken in any context, and nothing inside but that of an interrupt
 * @memory_lock: accesses to memory, and what they are translated by. In process context
 *	alone; never under @lock
 * @raw: interrupts that were raised and not cleared
 * @mask: those that are let through
 * @shader: shader cores that have power
 * @tiler: likewise
 * @l2: likewise
 * @flush_id: how often caches were flushed
 * @as: address spaces
 * @engine: the model's part
 * @accesses: to registers
 * @wq: what executes
 */
struct mali {
	struct list_head node;
	const struct mali_model *model;
	struct device *dev;
	phys_addr_t base;
	resource_size_t size;
	int irq[MALI_IRQS];
	bool bound;
	struct device_driver *driver;
	struct ncmem *nc;
	spinlock_t lock;		/* registers */
	spinlock_t memory_lock;		/* accesses to memory */
	u32 raw[MALI_IRQS];
	u32 mask[MALI_IRQS];
	u64 shader;
	u64 tiler;
	u64 l2;
	u32 flush_id;
	struct mali_as as[MALI_ADDRESS_SPACES];
	void *engine;
	atomic64_t accesses;
	struct workqueue_struct *wq;
};

extern const struct mali_model mali_job_manager;

/* Bits of L2_FEATURES that say how long cache lines are. */
extern unsigned int mali_line_size;

/* main.c: the GPU at a physical address, that of a device, or NULL. */
struct mali *mali_at(phys_addr_t phys);
struct mali *mali_of(const struct device *dev);
/* Whether the code that calls is that of a driver of such a GPU. */
bool mali_calls(unsigned long caller);

/* gpu.c: registers, from the trap. */
u32 mali_read(struct mali *gpu, u32 offset);
void mali_write(struct mali *gpu, u32 offset, u32 value);
/* With the lock held. */
void mali_reset(struct mali *gpu);
void mali_raise(struct mali *gpu, enum mali_irq irq, u32 bits);
void mali_set_half(u64 *value, u32 offset, u32 half);
u32 mali_half(u64 value, u32 offset);
u64 mali_time(void);

/* mmu.c */
bool mali_as_register(u32 offset);
u32 mali_as_read(struct mali *gpu, u32 offset);
void mali_as_write(struct mali *gpu, u32 offset, u32 value);
void mali_as_command(struct mali *gpu, u32 offset, u32 command);
void mali_as_reset(struct mali *gpu);
/* After a reset, without a lock held. */
void mali_as_forget(struct mali *gpu);
/* No access that began before is under way. Without a lock held. */
void mali_drain(struct mali *gpu);

enum mali_access { MALI_READ, MALI_POLL, MALI_WRITE };

/*
 * Why memory cannot be accessed: bits of AS_FAULTSTATUS, and where; 0: it has no tables. And
 * how many commands the address space had until then.
 */
struct mali_fault {
	u64 address;
	u32 status;
	u32 commands;
};

int mali_access(struct mali *gpu, u32 as, u64 va, void *buffer, u32 size,
		enum mali_access access, struct mali_fault *fault);
void mali_raise_fault(struct mali *gpu, u32 as, const struct mali_fault *fault);

/* decode.c: a load or store of one register. */
struct mali_instruction {
	bool store;
	bool is_signed;
	bool wide;		/* the register is one of 64 bits */
	u8 size;		/* bytes */
	u8 reg;
	u8 base;
	s16 writeback;		/* added to the base register */
};

bool mali_decode(u32 word, struct mali_instruction *instruction);

/* trap.c */
int mali_trap_init(void);
void mali_trap_exit(void);

/* objects.c: what drivers' buffer objects are made of and shown by. */
int mali_objects_init(void);
void mali_objects_exit(void);

#endif
