// SPDX-License-Identifier: MIT
/* Cache maintenance by this CPU alone: what a driver does with a map of its own. */
#include <stdio.h>
#include <string.h>

#include <gemsync/cpu.h>

static char map[4096];	/* stands for a cached map of device memory */

int main(void)
{
	struct gemsync_cpu_info cpu;

	if (gemsync_cpu_query(&cpu)) {
		/* Never assume that nothing was needed: ask the driver to do it (R24). */
		printf("no maintenance in user space: %s\n", cpu.why);
		return 0;
	}

	/* The CPU writes, the device reads. */
	strcpy(map, "commands");
	gemsync_cpu_flush(map, sizeof("commands"));
	/* ... submit ... */

	/* The device wrote, the CPU reads. */
	/* ... wait ... */
	gemsync_cpu_invalidate(map + 1024, 64);

	/* Many ranges take one fence. */
	gemsync_cpu_flush_unfenced(map, 64);
	gemsync_cpu_flush_unfenced(map + 2048, 256);
	gemsync_cpu_fence(GEMSYNC_BEFORE_DEVICE);

	printf("%s, lines of %zu bytes; %s\n", cpu.backend, cpu.line_size, map);
	return 0;
}
