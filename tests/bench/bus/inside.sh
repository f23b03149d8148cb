#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: inside.sh BENCH-BUS ROUNDS CALLS [JSON]: the part of run.sh inside the lab.
set -eu

# A copy, because alice may not be able to look into the build folder.
install -m 755 "$1" "$LAB_DIR/bench-bus"
mkfifo "$LAB_DIR/end"
"$LAB_DIR/bench-bus" serve <"$LAB_DIR/end" &
service=$!
exec 9>"$LAB_DIR/end"
until dbus-send --system --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
	org.freedesktop.DBus.GetNameOwner string:org.pandemonium.ProcDb >/dev/null 2>&1; do
	kill -0 $service || exit 1
	sleep 0.05
done

results=$LAB_DIR/results
mkdir "$results"
chown alice "$results"
status=0
setpriv --reuid alice --regid alice --clear-groups \
	"$LAB_DIR/bench-bus" measure "$2" "$3" "$results/json" 9>&- || status=$?
[ $status != 0 ] || [ -z "$4" ] || cp "$results/json" "$4"
exec 9>&-
wait $service || status=$?
exit $status
