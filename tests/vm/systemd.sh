#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# systemd.sh [-t SECONDS] SOURCE BUILD KERNEL SCRIPT [NAME=VALUE...] [-- PROGRAM...]
#
# Installs the project with meson into the Debian of this machine with systemd as
# PID 1, dbus and polkit, boots that, and hands on what tests/vm/systemd/SCRIPT finds there
# in so many SECONDS (600), with these variables and with the PROGRAMs beside it.
# BUILD is a directory for the build with the prefix of a distribution, kept for
# the next time; the Debian is kept in the cache of fetch.sh.
set -eu

usage() {
	echo 'usage: systemd.sh [-t SECONDS] SOURCE BUILD KERNEL SCRIPT [NAME=VALUE...] [-- PROGRAM...]' >&2
	exit 2
}

limit=600
if [ "${1:-}" = -t ] && [ $# -ge 2 ]; then
	limit=$2
	shift 2
fi
[ $# -ge 4 ] || usage
here=$(cd "$(dirname "$0")" && pwd)
source=$1
build=$2
kernel=$3
script=$4
shift 4
cache=${PROCDB_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/procdb-vm}
packages=systemd,systemd-sysv,libpam-systemd,dbus,polkitd,udev,libbpf1,libjson-glib-1.0-0,libsmartcols1,libncursesw6
# What was built here runs there.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
case $suite in
bookworm) packages=$packages,libelf1,libglib2.0-0 ;;
# Renamed with the 64-bit time of other machines.
*) packages=$packages,libelf1t64,libglib2.0-0t64 ;;
esac

skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip 'making a Debian image needs root'
[ -e "/usr/share/debootstrap/scripts/$suite" ] || skip "no debootstrap for '$suite'; tests/vm/packages.txt has it for a Debian"

work=$(mktemp -d "${TMPDIR:-/tmp}/procdb-systemd.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The Debian, as an archive for the kernel to unpack.
mkdir -p "$cache"
base=$cache/debian-$suite-$(printf '%s' "$packages" | cksum | cut -d ' ' -f 1).cpio
(
	flock 8
	[ ! -e "$base" ] || exit 0
	mirror=$("$here/../packages/mirror.sh") || exit 77
	nice debootstrap --variant=minbase --include="$packages" "$suite" "$work/debian" "$mirror" \
		>"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log" >&2; exit 77; }
	rm -rf "$work/debian/var/cache/apt" "$work/debian/var/lib/apt/lists" \
		"$work/debian/usr/share/doc" "$work/debian/usr/share/locale" "$work/debian/usr/share/man"
	ln -sf /lib/systemd/systemd "$work/debian/init"
	: >"$work/debian/etc/machine-id"
	: >"$work/debian/etc/fstab"
	echo procdb-vm >"$work/debian/etc/hostname"
	(cd "$work/debian" && find . -print0 | cpio --null --create --format=newc --quiet) >"$base.new"
	mv "$base.new" "$base"
	rm -rf "$work/debian"
) 8>"$cache/debian.lock" || { [ $? = 77 ] && skip "cannot get Debian $suite from the mirror"; exit 1; }

# The project, as a distribution would install it; without farms, for hiredis is not in the image.
{
	[ -e "$build/build.ninja" ] ||
		meson setup --prefix=/usr --sysconfdir=/etc --localstatedir=/var -Dtests=false -Dfarm=disabled \
			"$build" "$source"
	nice ninja -C "$build"
	DESTDIR=$work/root meson install -C "$build" --no-rebuild
} >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }
guest=$work/root/usr/lib/procdb-vm
mkdir -p "$guest" "$work/root/etc/systemd/system/default.target.wants"
cp "$here/systemd/$script" "$guest/test"
cp "$here/systemd/common.sh" "$guest/"
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	echo "$1" >>"$guest/environment"
	shift
done
[ $# -eq 0 ] || shift
for program; do
	cp "$program" "$guest/"
done
chmod 755 "$guest"/*
cp "$here"/systemd/*.service "$work/root/etc/systemd/system/"
ln -s ../procdb-vm-test.service "$work/root/etc/systemd/system/default.target.wants/"
(
	cat "$base"
	cd "$work/root" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet
) >"$work/image"

"$here/run.sh" -m 1536 -t "$limit" -i "$work/image" "$kernel" ''
