# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the scripts of vm/ share. To be sourced, with `set -euo pipefail` in force.

# depmod and modinfo live in sbin, which is not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin

VM_DIR=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=${VM_DIR%/*}
# shellcheck disable=SC2034
BUILD_DIR=$PROJECT_DIR/build
# shellcheck disable=SC2034
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/gemsync

say() {
	printf '%s: %s\n' "vm/${0##*/}" "$*" >&2
}

die() {
	say "$@"
	exit "${DIE_STATUS:-1}"
}

need_programs() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			die "$program is missing; run scripts/install-deps vm"
	done
}

# The comment at the top of a script is its help text.
usage() {
	sed -n '3,/^$/{s/^# \{0,1\}//;p}' "$0"
}
