#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: run.sh TARGET SECONDS CORPUS...
# Fuzzes for so long from the files of some directories, which stay as they are.
# An input that fails is printed in base64.
set -eu

target=$1
seconds=$2
shift 2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-fuzz-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT
mkdir "$scratch/found" "$scratch/failed"

status=0
"$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
	-print_final_stats=1 -verbosity=0 -artifact_prefix="$scratch/failed/" \
	"$scratch/found" "$@" >"$scratch/log" 2>&1 || status=$?
tail -n 40 "$scratch/log"
for input in "$scratch"/failed/*; do
	[ -e "$input" ] || continue
	echo "$(basename "$input"):"
	base64 "$input"
done
exit $status
