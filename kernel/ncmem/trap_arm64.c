// SPDX-License-Identifier: GPL-2.0-only
/*
 * DC CVAC, CVAU, CVAP, CVADP and CIVAC of user space. While SCTLR_EL1.UCI is clear on a
 * processor they trap to it, and the kernel calls do_el0_sys(), in whose place they are done
 * and stepped over. All others, and instructions on other memory, go on as they would.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include <asm/debug-monitors.h>
#include <asm/esr.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "user_ops.h"

#define TRAP_FUNCTION	"do_el0_sys"

static int hotplug_state;

/* CTR_EL0.DminLine counts words of 4 bytes. */
static u32 line_size(void)
{
	return 4u << ((read_sysreg(ctr_el0) >> 16) & 0xf);
}

/* False for what is no maintenance of data by address. */
static bool read_type(unsigned long esr, enum gs_sync_type *type)
{
	if (ESR_ELx_EC(esr) != ESR_ELx_EC_SYS64 ||
	    (esr & ESR_ELx_SYS64_ISS_EL0_CACHE_OP_MASK) != ESR_ELx_SYS64_ISS_EL0_CACHE_OP_VAL)
		return false;
	switch ((esr & ESR_ELx_SYS64_ISS_CRM_MASK) >> ESR_ELx_SYS64_ISS_CRM_SHIFT) {
	case ESR_ELx_SYS64_ISS_CRM_DC_CVAC:
	case ESR_ELx_SYS64_ISS_CRM_DC_CVAU:
	case ESR_ELx_SYS64_ISS_CRM_DC_CVAP:
	case ESR_ELx_SYS64_ISS_CRM_DC_CVADP:
		*type = GS_SYNC_FLUSH;
		return true;
	case ESR_ELx_SYS64_ISS_CRM_DC_CIVAC:
		*type = GS_SYNC_FLUSH_AND_INVALIDATE;
		return true;
	default:
		return false;
	}
}

/* In the place of do_el0_sys(): as the kernel steps over an instruction that it emulated. */
static void step_over(unsigned long esr, struct pt_regs *regs)
{
	regs->pc += AARCH64_INSN_SIZE;
	regs->pstate &= ~PSR_BTYPE_MASK;
	if (test_thread_flag(TIF_SINGLESTEP))
		regs->pstate &= ~DBG_SPSR_SS;
}

/* In the place of do_el0_sys(): the instruction comes again, behind signals and others. */
static void come_again(unsigned long esr, struct pt_regs *regs)
{
}

static void notrace divert_trap(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	unsigned long esr = ftrace_regs_get_argument(fregs, 0);
	const struct pt_regs *regs = (const void *)ftrace_regs_get_argument(fregs, 1);
	enum gs_sync_type type;
	unsigned long address;
	u32 size;

	if (!read_type(esr, &type))
		return;
	size = line_size();
	address = untagged_addr(pt_regs_read_reg(regs, ESR_ELx_SYS64_ISS_RT(esr)));
	switch (ncmem_user_op_at(ALIGN_DOWN(address, size), size, type)) {
	case NCMEM_USER_OP_DONE:
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)step_over);
		break;
	case NCMEM_USER_OP_AGAIN:
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)come_again);
		break;
	case NCMEM_USER_OP_FOREIGN:
		break;
	}
}

static struct ftrace_ops trap_ops = {
	.func = divert_trap,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int trap(unsigned int cpu)
{
	sysreg_clear_set(sctlr_el1, SCTLR_EL1_UCI, 0);
	isb();
	/* A processor that keeps the bit traps nothing. */
	return read_sysreg(sctlr_el1) & SCTLR_EL1_UCI ? -EOPNOTSUPP : 0;
}

static int trap_no_more(unsigned int cpu)
{
	sysreg_clear_set(sctlr_el1, 0, SCTLR_EL1_UCI);
	isb();
	return 0;
}

static void stop_diverting(void)
{
	unregister_ftrace_function(&trap_ops);
	ftrace_free_filter(&trap_ops);
	/* Who was diverted may still be on its way; it does not sleep there. */
	synchronize_rcu_tasks();
}

int ncmem_trap_init(void)
{
	int ret;

	/* The kernel has it so where it works around defects of the processor. */
	if (!(read_sysreg(sctlr_el1) & SCTLR_EL1_UCI)) {
		pr_err("ncmem: user_ops: cache instructions are trapped by the kernel already\n");
		return -EBUSY;
	}
	ret = ftrace_set_filter(&trap_ops, TRAP_FUNCTION, strlen(TRAP_FUNCTION), 1);
	if (!ret)
		ret = register_ftrace_function(&trap_ops);
	if (ret) {
		ftrace_free_filter(&trap_ops);
		pr_err("ncmem: user_ops: cannot replace " TRAP_FUNCTION "() of this kernel: %d\n",
		       ret);
		return ret;
	}
	hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "ncmem:user_ops", trap,
					  trap_no_more);
	if (hotplug_state < 0) {
		stop_diverting();
		pr_err("ncmem: user_ops: cache instructions do not trap: %d\n", hotplug_state);
		return hotplug_state;
	}
	return 0;
}

void ncmem_trap_exit(void)
{
	cpuhp_remove_state(hotplug_state);
	stop_diverting();
}
