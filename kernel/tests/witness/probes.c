// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the test reaches into the kernel: it takes back the refusals of R21 for its own
 * device, so that the helper has no switch for that, and it is the device that writes
 * memory between the two steps of an invalidate.
 */
#include <linux/kprobes.h>

#include "witness.h"

static struct witness *witness;

static bool is_ours(struct pt_regs *regs)
{
	return (struct device *)regs_get_kernel_argument(regs, 0) == witness->drm.dev;
}

/* Not 0: the result stays what it is. */
static int enter_refusal(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return witness->refusals || !is_ours(regs);
}

static int leave_refusal(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	regs_set_return_value(regs, false);
	return 0;
}

static struct kretprobe can_bounce = {
	.kp.symbol_name = "gem_sync_can_bounce",
	.entry_handler = enter_refusal,
	.handler = leave_refusal,
};

static struct kretprobe is_bounced = {
	.kp.symbol_name = "gem_sync_is_bounced",
	.entry_handler = enter_refusal,
	.handler = leave_refusal,
};

static int enter_for_cpu(struct kprobe *probe, struct pt_regs *regs)
{
	if (is_ours(regs))
		witness_device_writes(witness, regs_get_kernel_argument(regs, 1));
	return 0;
}

static struct kprobe for_cpu = {
	.symbol_name = "__dma_sync_single_for_cpu",
	.pre_handler = enter_for_cpu,
};

int witness_probes_register(struct witness *w)
{
	int ret;

	witness = w;
	ret = register_kretprobe(&can_bounce);
	if (ret)
		return ret;
	ret = register_kretprobe(&is_bounced);
	if (ret)
		goto err_can_bounce;
	ret = register_kprobe(&for_cpu);
	if (ret)
		goto err_is_bounced;
	return 0;

err_is_bounced:
	unregister_kretprobe(&is_bounced);
err_can_bounce:
	unregister_kretprobe(&can_bounce);
	return ret;
}

void witness_probes_unregister(void)
{
	unregister_kprobe(&for_cpu);
	unregister_kretprobe(&is_bounced);
	unregister_kretprobe(&can_bounce);
}
