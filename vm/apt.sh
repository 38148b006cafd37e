# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# An apt of the project's own, beside the host's: its sources, lists and downloads lie in
# the cache, so that it needs no root, and the host's apt knows nothing of it. What the
# host says of proxies holds for it too. To be sourced after lib.sh.

MIRROR=${GEMSYNC_DEBIAN_MIRROR:-http://deb.debian.org}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Lists that are older are asked for anew, in minutes.
LISTS_AGE=1440

host_arch() {
	dpkg --print-architecture
}

write_apt_config() {
	local suites=${archive##*/} suite
	for suite in ${suites//+/ }; do
		printf 'deb [signed-by=%s] %s/%s %s main\n' "$KEYRING" "$MIRROR" \
			"${archive%/*}" "$suite"
	done >"$apt_dir/sources.list"
	# Without a status nothing counts as installed: all that a package needs is fetched.
	: >"$apt_dir/status"
	{
		printf '%s "%s";\n' \
			Dir::State "$apt_dir" \
			Dir::State::status "$apt_dir/status" \
			Dir::Cache "$apt_dir" \
			Dir::Etc::sourcelist "$apt_dir/sources.list" \
			Dir::Etc::sourceparts /dev/null \
			Dir::Etc::preferences /dev/null \
			Dir::Etc::preferencesparts /dev/null \
			APT::Architecture "$1" \
			APT::Architectures "$(IFS=, && printf '%s' "$*")" \
			APT::Sandbox::User root \
			APT::Install-Recommends false \
			Acquire::Languages none \
			Acquire::Retries 3
		# What the host does after an update is about its own lists.
		printf '#clear %s;\n' APT::Update::Post-Invoke APT::Update::Post-Invoke-Success \
			DPkg::Post-Invoke DPkg::Pre-Install-Pkgs
	} >"$apt_dir/config"
}

# open_apt ARCHIVE ARCH...: the one for an archive, a folder of the mirror with a suite or
# several that + joins, and architectures, of which the first is what a package's name alone
# means.
open_apt() {
	archive=$1
	shift
	apt_dir=$CACHE_DIR/apt/${archive//\//-}-$(IFS=- && printf '%s' "$*")
	need_programs apt-get dpkg
	[[ -e $KEYRING ]] ||
		die "$KEYRING is missing; install the package debian-archive-keyring"
	mkdir -p "$apt_dir"/{lists,archives}/partial
	[[ -e $apt_dir/config ]] || write_apt_config "$@"
	export APT_CONFIG=$apt_dir/config
}

lists_are_new() {
	[[ $(find "$apt_dir/asked" -mmin -"$LISTS_AGE" 2>/dev/null) ]]
}

# Asks the archive what it has, at most once a day. Leaves what apt said in $apt_dir/log.
update_apt() {
	local lock status=0
	exec {lock}>"$apt_dir/.lock"
	flock "$lock"
	if ! lists_are_new; then
		# A list that it did not get is an error only if apt is told so.
		apt-get -qq -o APT::Update::Error-Mode=any update >"$apt_dir/log" 2>&1 || status=1
		((status)) || touch "$apt_dir/asked"
	fi
	exec {lock}>&-
	return "$status"
}

# The names of what package $1 depends on, of those that match the regular expression $2.
depends_of() {
	apt-cache depends "$1" 2>/dev/null | awk -v match_re="$2" \
		'$1 ~ /Depends:$/ && $2 ~ match_re && !seen[$2]++ { print $2 }'
}

# The packages among $@ that the archive has.
known_packages() {
	local package
	for package; do
		if [[ $(apt-cache policy "$package" 2>/dev/null) == *"Candidate: "[0-9]* ]]; then
			printf '%s\n' "$package"
		fi
	done
}

# For messages: whether it is the disk that keeps the current folder from growing.
full_disk() {
	local free
	free=$(df --output=avail -k . | tail -n 1)
	((free > 1024)) || printf ': the disk is full'
}

# apt checks what it downloads against its signed index; what is left to check is that it
# did download, and that the archives are whole. Into the current folder.
download_packages() {
	local package name deb
	apt-get -qq download "$@" >&2 || die "apt-get cannot download $1$(full_disk)"
	for package; do
		name=${package%%[:/=]*}
		deb=$(compgen -G "${name}_*.deb") || die "apt-get did not leave a $name"
		[[ $(dpkg-deb --field "$deb" Package) == "$name" ]] || die "$deb is damaged"
	done
}
