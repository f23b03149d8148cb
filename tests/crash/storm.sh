#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: storm.sh DRIVER KILLS
# Kills a process that saves without pause, at random moments.
set -eu

scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-storm-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT
"$1" storm "$scratch/state/db" "$2"
