// SPDX-License-Identifier: MIT
/* gemsync run: a program with the Vulkan layer, and what the layer found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_findings.h"
#include "tool.h"

#define LAYER		"VK_LAYER_GEMSYNC_noncoherent"
#define VALIDATION	"VK_LAYER_KHRONOS_validation"

static const char help[] =
	"usage: gemsync run [OPTION...] -- PROGRAM [ARGUMENT...]\n\n"
	"Runs a Vulkan program on memory that is not coherent, by the layer " LAYER ",\n"
	"and says which flushes and invalidates it lacks.\n\n"
	"  -m, --mode MODE         strict: what may be stale is stale (the default); report: it is\n"
	"                          told and made good; chaos: atoms move by themselves too\n"
	"  -o, --option KEY=VALUE  a setting of the layer, such as atom=128; may be repeated\n"
	"      --validation        the Validation Layers too, above it\n"
	"      --certain           fail for what is certain only\n"
	"      --json FILE         keep the findings, a line of JSON for each\n"
	"      --junit FILE        keep them for CI\n"
	"  -h, --help              this text\n\n"
	"Exit status: that of the program, if it is not 0; 1 if there are findings; 2 for wrong\n"
	"usage, or settings that the layer does not understand; 3 if it made no Vulkan instance with the layer; 127 if it cannot be run.\n";

struct arguments {
	char settings[1024];	/* as for GEMSYNC */
	bool fits;		/* all settings that were given are in there */
	bool validation;
	bool certain;
	const char *json;
	const char *junit;
	char **program;
};

static bool add_setting(struct arguments *arguments, const char *key, const char *value)
{
	size_t length = strlen(arguments->settings);
	size_t room = sizeof(arguments->settings) - length;

	return snprintf(arguments->settings + length, room, "%s%s%s", length ? "," : "", key,
			value) < (int)room;
}

/* The log is how this command learns what was found. */
static bool is_log(const char *setting)
{
	if (strncmp(setting, "log=", strlen("log=")))
		return false;
	tool_complain("log: use --json FILE");
	return true;
}

static bool is_mode(const char *mode)
{
	if (!strcmp(mode, "strict") || !strcmp(mode, "report") || !strcmp(mode, "chaos"))
		return true;
	tool_complain("there is no mode %s: strict, report or chaos", mode);
	return false;
}

static bool take_option(int opt, void *data)
{
	struct arguments *arguments = data;

	switch (opt) {
	case 'm':
		arguments->fits &= add_setting(arguments, "mode=", optarg);
		return is_mode(optarg);
	case 'o':
		if (is_log(optarg))
			return false;
		arguments->fits &= add_setting(arguments, optarg, "");
		break;
	case 'v':
		arguments->validation = true;
		break;
	case 'c':
		arguments->certain = true;
		break;
	case 'j':
		arguments->json = optarg;
		break;
	case 'u':
		arguments->junit = optarg;
		break;
	}
	return true;
}

static const struct tool_syntax syntax = {
	.letters = "+m:o:h",
	.options = (const struct option[]) {
		{ "mode", required_argument, NULL, 'm' },
		{ "option", required_argument, NULL, 'o' },
		{ "validation", no_argument, NULL, 'v' },
		{ "certain", no_argument, NULL, 'c' },
		{ "json", required_argument, NULL, 'j' },
		{ "junit", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	},
	.help = help,
	.take = take_option,
};

static bool parse(int argc, char **argv, struct arguments *arguments, enum exit_code *code)
{
	if (!tool_parse(argc, argv, &syntax, arguments, code))
		return false;
	arguments->program = argv + optind;
	if (arguments->fits && optind < argc)
		return true;
	tool_complain(arguments->fits ? "which program?" : "these are too many settings");
	*code = tool_usage(argv[0]);
	return false;
}

/* ---- The environment of the program ---- */

/* Put a word before what a variable has, or make it the only one. */
static void prepend(const char *variable, const char *word, char separator)
{
	const char *old = getenv(variable);
	char value[8192];

	if (!old || !*old) {
		setenv(variable, word, 1);
		return;
	}
	if (snprintf(value, sizeof(value), "%s%c%s", word, separator, old) < (int)sizeof(value))
		setenv(variable, value, 1);
}

/*
 * The manifest is beside the tool where it is built, and in a folder that the loader may not
 * know where it is installed to another place than /usr.
 */
static void find_layer(void)
{
	static const char *const folders[] = { "/../layer", "/../share/vulkan/explicit_layer.d" };
	char tool[4096], folder[4200], manifest[4300];
	ssize_t length = readlink("/proc/self/exe", tool, sizeof(tool) - 1);
	char *slash;
	size_t i;

	if (length < 0)
		return;
	tool[length] = 0;
	slash = strrchr(tool, '/');
	if (slash)
		*slash = 0;
	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(folder, sizeof(folder), "%s%s", tool, folders[i]);
		snprintf(manifest, sizeof(manifest), "%s/VkLayer_GEMSYNC_noncoherent.json",
			 folder);
		if (access(manifest, R_OK))
			continue;
		prepend("VK_ADD_LAYER_PATH", folder, ':');
		return;
	}
}

/*
 * Of the settings in GEMSYNC later ones win: those of the command line come behind what is there,
 * and the log comes last.
 */
static void add_settings(const struct arguments *arguments, const char *log)
{
	const char *old = getenv("GEMSYNC");
	char value[8192];

	if (snprintf(value, sizeof(value), "%s,%s,log=%s", old ? old : "", arguments->settings,
		     log) < (int)sizeof(value))
		setenv("GEMSYNC", value, 1);
}

/* The first layer is the one that the application calls: validation, if both are wanted. */
static void set_environment(const struct arguments *arguments, const char *log)
{
	find_layer();
	prepend("VK_INSTANCE_LAYERS", LAYER, ':');
	if (arguments->validation)
		prepend("VK_INSTANCE_LAYERS", VALIDATION, ':');
	add_settings(arguments, log);
}

/* ---- Running ---- */

/* How the program ended, as a shell would say it; -1: it could not be started. */
static int run_program(const struct arguments *arguments, const char *log)
{
	int status;
	pid_t child = fork();

	if (!child) {
		set_environment(arguments, log);
		tool_exec(arguments->program);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		tool_complain("cannot run %s: %s", arguments->program[0], strerror(errno));
		return -1;
	}
	return tool_command_status(status);
}

/* The log is the JSON that is asked for, or a file that goes again. */
static bool make_log(const struct arguments *arguments, char *path, size_t size)
{
	const char *folder = getenv("TMPDIR");
	FILE *file;
	int fd;

	if (arguments->json)
		snprintf(path, size, "%s", arguments->json);
	else
		snprintf(path, size, "%s/gemsync-run-XXXXXX", folder ? folder : "/tmp");
	/* The layer gets it in a list with commas. */
	if (strchr(path, ',')) {
		errno = EINVAL;
		return false;
	}
	if (arguments->json) {
		file = fopen(path, "w");
		return file && !fclose(file);
	}
	fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static enum exit_code judge(const struct arguments *arguments, const char *log, int status)
{
	struct run_findings findings;

	if (run_findings_read(&findings, log)) {
		tool_complain("cannot read the findings: %s", strerror(errno));
		return TOOL_CANNOT;
	}
	run_findings_print(&findings);
	if (arguments->junit &&
	    run_findings_write_junit(&findings, arguments->junit, arguments->program[0])) {
		tool_complain("cannot write %s: %s", arguments->junit, strerror(errno));
		status = status ? status : TOOL_CANNOT;
	}
	if (!status && !findings.instances) {
		tool_complain("%s made no Vulkan instance with the layer (with VK_LOADER_DEBUG=all "
			      "the loader says where it looks)", arguments->program[0]);
		status = TOOL_CANNOT;
	}
	if (!status && findings.ignored) {
		tool_complain("the layer did not understand all settings");
		status = TOOL_USAGE;
	}
	if (!status && (findings.certain || (findings.possible && !arguments->certain)))
		status = TOOL_FAILED;
	run_findings_free(&findings);
	return (enum exit_code)status;
}

enum exit_code tool_run(int argc, char **argv)
{
	struct arguments arguments = { .fits = true };
	enum exit_code code;
	char log[4096];
	int status;

	if (!parse(argc, argv, &arguments, &code))
		return code;
	if (!make_log(&arguments, log, sizeof(log))) {
		tool_complain("cannot write %s: %s", log, strerror(errno));
		return TOOL_CANNOT;
	}
	status = run_program(&arguments, log);
	code = status < 0 ? TOOL_CANNOT : judge(&arguments, log, status);
	if (!arguments.json)
		unlink(log);
	return code;
}
