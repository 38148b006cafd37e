// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the test reaches into the kernel: it takes back the refusals of R21 for its own
 * device, so that the helper has no switch for that, it is the device that writes memory
 * between the two steps of an invalidate, and it writes down which steps there were.
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

/* What witness_record() was told, and how much there is. */
static struct witness_call *calls;
static unsigned int max_calls, nr_calls;

void witness_record(struct witness_call *to, unsigned int size)
{
	nr_calls = 0;
	max_calls = size;
	WRITE_ONCE(calls, to);
}

unsigned int witness_record_end(void)
{
	WRITE_ONCE(calls, NULL);
	return nr_calls;
}

static void record(struct pt_regs *regs, bool for_cpu)
{
	struct witness_call *to = READ_ONCE(calls);

	if (!to)
		return;
	if (nr_calls < max_calls)
		to[nr_calls] = (struct witness_call){
			.dev = (struct device *)regs_get_kernel_argument(regs, 0),
			.addr = regs_get_kernel_argument(regs, 1),
			.size = regs_get_kernel_argument(regs, 2),
			.for_cpu = for_cpu,
		};
	nr_calls++;
}

static int enter_for_device(struct kprobe *probe, struct pt_regs *regs)
{
	record(regs, false);
	return 0;
}

static struct kprobe for_device = {
	.symbol_name = "__dma_sync_single_for_device",
	.pre_handler = enter_for_device,
};

static int enter_for_cpu(struct kprobe *probe, struct pt_regs *regs)
{
	record(regs, true);
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
	ret = register_kprobe(&for_device);
	if (ret)
		goto err_for_cpu;
	return 0;

err_for_cpu:
	unregister_kprobe(&for_cpu);
err_is_bounced:
	unregister_kretprobe(&is_bounced);
err_can_bounce:
	unregister_kretprobe(&can_bounce);
	return ret;
}

void witness_probes_unregister(void)
{
	unregister_kprobe(&for_device);
	unregister_kprobe(&for_cpu);
	unregister_kretprobe(&is_bounced);
	unregister_kretprobe(&can_bounce);
}
