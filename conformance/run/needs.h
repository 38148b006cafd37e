/* SPDX-License-Identifier: MIT */
#ifndef NEEDS_H
#define NEEDS_H

#include "case.h"

/* Skip the case if the device, or the user, has not what it needs. The device is open. */
void check_needs(struct cf *cf, const struct conform_case *c);

#endif
