// SPDX-License-Identifier: MIT
/* Why a device cannot be used, in words that help. */
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "tool.h"

/* Whoever owns the node as a group may open it. */
static void complain_of_permission(const char *node)
{
	struct group *group;
	struct stat st;

	tool_complain("%s: permission denied", node);
	if (stat(node, &st))
		return;
	group = getgrgid(st.st_gid);
	if (group && (st.st_mode & S_IRGRP) && (st.st_mode & S_IWGRP))
		tool_complain("its group is %s: 'sudo usermod -aG %s $USER', then log in again",
			      group->gr_name, group->gr_name);
}

/* Of the nodes, the first that exists and may not be opened. False if there is none. */
static bool complain_of_nodes(void)
{
	bool denied = false;
	glob_t nodes;
	size_t i;

	if (glob("/dev/dri/renderD*", 0, NULL, &nodes))
		return false;
	for (i = 0; i < nodes.gl_pathc && !denied; i++) {
		denied = access(nodes.gl_pathv[i], R_OK | W_OK) && errno == EACCES;
		if (denied)
			complain_of_permission(nodes.gl_pathv[i]);
	}
	globfree(&nodes);
	return denied;
}

/* "a, b, c" of a list of names. */
static const char *join(const char *(*at)(unsigned int index), char *text, size_t size)
{
	const char *name;
	unsigned int i;
	size_t end = 0;

	*text = '\0';
	for (i = 0; (name = at(i)) && end < size; i++)
		end += snprintf(text + end, size - end, "%s%s", i ? ", " : "", name);
	return text;
}

static bool is_sim(const char *name)
{
	return name && !strncmp(name, "sim", 3) && (!name[3] || name[3] == ':');
}

static void complain_of_name(const char *name)
{
	char known[256];

	tool_complain("cannot open %s: No such device", name);
	if (*name != '/')
		tool_complain("a device is a node (/dev/dri/renderD128), sim, or the name of a "
			      "known driver: %s", join(gemsync_driver_at, known, sizeof(known)));
}

static void complain_of_options(const char *name)
{
	char known[256];

	tool_complain("cannot open %s: a simulated device has the options %s", name,
		      join(gemsync_sim_option_at, known, sizeof(known)));
}

static void complain_of_driver(const char *name)
{
	char known[256];

	tool_complain("cannot use %s: its driver is not known, or too old to synchronize cached "
		      "maps; known are %s", name ? name : "any device",
		      join(gemsync_driver_at, known, sizeof(known)));
	tool_complain("one more is a file in lib/device (docs/conformance.md, 'A driver')");
}

static void complain_of_watch(const char *name)
{
	tool_complain("%s cannot look for that", name ? name : "the device");
	if (is_sim(name))
		tool_complain("a simulated one does by userfaultfd(2), which root may use, and "
			      "looks for what its name says, if that says anything");
	else
		tool_complain("emulated ones do whose driver tells of jobs, if root says so");
}

void tool_complain_of_device(const char *name, int error)
{
	if (error == EACCES && name && *name == '/')
		complain_of_permission(name);
	else if (error == EACCES && complain_of_nodes())
		return;
	else if (error == EINVAL && is_sim(name))
		complain_of_options(name);
	else if (error == ENODEV && name)
		complain_of_name(name);
	else if (error == ENODATA)
		complain_of_watch(name);
	else if (error == EOPNOTSUPP)
		complain_of_driver(name);
	else
		tool_complain("cannot open %s: %s", name ? name : "any device", strerror(error));
	if (!name)
		tool_complain("without a GPU of a known driver, try --device sim, a simulated one");
}
