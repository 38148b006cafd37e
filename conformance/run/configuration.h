/* SPDX-License-Identifier: MIT */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

#include "case.h"

/* Set the policy and the configuration of a device that is open. What is not told stays "". */
void read_configuration(struct cf *cf, struct conform_facts *facts);

#endif
