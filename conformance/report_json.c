// SPDX-License-Identifier: MIT
#include <errno.h>

#include "report.h"

int report_json(const struct conform_report *report, FILE *file)
{
	return -EOPNOTSUPP;
}
