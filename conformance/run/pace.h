/* SPDX-License-Identifier: MIT */
#ifndef PACE_H
#define PACE_H

/*
 * How many times longer than where the limits of cases were made this machine takes, at
 * least 1: an emulated guest is slow, and so is a machine that is busy. It takes a moment,
 * in which the work that cases are full of is done.
 */
double pace_measure(void);

#endif
