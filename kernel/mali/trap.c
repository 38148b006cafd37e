// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register trap. Nothing answers at the GPU's physical addresses, so each access is a
 * synchronous external abort, for which the kernel calls do_sea() in the context of the
 * access. That is where the emulation comes in: it does what the instruction would, and
 * steps over it.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/io.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>

#include <asm/esr.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "mali.h"
#include "regs.h"

#define ABORT_FUNCTION	"do_sea"

/* Who is in emulate_abort(). */
static atomic_t inside = ATOMIC_INIT(0);

/* What the CPU translates the address to, or all ones. */
static phys_addr_t physical(unsigned long address, bool user)
{
	unsigned long flags, par;

	local_irq_save(flags);
	if (user)
		asm volatile("at s1e0r, %0" : : "r" (address));
	else
		asm volatile("at s1e1r, %0" : : "r" (address));
	isb();
	par = read_sysreg_par();
	local_irq_restore(flags);
	if (par & SYS_PAR_EL1_F)
		return PHYS_ADDR_MAX;
	return (par & GENMASK_ULL(47, PAGE_SHIFT)) | offset_in_page(address);
}

static struct mali *accessed(unsigned long address, unsigned long esr,
			     const struct pt_regs *regs, phys_addr_t *phys)
{
	if (!esr_is_data_abort(esr) || (esr & ESR_ELx_FSC) != ESR_ELx_FSC_EXTABT ||
	    (esr & ESR_ELx_FnV))
		return NULL;
	*phys = physical(address, user_mode(regs));
	return *phys == PHYS_ADDR_MAX ? NULL : mali_at(*phys);
}

static u64 load(struct mali *gpu, u32 offset, const struct mali_instruction *instruction)
{
	u32 bits = instruction->size * 8;
	u64 value = mali_read(gpu, ALIGN_DOWN(offset, 4));

	if (bits == 64)
		value |= (u64)mali_read(gpu, ALIGN_DOWN(offset, 4) + 4) << 32;
	value >>= offset % 4 * 8;
	if (instruction->is_signed) {
		value = sign_extend64(value, bits - 1);
		return instruction->wide ? value : lower_32_bits(value);
	}
	return value & GENMASK_ULL(bits - 1, 0);
}

/* Registers are stored to in whole words: the hardware has no others. */
static bool store(struct mali *gpu, u32 offset, const struct mali_instruction *instruction,
		  u64 value)
{
	if (instruction->size < 4)
		return false;
	mali_write(gpu, offset, lower_32_bits(value));
	if (instruction->size == 8)
		mali_write(gpu, offset + 4, upper_32_bits(value));
	return true;
}

static bool access_register(struct mali *gpu, u32 offset,
			    const struct mali_instruction *instruction, struct pt_regs *regs)
{
	if (!IS_ALIGNED(offset, instruction->size) || offset > gpu->size - instruction->size)
		return false;
	atomic64_inc(&gpu->accesses);
	if (!instruction->store) {
		pt_regs_write_reg(regs, instruction->reg, load(gpu, offset, instruction));
		return true;
	}
	/* What the driver lets user space map, it lets it read. */
	return !user_mode(regs) &&
	       store(gpu, offset, instruction, pt_regs_read_reg(regs, instruction->reg));
}

static bool fetch(const struct pt_regs *regs, u32 *word)
{
	__le32 little;

	if (user_mode(regs)) {
		if (copy_from_user(&little, (const void __user *)regs->pc, sizeof(little)))
			return false;
	} else if (copy_from_kernel_nofault(&little, (const void *)regs->pc, sizeof(little))) {
		return false;
	}
	*word = le32_to_cpu(little);
	return true;
}

static int emulate(unsigned long address, unsigned long esr, struct pt_regs *regs)
{
	struct mali_instruction instruction;
	struct mali *gpu;
	phys_addr_t phys;
	u32 word;

	gpu = accessed(address, esr, regs, &phys);
	if (!gpu || !fetch(regs, &word))
		return 1;
	if (!mali_decode(word, &instruction) ||
	    !access_register(gpu, phys - gpu->base, &instruction, regs)) {
		dev_err_ratelimited(gpu->dev, "mali: %#x is no access that register %#llx knows\n",
				    word, phys - gpu->base);
		return 1;
	}
	if (instruction.writeback)
		regs->regs[instruction.base] += instruction.writeback;
	regs->pc += sizeof(word);
	return 0;
}

/* In the place of do_sea(). What is not 0 ends the program, or the kernel, as without us. */
static int emulate_abort(unsigned long address, unsigned long esr, struct pt_regs *regs)
{
	int ret;

	atomic_inc(&inside);
	ret = emulate(address, esr, regs);
	atomic_dec(&inside);
	return ret;
}

static void notrace divert_abort(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	phys_addr_t phys;

	if (accessed(ftrace_regs_get_argument(fregs, 0), ftrace_regs_get_argument(fregs, 1),
		     (const struct pt_regs *)ftrace_regs_get_argument(fregs, 2), &phys))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)emulate_abort);
}

static struct ftrace_ops abort_ops = {
	.func = divert_abort,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

/* Returns 0, or -errno if the kernel's handler of aborts cannot be replaced. */
int mali_trap_init(void)
{
	int ret;

	ret = ftrace_set_filter(&abort_ops, ABORT_FUNCTION, strlen(ABORT_FUNCTION), 1);
	if (!ret)
		ret = register_ftrace_function(&abort_ops);
	if (ret) {
		ftrace_free_filter(&abort_ops);
		pr_err("mali: cannot replace " ABORT_FUNCTION "() of this kernel: %d\n", ret);
	}
	return ret;
}

void mali_trap_exit(void)
{
	unregister_ftrace_function(&abort_ops);
	ftrace_free_filter(&abort_ops);
	while (atomic_read(&inside))
		msleep(20);
	/* Who counted itself out last is still on its way out. */
	synchronize_rcu_tasks();
}
