#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: sudo tests/bench/cost/run.sh BUILD-DIRECTORY [OPTION-OF-BENCH-COST...]
# Measures what the service costs and prints a table; --json FILE writes it as JSON.
set -eu

[ $# -gt 0 ] || {
	sed -n 's/^# usage/usage/p' "$0" >&2
	exit 2
}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=$(CDPATH='' cd -- "$1" && pwd)
shift

client=$build/client/pandemoniumctl
[ ! -x "$client" ] || set -- --client "$client" "$@"
# On the file system of the build directory: a database in memory would be saved for nothing.
directory=$(mktemp -d "$build/bench-cost.XXXXXX")
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM
"$here/../../lab/lab.sh" --build "$build" -- "$build/tests/bench/cost/bench-cost" \
	--service "$build/service/pandemonium-procdbd" --directory "$directory" "$@"
