// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "layer.h"
#include "trace/trace.h"

#define PLACES	4096	/* memories whose loads can be seen */

/* Where the application has its copies. Signal handlers look here: there is no lock. */
static struct place {
	atomic_uintptr_t start;		/* 0: free */
	atomic_uintptr_t end;
	struct gsl_memory *memory;
} places[PLACES];

static atomic_uint place_count;		/* of those ever used */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
static struct gemsync_trace *trace;	/* in the application, or NULL */
static u64 page;

static struct gsl_memory *find_memory(u64 address)
{
	u32 count = atomic_load(&place_count), i;

	for (i = 0; i < count; i++) {
		if (address >= atomic_load(&places[i].start) &&
		    address < atomic_load(&places[i].end))
			return places[i].memory;
	}
	return NULL;
}

static bool is_protecting(const struct gsl_device *device)
{
	return device->instance->settings.reads == GSL_READS_PROTECT;
}

bool gsl_reads_are_touches(const struct gsl_device *device)
{
	return device->instance->settings.reads == GSL_READS_PAGES;
}

bool gsl_reads_are_seen(const struct gsl_device *device)
{
	return is_protecting(device) || gsl_reads_are_touches(device) || trace;
}

/* ---- Signals ---- */

static struct sigaction before;

static bool is_store(const ucontext_t *context)
{
#ifdef __x86_64__
	return context->uc_mcontext.gregs[REG_ERR] & 2;
#else
	return true;	/* nothing is protected: see check_reads() */
#endif
}

static u64 code_of(const ucontext_t *context)
{
#ifdef __x86_64__
	return (u64)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return context->uc_mcontext.pc;
#else
	return 0;
#endif
}

static void keep(struct gsl_faults *faults, u64 address, const ucontext_t *context)
{
	u32 begun = atomic_load(&faults->begun);
	struct gsl_fault *fault;

	do {
		if (begun - atomic_load(&faults->taken) >= GSL_FAULTS)
			return;
	} while (!atomic_compare_exchange_weak(&faults->begun, &begun, begun + 1));
	fault = &faults->ring[begun % GSL_FAULTS];
	fault->address = address;
	fault->code = code_of(context);
	fault->store = is_store(context);
	atomic_store(&fault->ready, true);
}

/*
 * Somebody else's fault goes where it would have gone. A handler that was set later may call
 * this one in turn: then it ends here.
 */
static void pass_on(int number, siginfo_t *info, void *context)
{
	static const struct sigaction by_default = { .sa_handler = SIG_DFL };
	/* There from the begin of the thread: no memory is allocated in a handler. */
	static __thread bool passing __attribute__((tls_model("initial-exec")));

	if (passing || (!(before.sa_flags & SA_SIGINFO) &&
			(before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN))) {
		sigaction(SIGSEGV, &by_default, NULL);
		return;
	}
	passing = true;
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(number, info, context);
	else
		before.sa_handler(number);
	passing = false;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	u64 address = (uintptr_t)info->si_addr;
	struct gsl_memory *memory = find_memory(address);

	if (!memory || mprotect((void *)(uintptr_t)(address & ~(page - 1)), page,
				PROT_READ | PROT_WRITE)) {
		pass_on(number, info, context);
		return;
	}
	keep(&memory->device->faults, address, context);
}

/* Crash handlers may be set at any time: what is protected needs this one before them. */
static void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK,
	};
	struct sigaction now;

	sigaction(SIGSEGV, NULL, &now);
	if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_fault)
		return;
	before = now;
	sigaction(SIGSEGV, &action, NULL);
}

/* ---- Hooks ---- */

/* By GEMSYNC_TRACE=PID:ADDRESS, which the hooks set before main(). */
static struct gemsync_trace *find_trace(void)
{
	const char *said = getenv(GEMSYNC_TRACE_VARIABLE);
	struct gemsync_trace *found;
	char *end;

	if (!said || strtol(said, &end, 10) != getpid() || *end != ':')
		return NULL;
	found = (struct gemsync_trace *)(uintptr_t)strtoull(end + 1, NULL, 16);
	return found && found->version == GEMSYNC_TRACE_VERSION ? found : NULL;
}

static void on_load(const void *address, const void *code)
{
	struct gsl_memory *memory = find_memory((uintptr_t)address);
	struct gsl_batch batch = { 0 };
	struct gsl_device *device;

	if (!memory)
		return;
	device = memory->device;
	pthread_mutex_lock(&device->lock);
	gsl_memory_loaded(memory, (uintptr_t)address -
			  (uintptr_t)gsl_copies_address(memory->copies), (uintptr_t)code, &batch);
	pthread_mutex_unlock(&device->lock);
	gsl_findings_tell(&device->instance->findings, &batch);
}

static void find_hooks(void)
{
	page = (u64)sysconf(_SC_PAGESIZE);
	trace = find_trace();
	if (trace)
		atomic_store(&trace->load, on_load);
}

/* The hooks ask the layer for addresses between the first place and the last one alone. */
static void widen_trace(u64 start, u64 end)
{
	if (!trace)
		return;
	if (!atomic_load(&trace->end) || start < atomic_load(&trace->start))
		atomic_store(&trace->start, start);
	if (end > atomic_load(&trace->end))
		atomic_store(&trace->end, end);
}

/* ---- Memories ---- */

void gsl_reads_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_hooks);
}

void gsl_reads_add(struct gsl_memory *memory)
{
	u64 start = (uintptr_t)gsl_copies_address(memory->copies);
	u32 i;

	if (!is_protecting(memory->device) && !trace)
		return;
	pthread_mutex_lock(&adding);
	for (i = 0; i < PLACES && atomic_load(&places[i].start); i++)
		;
	if (i < PLACES) {
		places[i].memory = memory;
		atomic_store(&places[i].end, start + memory->size);
		atomic_store(&places[i].start, start);
		if (i >= atomic_load(&place_count))
			atomic_store(&place_count, i + 1);
	}
	widen_trace(start, start + memory->size);
	pthread_mutex_unlock(&adding);
}

void gsl_reads_remove(struct gsl_memory *memory)
{
	u32 i;

	pthread_mutex_lock(&adding);
	for (i = 0; i < atomic_load(&place_count); i++) {
		if (places[i].memory != memory)
			continue;
		atomic_store(&places[i].end, 0);
		atomic_store(&places[i].start, 0);
		places[i].memory = NULL;
	}
	pthread_mutex_unlock(&adding);
}

static void protect(struct gsl_memory *memory, u64 offset, u64 end, int how)
{
	char *start = gsl_copies_address(memory->copies);

	if (!is_protecting(memory->device) || offset >= end)
		return;
	if (how == PROT_NONE)
		catch_faults();
	offset &= ~(page - 1);
	mprotect(start + offset, (end - offset + page - 1) & ~(page - 1), how);
}

bool gsl_reads_are_seen_of(const struct gsl_memory *memory, u64 offset, u64 end)
{
	if (gsl_reads_are_touches(memory->device))
		return gsl_copies_have_guards(memory->copies, offset, end);
	return gsl_reads_are_seen(memory->device);
}

void gsl_reads_protect(struct gsl_memory *memory, u64 offset, u64 end)
{
	if (gsl_reads_are_touches(memory->device))
		gsl_copies_guard(memory->copies, offset, end);
	else
		protect(memory, offset, end, PROT_NONE);
}

void gsl_reads_unprotect(struct gsl_memory *memory, u64 offset, u64 end)
{
	if (gsl_reads_are_touches(memory->device))
		gsl_copies_unguard(memory->copies, offset, end);
	else
		protect(memory, offset, end, PROT_READ | PROT_WRITE);
}

/* ---- What was caught ---- */

static void judge(const struct gsl_fault *fault, struct gsl_batch *batch)
{
	struct gsl_memory *memory = fault->store ? NULL : find_memory(fault->address);

	if (memory)
		gsl_memory_loaded(memory, fault->address -
				  (uintptr_t)gsl_copies_address(memory->copies), fault->code,
				  batch);
}

static void collect_faults(struct gsl_device *device, struct gsl_batch *batch)
{
	struct gsl_faults *faults = &device->faults;

	for (;;) {
		u32 taken = atomic_load(&faults->taken);
		struct gsl_fault *fault = &faults->ring[taken % GSL_FAULTS];

		if (!atomic_load(&fault->ready))
			break;
		judge(fault, batch);
		atomic_store(&fault->ready, false);
		atomic_store(&faults->taken, taken + 1);
	}
}

static void find_touches(struct gsl_device *device)
{
	struct gsl_memory *memory;

	for (memory = device->first_memory; memory; memory = memory->next) {
		if (memory->copies)
			gsl_copies_find_touches(memory->copies);
	}
}

void gsl_reads_collect(struct gsl_device *device, struct gsl_batch *batch)
{
	if (gsl_reads_are_touches(device))
		find_touches(device);
	else
		collect_faults(device, batch);
}

void gsl_reads_judge(struct gsl_memory *memory, struct gsl_batch *batch)
{
	u64 offset, size;

	while (memory->copies && gsl_copies_take_touched(memory->copies, &offset, &size))
		gsl_memory_touched(memory, offset, offset + size, page, batch);
}

void gsl_reads_judge_all(struct gsl_device *device, struct gsl_batch *batch)
{
	struct gsl_memory *memory;

	for (memory = device->first_memory; memory; memory = memory->next)
		gsl_reads_judge(memory, batch);
}

/* "main+0x20 of ./program": where code stands. */
void gsl_code_name(u64 code, char *name, size_t size)
{
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)code, &info) || !info.dli_fname)
		snprintf(name, size, "code at 0x%llx", (unsigned long long)code);
	else if (info.dli_sname)
		snprintf(name, size, "%s+0x%llx of %s", info.dli_sname,
			 (unsigned long long)(code - (uintptr_t)info.dli_saddr), info.dli_fname);
	else
		snprintf(name, size, "%s+0x%llx", info.dli_fname,
			 (unsigned long long)(code - (uintptr_t)info.dli_fbase));
}
