// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pace.h"

/* What the work takes in the guest that the limits were made in, in seconds. */
#define REFERENCE	0.1

#define ROUNDS		8
#define BYTES		(1 << 20)
#define PAGE		4096
#define LINE		64

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Page faults, and accesses of each line. */
static void use_memory(void)
{
	volatile uint8_t *bytes = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return;
	for (size_t step = PAGE; step >= LINE; step /= 2)
		for (size_t i = 0; i < BYTES; i += step)
			bytes[i]++;
	munmap((void *)bytes, BYTES);
}

double pace_measure(void)
{
	double begin = seconds_now(), factor;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (!pid) {
			use_memory();
			_exit(EXIT_SUCCESS);
		}
		if (pid < 0)
			use_memory();
		else
			waitpid(pid, NULL, 0);
	}
	factor = (seconds_now() - begin) / REFERENCE;
	return factor > 1 ? factor : 1;
}
