// SPDX-License-Identifier: MIT
#include "conform.h"
#include "rules.h"

static const struct {
	const char *title;
	const char *meaning;
} rules[CONFORM_RULES + 1] = {
	[1] = { "Exact", "a sync maintains the lines of its range and no other" },
	[2] = { "Stays put", "a sync moves, allocates, pages in and pins nothing" },
	[3] = { "Does not wait for the GPU", "a sync waits on no fence" },
	[4] = { "Two operations", "flush, and flush and invalidate; none only drops" },
	[5] = { "Neighbours live", "edge lines keep what others store beside the range" },
	[6] = { "Access flags", "device access is a flush, CPU access also invalidates" },
	[7] = { "All or nothing", "a bad op anywhere, and no op is done" },
	[8] = { "Clear refusals", "each bad argument has its error" },
	[9] = { "Free when free", "no maintenance where there is nothing to maintain" },
	[10] = { "Cost", "a sync costs what the lines of its range cost" },
	[11] = { "Imported BOs", "are their exporter's to sync" },
	[12] = { "Decided at creation", "caching is asked for then, and never changes" },
	[13] = { "Incoherence stays within its DRM file", "a BO is cached or shared, not both" },
	[14] = { "Policy hooks", "cached BOs are shared with CPU-access hooks" },
	[15] = { "PRIME imports are not mapped", "an imported BO has no CPU map of its importer" },
	[16] = { "NO_MMAP means it", "no way to map such a BO is left" },
	[17] = { "No leaks", "a fresh page reads as zero in every view" },
	[18] = { "Nothing lost on the way out", "eviction writes back what the CPU wrote" },
	[19] = { "Races are safe", "sync against close, free, purge, eviction, unplug" },
	[20] = { "Handles are private", "a handle means nothing on another file" },
	[21] = { "Bounced memory", "cannot be cached" },
	[22] = { "The BO's own bytes", "maintenance covers its pages and nothing else" },
	[23] = { "Query", "tells the creation flags and where the BO comes from" },
	[24] = { "Never silent", "each failed sync is reported; none is a no-op" },
	[25] = { "Fences belong to directions", "one per batch, for the right side" },
	[26] = { "Non-temporal stores are no flush", "an upload leaves clean lines behind" },
};

const char *rule_title(unsigned int number)
{
	return rules[number].title;
}

const char *rule_meaning(unsigned int number)
{
	return rules[number].meaning;
}
