/* SPDX-License-Identifier: GPL-2.0-only */
/* Job slots: registers in job.c, and what executes in chain.c. */
#ifndef MALI_SLOT_H
#define MALI_SLOT_H

#include <linux/wait.h>
#include <linux/workqueue.h>

#include <jm.h>

#include "mali.h"

#define MALI_SLOTS	3

/* What JS_..._NEXT and, once it begins, JS_... say of a chain. */
struct mali_chain {
	u64 head;
	u32 config;
};

/**
 * struct mali_slot - a job slot
 * @gpu: whose
 * @index: which
 * @next: the chain that was written, under &mali.lock as all that has no other lock
 * @command_next: JS_COMMAND_NEXT: JS_COMMAND_START while @next waits for its turn
 * @now: the chain that executes, or was the last one
 * @tail: the last job of it that was begun
 * @status: JS_STATUS
 * @active: it executes
 * @stalled: it waits for memory
 * @stopping: it ends with what it does at the moment, so that it can be gone on with
 * @turn: how many chains were begun or stopped; chains whose turn is over do nothing more
 * @engine_turn: of the chain in @engine; this and @engine are the work item's
 * @engine: the interpreter
 */
struct mali_slot {
	struct mali *gpu;
	u32 index;
	struct mali_chain next;
	u32 command_next;
	struct mali_chain now;
	u64 tail;
	u32 status;
	bool active;
	bool stalled;
	bool stopping;
	u32 turn;
	u32 engine_turn;
	struct gs_jm engine;
};

/**
 * struct mali_job_manager - the model's part of a GPU with a job manager
 * @gpu: whose
 * @work: executes the chains of all slots
 * @slots: the slots
 * @js_state: JOB_INT_JS_STATE
 */
struct mali_job_manager {
	struct mali *gpu;
	struct work_struct work;
	struct mali_slot slots[MALI_SLOTS];
	u32 js_state;
};

/* chain.c */
void mali_chain_work(struct work_struct *work);

/* job.c, with &mali.lock held: the chain that executes is at its end, whatever follows. */
void mali_slot_end(struct mali_slot *slot, u32 status);
/* Likewise, and what waits follows if there was no fault. */
void mali_slot_finish(struct mali_slot *slot, u32 status);

#endif
