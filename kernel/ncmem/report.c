// SPDX-License-Identifier: GPL-2.0-only
/* Violations: found by the model, traced, counted and kept in a ring. */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "trace.h"

static u64 page_offset_in_set(const struct ncmem_page *page)
{
	return (u64)(page - page->set->page) << PAGE_SHIFT;
}

/* One access in several pieces is one violation: a row that goes on is made longer. */
static bool extend_last(struct ncmem *nc, const struct ncmem_report *report)
{
	struct ncmem_report *last = &nc->reports[nc->last_report % NCMEM_REPORTS];

	if (!nc->last_report || last->set_id != report->set_id ||
	    last->violation.kind != report->violation.kind ||
	    last->offset + last->size != report->offset)
		return false;
	last->size += report->size;
	return true;
}

static void report_violation(void *ctx, const struct gs_violation *violation)
{
	const struct ncmem_page *page = ctx;
	struct ncmem *nc = page->set->nc;
	struct ncmem_report report = {
		.time_ns = ktime_get_boottime_ns(),
		.set_id = page->set->id,
		.violation = *violation,
		.offset = page_offset_in_set(page) + violation->offset,
		.size = violation->size,
	};

	spin_lock(&nc->report_lock);
	if (page->set->owner)
		report.owner = *page->set->owner;
	if (!extend_last(nc, &report)) {
		atomic64_inc(&nc->violations[violation->kind]);
		report.serial = ++nc->last_report;
		nc->reports[report.serial % NCMEM_REPORTS] = report;
	}
	trace_ncmem_violation(nc->dev, &report);
	spin_unlock(&nc->report_lock);
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

void ncmem_check_dev_write(struct ncmem_page *page, u32 offset, u32 size)
{
	struct gs_lines lines;

	if (ncmem_page_lines(page, &lines))
		gs_violations_of_dev_write(&lines, offset, size, report_violation, page);
}

int ncmem_reports_init(struct ncmem *nc)
{
	spin_lock_init(&nc->report_lock);
	nc->reports = kvcalloc(NCMEM_REPORTS, sizeof(*nc->reports), GFP_KERNEL);
	return nc->reports ? 0 : -ENOMEM;
}

void ncmem_reports_fini(struct ncmem *nc)
{
	kvfree(nc->reports);
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

/* A copy of the report with a serial number, or of the oldest one after it. */
static bool get_report(struct ncmem *nc, u64 serial, struct ncmem_report *report)
{
	u64 oldest;
	bool found;

	spin_lock(&nc->report_lock);
	oldest = nc->last_report >= NCMEM_REPORTS ? nc->last_report - NCMEM_REPORTS + 1 : 1;
	serial = max(serial, oldest);
	found = serial <= nc->last_report;
	if (found)
		*report = nc->reports[serial % NCMEM_REPORTS];
	spin_unlock(&nc->report_lock);
	return found;
}

static int violations_show(struct seq_file *seq, void *unused)
{
	struct ncmem *nc = seq->private;
	struct ncmem_report report = {};
	u64 end;

	/* New ones may come faster than they can be shown. */
	spin_lock(&nc->report_lock);
	end = nc->last_report;
	spin_unlock(&nc->report_lock);
	seq_puts(seq, "# serial time_ns kind offset size owner label\n");
	while (report.serial < end && get_report(nc, report.serial + 1, &report)) {
		seq_printf(seq, "%llu %llu %s %llu %llu %s:%d %s\n", report.serial,
			   report.time_ns, gs_violation_name(report.violation.kind),
			   report.offset, report.size, report.owner.comm, report.owner.pid,
			   report.owner.label[0] ? report.owner.label : "-");
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
