#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# rmdir takes a mount away from a process in another mount namespace.
#
# Seen on:   Linux 6.18.44; util-linux 2.38.1
# Guess:     a directory that something is mounted on is busy, wherever the mount is seen.
# Behaviour: only mounts of the caller's own namespace make a directory busy (fs/namei.c,
#            vfs_rmdir() and is_local_mountpoint()); those of all other namespaces are
#            detached without a word (detach_mounts() in fs/namespace.c).
#            A service manager implements writable paths of a sandbox as bind mounts on themselves.
#            When another program removes such a directory while it is empty, and makes it
#            again, the service has a read-only directory there from then on, and no event.
# Output:    other namespace: 1 mount, directory writable
#            here: rmdir succeeds
#            other namespace: 0 mounts, directory gone
#            other namespace: made again from here, read-only
#
# Fails if rmdir refuses, or if the mount survives. Needs root.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/tree/pins"
mkfifo "$dir/go" "$dir/said"

# A sandbox: all of the tree is read-only but for one directory.
# shellcheck disable=SC2016 # its own shell expands them
unshare --mount --propagation private sh -eu -c '
	tree=$1/tree said=$1/said go=$1/go
	mount --bind "$tree" "$tree"
	mount --bind "$tree/pins" "$tree/pins"
	mount -o remount,bind,ro "$tree"
	state() {
		echo "$(grep -c " $tree/pins " /proc/self/mountinfo)" "$(
			test -d "$tree/pins" || { echo gone; exit; }
			touch "$tree/pins/file" 2>/dev/null && rm "$tree/pins/file" && echo writable || echo read-only)"
	}
	state >"$said"; read -r _ <"$go"
	state >"$said"; read -r _ <"$go"
	state >"$said"
' sh "$dir" &

read -r mounts before <"$dir/said"
echo "other namespace: $mounts mount, directory $before"
rmdir "$dir/tree/pins" && rmdir=succeeds || rmdir=fails
echo "here: rmdir $rmdir"
echo >"$dir/go"
read -r left later <"$dir/said"
echo "other namespace: $left mounts, directory $later"
mkdir -p "$dir/tree/pins"
echo >"$dir/go"
read -r _ after <"$dir/said"
echo "other namespace: made again from here, $after"
wait

[ "$mounts $before $rmdir $left $later $after" = "1 writable succeeds 0 gone read-only" ]
