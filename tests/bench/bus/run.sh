#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# What calls cost; see usage() below. As root.
set -eu

usage() {
	cat <<-'END'
	usage: run.sh [--build DIR] [--against DIR]... [--rounds N] [--calls N]

	Measures calls of root to the service of a build directory, with 512 profiles, on a bus of its
	own, in turn with those to the services of other build directories, and to a service that does
	nothing but answer (bench-echo, the last of each line); and the memory of each.
	END
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${MESON_BUILD_ROOT:-$here/../../../build}
rounds=40 calls=200 others=
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=$2 && shift 2 ;;
	--against) others="$others $2" && shift 2 ;;
	--rounds) rounds=$2 && shift 2 ;;
	--calls) calls=$2 && shift 2 ;;
	--help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || { echo 'bench-bus: SKIP: needs root' && exit 77; }
command -v dbus-daemon >/dev/null || { echo 'bench-bus: SKIP: dbus-daemon is not installed' && exit 77; }

dir=$(mktemp -d)
processes=
clean() {
	# shellcheck disable=SC2086 # a list
	[ -z "$processes" ] || kill $processes 2>/dev/null || :
	wait
	rm -rf "$dir"
}
trap clean EXIT

# A bus that lets everybody do everything: root needs no polkit.
config() {
	cat <<-END
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
	 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig>
	  <listen>unix:path=$1</listen>
	  <auth>EXTERNAL</auth>
	  <policy context="default">
	    <allow send_destination="*"/>
	    <allow receive_sender="*"/>
	    <allow own="*"/>
	  </policy>
	</busconfig>
	END
}

# Starts a service on a bus of its own and waits until it is there.
serve() { # COMMAND [ARGUMENT...]
	number=$((number + 1))
	config "$dir/bus$number" >"$dir/bus$number.conf"
	dbus-daemon --config-file="$dir/bus$number.conf" --nofork --nopidfile --nosyslog &
	processes="$processes $!"
	address=unix:path=$dir/bus$number
	until [ -S "$dir/bus$number" ]; do sleep 0.05; done
	DBUS_SYSTEM_BUS_ADDRESS=$address "$@" 2>"$dir/$number.log" &
	processes="$processes $!"
	services="$services $!"
	tries=0
	until dbus-send --bus="$address" --print-reply --dest=org.freedesktop.DBus \
		/org/freedesktop/DBus org.freedesktop.DBus.GetNameOwner \
		string:org.pandemonium.ProcDb >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat "$dir/$number.log" && exit 1; }
		sleep 0.05
	done
	addresses="$addresses $address"
}
number=0 addresses='' services=''
for directory in "$build" $others; do
	serve "$directory/service/pandemonium-procdbd" --backend none --database "$dir/$((number + 1)).bin"
done
serve "$build/tests/bench/bus/bench-echo" 512
memory() {
	for service in $services; do
		printf '%s' "$1"
		awk '/^(VmRSS|RssAnon):/ { printf " %s %.1f MiB", $1, $2 / 1024 }' "/proc/$service/status"
		echo
	done
}
memory 'at the start:'
# shellcheck disable=SC2086 # a list
"$build/tests/bench/bus/bench-bus" "$rounds" "$calls" $addresses
memory 'at the end:'
