/* SPDX-License-Identifier: MIT */
/* The kernel's fault injection for this task, and what the modules have in use. */
#ifndef INJECT_H
#define INJECT_H

#define TOTALS	5

struct totals {
	long value[TOTALS];
};

/* Set the kernel up; whether it can inject failures. */
void inject_open(void);
int inject_available(void);

/* Let the n-th allocation or copy from now on fail, and end that; whether it came. */
void inject_arm(unsigned int n);
int inject_disarm(void);

/* "1": all allocations of this task fail; "0": none. */
void inject_all_failures(const char *on);

/* What the modules have in use. */
struct totals totals_now(void);

/* Wait until it is what it was @before; @n names the failure for the message. */
void totals_settle(const struct totals *before, unsigned int n);

#endif
