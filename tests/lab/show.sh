#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: show.sh show|shell [SECONDS [PACKAGES]]
# PACKAGES: the Debian packages that were installed for it.
# What ./try runs inside the lab: starts the service and shows what it learns.
set -eu

mode=$1
seconds=${2:-}
packages=${3:-}
address=unix:path=$LAB_BUS/bus

# setsid: Ctrl-C must not reach the service, which is stopped in order below.
setsid "$LAB_SERVICE" </dev/null >"$LAB_DIR/service.log" 2>&1 &
service=$!
finish() {
	ended=$?
	trap '' INT TERM
	kill $service 2>/dev/null || :
	status=0
	wait $service || status=$?
	if [ $status != 0 ]; then
		cat "$LAB_DIR/service.log" >&2
		echo "try: the service ended with status $status" >&2
	else
		echo "Stopped. ProcDb was not installed, and nothing of it is left running."
		echo "The build stays in $LAB_BUILD; delete it with: rm -r $LAB_BUILD"
		[ -z "$packages" ] || echo "These Debian packages were installed for it, and stay:$packages"
		status=$ended
	fi
	exit $status
}
trap finish EXIT
trap 'exit 0' INT TERM

tries=0
# Not by calling the service: the bus would start a second one.
until busctl call org.freedesktop.DBus / org.freedesktop.DBus GetNameOwner s \
	org.pandemonium.ProcDb >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ $tries -ge 100 ] || ! kill -0 $service 2>/dev/null; then
		cat "$LAB_DIR/service.log" >&2
		echo "try: the service does not answer on its bus" >&2
		exit 1
	fi
	sleep 0.1
done

cat <<END
The service runs on a bus of its own. BPF sees every program of this machine: run something.
From another shell, as any user, after
  export DBUS_SYSTEM_BUS_ADDRESS=$address
it can be asked with
  $LAB_BUILD/client/pandemoniumctl list
  busctl introspect org.pandemonium.ProcDb /org/pandemonium/ProcDb
END

if [ "$mode" = shell ]; then
	echo "This shell is on the same bus; exit ends it."
	trap : INT
	${SHELL:-/bin/sh} || :
	exit 0
fi

echo "Ctrl-C ends it."
if [ -t 0 ] && [ -t 1 ]; then
	sleep 2 # time to read the address
	status=0
	${seconds:+timeout --foreground "$seconds"} pandemoniumctl top || status=$?
	case $status in
	0 | 124 | 130) exit 0 ;; # left, the time is up, Ctrl-C
	esac
	exit $status
fi
end=''
[ -z "$seconds" ] || end=$(($(date +%s) + seconds))
while kill -0 $service 2>/dev/null; do
	date '+%T'
	pandemoniumctl status
	pandemoniumctl list
	echo
	[ -z "$end" ] || [ "$(date +%s)" -lt "$end" ] || exit 0
	sleep 1
done
