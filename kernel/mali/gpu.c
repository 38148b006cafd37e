// SPDX-License-Identifier: GPL-2.0-only
/* What all Mali GPUs have alike: identity, power, reset, and three blocks of interrupts. */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/ktime.h>

#include "mali.h"
#include "regs.h"

void mali_set_half(u64 *value, u32 offset, u32 half)
{
	u32 shift = offset & 4 ? 32 : 0;

	*value = (*value & ~((u64)U32_MAX << shift)) | (u64)half << shift;
}

u32 mali_half(u64 value, u32 offset)
{
	return offset & 4 ? upper_32_bits(value) : lower_32_bits(value);
}

u64 mali_time(void)
{
	return ktime_get_ns();
}

/* ---- Interrupts ---- */

/*
 * The line of a block is up as long as an interrupt of it is raised and let through. To the
 * interrupt controller it is a wire that nobody drives, so it is told what is on it.
 */
static void drive_line(struct mali *gpu, enum mali_irq irq)
{
	irq_set_irqchip_state(gpu->irq[irq], IRQCHIP_STATE_PENDING,
			      gpu->raw[irq] & gpu->mask[irq]);
}

void mali_raise(struct mali *gpu, enum mali_irq irq, u32 bits)
{
	gpu->raw[irq] |= bits;
	drive_line(gpu, irq);
}

static const u32 irq_blocks[MALI_IRQS] = {
	[MALI_IRQ_JOB] = JOB_INT,
	[MALI_IRQ_MMU] = MMU_INT,
	[MALI_IRQ_GPU] = GPU_INT,
};

/* The block that a register is of, or MALI_IRQS. */
static enum mali_irq irq_block(u32 offset)
{
	enum mali_irq irq;

	for (irq = 0; irq < MALI_IRQS; irq++) {
		if (ALIGN_DOWN(offset, 16) == irq_blocks[irq])
			break;
	}
	return irq;
}

static u32 irq_read(const struct mali *gpu, enum mali_irq irq, u32 offset)
{
	switch (offset % 16) {
	case INT_RAWSTAT:
		return gpu->raw[irq];
	case INT_MASK:
		return gpu->mask[irq];
	case INT_STAT:
		return gpu->raw[irq] & gpu->mask[irq];
	}
	return 0;
}

static void irq_write(struct mali *gpu, enum mali_irq irq, u32 offset, u32 value)
{
	switch (offset % 16) {
	case INT_CLEAR:
		gpu->raw[irq] &= ~value;
		break;
	case INT_MASK:
		gpu->mask[irq] = value;
		break;
	default:
		return;
	}
	drive_line(gpu, irq);
}

/* ---- Power ---- */

#define POWER_DOMAIN	0x30	/* of a register's offset */

static u64 *power_domain(struct mali *gpu, u32 offset)
{
	switch (offset & POWER_DOMAIN) {
	case SHADER_PRESENT & POWER_DOMAIN:
		return &gpu->shader;
	case TILER_PRESENT & POWER_DOMAIN:
		return &gpu->tiler;
	case L2_PRESENT & POWER_DOMAIN:
		return &gpu->l2;
	}
	return NULL;
}

static u32 constant(const struct mali *gpu, u32 offset)
{
	const struct mali_constant *constant;

	for (constant = gpu->model->constants; constant->value; constant++) {
		if (constant->offset == offset)
			return constant->value;
	}
	return 0;
}

static bool is_power_register(u32 offset)
{
	return offset >= SHADER_READY && offset < L2_PWROFF + 8;
}

/* READY; that nothing is between on and off, needs no register. */
static u32 power_read(struct mali *gpu, u32 offset)
{
	const u64 *domain = power_domain(gpu, offset);

	return domain && offset < SHADER_PWRON ? mali_half(*domain, offset) : 0;
}

/* All cores have their power, or lose it, at once. */
static void power_write(struct mali *gpu, u32 offset, u32 value)
{
	u64 *domain = power_domain(gpu, offset);
	u64 cores = (u64)value << (offset & 4 ? 32 : 0);
	u32 present = SHADER_PRESENT + (offset & POWER_DOMAIN);

	if (!domain || offset < SHADER_PWRON)
		return;
	cores &= constant(gpu, present) | (u64)constant(gpu, present + 4) << 32;
	if (offset < SHADER_PWROFF)
		*domain |= cores;
	else
		*domain &= ~cores;
	mali_raise(gpu, MALI_IRQ_GPU, GPU_IRQ_POWER_CHANGED);
}

/* ---- Reset, and the registers as a whole ---- */

/* Drivers count on the mask of the block that tells of the reset's end. */
void mali_reset(struct mali *gpu)
{
	enum mali_irq irq;

	memset(gpu->raw, 0, sizeof(gpu->raw));
	gpu->mask[MALI_IRQ_JOB] = 0;
	gpu->mask[MALI_IRQ_MMU] = 0;
	gpu->shader = 0;
	gpu->tiler = 0;
	gpu->l2 = 0;
	mali_as_reset(gpu);
	gpu->model->reset(gpu);
	gpu->raw[MALI_IRQ_GPU] = GPU_IRQ_RESET_DONE;
	for (irq = 0; irq < MALI_IRQS; irq++)
		drive_line(gpu, irq);
}

static u32 read_locked(struct mali *gpu, u32 offset)
{
	enum mali_irq irq = irq_block(offset);

	if (irq < MALI_IRQS)
		return irq_read(gpu, irq, offset);
	if (mali_as_register(offset))
		return mali_as_read(gpu, offset);
	if (is_power_register(offset))
		return power_read(gpu, offset);
	switch (ALIGN_DOWN(offset, 8)) {
	case CYCLE_COUNT:
	case TIMESTAMP:
		return mali_half(mali_time(), offset);
	}
	return constant(gpu, offset) ?: gpu->model->read(gpu, offset);
}

u32 mali_read(struct mali *gpu, u32 offset)
{
	unsigned long flags;
	u32 value;

	spin_lock_irqsave(&gpu->lock, flags);
	value = read_locked(gpu, offset);
	spin_unlock_irqrestore(&gpu->lock, flags);
	return value;
}

static void write_locked(struct mali *gpu, u32 offset, u32 value)
{
	enum mali_irq irq = irq_block(offset);

	if (irq < MALI_IRQS) {
		irq_write(gpu, irq, offset, value);
		/* The model may want to know what was cleared. */
		gpu->model->write(gpu, offset, value);
	} else if (mali_as_register(offset)) {
		mali_as_write(gpu, offset, value);
	} else if (is_power_register(offset)) {
		power_write(gpu, offset, value);
	} else {
		gpu->model->write(gpu, offset, value);
	}
}

void mali_write(struct mali *gpu, u32 offset, u32 value)
{
	unsigned long flags;

	spin_lock_irqsave(&gpu->lock, flags);
	write_locked(gpu, offset, value);
	spin_unlock_irqrestore(&gpu->lock, flags);
	gpu->model->written(gpu, offset, value);
	if (mali_as_register(offset))
		mali_as_command(gpu, offset, value);
}
