#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# What a call costs; see usage() below. As root: it runs in a lab of its own.
set -eu

usage() {
	cat <<-'END'
	usage: run.sh [--build DIR] [--rounds N] [--calls N] [--json FILE]

	Measures GetConfidence as an ordinary user against the same method without
	authorization, with polkit asked each time, and org.freedesktop.DBus.Peer.Ping; and
	ListProfiles with 512 profiles against a bare service that sends the same bytes.
	One after the other and several at once, in interleaved rounds.
	END
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${MESON_BUILD_ROOT:-$here/../../../build}
rounds=60 calls=200 json=
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=$2 && shift 2 ;;
	--rounds) rounds=$2 && shift 2 ;;
	--calls) calls=$2 && shift 2 ;;
	--json) json=$(realpath -m -- "$2") && shift 2 ;;
	--help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done
exec "$here/../../lab/lab.sh" --build "$build" -- \
	"$here/inside.sh" "$build/tests/bench/bus/bench-bus" "$rounds" "$calls" "$json"
