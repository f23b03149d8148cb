#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: syscalls.sh DRIVER kill
#        syscalls.sh DRIVER fault ERRNO...
# Stops the store at every system call of a save and of a recovery: by
# kill -9, or by errors from that call. After each the old or the new state
# has to be there, whole, and the next save has to work. A TAP line an operation.
set -eu

driver=$1
mode=$2
shift 2
errors=$*
if ! strace -o /dev/null -e inject=getppid:signal=KILL:when=99 true 2>/dev/null; then
	echo '1..0 # SKIP strace cannot trace here (package strace, CAP_SYS_PTRACE)'
	exit 77
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-syscalls-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT
state=$scratch/state
db=$state/db

# The folder before an operation: generation 2, and 1 as the previous one.
prepare() {
	rm -rf "$state"
	mkdir -m 700 "$state"
	"$driver" save "$db" 1
	"$driver" save "$db" 2
	case $1 in
	recover) printf X | dd of="$db" bs=1 seek=500 conv=notrunc status=none ;;
	leftover) echo junk >"$db.tmp" ;;
	esac
}

# The driver's arguments for an operation, and the generations that may be there afterwards.
plan() {
	case $1 in
	recover) set -- load "$db" : 1 1 ;;
	leftover) set -- save "$db" 3 : 2 3 ;;
	*) set -- "$1" "$db" 3 : 2 3 ;;
	esac
	command=''
	while [ "$1" != : ]; do
		command="$command $1"
		shift
	done
	oldest=$2
	newest=$3
}

# The calls after the mark, each as its name and its number among those of that name.
calls() {
	prepare "$1"
	# shellcheck disable=SC2086 # a list of words
	strace -o "$scratch/trace" "$driver" $command >/dev/null
	awk '/^getppid/ { marked = 1; next }
		match($0, /^[a-z0-9_]+\(/) {
			name = substr($0, 1, RLENGTH - 1)
			count[name]++
			if (marked)
				print name, count[name]
		}' "$scratch/trace"
}

complain() {
	echo "# $1" >&2
	sed 's/^/#   /' "$scratch/errors" >&2
	wrong=1
}

# One run with one call hit: NAME NUMBER WHAT-TO-INJECT.
hit() {
	prepare "$operation"
	status=0
	# shellcheck disable=SC2086
	strace -o "$scratch/trace" -e trace="$1" -e inject="$1:$3:when=$2" "$driver" $command \
		>/dev/null 2>"$scratch/errors" || status=$?
	at="$operation, $1 number $2, $3"
	low=$oldest
	case $mode:$status in
	kill:137) ;;
	fault:0) [ "$operation" = recover ] || low=$newest ;;
	fault:3) ;;
	*)
		complain "$at: exit status $status"
		return
		;;
	esac
	hits=$((hits + 1))
	[ "$mode" = kill ] || grep -q INJECTED "$scratch/trace" || complain "$at: nothing happened"
	if ! "$driver" check "$db" "$low" "$newest" >"$scratch/found" 2>"$scratch/errors"; then
		# A recovery that was cut short leaves it to the next load.
		if [ "$operation" != recover ] || ! grep -q 'from source 2' "$scratch/errors" ||
			! "$driver" check "$db" "$low" "$newest" >/dev/null 2>"$scratch/errors"; then
			complain "$at"
		fi
	fi
	if ! "$driver" save "$db" 9 2>"$scratch/errors" ||
		! "$driver" check "$db" 9 9 >/dev/null 2>"$scratch/errors"; then
		complain "$at: the next save"
	fi
	[ ! -e "$db.tmp" ] || complain "$at: a leftover stays"
}

failed=0
number=0
for operation in save load-save leftover forget recover; do
	number=$((number + 1))
	wrong=0
	hits=0
	plan "$operation"
	calls "$operation" >"$scratch/calls"
	while read -r name nth; do
		if [ "$mode" = kill ]; then
			hit "$name" "$nth" signal=KILL
			continue
		fi
		case $name in
		open | openat | read | pread64 | write | fsync | renameat | linkat | unlink | unlinkat | mkdir | \
			newfstatat | fstat | getdents64)
			for errno in $errors; do
				hit "$name" "$nth" "error=$errno"
			done
			;;
		esac
	done <"$scratch/calls"
	if [ "$wrong" = 0 ] && [ "$hits" -gt 5 ]; then
		echo "ok $number - $mode at each of $hits places: $operation"
	else
		echo "not ok $number - $mode at each of $hits places: $operation"
		failed=1
	fi
done
echo "1..$number"
exit $failed
