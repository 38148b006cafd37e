# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Which modules the guest loads, and in which order. To be sourced after lib.sh;
# modules_dir is the /lib/modules/VERSION of the kernel to boot.

# Module names are written with - or _ as one likes.
plain_name() {
	local name=${1##*/}
	name=${name%.ko}
	printf '%s' "${name//-/_}"
}

# The module files of this project, in load order, from the folder $1.
project_modules() {
	local order=$1/modules.order name
	[[ -e $order ]] ||
		die "$order is missing: build the modules first, or say --no-modules"
	while read -r name; do
		[[ -e $1/$name ]] ||
			die "$order lists $name, but there is no $1/$name"
		realpath "$1/$name"
	done <"$order"
}

# The kernel release that a module file was built for.
module_release() {
	local magic
	magic=$(modinfo -F vermagic "$1") || die "$1 is not a kernel module"
	printf '%s' "${magic%% *}"
}

# What the module files $@ need, but for each other.
foreign_depends() {
	local file name own=' '
	for file; do
		own+="$(plain_name "$file") "
	done
	for file; do
		for name in $(modinfo -F depends "$file" | tr , ' '); do
			if [[ $own != *" $(plain_name "$name") "* ]]; then
				printf '%s\n' "$name"
			fi
		done
	done
}

# Paths of the named stock modules and of all that they need, in load order. What
# is built into the kernel needs no loading.
stock_closure() {
	# shellcheck disable=SC2154
	awk -v names="$*" '
	function plain(path) {
		sub(/.*\//, "", path)
		sub(/\.ko.*/, "", path)
		gsub(/-/, "_", path)
		return path
	}
	function emit(path) {
		if (!(path in emitted))
			print path
		emitted[path]
	}
	FILENAME ~ /builtin$/ { builtin[plain($1)]; next }
	{
		path = $1
		sub(/:$/, "", path)
		path_of[plain(path)] = path
		$1 = ""
		needs[path] = $0
	}
	END {
		count = split(names, name, " ")
		for (i = 1; i <= count; i++) {
			key = plain(name[i])
			if (key in builtin)
				continue
			if (!(key in path_of)) {
				print name[i] >"/dev/stderr"
				exit 1
			}
			path = path_of[key]
			# modules.dep lists what to load first last.
			for (n = split(needs[path], need, " "); n; n--)
				emit(need[n])
			emit(path)
		}
	}' "$modules_dir/modules.builtin" "$modules_dir/modules.dep"
}
