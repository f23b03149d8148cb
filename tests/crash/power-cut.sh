#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: power-cut.sh DRIVER FILE-SYSTEM ROUNDS [MOUNT-OPTIONS]
# Cuts the power of a loop-mounted file system (FS_IOC_SHUTDOWN without a
# flush of the log) after saves and amid them. What a save reported as done
# has to be there afterwards, or what came after it; whole. A TAP line each.
set -eu

driver=$1
fs=$2
rounds=$3
options=${4:-defaults}
PATH=$PATH:/usr/sbin:/sbin

skip() {
	echo "1..0 # SKIP $1"
	exit 77
}
[ "$(id -u)" = 0 ] || skip 'needs root'
command -v "mkfs.$fs" >/dev/null || skip "needs mkfs.$fs"
command -v strace >/dev/null || skip 'needs strace'
# Mounts end with the namespace, whatever happens.
if [ "${POWER_CUT_INSIDE:-}" != yes ]; then
	unshare --mount --propagation private true || skip 'needs a mount namespace'
	POWER_CUT_INSIDE=yes exec unshare --mount --propagation private "$0" "$@"
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-power-cut-XXXXXX")
mnt=$scratch/mnt
db=$mnt/state/db
mkdir "$mnt"
trap 'umount "$mnt" 2>/dev/null || :; rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT

truncate -s 320M "$scratch/image"
case $fs in
ext4) mkfs.ext4 -q "$scratch/image" ;;
*) "mkfs.$fs" "$scratch/image" >/dev/null ;;
esac
on() {
	mount -o "loop,$options" "$scratch/image" "$mnt"
}
on 2>"$scratch/errors" || skip "cannot mount $fs by a loop device: $(cat "$scratch/errors")"
"$driver" shutdown "$mnt" 2 2>"$scratch/errors" || skip "$fs cannot be shut down: $(cat "$scratch/errors")"
umount "$mnt"
on

# Power off and on again.
cut_power() {
	"$driver" shutdown "$mnt" 2
	umount "$mnt"
	on
}

failed=0
number=0
result() {
	number=$((number + 1))
	if [ "$wrong" = 0 ]; then
		echo "ok $number - $fs ($options): $1"
	else
		echo "not ok $number - $fs ($options): $1"
		failed=1
	fi
}
check() {
	"$driver" check "$db" "$1" "$2" >"$scratch/found" 2>"$scratch/errors" && return
	echo "# round $round, expected $1...$2:" >&2
	sed 's/^/#   /' "$scratch/errors" >&2
	ls -li "$mnt/state" >&2
	wrong=1
}

wrong=0
for round in $(seq "$rounds"); do
	"$driver" save "$db" "$round"
	cut_power
	check "$round" "$round"
done
result "cut after each of $rounds saves, the first into a new folder"

wrong=0
amid=0
last=$rounds
for round in $(seq "$rounds"); do
	: >"$scratch/done"
	"$driver" loop "$db" $((last + 1)) >"$scratch/done" 2>/dev/null &
	pid=$!
	sleep "0.0$(awk -v seed="$round$$" 'BEGIN { srand(seed); printf "%03d", rand() * 1000 }')"
	"$driver" shutdown "$mnt" 2
	wait $pid || :
	umount "$mnt"
	on
	[ ! -s "$scratch/done" ] || last=$(tail -n 1 "$scratch/done")
	check "$last" $((last + 1))
	[ "$wrong" = 0 ] || break
	amid=$((amid + $(wc -l <"$scratch/done")))
	last=$(cat "$scratch/found")
done
result "cut at $rounds random moments of saving ($amid saves)"

# Killed at each system call of a save, and then the power goes.
wrong=0
"$driver" save "$db" 1
strace -o "$scratch/trace" "$driver" save "$db" 2
awk '/^getppid/ { marked = 1; next }
	match($0, /^[a-z0-9_]+\(/) {
		name = substr($0, 1, RLENGTH - 1)
		count[name]++
		if (marked && name ~ /^(open|write|fsync|rename|link|unlink|close|exit_group)/)
			print name, count[name]
	}' "$scratch/trace" >"$scratch/calls"
places=0
while read -r name nth; do
	round=$name.$nth
	"$driver" save "$db" 1
	"$driver" save "$db" 2
	status=0
	strace -o /dev/null -e trace="$name" -e inject="$name:signal=KILL:when=$nth" \
		"$driver" save "$db" 3 2>/dev/null || status=$?
	[ $status = 137 ] || wrong=1
	cut_power
	check 2 3
	places=$((places + 1))
done <"$scratch/calls"
[ $places -gt 5 ] || wrong=1
result "cut after a kill at each of $places system calls of a save"

echo "1..$number"
exit $failed
