// SPDX-License-Identifier: MIT
/*
 * The riscv64 back end's instructions as they are, on a CPU without Zicbom: each is
 * illegal there, and the handler of SIGILL writes down which one it was and for which
 * address. What the decoder makes of it is from the CMO specification.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "cpu_internal.h"

#define LINE		64u
#define EVENTS		64u

#define CBO_MASK	0xfff07fffu	/* all but rs1 */
#define CBO_CLEAN	0x0010200fu	/* imm 1, funct3 2, rd 0, MISC-MEM */
#define CBO_FLUSH	0x0020200fu

static struct {
	uint32_t word;
	uintptr_t address;
} events[EVENTS];
static unsigned int count;

static void on_illegal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint32_t word;

	(void)signal;
	(void)info;
	memcpy(&word, (const void *)uc->uc_mcontext.__gregs[REG_PC], sizeof(word));
	if (count < EVENTS) {
		events[count].word = word & CBO_MASK;
		events[count].address = uc->uc_mcontext.__gregs[word >> 15 & 31];
	}
	count++;
	uc->uc_mcontext.__gregs[REG_PC] += 4;
}

static int check(uint32_t word, uintptr_t start, unsigned int lines)
{
	unsigned int i;

	if (count != lines) {
		printf("# %u instructions, not %u\n", count, lines);
		return 1;
	}
	for (i = 0; i < lines; i++) {
		if (events[i].word != word || events[i].address != start + i * LINE) {
			printf("# instruction %u is %08x at %#lx\n", i, events[i].word,
			       (unsigned long)events[i].address);
			return 1;
		}
	}
	return 0;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO };
	const struct cpu_ops *ops = gemsync_cpu_backends;
	static char buffer[16 * LINE] __attribute__((aligned(LINE)));
	uintptr_t start = (uintptr_t)buffer;
	int clean, flush;

	sigaction(SIGILL, &action, NULL);
	puts("1..2");
	ops->clean(start, start + 3 * LINE, LINE);
	if (!count) {
		puts("ok 1 # SKIP this CPU has Zicbom\nok 2 # SKIP this CPU has Zicbom");
		return 0;
	}
	clean = check(CBO_CLEAN, start, 3);
	printf("%sok 1 - flushes are cbo.clean of each line\n", clean ? "not " : "");
	count = 0;
	ops->clean_inval(start + LINE, start + 8 * LINE, LINE);
	ops->fence(GEMSYNC_BEFORE_CPU);
	flush = check(CBO_FLUSH, start + LINE, 7);
	printf("%sok 2 - invalidations are cbo.flush of each line\n", flush ? "not " : "");
	return clean || flush;
}
