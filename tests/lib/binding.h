/* SPDX-License-Identifier: MIT */
/* Taking a device from its driver, and giving it back (R19). */
#ifndef BINDING_H
#define BINDING_H

#include "fixture.h"

/* The device's name and its driver's folder in sysfs. */
struct place {
	char name[64];
	char driver[256];
};

/* Of the device behind @fd; the test is skipped if it must or can not be taken away. */
struct place need_place(int fd, const struct gemsync_device_info *info);

void unbind_device(const struct place *place);
void bind_device(const struct place *place);

int touch_is_sigbus(volatile uint32_t *word);

#endif
