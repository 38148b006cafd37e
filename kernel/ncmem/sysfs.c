// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sysfs directory `ncmem` of an emulated device, readable by everyone; the counters in
 * it are only while the parameter public_counters says so.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "internal.h"

static ssize_t line_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", ncmem_of(dev)->params.line_size);
}
static DEVICE_ATTR_RO(line_size);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char *const names[] = {
		[NCMEM_LAZY] = "lazy",
		[NCMEM_CHAOS] = "chaos",
		[NCMEM_COHERENT] = "coherent",
		[NCMEM_KIND] = "kind",
	};

	return sysfs_emit(buf, "%s\n", names[ncmem_of(dev)->params.mode]);
}
static DEVICE_ATTR_RO(mode);

static ssize_t seed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", ncmem_of(dev)->params.seed);
}
static DEVICE_ATTR_RO(seed);

static ssize_t dma_bits_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", fls64(ncmem_dma_mask(&ncmem_of(dev)->params)));
}
static DEVICE_ATTR_RO(dma_bits);

static ssize_t user_ops_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", ncmem_user_ops_work());
}
static DEVICE_ATTR_RO(user_ops);

/* What is looked for, by whoever may say so. */
static const char *const watch_names[] = {
	[0] = "nothing",
	[NCMEM_WATCH_LOADS] = "loads",
	[NCMEM_WATCH_STORES] = "stores",
	[NCMEM_WATCH_ALL] = "all",
};

static ssize_t watch_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", watch_names[READ_ONCE(ncmem_of(dev)->watch)]);
}

static ssize_t watch_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct ncmem *nc = ncmem_of(dev);
	int watch = sysfs_match_string(watch_names, buf);

	if (watch < 0)
		return watch;
	if (watch && (!nc->params.can_watch || nc->params.mode == NCMEM_COHERENT))
		return -EOPNOTSUPP;
	WRITE_ONCE(nc->watch, watch);
	return count;
}
static DEVICE_ATTR_RW(watch);

/* An attribute that shows a counter of &struct ncmem. */
#define COUNTER(name_, counter_)								\
static ssize_t name_##_show(struct device *dev, struct device_attribute *attr, char *buf)	\
{												\
	if (!ncmem_may_read_counters())								\
		return -EPERM;									\
	return sysfs_emit(buf, "%lld\n", atomic64_read(&ncmem_of(dev)->counter_));		\
}												\
static DEVICE_ATTR_RO(name_)

COUNTER(lines_cleaned, lines_cleaned);
COUNTER(lines_dropped, lines_dropped);
COUNTER(lines_cleaned_dirty, lines_cleaned_dirty);
COUNTER(lines_dropped_stale, lines_dropped_stale);
COUNTER(lines_evicted, lines_evicted);
COUNTER(lines_refilled, lines_refilled);

/* The number of records of a kind that there ever were. */
#define VIOLATIONS(name_, kind_)								\
static ssize_t violations_##name_##_show(struct device *dev, struct device_attribute *attr,	\
					 char *buf)						\
{												\
	if (!ncmem_may_read_counters())								\
		return -EPERM;									\
	return sysfs_emit(buf, "%llu\n", ncmem_violation_count(ncmem_of(dev), kind_));		\
}												\
static DEVICE_ATTR_RO(violations_##name_)

VIOLATIONS(lost_update, GS_LOST_UPDATE);
VIOLATIONS(cpu_store_stale, GS_CPU_STORE_STALE);
VIOLATIONS(dev_write_dirty, GS_DEV_WRITE_DIRTY);
VIOLATIONS(dev_read_dirty, GS_DEV_READ_DIRTY);
VIOLATIONS(cpu_read_stale, GS_CPU_READ_STALE);

static struct attribute *ncmem_attrs[] = {
	&dev_attr_line_size.attr,
	&dev_attr_mode.attr,
	&dev_attr_seed.attr,
	&dev_attr_dma_bits.attr,
	&dev_attr_user_ops.attr,
	&dev_attr_lines_cleaned.attr,
	&dev_attr_lines_dropped.attr,
	&dev_attr_lines_cleaned_dirty.attr,
	&dev_attr_lines_dropped_stale.attr,
	&dev_attr_lines_evicted.attr,
	&dev_attr_lines_refilled.attr,
	&dev_attr_violations_lost_update.attr,
	&dev_attr_violations_cpu_store_stale.attr,
	&dev_attr_violations_dev_write_dirty.attr,
	&dev_attr_violations_dev_read_dirty.attr,
	&dev_attr_violations_cpu_read_stale.attr,
	&dev_attr_watch.attr,
	NULL
};

const struct attribute_group ncmem_group = {
	.name = "ncmem",
	.attrs = ncmem_attrs,
};
