#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# fetch.sh kernel VERSION   prints the path of a Debian kernel; VERSION is the beginning of one
#                           (6.16) or "newest". Beside it is modules/, what run.sh needs and
#                           that kernel has as modules, in their order.
#
# Downloads with apt, from the mirror that this machine uses, into a cache:
# $PROCDB_VM_CACHE, by default ~/.cache/procdb-vm. Nothing is installed. Exit
# code 77: not cached, and the mirror cannot be reached.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${PROCDB_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/procdb-vm}
# Their kernels are 6.1, 6.12, and those with sched_ext.
suites='bookworm trixie trixie-backports'
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'fetch.sh: %s\n' "$*" >&2; }
fail() { say "$1"; exit "${2:-1}"; }

case $(uname -m) in
x86_64) ;;
*) fail "the virtual machine tests run on x86-64 only, this is $(uname -m)" 77 ;;
esac

# apt that knows only our sources and writes only below the cache.
apt_own() {
	command=$1
	shift
	"$command" -q -o "Dir::Etc::sourcelist=$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o "Dir::State::lists=$cache/apt/lists" -o "Dir::Cache=$cache/apt/cache" \
		-o APT::Sandbox::User=root -o Acquire::Retries=5 "$@"
}

# Package lists at most a day old.
update() {
	updated=$cache/apt/updated-$(echo "$suites" | tr ' ' -)
	if [ -n "$(find "$updated" -mtime -1 2>/dev/null)" ]; then
		return 0
	fi
	uri=$("$here/../packages/mirror.sh") || exit 77
	mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial"
	for suite in $suites; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done >"$cache/apt/sources.list"
	apt_own apt-get -o APT::Update::Error-Mode=any update >&2 ||
		fail "cannot reach the Debian mirror" 77
	touch "$updated"
}

# unpack DIRECTORY PACKAGE[=VERSION]...: downloads, and unpacks into DIRECTORY.
unpack() {
	into=$1
	shift
	work=$(mktemp -d "$cache/download.XXXXXX")
	(cd "$work" && apt_own apt-get download "$@" >&2) || {
		rm -rf "$work"
		fail "cannot download $*" 77
	}
	mkdir "$work/root"
	for deb in "$work"/*.deb; do
		nice dpkg -x "$deb" "$work/root"
	done
	rm -rf "$into"
	mv "$work/root" "$into"
	rm -rf "$work"
}

# The newest kernel whose version begins with $1, as "version package". From
# 6.19 on the image package is empty, and linux-binary-VERSION has the kernel.
find_kernel() {
	apt_own apt-cache search --names-only '^linux-(image|binary)-[0-9].*-cloud-amd64$' |
		sed -n 's/^\(linux-\(image\|binary\)-\([0-9][^ ]*\)\) - .*/\3 \1/p' |
		grep -v -e '+deb12' | if [ "$1" = newest ]; then cat; else grep "^$1\\."; fi |
		sort -k1,1V -k2,2r | tail -n 1
}

fetch_kernel() {
	# What is cached for a name is good for a week, and for longer without a mirror.
	link=$cache/kernel-$1
	if [ -e "$link/vmlinuz" ] && [ -n "$(find "$link/vmlinuz" -mtime -7)" ]; then
		echo "$link/vmlinuz"
		return
	fi
	if ! (update) && [ -e "$link/vmlinuz" ]; then
		echo "$link/vmlinuz"
		return
	fi
	update
	found=$(find_kernel "$1")
	[ -n "$found" ] || fail "no kernel $1 in $suites"
	version=${found% *}
	if [ ! -e "$cache/$version/vmlinuz" ]; then
		say "getting Linux $version"
		unpack "$cache/unpacked" "${found#* }"
		vmlinuz=$(find "$cache/unpacked" -name 'vmlinuz*' -type f)
		[ -n "$vmlinuz" ] || fail "${found#* } holds no kernel"
		mkdir -p "$cache/$version/modules"
		n=0
		for module in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console; do
			n=$((n + 1))
			find "$cache/unpacked" -name "$module.ko" -exec cp {} "$cache/$version/modules/$n-$module.ko" \;
		done
		cp "$vmlinuz" "$cache/$version/vmlinuz"
		rm -rf "$cache/unpacked"
	fi
	touch "$cache/$version/vmlinuz"
	ln -sfn "$version" "$link"
	echo "$link/vmlinuz"
}

[ $# -ge 1 ] || fail "usage: fetch.sh kernel VERSION" 2
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
case $1 in
kernel) fetch_kernel "${2:?which kernel}" ;;
*) fail "usage: fetch.sh kernel VERSION" 2 ;;
esac
