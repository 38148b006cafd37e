// SPDX-License-Identifier: GPL-2.0-only
/* What others see, without a lock, of an object that comes or goes (R17, R19). */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "fake.h"

#define SIZE	(4 * PAGE_SIZE)

/* ---- An object whose pages do not come ---- */

#define FAILURES	20000

struct look {
	struct drm_gem_sync_shmem_object *bo;
	unsigned long resident;
};

static int look(void *data)
{
	struct look *l = data;

	while (!kthread_should_stop()) {
		if (drm_gem_sync_shmem_status(&l->bo->base))
			l->resident++;
		cond_resched();
	}
	return 0;
}

/* Nobody who looks meanwhile takes the failure for pages. */
static void failure_is_no_memory(struct kunit *test)
{
	struct fake *fake = fake_create(test);
	struct look l = { .bo = fake_bo(test, fake, SIZE) };
	struct task_struct *task = kthread_run(look, &l, "gem-sync-look");
	unsigned int failed = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	WRITE_ONCE(fake->sdev.unplugged, true);
	for (unsigned int i = 0; i < FAILURES; i++) {
		failed += drm_gem_sync_shmem_pin(l.bo) == -ENODEV;
		cond_resched();
	}
	WRITE_ONCE(fake->sdev.unplugged, false);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, failed, FAILURES);
	KUNIT_EXPECT_EQ(test, l.resident, 0);

	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(l.bo), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sync_shmem_status(&l.bo->base), DRM_GEM_OBJECT_RESIDENT);
	drm_gem_sync_shmem_unpin(l.bo);
}

/* ---- A device that waits for who frees an object ---- */

static DECLARE_COMPLETION(unmapping);
static DECLARE_COMPLETION(may_unmap);
static DECLARE_COMPLETION(unplugged);

static void wait_in_unmap(void)
{
	complete(&unmapping);
	wait_for_completion(&may_unmap);
}

static int put_object(void *data)
{
	drm_gem_object_put(data);
	return 0;
}

static int unplug_device(void *data)
{
	drm_gem_sync_device_unplug(data);
	complete(&unplugged);
	return 0;
}

/* It sleeps meanwhile, and does not look again and again. */
static void unplug_sleeps(struct kunit *test)
{
	const struct drm_gem_sync_shmem_args args = { .cached = true, .private = true };
	struct fake *fake = fake_create(test);
	struct drm_gem_sync_shmem_object *bo;
	struct task_struct *task;
	unsigned long before, after;

	reinit_completion(&unmapping);
	reinit_completion(&may_unmap);
	reinit_completion(&unplugged);
	KUNIT_ASSERT_EQ(test, fake_try_bo(fake, SIZE, &args, &bo), 0);
	KUNIT_ASSERT_EQ(test, drm_gem_sync_shmem_pin(bo), 0);
	drm_gem_sync_shmem_unpin(bo);
	fake->unmapping = wait_in_unmap;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(put_object, &bo->base, "gem-sync-put"));
	wait_for_completion(&unmapping);

	task = kthread_create(unplug_device, &fake->sdev, "gem-sync-unplug");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	msleep(100);
	before = READ_ONCE(task->nvcsw);
	msleep(300);
	after = READ_ONCE(task->nvcsw);
	/* It may have come to the wait only now. */
	KUNIT_EXPECT_LE_MSG(test, after, before + 2, "it woke up again and again");
	put_task_struct(task);
	KUNIT_EXPECT_FALSE(test, completion_done(&unplugged));

	complete(&may_unmap);
	wait_for_completion(&unplugged);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(failure_is_no_memory),
	KUNIT_CASE_SLOW(unplug_sleeps),
	{}
};

struct kunit_suite gem_sync_life_suite = {
	.name = "gem_sync_life",
	.test_cases = cases,
};
