/* SPDX-License-Identifier: MIT */
/*
 * The layer's settings. Later ones of these win: VK_EXT_layer_settings at instance creation;
 * vk_layer_settings.txt, with lines such as `gemsync_noncoherent.mode = report`; the
 * environment, VK_GEMSYNC_NONCOHERENT_MODE=report; and GEMSYNC="mode=report,atom=128".
 */
#ifndef GSL_SETTINGS_H
#define GSL_SETTINGS_H

#include <vulkan/vulkan_core.h>

#include "memory_types.h"

enum gsl_mode {
	GSL_STRICT,	/* what may be stale is stale */
	GSL_REPORT,	/* what goes wrong is told, and made good */
	GSL_CHAOS,	/* as strict, and atoms move by themselves, as in any cache */
};

enum gsl_messages { GSL_MESSAGES_AUTO, GSL_MESSAGES_STDERR, GSL_MESSAGES_NONE };
enum gsl_reads { GSL_READS_GUESS, GSL_READS_PAGES, GSL_READS_PROTECT };
enum gsl_written { GSL_WRITTEN_AUTO, GSL_WRITTEN_COMPARE };

struct gsl_settings {
	int mode;
	int types;
	int order;	/* 1: last */
	int strip;
	int atom;	/* bytes */
	int messages;
	int written;
	int reads;
	int cost;	/* tell flushes of clean memory */
	int limit;	/* of messages of a kind */
	int seed;	/* of chaos */
	int ignored;	/* settings that were not understood */
	char log[4096];	/* a file for JSON lines; empty: none */
};

/* The settings of an instance. What cannot be understood is told on stderr, and skipped. */
void gsl_settings_read(struct gsl_settings *settings, const VkInstanceCreateInfo *info);

#endif
