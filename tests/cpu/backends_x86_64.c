// SPDX-License-Identifier: MIT
#include "backends.h"

#define CLFSH		(1u << 19)
#define LINE(bytes)	((bytes) / 8 << 8)
#define CLFLUSHOPT	(1u << 23)
#define CLWB		(1u << 24)
#define MOVDIR64B	(1u << 28)

/* Family 6; the model's upper half is in bits 16 to 19. */
#define MODEL(model)	(6u << 8 | ((model) & 0xfu) << 4 | ((model) >> 4) << 16)

const struct backend backends[] = {
	{ "movdir64b", NOTHING, FAKE_CLWB, FAKE_CLFLUSHOPT, FAKE_SFENCE, FAKE_LOCKED, 1, 1 },
	{ "clwb", NOTHING, FAKE_CLWB, FAKE_CLFLUSHOPT, FAKE_SFENCE, FAKE_LOCKED, 1, 1 },
	{ "clflushopt", NOTHING, FAKE_CLFLUSHOPT, FAKE_CLFLUSHOPT, FAKE_SFENCE, FAKE_LOCKED, 1, 1 },
	{ "clflush", FAKE_MFENCE, FAKE_CLFLUSH, FAKE_CLFLUSH, FAKE_MFENCE, FAKE_MFENCE, 1, 1 },
	{ "clflushopt-twice", NOTHING, FAKE_CLFLUSHOPT, FAKE_CLFLUSHOPT, FAKE_MFENCE, FAKE_MFENCE,
	  2, 1 },
	{ "clflush-twice", FAKE_MFENCE, FAKE_CLFLUSH, FAKE_CLFLUSH, FAKE_MFENCE, FAKE_MFENCE, 2,
	  1 },
};
const size_t backend_count = sizeof(backends) / sizeof(backends[0]);

#define BASE	.base_edx = CLFSH, .base_ebx = LINE(64)

const struct fake_machine has_all = {
	BASE, .vendor = "AuthenticAMD", .more_ebx = CLWB | CLFLUSHOPT, .more_ecx = MOVDIR64B,
};
const struct fake_machine lacks_some = { BASE, .vendor = "AuthenticAMD" };
const char *const lacks_name = "clwb";

/* Intel's models by their numbers, old enough to have clflush alone. */
#define OLD_INTEL(name, model, backend) \
	{ name, { BASE, .vendor = "GenuineIntel", .signature = MODEL(model) }, backend, 64, 64 }
#define ATOM(name, model)	OLD_INTEL(name, model, "clflush-twice")
#define NO_ATOM(name, model)	OLD_INTEL(name, model, "clflush")

const struct machine machines[] = {
	{ "all of them",
	  { BASE, .vendor = "AuthenticAMD", .more_ebx = CLWB | CLFLUSHOPT, .more_ecx = MOVDIR64B },
	  "movdir64b", 64, 64 },
	{ "movdir64b without clwb",
	  { BASE, .vendor = "AuthenticAMD", .more_ebx = CLFLUSHOPT, .more_ecx = MOVDIR64B },
	  "clflushopt", 64, 64 },
	{ "clwb and clflushopt",
	  { BASE, .vendor = "AuthenticAMD", .more_ebx = CLWB | CLFLUSHOPT }, "clwb", 64, 64 },
	{ "a big core of Intel",
	  { BASE, .vendor = "GenuineIntel", .signature = MODEL(0x8f),
	    .more_ebx = CLWB | CLFLUSHOPT },
	  "clwb", 64, 64 },
	{ "clwb alone, as a hypervisor may show",
	  { BASE, .vendor = "AuthenticAMD", .more_ebx = CLWB }, "clflush", 64, 64 },
	{ "clflushopt", { BASE, .vendor = "AuthenticAMD", .more_ebx = CLFLUSHOPT }, "clflushopt",
	  64, 64 },
	{ "neither", { BASE, .vendor = "AuthenticAMD" }, "clflush", 64, 64 },
	{ "no leaf 7", { BASE, .more_ebx = CLWB | CLFLUSHOPT }, "clflush", 64, 64 },
	ATOM("Bay Trail", 0x37), ATOM("Merrifield", 0x4a), ATOM("Avoton", 0x4d),
	ATOM("Moorefield", 0x5a), ATOM("SoFIA", 0x5d), ATOM("Cherry Trail", 0x4c),
	ATOM("SoFIA LTE", 0x65), ATOM("Cougar Mountain", 0x6e), ATOM("Lightning Mountain", 0x75),
	ATOM("Apollo Lake", 0x5c), ATOM("Denverton", 0x5f), ATOM("Gemini Lake", 0x7a),
	ATOM("Jacobsville", 0x86), ATOM("Lakefield", 0x8a), ATOM("Elkhart Lake", 0x96),
	ATOM("Jasper Lake", 0x9c),
	NO_ATOM("Ivy Bridge", 0x3a), NO_ATOM("Knights Landing", 0x57),
	NO_ATOM("Knights Mill", 0x85), NO_ATOM("Ice Lake", 0x7e), NO_ATOM("Gracemont", 0xbe),
	{ "Goldmont",
	  { BASE, .vendor = "GenuineIntel", .signature = MODEL(0x5c), .more_ebx = CLFLUSHOPT },
	  "clflushopt-twice", 64, 64 },
	{ "Tremont",
	  { BASE, .vendor = "GenuineIntel", .signature = MODEL(0x96),
	    .more_ebx = CLWB | CLFLUSHOPT, .more_ecx = MOVDIR64B },
	  "clflushopt-twice", 64, 64 },
	{ "another vendor's model 0x37",
	  { BASE, .vendor = "AuthenticAMD", .signature = MODEL(0x37) }, "clflush", 64, 64 },
	{ "lines of 32 bytes",
	  { .base_edx = CLFSH, .base_ebx = LINE(32), .vendor = "CentaurHauls" }, "clflush", 32,
	  32 },
	{ "no clflush", { .base_ebx = LINE(64), .vendor = "AuthenticAMD" }, "none", 0, 4096 },
	{ "a line of 0 bytes", { .base_edx = CLFSH, .vendor = "AuthenticAMD" }, "none", 0, 4096 },
	{ "a line of 24 bytes",
	  { .base_edx = CLFSH, .base_ebx = LINE(24), .vendor = "AuthenticAMD" }, "none", 0, 4096 },
};
const size_t machine_count = sizeof(machines) / sizeof(machines[0]);
