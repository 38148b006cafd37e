// SPDX-License-Identifier: GPL-2.0-only
/* Violations: found by the model, traced, counted and kept in a ring. */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "trace.h"

static u64 page_offset_in_set(const struct ncmem_page *page)
{
	return (u64)(page - page->set->page) << PAGE_SHIFT;
}

/* ---- Jobs ---- */

/* Under the lock of reports: what the calling task executes, or NULL. */
static struct ncmem_job *current_job(struct ncmem *nc)
{
	struct ncmem_job *job;

	list_for_each_entry(job, &nc->jobs, node) {
		if (job->task == current)
			return job;
	}
	return NULL;
}

static struct gs_job describe_job(const struct ncmem_job *job)
{
	return (struct gs_job) {
		.number = job->number,
		.submission = job->submission,
		.address = job->address,
		.group = job->group,
		.queue = job->queue,
	};
}

/**
 * ncmem_job_begin() - the device begins a job
 * @nc: the emulation of the device
 * @job: the job, its first four members filled; stays the caller's until ncmem_job_end()
 *
 * Context: Any context that may take a spinlock.
 */
void ncmem_job_begin(struct ncmem *nc, struct ncmem_job *job)
{
	struct gs_job begun = {};

	spin_lock(&nc->report_lock);
	gs_journal_job_begins(&nc->journal, &begun);
	job->number = begun.number;
	job->task = NULL;
	spin_unlock(&nc->report_lock);
}
EXPORT_SYMBOL_GPL(ncmem_job_begin);

/**
 * ncmem_job_run() - the device's accesses by the calling task are this job's from now on
 * @nc: the emulation of the device
 * @job: the job
 * @expired: it ends with what it does now, and if it polls a dirty word that is reported
 *
 * Context: Process context, up to ncmem_job_pause() in the same task.
 */
void ncmem_job_run(struct ncmem *nc, struct ncmem_job *job, bool expired)
{
	spin_lock(&nc->report_lock);
	job->task = current;
	job->expired = expired;
	list_add(&job->node, &nc->jobs);
	spin_unlock(&nc->report_lock);
	if (expired)
		atomic_inc(&nc->expired);
}
EXPORT_SYMBOL_GPL(ncmem_job_run);

/**
 * ncmem_job_pause() - the calling task does something else
 * @nc: the emulation of the device
 * @job: the job that it ran
 *
 * Context: Any context that may take a spinlock.
 */
void ncmem_job_pause(struct ncmem *nc, struct ncmem_job *job)
{
	if (job->expired)
		atomic_dec(&nc->expired);
	spin_lock(&nc->report_lock);
	list_del(&job->node);
	job->task = NULL;
	job->expired = false;
	spin_unlock(&nc->report_lock);
}
EXPORT_SYMBOL_GPL(ncmem_job_pause);

/**
 * ncmem_job_end() - the job is done, or was killed: what it did wrong is recorded
 * @nc: the emulation of the device
 * @job: the job, which nobody runs
 *
 * Call it before anybody is told that the job is done: what it wrote is taken away from the
 * CPU's maps by &ncmem_owner.revoke, if loads are watched, and what the CPU wrote, if stores
 * are.
 *
 * Context: Process context, may sleep.
 */
void ncmem_job_end(struct ncmem *nc, struct ncmem_job *job)
{
	struct gs_job ended = describe_job(job);
	bool written;

	spin_lock(&nc->report_lock);
	gs_journal_job_ends(&nc->journal, &ended);
	nc->ended[ended.number % NCMEM_ENDED_JOBS] = ended;
	written = !list_empty(&nc->written);
	spin_unlock(&nc->report_lock);
	if (written)
		ncmem_watch_job_ends(nc, &ended);
}
EXPORT_SYMBOL_GPL(ncmem_job_end);

/* ---- Violations ---- */

static struct gs_object describe_object(const struct ncmem_pages *set)
{
	const struct ncmem_owner *owner = set->owner;
	struct gs_object object = { .id = set->id, .size = (u64)set->count << PAGE_SHIFT };

	if (!owner)
		return object;
	if (owner->id)
		object.id = owner->id;
	object.handle = READ_ONCE(owner->handle);
	object.pid = owner->pid;
	strscpy(object.program, owner->comm, sizeof(object.program));
	strscpy(object.label, owner->label, sizeof(object.label));
	return object;
}

static void report_violation(void *ctx, const struct gs_violation *violation)
{
	struct ncmem_page *page = ctx;
	struct ncmem *nc = page->set->nc;
	struct gs_sighting sighting = {
		.kind = violation->kind,
		.syncs = &page->set->syncs,
		.time_ns = ktime_get_boottime_ns(),
		.offset = page_offset_in_set(page) + violation->offset,
		.size = violation->size,
		.late = violation->late,
	};
	struct gs_object object;
	struct gs_job described;
	struct ncmem_job *job;

	spin_lock(&nc->report_lock);
	object = describe_object(page->set);
	sighting.object = &object;
	job = current_job(nc);
	if (job) {
		described = describe_job(job);
		sighting.job = &described;
	} else if (violation->kind != GS_DEV_READ_DIRTY &&
		   violation->kind != GS_DEV_WRITE_DIRTY) {
		sighting.pid = task_tgid_nr(current);
	}
	gs_journal_add(&nc->journal, &sighting);
	spin_unlock(&nc->report_lock);
}

/* Under the lock of reports: who wrote to a page last. */
static struct gs_job writer_of(const struct ncmem_page *page)
{
	const struct gs_job *job = &page->set->nc->ended[page->writer % NCMEM_ENDED_JOBS];

	return job->number == page->writer ? *job : (struct gs_job){ .number = page->writer };
}

void ncmem_report_load(struct ncmem_page *page, const struct gs_violation *violation,
		       u64 address, u64 pc)
{
	struct ncmem *nc = page->set->nc;
	struct gs_object object;
	struct gs_job writer;

	spin_lock(&nc->report_lock);
	object = describe_object(page->set);
	writer = writer_of(page);
	gs_journal_add(&nc->journal, &(struct gs_sighting) {
		.kind = violation->kind,
		.object = &object,
		.syncs = &page->set->syncs,
		.job = &writer,
		.pid = task_tgid_nr(current),
		.time_ns = ktime_get_boottime_ns(),
		.offset = page_offset_in_set(page) + violation->offset,
		.size = violation->size,
		.address = address,
		.pc = pc,
	});
	spin_unlock(&nc->report_lock);
}

void ncmem_note_sync(struct ncmem_page *page, u32 offset, u64 size, enum gs_sync_type type)
{
	struct ncmem *nc = page->set->nc;
	u64 start = page_offset_in_set(page) + offset;
	struct gs_sync_note note = {
		.offset = start,
		.end = start + size,
		.time_ns = ktime_get_boottime_ns(),
		.pid = task_tgid_nr(current),
		.type = type,
	};

	spin_lock(&nc->report_lock);
	note.job = nc->journal.last_job;
	gs_sync_log_add(&page->set->syncs, &note);
	spin_unlock(&nc->report_lock);
}

u64 ncmem_violation_count(struct ncmem *nc, enum gs_violation_kind kind)
{
	u64 count;

	spin_lock(&nc->report_lock);
	count = gs_journal_count(&nc->journal, kind);
	spin_unlock(&nc->report_lock);
	return count;
}

void ncmem_check_clean(struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;

	if (ncmem_page_lines(page, &lines))
		gs_violations_of_clean(&lines, offset, size, report_violation, page);
}

void ncmem_check_dev_read(struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;

	if (ncmem_page_lines(page, &lines))
		gs_violations_of_dev_read(&lines, offset, size, report_violation, page);
}

/* A word may be dirty for a moment, but not as long as a job waits for it. */
void ncmem_check_dev_poll(struct ncmem_page *page, u32 offset, u32 size)
{
	struct ncmem *nc = page->set->nc;
	const struct ncmem_job *job;
	bool expired;

	if (!atomic_read(&nc->expired))
		return;
	spin_lock(&nc->report_lock);
	job = current_job(nc);
	expired = job && job->expired;
	spin_unlock(&nc->report_lock);
	if (expired)
		ncmem_check_dev_read(page, offset, size);
}

static void watch_write(struct ncmem_page *page)
{
	struct ncmem *nc = page->set->nc;
	const struct ncmem_job *job;

	spin_lock(&nc->report_lock);
	job = current_job(nc);
	if (job)
		ncmem_watch_write(page, job);
	spin_unlock(&nc->report_lock);
}

void ncmem_check_dev_write(struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;

	if (ncmem_page_lines(page, &lines))
		gs_violations_of_dev_write(&lines, offset, size, report_violation, page);
	if (READ_ONCE(page->set->nc->watch) & NCMEM_WATCH_LOADS && ncmem_can_watch(page->set))
		watch_write(page);
}

static void trace_closed(struct gs_journal *journal, const struct gs_record *record)
{
	trace_ncmem_violation(container_of(journal, struct ncmem, journal)->dev, record);
}

int ncmem_reports_init(struct ncmem *nc)
{
	spin_lock_init(&nc->report_lock);
	mutex_init(&nc->watch_mutex);
	INIT_LIST_HEAD(&nc->jobs);
	INIT_LIST_HEAD(&nc->written);
	if (nc->params.can_watch && nc->params.mode != NCMEM_COHERENT)
		nc->watch = nc->params.watch;
	nc->records = kvzalloc(gs_journal_bytes(GS_RECORDS_ROOM), GFP_KERNEL);
	if (!nc->records) {
		mutex_destroy(&nc->watch_mutex);
		return -ENOMEM;
	}
	gs_journal_init(&nc->journal, nc->records, GS_RECORDS_ROOM, nc->params.line_size);
	nc->journal.closed = trace_closed;
	return 0;
}

void ncmem_reports_fini(struct ncmem *nc)
{
	kvfree(nc->records);
	mutex_destroy(&nc->watch_mutex);
}

/**
 * ncmem_owner_set_label() - name an object for reports
 * @nc: the emulation of the object's device
 * @owner: the object's owner
 * @label: the name; what does not fit is cut off
 *
 * Context: Any context that may take a spinlock.
 */
void ncmem_owner_set_label(struct ncmem *nc, struct ncmem_owner *owner, const char *label)
{
	char *c;

	spin_lock(&nc->report_lock);
	strscpy(owner->label, label, sizeof(owner->label));
	/* It is shown in lines of text, which it must not be able to end. */
	for (c = owner->label; *c; c++)
		*c = isprint(*c) ? *c : '?';
	spin_unlock(&nc->report_lock);
}
EXPORT_SYMBOL_GPL(ncmem_owner_set_label);

static bool next_record(struct ncmem *nc, u64 serial, struct gs_record *record)
{
	bool found;

	spin_lock(&nc->report_lock);
	found = gs_journal_next(&nc->journal, serial, record);
	spin_unlock(&nc->report_lock);
	return found;
}

static const char *sync_name(const struct gs_record *record)
{
	if (record->sync_known == GS_SYNC_NEVER)
		return "never";
	if (record->sync_known == GS_SYNC_LONG_AGO)
		return "forgotten";
	return record->sync.type == GS_SYNC_FLUSH ? "flush" : "invalidate";
}

/* Names may have blanks: that of the program ends with a colon and a number, the label last. */
static void show_record(struct seq_file *seq, const struct gs_record *record)
{
	const struct gs_object *object = &record->object;
	const struct gs_sync_note *sync = &record->sync;
	const struct gs_job *job = &record->job;

	seq_printf(seq, "serial=%llu time_ns=%llu kind=%s cause=%s offset=%llu size=%llu",
		   record->serial, record->time_ns, gs_violation_name(record->kind),
		   gs_cause_name(record->cause), record->offset, record->size);
	seq_printf(seq, " rows=%u stride=%llu sync_offset=%llu sync_size=%llu", record->rows,
		   record->stride, record->start, record->end - record->start);
	seq_printf(seq, " again=%llu times=%llu", record->again, record->times);
	seq_printf(seq, " bo=%llu bo_size=%llu handle=%u", object->id, object->size,
		   object->handle);
	seq_printf(seq, " job=%llu submission=%llu address=0x%llx group=%u queue=%u pid=%d",
		   job->number, job->submission, job->address, job->group, job->queue,
		   record->pid);
	seq_printf(seq, " last=%s last_offset=%llu last_size=%llu", sync_name(record),
		   sync->offset, sync->end - sync->offset);
	seq_printf(seq, " last_time_ns=%llu last_job=%llu last_pid=%d", sync->time_ns, sync->job,
		   sync->pid);
	seq_printf(seq, " cpu_address=0x%llx pc=0x%llx", record->address, record->pc);
	seq_printf(seq, " owner=%s:%d label=%s\n", object->program, object->pid, object->label);
}

static int violations_show(struct seq_file *seq, void *unused)
{
	struct ncmem *nc = seq->private;
	struct gs_record record = {};
	u64 end;

	/* New ones may come faster than they can be shown. */
	spin_lock(&nc->report_lock);
	end = gs_journal_last(&nc->journal);
	spin_unlock(&nc->report_lock);
	while (record.serial < end && next_record(nc, record.serial, &record)) {
		show_record(seq, &record);
		cond_resched();
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(violations);

/**
 * ncmem_debugfs_init() - show the last violations in debugfs
 * @nc: the emulation
 * @root: where; the caller removes it, with all that is in it, before ncmem_put()
 */
void ncmem_debugfs_init(struct ncmem *nc, struct dentry *root)
{
	debugfs_create_file("ncmem_violations", 0444, root, nc, &violations_fops);
}
EXPORT_SYMBOL_GPL(ncmem_debugfs_init);
