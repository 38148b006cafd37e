// SPDX-License-Identifier: GPL-2.0-only
/* A Mali-G52, which has a job manager: the registers of its slots. */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "regs.h"
#include "slot.h"

/* Of JS_STATE: a slot executes, and has a chain that waits. */
#define STATE_NOW(slot)		BIT(slot)
#define STATE_NEXT(slot)	BIT((slot) + 16)

#define COMMAND_SOFT_RESET	1
#define COMMAND_HARD_RESET	2
#define COMMAND_CLEAN		7
#define COMMAND_CLEAN_INVALIDATE	8

static const struct mali_constant constants[] = {
	{ GPU_ID, 0x74021000 },		/* r1p0, as in an RK3566 */
	{ TILER_FEATURES, 0x809 },
	{ MEM_FEATURES, 0x1 },
	{ MMU_FEATURES, 0x2830 },	/* addresses of 48 bits, and 40 physical ones */
	{ AS_PRESENT, BIT(MALI_ADDRESS_SPACES) - 1 },
	{ JS_PRESENT, BIT(MALI_SLOTS) - 1 },
	{ THREAD_MAX_THREADS, 768 },
	{ THREAD_MAX_WORKGROUP, 768 },
	{ THREAD_MAX_BARRIER, 768 },
	{ THREAD_FEATURES, 0x1406 },
	{ TEXTURE_FEATURES(0), 0x00fe001e },
	{ TEXTURE_FEATURES(1), 0xffff },
	{ TEXTURE_FEATURES(2), 0x9f81ffff },
	{ JS_FEATURES(0), 0x20e },
	{ JS_FEATURES(1), 0x1fe },
	{ JS_FEATURES(2), 0x7e },
	{ SHADER_PRESENT, 0x3 },
	{ TILER_PRESENT, 0x1 },
	{ L2_PRESENT, 0x1 },
	{}
};

static bool is_slot_register(u32 offset)
{
	return offset >= JOB_SLOTS && offset < JOB_SLOTS + MALI_SLOTS * JOB_SLOT_SIZE;
}

static struct mali_slot *slot_of(struct mali *gpu, u32 offset)
{
	struct mali_job_manager *manager = gpu->engine;

	return &manager->slots[(offset - JOB_SLOTS) / JOB_SLOT_SIZE];
}

/* ---- What a slot does, with the lock of the GPU held ---- */

/* The chain that waits begins, if none is before it. */
static void begin_next(struct mali_slot *slot)
{
	struct mali_job_manager *manager = slot->gpu->engine;

	if (slot->active || slot->command_next != JS_COMMAND_START)
		return;
	slot->now = slot->next;
	slot->tail = slot->now.head;
	slot->command_next = JS_COMMAND_NOP;
	slot->status = JS_STATUS_ACTIVE;
	slot->stalled = false;
	slot->stopping = false;
	slot->active = true;
	slot->turn++;
	queue_work(slot->gpu->wq, &manager->work);
}

void mali_slot_end(struct mali_slot *slot, u32 status)
{
	slot->status = status;
	slot->active = false;
	slot->stalled = false;
	slot->turn++;
	slot->gpu->flush_id++;
	mali_raise(slot->gpu, MALI_IRQ_JOB, status == JS_STATUS_DONE ?
		   JOB_IRQ_DONE(slot->index) : JOB_IRQ_FAILED(slot->index));
}

/* Behind a chain that failed the next one waits for what the driver says. */
void mali_slot_finish(struct mali_slot *slot, u32 status)
{
	mali_slot_end(slot, status);
	if (status == JS_STATUS_DONE)
		begin_next(slot);
}

/*
 * Soft and hard stops, of any chain or of one whose flag is as they say. The hard ones are
 * done at once. Behind the soft ones a chain can go on, so the job that is under way has to
 * be known.
 */
static void stop(struct mali_slot *slot, u32 command)
{
	bool flag = FIELD_GET(JS_CONFIG_CHAIN_FLAG, slot->now.config);
	struct mali_job_manager *manager = slot->gpu->engine;

	if (!slot->active || command < JS_COMMAND_SOFT_STOP || command > JS_COMMAND_HARD_STOP_1)
		return;
	/* Behind the two for any chain come two for chains without the flag, and two with. */
	if (command >= JS_COMMAND_SOFT_STOP_0 && flag != !!(command & JS_COMMAND_WITH_FLAG))
		return;
	if (command & JS_COMMAND_HARD) {
		mali_slot_end(slot, JS_STATUS_TERMINATED);
		return;
	}
	slot->stopping = true;
	queue_work(slot->gpu->wq, &manager->work);
}

static u32 state_now(const struct mali_job_manager *manager)
{
	u32 i, state = 0;

	for (i = 0; i < MALI_SLOTS; i++) {
		const struct mali_slot *slot = &manager->slots[i];

		state |= (slot->active ? STATE_NOW(i) : 0) |
			 (slot->command_next == JS_COMMAND_START ? STATE_NEXT(i) : 0);
	}
	return state;
}

/* Of the slots whose interrupts are cleared, the state is that of this moment. */
static void sample_state(struct mali_job_manager *manager, u32 cleared)
{
	u32 slots = cleared | cleared << 16 | cleared >> 16;

	manager->js_state = (manager->js_state & ~slots) | (state_now(manager) & slots);
}

/* ---- Registers ---- */

static u32 slot_read(const struct mali_slot *slot, u32 offset)
{
	switch (offset % JOB_SLOT_SIZE) {
	case JS_HEAD:
	case JS_HEAD + 4:
		return mali_half(slot->now.head, offset);
	case JS_TAIL:
	case JS_TAIL + 4:
		return mali_half(slot->tail, offset);
	case JS_CONFIG:
		return slot->now.config;
	case JS_STATUS:
		return slot->status;
	case JS_HEAD_NEXT:
	case JS_HEAD_NEXT + 4:
		return mali_half(slot->next.head, offset);
	case JS_CONFIG_NEXT:
		return slot->next.config;
	case JS_COMMAND_NEXT:
		return slot->command_next;
	}
	return 0;
}

static void slot_write(struct mali_slot *slot, u32 offset, u32 value)
{
	switch (offset % JOB_SLOT_SIZE) {
	case JS_COMMAND:
		stop(slot, value);
		break;
	case JS_HEAD_NEXT:
	case JS_HEAD_NEXT + 4:
		mali_set_half(&slot->next.head, offset, value);
		break;
	case JS_CONFIG_NEXT:
		slot->next.config = value;
		break;
	case JS_COMMAND_NEXT:
		slot->command_next = value;
		begin_next(slot);
		break;
	}
}

static u32 job_read(struct mali *gpu, u32 offset)
{
	const struct mali_job_manager *manager = gpu->engine;

	if (is_slot_register(offset))
		return slot_read(slot_of(gpu, offset), offset);
	switch (offset) {
	case L2_FEATURES:
		return 0x07110200 | ilog2(mali_line_size);
	case LATEST_FLUSH_ID:
		return gpu->flush_id;
	case JOB_INT_JS_STATE:
		return manager->js_state;
	}
	return 0;
}

/* What counts and samples is not there, so those commands do nothing. */
static void command(struct mali *gpu, u32 value)
{
	switch (value) {
	case COMMAND_SOFT_RESET:
	case COMMAND_HARD_RESET:
		mali_reset(gpu);
		break;
	case COMMAND_CLEAN:
	case COMMAND_CLEAN_INVALIDATE:
		gpu->flush_id++;
		mali_raise(gpu, MALI_IRQ_GPU, GPU_IRQ_CLEAN_DONE);
		break;
	}
}

static void job_write(struct mali *gpu, u32 offset, u32 value)
{
	if (is_slot_register(offset))
		slot_write(slot_of(gpu, offset), offset, value);
	else if (offset == GPU_COMMAND)
		command(gpu, value);
	else if (offset == JOB_INT + INT_CLEAR)
		sample_state(gpu->engine, value);
}

/* What was stopped does not access memory any more when the driver goes on. */
static void job_written(struct mali *gpu, u32 offset, u32 value)
{
	if (offset == GPU_COMMAND &&
	    (value == COMMAND_SOFT_RESET || value == COMMAND_HARD_RESET))
		mali_as_forget(gpu);
	else if (is_slot_register(offset) && offset % JOB_SLOT_SIZE == JS_COMMAND)
		mali_drain(gpu);
}

static void job_reset(struct mali *gpu)
{
	struct mali_job_manager *manager = gpu->engine;
	u32 i;

	manager->js_state = 0;
	for (i = 0; i < MALI_SLOTS; i++) {
		struct mali_slot *slot = &manager->slots[i];

		slot->active = false;
		slot->stalled = false;
		slot->command_next = JS_COMMAND_NOP;
		slot->status = 0;
		slot->turn++;
	}
}

static void job_unstall(struct mali *gpu, u32 as)
{
	struct mali_job_manager *manager = gpu->engine;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&gpu->lock, flags);
	for (i = 0; i < MALI_SLOTS; i++) {
		struct mali_slot *slot = &manager->slots[i];

		if (slot->stalled && FIELD_GET(JS_CONFIG_AS, slot->now.config) == as) {
			slot->stalled = false;
			queue_work(gpu->wq, &manager->work);
		}
	}
	spin_unlock_irqrestore(&gpu->lock, flags);
}

/* ---- The model ---- */

static int job_create(struct mali *gpu)
{
	struct mali_job_manager *manager;
	u32 i;

	manager = kvzalloc(sizeof(*manager), GFP_KERNEL);
	if (!manager)
		return -ENOMEM;
	manager->gpu = gpu;
	INIT_WORK(&manager->work, mali_chain_work);
	for (i = 0; i < MALI_SLOTS; i++) {
		manager->slots[i].gpu = gpu;
		manager->slots[i].index = i;
		gs_jm_init(&manager->slots[i].engine, true);
	}
	gpu->engine = manager;
	return 0;
}

static void job_destroy(struct mali *gpu)
{
	struct mali_job_manager *manager = gpu->engine;

	spin_lock_irq(&gpu->lock);
	job_reset(gpu);
	spin_unlock_irq(&gpu->lock);
	cancel_work_sync(&manager->work);
	kvfree(manager);
}

const struct mali_model mali_job_manager = {
	.compatible = "arm,mali-bifrost",
	.driver = "panfrost",
	.constants = constants,
	.create = job_create,
	.destroy = job_destroy,
	.reset = job_reset,
	.read = job_read,
	.write = job_write,
	.written = job_written,
	.unstall = job_unstall,
};
