# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034
#
# The rows of vm/kernels, and what follows from an architecture. To be sourced after lib.sh.

kernel_names() {
	awk '!/^(#|$)/ { print $1 }' "$VM_DIR/kernels"
}

default_kernel() {
	kernel_names | head -n 1
}

# Whether $1 is a row; sets row, row_arch, row_archive, row_image, row_headers, row_boots.
read_row() {
	local line
	line=$(awk -v name="$1" '$1 == name' "$VM_DIR/kernels")
	[[ $line ]] || return
	read -r row row_arch row_archive row_image row_headers row_boots <<<"$line"
}

need_row() {
	read_row "$1" ||
		die "no kernel $1 in vm/kernels, which has: $(kernel_names | paste -sd ' ')"
}

# What an architecture, by Debian's name, is called elsewhere:
#   arch_gnu      by compilers
#   arch_kbuild   by the kernel, in ARCH=
#   arch_image    the image in a kernel tree
#   arch_qemu     the emulator, with the machine that it emulates
#   arch_console  the machine's serial port
read_arch() {
	case $1 in
	amd64)
		arch_gnu=x86_64-linux-gnu
		arch_kbuild=x86
		arch_image=arch/x86/boot/bzImage
		arch_qemu=(qemu-system-x86_64 -machine "pc,pit=off" -cpu max)
		arch_console=ttyS0
		;;
	arm64)
		arch_gnu=aarch64-linux-gnu
		arch_kbuild=arm64
		arch_image=arch/arm64/boot/Image
		arch_qemu=(qemu-system-aarch64 -machine "virt,gic-version=2" -cpu cortex-a53)
		arch_console=ttyAMA0
		;;
	*) die "no kernel of the architecture $1 is supported" ;;
	esac
}

# print_kernel NAME ARCH VERSION IMAGE BUILD MAKE MODULES, see vm/kernel --print.
print_kernel() {
	local output=$BUILD_DIR/kernel/$1
	[[ $1 != "$(default_kernel)" ]] || output=$BUILD_DIR
	printf 'GEMSYNC_KERNEL_%s=%q\n' NAME "$1" ARCH "$2" VERSION "$3" IMAGE "$4" BUILD "$5" \
		MAKE "$6" MODULES "$7" OUTPUT "$output"
}
