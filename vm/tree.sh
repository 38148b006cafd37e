# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# A kernel that is in no row of vm/kernels: a developer's. To be sourced after lib.sh and
# kernels.sh.

# Whether the configuration in $1 has the line $2.
configured() {
	grep -qx "$2" "$1/.config"
}

# Fills tree_arch and tree_make from the configuration of the tree $1.
read_tree() {
	tree_make=
	if configured "$1" CONFIG_X86_64=y; then
		tree_arch=amd64
	elif configured "$1" CONFIG_ARM64=y; then
		tree_arch=arm64
	else
		die "$1/.config is neither for x86-64 nor for arm64"
	fi
	read_arch "$tree_arch"
	if configured "$1" CONFIG_CC_IS_CLANG=y; then
		tree_make="ARCH=$arch_kbuild LLVM=1"
	elif [[ $tree_arch != "$(dpkg --print-architecture)" ]]; then
		tree_make="ARCH=$arch_kbuild CROSS_COMPILE=$arch_gnu-"
	fi
}

# The modules of the tree $1, as `make modules_install` would lay them out: links to where
# they were built, as some thousand copies take long. Prints the folder.
lay_out_modules() {
	local tree=$1 release=$2 dir module
	dir=$BUILD_DIR/kernel/$3/lib/modules/$release
	if [[ ! -e $dir/modules.dep || $tree/modules.order -nt $dir/modules.dep ]]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		cp "$tree"/modules.{order,builtin} "$dir/"
		[[ ! -e $tree/modules.builtin.modinfo ]] ||
			cp "$tree/modules.builtin.modinfo" "$dir/"
		while read -r module; do
			module=${module%.o}
			module=${module%.ko}.ko
			mkdir -p "$dir/kernel/${module%/*}"
			ln -s "$tree/$module" "$dir/kernel/$module"
		done <"$tree/modules.order"
		depmod -b "${dir%/lib/modules/*}" "$release"
	fi
	printf '%s\n' "$dir"
}

# A name of its own for each folder.
tree_name() {
	printf '%s-%s' "${1##*/}" "$(cksum <<<"$1" | cut -d ' ' -f 1)"
}

print_built_tree() {
	local tree=$1 name release
	name=$(tree_name "$tree")
	read_tree "$tree"
	[[ -e $tree/$arch_image ]] || die "no kernel $tree/$arch_image: build it"
	[[ -e $tree/include/config/kernel.release && -e $tree/Module.symvers &&
		-e $tree/modules.order ]] || die "the modules of $tree are not built"
	release=$(<"$tree/include/config/kernel.release")
	print_kernel "$name" "$tree_arch" "$release" "$tree/$arch_image" "$tree" "$tree_make" \
		"$(lay_out_modules "$tree" "$release" "$name")"
}

print_laid_out() {
	local dir=$1 modules arch make=
	modules=$(compgen -G "$dir/lib/modules/*") || die "no modules in $dir/lib/modules"
	[[ -e $dir/image ]] || die "no kernel image $dir/image"
	arch=$(dpkg --print-architecture)
	if [[ -e $dir/build/.config ]]; then
		read_tree "$dir/build"
		arch=$tree_arch make=$tree_make
	fi
	print_kernel "$(tree_name "$dir")" "$arch" "${modules##*/}" "$dir/image" "$dir/build" \
		"$make" "$modules"
}

# vm/kernel --print for the folder $1.
print_tree() {
	local dir
	dir=$(realpath -e "$1" 2>/dev/null) || die "there is no folder $1"
	if [[ -e $dir/image ]]; then
		print_laid_out "$dir"
	elif [[ -e $dir/.config ]]; then
		print_built_tree "$dir"
	else
		die "$dir is neither a kernel tree that was configured, nor has it an image"
	fi
}
