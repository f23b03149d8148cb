#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: guard.sh GUARD
# Instructions that one step of the engine takes, counted by callgrind and so
# nearly the same in every run: bounds well above what it takes, and far below
# what a mistake in it would cost.
set -eu

guard=$1
command -v valgrind >/dev/null || {
	echo "SKIP: valgrind is not installed"
	exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 1..4

# KNOWN OBSERVED: of one step.
steps=50
instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
		--toggle-collect=counted_steps --log-file="$scratch/log" \
		"$guard" run "$1" "$2" "$steps" >/dev/null 2>&1
	echo $(($(sed -n 's/.*Collected : //p' "$scratch/log") / steps))
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

few=$(instructions 512 100)
many=$(instructions 8192 100)
bound a-step-without-observations "$(instructions 512 0)" 1000
bound a-step-with-100-observations "$few" 100000
bound a-step-with-512-observations "$(instructions 512 512)" 500000
bound sixteen-times-the-profiles-cost-the-same "$many" $((few * 5 / 4))
