#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: test-lab.sh BUILD-DIRECTORY
# What the lab promises, a TAP line each: statuses, signals, and nothing left.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lab=$here/lab.sh
build=$1
[ "$(id -u)" = 0 ] || {
	echo '1..0 # SKIP needs root'
	exit 0
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
export MESON_BUILD_ROOT="$build"
# On the bus that starts services and can listen at a second place.
export LAB_BROKER=0

number=0
failed=0
check() { # NAME CONDITION...
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $name"
	else
		failed=1
		echo "not ok $number - $name"
		echo "# false: $*"
	fi
}

# A number that no other process has in its command line marks those of one lab.
mark=$$
# The processes of a lab that slept for a time that ends in the mark.
left() {
	pgrep -f "^sleep 9[0-9]*\.$mark\$" || :
}
# Waits up to 15 s for a command to succeed.
soon() {
	for _ in $(seq 300); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}
none_left() { [ -z "$(left)" ]; }
some_left() { [ -n "$(left)" ]; }
# Runs the rest of the line with a lab that sleeps in the background, its pid in $sleeping.
start() {
	setsid "$lab" "$@" -- sh -c "sleep 90.$mark & sleep 91.$mark; true" </dev/null >/dev/null 2>&1 &
	sleeping=$!
	soon some_left
}

status=0
"$lab" -- sh -c 'exit 42' || status=$?
check 'the status is that of the command' [ $status = 42 ]
status=0
"$lab" -- sh -c 'kill -KILL $$' 2>/dev/null || status=$?
check 'a killed command has the status of a killed one' [ $status = 137 ]
mkdir "$scratch/rules"
status=0
told=$("$lab" --rules "$scratch/rules" -- true 2>&1) || status=$?
check 'a directory without rules is said to be one' \
	[ "$status $told" = "2 lab: $scratch/rules: no *.rules in it" ]
check 'standard input and output are the own' [ "$(echo in | "$lab" -- cat)" = in ]
check 'alice and bob exist inside' \
	[ "$("$lab" -- setpriv --reuid alice --regid alice --clear-groups id -un)" = alice ]
check 'only polkit and our own actions are there' \
	[ -z "$("$lab" -- pkaction | grep -vE '^org\.(pandemonium\.procdb|freedesktop\.policykit)\.')" ]
check 'without polkitd nothing starts it' "$lab" --no-polkitd -- \
	sh -c '! pkaction >/dev/null 2>&1'
check 'without bpffs there is none' "$lab" --no-bpffs -- sh -c '! mountpoint -q /sys/fs/bpf'
check 'the bpffs is the own and closed to others' \
	[ "$("$lab" -- sh -c 'ls /sys/fs/bpf | grep -v debug; stat -c %a /sys/fs/bpf' | tail -c 4)" = 700 ]
file=procdb-lab.$$
"$lab" -- touch /etc/pandemonium/$file /var/lib/pandemonium/$file /run/$file
check 'what is written inside stays inside' \
	[ ! -e /etc/pandemonium/$file -a ! -e /var/lib/pandemonium/$file -a ! -e /run/$file ]

for pids in '' --host-pids; do
	kind=${pids:---private-pids}
	kind=${kind#--}
	for signal in KILL TERM; do
		# shellcheck disable=SC2086 # an option or none
		start $pids
		kill -$signal "$sleeping"
		# Twice: the first SIGTERM goes to the command, whose children outlive it.
		sleep 0.2
		kill -$signal "$sleeping" 2>/dev/null || :
		check "$kind: nothing is left after SIG$signal" soon none_left
		wait "$sleeping" 2>/dev/null || :
	done
	# shellcheck disable=SC2086
	setsid sh -c "'$lab' $pids -- sleep 92.$mark; true" </dev/null >/dev/null 2>&1 &
	sleeping=$!
	soon some_left
	kill -KILL $sleeping
	check "$kind: nothing is left when the caller is killed" soon none_left
	wait "$sleeping" 2>/dev/null || :
	# shellcheck disable=SC2086
	"$lab" $pids -- sh -c "sleep 93.$mark >/dev/null 2>&1 & exit 0"
	check "$kind: nothing is left when the lab has returned" none_left
done

mkdir "$scratch/bus"
start --host-pids --bus "$scratch/bus"
soon [ -S "$scratch/bus/bus" ]
check 'the bus can be reached from outside' env "DBUS_SYSTEM_BUS_ADDRESS=unix:path=$scratch/bus/bus" \
	sh -c 'busctl --system list | grep -q org.pandemonium.ProcDb'
kill -KILL "$sleeping"
check 'its directory is removed, even after SIGKILL' soon [ ! -e "$scratch/bus" ]
wait "$sleeping" 2>/dev/null || :

mkdir "$scratch/bus"
"$lab" --build "$build" --host-pids --bus "$scratch/bus" -- "$here/show.sh" show 2 \
	>"$scratch/shown" 2>&1 || cat "$scratch/shown"
check 'try shows a table that says what is learned' grep -q 'learns from its own BPF observer' \
	"$scratch/shown"
check 'try says where the bus is' grep -q "DBUS_SYSTEM_BUS_ADDRESS=unix:path=$scratch/bus/bus" \
	"$scratch/shown"
check 'try says that it stopped' grep -q '^Stopped' "$scratch/shown"

echo "1..$number"
[ $failed = 0 ]
