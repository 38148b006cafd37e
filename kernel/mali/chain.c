// SPDX-License-Identifier: GPL-2.0-only
/* Execution of job chains, in a work item: short slices of each slot in turn. */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/sched.h>

#include "regs.h"
#include "slot.h"

#define SLICE_JOBS	64	/* or pieces of copies */

/* A chain that waits for a word looks at it this often. */
#define POLL_US_MIN	100
#define POLL_US_MAX	300

/* ---- Memory, as the chain's address space shows it ---- */

/* The driver is told, and the slot stalls until the address space is changed. */
static void stall(struct mali_slot *slot, u32 as, const struct mali_fault *fault)
{
	unsigned long flags;

	spin_lock_irqsave(&slot->gpu->lock, flags);
	/* If it was changed since, the chain just tries again. */
	if (slot->turn == slot->engine_turn &&
	    READ_ONCE(slot->gpu->as[as].commands) == fault->commands) {
		slot->stalled = true;
		mali_raise_fault(slot->gpu, as, fault);
	}
	spin_unlock_irqrestore(&slot->gpu->lock, flags);
}

/*
 * -EAGAIN if the chain is not to go on: its turn is over, or it stalls; -EFAULT if its
 * address space was switched off.
 */
static int access_memory(struct mali_slot *slot, u64 va, void *buffer, u32 size,
			 enum mali_access access)
{
	u32 as = FIELD_GET(JS_CONFIG_AS, READ_ONCE(slot->now.config)) % MALI_ADDRESS_SPACES;
	struct mali_fault fault = {};
	int ret = -EAGAIN;

	spin_lock(&slot->gpu->memory_lock);
	if (READ_ONCE(slot->turn) == slot->engine_turn)
		ret = mali_access(slot->gpu, as, va, buffer, size, access, &fault);
	spin_unlock(&slot->gpu->memory_lock);
	if (ret != -EFAULT || !fault.status)
		return ret;
	stall(slot, as, &fault);
	return -EAGAIN;
}

static int chain_read(void *ctx, u64 va, void *to, u32 size)
{
	return access_memory(ctx, va, to, size, MALI_READ);
}

static int chain_write(void *ctx, u64 va, const void *from, u32 size)
{
	return access_memory(ctx, va, (void *)from, size, MALI_WRITE);
}

static int chain_poll(void *ctx, u64 va, void *to, u32 size)
{
	return access_memory(ctx, va, to, size, MALI_POLL);
}

static u64 chain_time(void *ctx)
{
	return mali_time();
}

static const struct gs_jm_mem chain_memory = {
	.fetch = chain_read,
	.read = chain_read,
	.write = chain_write,
	.poll = chain_poll,
	.timestamp = chain_time,
	.cycles = chain_time,
};

/* ---- Slices ---- */

static u32 fault_status(const struct gs_jm_fault *fault)
{
	switch (fault->kind) {
	case GS_JM_FAULT_FETCH:
	case GS_JM_FAULT_READ:
	case GS_JM_FAULT_WRITE:
		return JS_STATUS_BUS_FAULT;
	case GS_JM_FAULT_ALIGNMENT:
	case GS_JM_FAULT_DATA:
		return JS_STATUS_DATA_INVALID;
	default:
		return JS_STATUS_CONFIG_FAULT;
	}
}

/* Takes a new chain over. False if there is nothing to execute. */
static bool begin_slice(struct mali_slot *slot)
{
	unsigned long flags;
	bool runs;

	spin_lock_irqsave(&slot->gpu->lock, flags);
	if (slot->active && slot->stopping)
		mali_slot_end(slot, JS_STATUS_STOPPED);
	runs = slot->active && !slot->stalled;
	if (runs && slot->engine_turn != slot->turn) {
		slot->engine_turn = slot->turn;
		gs_jm_start(&slot->engine, slot->now.head);
	}
	spin_unlock_irqrestore(&slot->gpu->lock, flags);
	return runs;
}

static void end_slice(struct mali_slot *slot, enum gs_jm_status status)
{
	unsigned long flags;

	spin_lock_irqsave(&slot->gpu->lock, flags);
	if (slot->turn == slot->engine_turn) {
		/* Where a chain that is stopped goes on. */
		if (slot->engine.job)
			slot->tail = slot->engine.job;
		slot->now.head = slot->tail;
		if (status == GS_JM_DONE)
			mali_slot_finish(slot, JS_STATUS_DONE);
		else if (status == GS_JM_FAULT)
			mali_slot_finish(slot, fault_status(&slot->engine.fault));
		else if (slot->stopping)
			mali_slot_end(slot, JS_STATUS_STOPPED);
	}
	spin_unlock_irqrestore(&slot->gpu->lock, flags);
}

/* GS_JM_DONE: nothing more to do here. */
static enum gs_jm_status run_slice(struct mali_slot *slot)
{
	enum gs_jm_status status;
	u32 budget = SLICE_JOBS;

	if (!begin_slice(slot))
		return GS_JM_DONE;
	status = gs_jm_run(&slot->engine, &chain_memory, slot, &budget);
	end_slice(slot, status);
	/* What stalls, or is over, is begun again by what ends that. */
	return status == GS_JM_BLOCKED && READ_ONCE(slot->stalled) ? GS_JM_DONE : status;
}

/* Each of the slots once. GS_JM_DONE if none has anything left to do. */
static enum gs_jm_status run_slots(struct mali_job_manager *manager)
{
	enum gs_jm_status status, all = GS_JM_DONE;
	u32 i;

	for (i = 0; i < MALI_SLOTS; i++) {
		status = run_slice(&manager->slots[i]);
		if (status == GS_JM_RUNNING || (status == GS_JM_BLOCKED && all == GS_JM_DONE))
			all = status;
	}
	return all;
}

void mali_chain_work(struct work_struct *work)
{
	struct mali_job_manager *manager =
		container_of(work, struct mali_job_manager, work);
	enum gs_jm_status status;

	while ((status = run_slots(manager)) != GS_JM_DONE) {
		if (status == GS_JM_BLOCKED)
			usleep_range(POLL_US_MIN, POLL_US_MAX);
		else
			cond_resched();
	}
}
