// SPDX-License-Identifier: MIT
/* Which cases there are. */
#include "suite.h"

extern const struct case_group exactness_group;
extern const struct case_group pieces_group;
extern const struct case_group semantics_group;
extern const struct case_group concurrent_group;
extern const struct case_group batches_group;
extern const struct case_group refusals_group;
extern const struct case_group compat_group;
extern const struct case_group idle_group;
extern const struct case_group faults_group;
extern const struct case_group sharing_group;
extern const struct case_group drivers_group;
extern const struct case_group hooks_group;
extern const struct case_group mapping_group;
extern const struct case_group fresh_group;
extern const struct case_group races_group;
extern const struct case_group eviction_group;
extern const struct case_group purge_group;
extern const struct case_group violations_group;
extern const struct case_group records_group;
extern const struct case_group exporters_group;
extern const struct case_group unplug_group;

const struct case_group *const suite_groups[] = {
	&exactness_group,
	&pieces_group,
	&semantics_group,
	&concurrent_group,
	&batches_group,
	&refusals_group,
	&compat_group,
	&idle_group,
	&faults_group,
	&sharing_group,
	&drivers_group,
	&hooks_group,
	&mapping_group,
	&fresh_group,
	&races_group,
	&eviction_group,
	&purge_group,
	&violations_group,
	&records_group,
	&exporters_group,
	/* Takes the device away: last, for one that fails may leave nothing behind it. */
	&unplug_group,
	NULL,
};
