#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# To update a key that is in a full LRU hash throws out a hundred others.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs; bpftool 7.1.0
# Guess:     an update of an existing key needs no room, so nothing else is touched.
# Behaviour: the kernel takes a free element first and looks for the key afterwards
#            (kernel/bpf/hashtab.c, htab_lru_map_update_elem()). With none free it makes
#            room for a whole batch (kernel/bpf/bpf_lru_list.c, LOCAL_FREE_TARGET): 128 of
#            the other keys are gone, though the map holds as many as before the update.
#            A program that counts in an LRU hash loses a part of all counts for one more count.
# Output:    1024 entries in a map of 1024
#            896 entries after an update of one that is there
#
# Fails if an update of an existing key leaves all others in place. Needs root.
set -eu
PATH=$PATH:/usr/sbin

dir=$(mktemp -d)
mount -t bpf bpf "$dir"
trap 'umount "$dir"; rm -rf "$dir" "$dir.batch"' EXIT

key() {
	echo "$(($1 & 255)) $(($1 >> 8)) 0 0"
}

entries() {
	bpftool -j map dump pinned "$dir/map" | grep -o '"key"' | wc -l
}

echo "Linux $(uname -r), $(bpftool version | head -n 1)"
bpftool map create "$dir/map" type lru_hash key 4 value 4 entries 1024 name finding
for number in $(seq 0 4095); do
	echo "map update pinned $dir/map key $(key "$number") value 1 0 0 0"
done >"$dir.batch"
# All from one CPU: each has a reserve of free elements.
taskset -c 0 bpftool batch file "$dir.batch" >/dev/null
before=$(entries)
# shellcheck disable=SC2046 # four words
taskset -c 0 bpftool map update pinned "$dir/map" key $(key 4095) value 2 0 0 0
after=$(entries)
echo "$before entries in a map of 1024"
echo "$after entries after an update of one that is there"
[ "$after" -lt "$before" ]
