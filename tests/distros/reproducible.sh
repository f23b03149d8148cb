#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: reproducible.sh SOURCE
# Two builds in different directories, one after the other, with the options that a packager
# gives against paths of the build, install the same files bit for bit.
set -eu

source=$1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-reproducible-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT

built() { # DIRECTORY: prints where it is installed
	mkdir -p "$1/source"
	tar -C "$source" --exclude=.git --exclude='./build*' --exclude=./tests -cf - . | tar -C "$1/source" -xf -
	# Optimizing takes two thirds of the time, and hides no path.
	CFLAGS="-g -O0 -ffile-prefix-map=$1/source=." meson setup --buildtype=plain -Dtests=false \
		"$1/source/build" "$1/source" &&
		ninja -C "$1/source/build" &&
		DESTDIR=$1/installed meson install -C "$1/source/build" --no-rebuild
}
for directory in a another/and/deeper; do
	built "$scratch/$directory" </dev/null >"$scratch/log" 2>&1 || {
		tail -n 40 "$scratch/log"
		exit 1
	}
done

diff -r "$scratch/a/installed" "$scratch/another/and/deeper/installed"
if grep -rl "$scratch" "$scratch/a/installed"; then
	echo "These hold the path of the build."
	exit 1
fi
# What BPF programs travel in the service must not depend on what was stripped off it.
objcopy --dump-section .rodata="$scratch/rodata" "$scratch/a/installed/usr/libexec/pandemonium-procdbd"
if grep -qa debug_info "$scratch/rodata"; then
	echo "The BPF programs carry debugging information that is not used."
	exit 1
fi
echo "$(find "$scratch/a/installed" -type f | wc -l) files, the same from both builds"
