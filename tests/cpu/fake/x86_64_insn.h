/* SPDX-License-Identifier: MIT */
/* In place of lib/cpu/x86_64_insn.h. */
#ifndef GEMSYNC_X86_64_INSN_H
#define GEMSYNC_X86_64_INSN_H

#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define signature_INTEL_ebx	0x756e6547u
#define signature_INTEL_edx	0x49656e69u
#define signature_INTEL_ecx	0x6c65746eu

struct insn_cpuid {
	unsigned int eax, ebx, ecx, edx;
};

static inline bool insn_cpuid(unsigned int leaf, struct insn_cpuid *out)
{
	memset(out, 0, sizeof(*out));
	if (leaf == 0) {
		memcpy(&out->ebx, fake_machine.vendor, 4);
		memcpy(&out->edx, fake_machine.vendor + 4, 4);
		memcpy(&out->ecx, fake_machine.vendor + 8, 4);
		return true;
	}
	if (leaf == 1) {
		out->eax = fake_machine.signature;
		out->ebx = fake_machine.base_ebx;
		out->edx = fake_machine.base_edx;
		return true;
	}
	out->ebx = fake_machine.more_ebx;
	out->ecx = fake_machine.more_ecx;
	return fake_machine.vendor[0];
}

static inline void insn_clwb(uintptr_t line)
{
	fake_line_insn(FAKE_CLWB, line);
}

static inline void insn_clflushopt(uintptr_t line)
{
	fake_line_insn(FAKE_CLFLUSHOPT, line);
}

static inline void insn_clflush(uintptr_t line)
{
	fake_line_insn(FAKE_CLFLUSH, line);
}

static inline void insn_sfence(void)
{
	fake_fence_insn(FAKE_SFENCE);
}

static inline void insn_mfence(void)
{
	fake_fence_insn(FAKE_MFENCE);
}

static inline void insn_locked(void)
{
	fake_fence_insn(FAKE_LOCKED);
}

/* No fence of what flushes. */
static inline void insn_lfence(void)
{
}

static inline void insn_stream_line(char *to, const char *from)
{
	memcpy(to, from, 64);
	fake_line_insn(FAKE_STREAM, (uintptr_t)to);
}

static inline void insn_direct_line(char *to, const char *from)
{
	if ((uintptr_t)to % 64)
		abort();	/* a general protection fault */
	memcpy(to, from, 64);
	fake_line_insn(FAKE_MOVDIR64B, (uintptr_t)to);
}

static inline void insn_rep_movsb(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
}

#endif
