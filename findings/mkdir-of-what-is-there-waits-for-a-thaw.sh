#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# On a file system that is frozen for a snapshot, mkdir(2) of a directory that exists waits as well.
#
# Seen on:   Linux 6.18.44, x86-64; ext4 on a loop device, coreutils 9.1, util-linux 2.38.1
# Guess:     what exists is found by looking, which a frozen file system (fsfreeze(8), as guest agents
#            and LVM do for a snapshot) allows: stat(2) and open(2) for reading answer at once, and
#            mkdir(2) changes nothing there, so it answers EEXIST at once. `mkdir -p` before each
#            write of a file is thus as cheap as a look.
# Behaviour: the kernel asks to write to the mount before it looks the name up (filename_create() in
#            fs/namei.c: mnt_want_write(), then the lookup), so mkdir(2) waits in the kernel, and
#            cannot be killed, until the file system is thawed. Then it fails with EEXIST. A program that
#            makes sure of its directory in its main loop stands still for as long as a snapshot takes,
#            also where it has nothing to write. On a read-only file system the same call answers at
#            once. A look first (`[ -d DIR ] || mkdir -p DIR`) waits for nothing.
# Output:    stat: 0 s, open: 0 s, mkdir -p: until the thaw, 2 s
#
# Fails unless stat and open answer within half a second, and mkdir -p of the same directory only after
# the thaw. Needs root, and a loop device (exit status 77 without).
set -eu

top=$(mktemp -d)
frozen=
clean() {
	[ -z "$frozen" ] || fsfreeze --unfreeze "$top/mount"
	umount "$top/mount" 2>/dev/null || :
	rm -rf "$top"
}
trap clean EXIT
mkdir "$top/mount"
truncate -s 32M "$top/image"
mkfs.ext4 -q "$top/image"
mount -o loop "$top/image" "$top/mount" || exit 77
mkdir "$top/mount/there"

now() { date +%s.%N; }
took() { echo "$(now) - $1" | bc; }

fsfreeze --freeze "$top/mount"
frozen=yes
began=$(now)
stat "$top/mount/there" >"$top/stat"
stat_took=$(took "$began")
began=$(now)
ls "$top/mount/there" >"$top/ls"
open_took=$(took "$began")
began=$(now)
(
	mkdir -p "$top/mount/there"
	took "$began" >"$top/took"
) &
sleep 2
answered_early=no
[ ! -e "$top/took" ] || answered_early=yes
fsfreeze --unfreeze "$top/mount"
frozen=
wait
mkdir_took=$(cat "$top/took")
echo "stat: $stat_took s, open: $open_took s, mkdir -p: until the thaw, $mkdir_took s"
[ "$answered_early" = no ] && [ "$(echo "$stat_took < 0.5 && $open_took < 0.5 && $mkdir_took >= 2" | bc)" = 1 ]
