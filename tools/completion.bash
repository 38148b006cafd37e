# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of gemsync(1) for bash. Its options are those that --help prints, so that there
# is one list of them.

_gemsync_devices() {
	local nodes=(/dev/dri/renderD*)
	[[ -e ${nodes[0]} ]] || nodes=()
	printf '%s\n' "${nodes[@]}" sim panthor panfrost powervr
	[[ $1 != conform ]] || printf '%s\n' vgem udmabuf heap
}

_gemsync_options() {
	"$1" "${@:2}" --help 2>/dev/null | grep -oE -- '(^|[ ,[])--?[a-zA-Z][a-z-]*' | tr -d ' ,['
}

_gemsync_cases() {
	"$1" conform --list 2>/dev/null | sed -n 's/^\(r[0-9]*_[a-z0-9_]*\) .*/\1/p'
}

_gemsync() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local tool=${COMP_WORDS[0]} command=${COMP_WORDS[1]} words
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words='info demo conform watch bench run --help --version'
	else
		if [[ $command == run && " ${COMP_WORDS[*]:0:COMP_CWORD} " == *' -- '* ]]; then
			mapfile -t COMPREPLY < <(compgen -A command -A file -- "$word")
			return 0
		fi
		case $command$before in
		run--mode | run-m) words='strict report chaos' ;;
		*--watch | *-w) words='all loads stores nothing' ;;
		*--device | *-d) words=$(_gemsync_devices "$command") ;;
		conform--filter | conform-f) words=$(_gemsync_cases "$tool") ;;
		*--json | *--junit | *--html | *--plot | *--expect | *--driver | *-e)
			[[ $command =~ ^(conform|bench|run)$ ]] || return 0
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return 0
			;;
		*) words=$(_gemsync_options "$tool" "$command") ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _gemsync gemsync
