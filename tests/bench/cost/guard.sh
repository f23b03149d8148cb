#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: guard.sh GUARD
# Instructions that one step of the engine takes, alone and with the object that
# announces it, and an import; counted by callgrind and so nearly the same in
# every run: bounds well above what it takes, and far below what a mistake in it
# would cost.
set -eu

guard=$1
command -v valgrind >/dev/null || {
	echo "SKIP: valgrind is not installed"
	exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 1..7

# FUNCTION WORD...: of what the guard runs in that function.
collect() {
	function=$1
	shift
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
		--toggle-collect="$function" --log-file="$scratch/log" \
		"$guard" run "$@" >/dev/null 2>&1
	sed -n 's/.*Collected : //p' "$scratch/log"
}

# WHAT KNOWN OBSERVED: of one step.
steps=50
instructions() {
	echo $(($(collect "counted_steps*" "$@" "$steps") / steps))
}

number=0
bound() { # NAME INSTRUCTIONS AT-MOST
	number=$((number + 1))
	# None at all: what should be counted was not found.
	if [ "$2" -gt 0 ] && [ "$2" -le "$3" ]; then
		echo "ok $number $1 ($2 instructions, at most $3)"
	else
		echo "not ok $number $1 ($2 instructions, at most $3)"
	fi
}

few=$(instructions engine 512 100)
many=$(instructions engine 8192 100)
announced=$(instructions object 512 100)
bound a-step-without-observations "$(instructions engine 512 0)" 1000
bound a-step-with-100-observations "$few" 100000
bound a-step-with-512-observations "$(instructions engine 512 512)" 500000
bound sixteen-times-the-profiles-cost-the-same "$many" $((few * 5 / 4))
bound a-step-without-observations-that-is-announced "$(instructions object 8192 0)" 20000
bound sixteen-times-the-profiles-are-announced-at-the-same-cost \
	"$(instructions object 8192 100)" $((announced * 5 / 4))
bound an-import-of-8192-known-names "$(collect "counted_import*" import 8192)" 50000000
