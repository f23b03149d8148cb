#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: run.sh FOLDER COMMAND
# Runs the golden vectors of FOLDER against COMMAND (see README.md), a TAP line
# each. Not 14-wrap: its sums wrap around, ours saturate.
set -eu

folder=$(CDPATH='' cd -- "$1" && pwd)
command=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT

number=0
failed=0
for script in "$folder"/*.script; do
	name=$(basename "$script" .script)
	[ "$name" != 14-wrap ] || continue
	number=$((number + 1))
	mkdir "$scratch/$name"
	cp "$folder"/*.bin "$scratch/$name"
	status=0
	(cd "$scratch/$name" && "$command") <"$script" >"$scratch/result" 2>"$scratch/stderr" || status=$?
	if [ $status = 0 ] && cmp -s "$scratch/result" "$folder/$name.expected"; then
		echo "ok $number - $name"
	else
		failed=1
		echo "not ok $number - $name"
		echo "# exit status $status"
		{ diff "$folder/$name.expected" "$scratch/result"; head -n 5 "$scratch/stderr"; } |
			head -n 20 | sed 's/^/# /'
	fi
done
echo "1..$number"
[ $number -gt 0 ] && [ $failed = 0 ]
