# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the checks of scripts/lint share. To be sourced, in the top folder, with
# `set -euo pipefail` in force.
#
# A check prints its findings, "file:line: text" with the file relative to the top,
# and exits with 0 whatever it found. It exits with 2 if it cannot look, and with 3 if
# what it found is not to be counted, see judged_by.

LINT_DIR=build/lint

die() {
	printf '%s\n' "$*" >&2
	exit 2
}

need_programs() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			die "$program is missing; run scripts/install-deps lint"
	done
}

# judged_by PROGRAM KNOWN LOOK: what the function LOOK finds, if PROGRAM has the version, or
# the beginning of one, that the code was made to pass. Each finds other things, of which some
# are none: those of another one are shown, and not counted.
judged_by() {
	local version
	version=$("$1" --version | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)
	if [[ $version == "$2" || $version == "$2".* ]]; then
		"$3"
	else
		"$3" | sed "s/^/not counted, by $1 $version: /" >&2
		exit 3
	fi
}

# Every file of the project, also one that is not committed yet.
all_files() {
	local file
	if [[ -e .git ]]; then
		git ls-files --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -print | sed 's|^\./||'
	fi | sort -u | while IFS= read -r file; do
		if [[ -f $file ]]; then
			printf '%s\n' "$file"
		fi
	done
}

# The C files in the folders $@, or in all.
c_files() {
	local folders
	folders=$(IFS='|' && printf '%s' "$*")
	all_files | grep -E "^(${folders:-[^/]*})/.*\.[ch]$"
}

is_c() {
	[[ $1 == *.[ch] ]]
}

# The shell that a script is for, by its first line or shellcheck's directive.
shell_of() {
	sed -nE '1s:^#! ?(/usr)?/bin/(env )?(bash|sh)( .*)?$:\3:p
		1,5s/^# shellcheck shell=(bash|sh)$/\1/p' "$1" | head -n 1
}

# cached NAME KEY COMMAND...: prints the name of a file that has what COMMAND
# printed; runs it only if that is not known for KEY.
cached() {
	local result temp
	result=$LINT_DIR/cache/$1/$(sha256sum <<<"$2")
	result=${result%% *}
	shift 2
	if [[ ! -e $result ]]; then
		mkdir -p "${result%/*}"
		temp=$(mktemp "$LINT_DIR/cache/.new.XXXXXX")
		"$@" >"$temp" || {
			rm -f "$temp"
			return 2
		}
		mv "$temp" "$result"
	fi
	printf '%s\n' "$result"
}

# Calls the function $1, which prints the name of a result, with each line of the
# input, as many at a time as there are processors; prints what is in the results.
in_parallel() {
	local results
	# shellcheck disable=SC2016
	results=$(xargs -r -d '\n' -n 1 -P "$(nproc)" bash -c \
		'set -euo pipefail; . scripts/lint.d/lib.sh; "$0" "$1"' "$1")
	[[ -z $results ]] || xargs -d '\n' cat <<<"$results"
}

# Prints paths of the input without "x/.." in them.
without_parents() {
	sed -E ':again; s:[^/. ]+/\.\./::; t again'
}

# One compile command for each source of user space, in LINT_DIR. Sources that go
# into several programs (core/ goes into each test) are looked at once.
user_commands() {
	local built=build/user/compile_commands.json
	[[ -e $built ]] || die "$built is missing; run make user"
	mkdir -p "$LINT_DIR"
	python3 - "$built" "$LINT_DIR/compile_commands.json" <<-'END'
		import json, os, sys
		first = {}
		for entry in json.load(open(sys.argv[1])):
		    path = os.path.join(entry["directory"], entry["file"])
		    # What is generated is built, and in no file of the project.
		    if os.path.exists(path) and not os.path.relpath(path).startswith("build/"):
		        first.setdefault(os.path.relpath(path), entry)
		json.dump(list(first.values()), open(sys.argv[2], "w"), indent=1)
		for file in sorted(first):
		    print(file, first[file]["directory"], first[file]["command"], sep="\t")
	END
}
