// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of drm_gem_sync.ko, for what user space cannot reach. */
#include <linux/module.h>

#include "fake.h"

kunit_test_suites(&gem_sync_access_suite, &gem_sync_bounce_suite, &gem_sync_evict_suite,
		  &gem_sync_hooks_suite, &gem_sync_import_suite, &gem_sync_life_suite,
		  &gem_sync_walk_suite);

MODULE_DESCRIPTION("KUnit tests of drm_gem_sync");
MODULE_LICENSE("GPL");
