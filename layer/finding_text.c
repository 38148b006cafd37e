// SPDX-License-Identifier: MIT
/* Kinds of findings, and their words. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "findings.h"

/*
 * Of each kind: its name, what is wrong, and what to do about it in terms of Vulkan. The names
 * of the first ones are core's.
 */
static const struct kind {
	const char *name;
	const char *what;
	const char *advice;
} kinds[GSL_KINDS] = {
	[GS_LOST_UPDATE] = {
		NULL, "a flush destroyed what the device had written",
		"invalidate the range before the host stores to its atoms",
	},
	[GS_CPU_STORE_STALE] = {
		NULL, "the host stored to an atom that the device had written, and flushed it: "
		"the rest of the atom is old data now",
		"invalidate the range before the host stores to its atoms",
	},
	[GS_DEV_WRITE_DIRTY] = {
		NULL, "the device writes where stores of the host were not flushed",
		"flush the range before the submit, and not after it",
	},
	[GS_DEV_READ_DIRTY] = {
		NULL, "stores of the host were not flushed: the device reads old data",
		"call vkFlushMappedMemoryRanges after the last store and before the submit",
	},
	[GS_CPU_READ_STALE] = {
		NULL,
		"what the device wrote was never invalidated: the host reads old data",
		"call vkInvalidateMappedMemoryRanges after the wait and before the host reads",
	},
	[GSL_NO_HOST_BARRIER] = {
		"no-host-barrier",
		"no barrier made what the device wrote available to the host",
		"record a barrier from the write to VK_PIPELINE_STAGE_HOST_BIT with "
		"VK_ACCESS_HOST_READ_BIT: a fence alone does not do it",
	},
	[GSL_FLUSH_TOO_EARLY] = {
		"flush-too-early",
		"the host stored again after the flush: the device reads old data",
		"call vkFlushMappedMemoryRanges after the last store",
	},
	[GSL_FLUSH_TOO_LATE] = {
		"flush-too-late", "the flush comes after the submit that should have read it",
		"call vkFlushMappedMemoryRanges before the submit",
	},
	[GSL_INVALIDATE_TOO_EARLY] = {
		"invalidate-too-early",
		"the device may not have written yet when the range was invalidated",
		"wait for the fence or semaphore of the submission first",
	},
	[GSL_FLUSH_FOR_INVALIDATE] = {
		"flush-for-invalidate",
		"the device wrote the range and the host did not: a flush shows the host nothing",
		"call vkInvalidateMappedMemoryRanges to read what the device wrote",
	},
	[GSL_INVALIDATE_FOR_FLUSH] = {
		"invalidate-for-flush", "the invalidate destroys stores of the host",
		"call vkFlushMappedMemoryRanges to show them to the device",
	},
	[GSL_UNMAP_FOR_FLUSH] = {
		"unmap-for-flush",
		"stores of the host were not flushed, and vkUnmapMemory flushes nothing: "
		"the device reads old data",
		"call vkFlushMappedMemoryRanges before vkUnmapMemory",
	},
	[GSL_MISALIGNED] = {
		"misaligned", "the range does not begin and end at multiples of "
		"nonCoherentAtomSize",
		"widen it to whole atoms, and keep what the device writes out of them",
	},
	[GSL_CLEAN_FLUSH] = {
		"clean-flush", "nobody stored to what is flushed since it was flushed last",
		"flush what was stored to alone, to save time",
	},
	[GSL_LEFT_ALONE] = {
		"left-alone", "memory stays as the driver has it, and its flushes and "
		"invalidates are not judged",
		"",
	},
};

const char *gsl_kind_name(int kind)
{
	if (kind < 0 || kind >= GSL_KINDS)
		return "unknown";
	return kinds[kind].name ? kinds[kind].name : gs_violation_name(kind);
}

/* A text that grows, and is cut at its end. */
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length >= text->left)
		length = (int)text->left - 1;
	text->at += length;
	text->left -= (size_t)length;
}

static const char *type_name(VkObjectType type)
{
	switch (type) {
	case VK_OBJECT_TYPE_BUFFER:
		return "VkBuffer";
	case VK_OBJECT_TYPE_IMAGE:
		return "VkImage";
	case VK_OBJECT_TYPE_QUEUE:
		return "VkQueue";
	case VK_OBJECT_TYPE_DEVICE_MEMORY:
		return "VkDeviceMemory";
	default:
		return "object";
	}
}

static void add_object(struct text *text, const struct gsl_object *object)
{
	if (object->name[0])
		add(text, "%s \"%s\"", type_name(object->type), object->name);
	else
		add(text, "%s 0x%" PRIx64, type_name(object->type), object->handle);
}

static void add_place(struct text *text, const struct gsl_finding *finding)
{
	if (!finding->memory.type)
		return;
	if (finding->size) {
		add(text, " %" PRIu64 " bytes at offset %" PRIu64 " of ", finding->size,
		    finding->offset);
		if (finding->bytes < finding->size)
			add(text, "(%" PRIu64 " of them) ", finding->bytes);
	} else {
		add(text, " ");
	}
	add_object(text, &finding->memory);
	if (finding->resource.type) {
		add(text, ", in ");
		add_object(text, &finding->resource);
		add(text, " at %" PRIu64, finding->resource_offset);
	}
	add(text, ".");
}

static void add_time(struct text *text, const struct gsl_finding *finding)
{
	if (!finding->call)
		return;
	add(text, " Seen in %s", finding->call);
	if (finding->submission)
		add(text, ", submission %" PRIu64, finding->submission);
	if (finding->queue.type) {
		add(text, " on ");
		add_object(text, &finding->queue);
	}
	add(text, ".");
}

void gsl_finding_text(const struct gsl_finding *finding, char *out, size_t size)
{
	const struct kind *kind = &kinds[finding->kind];
	struct text text = { out, size };

	add(&text, "%s%s%s%s:", finding->possibly ? "possibly, " : "", kind->what,
	    finding->detail[0] ? ", " : "", finding->detail);
	add_place(&text, finding);
	add_time(&text, finding);
	if (kind->advice[0])
		add(&text, " What to do: %s.", kind->advice);
}
