#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: warden.sh [SPARED-PID...] <PIPE
# A stand-in for dying with a namespace's init, where process ids stay those of the machine:
# when no process has the pipe open for writing any more, ends what else is in its mount namespace.
read -r _
mine=$(readlink /proc/self/ns/mnt)
left=1
while [ $left = 1 ]; do
	left=0
	for process in /proc/[0-9]*; do
		pid=${process#/proc/}
		case " $$ $* " in *" $pid "*) continue ;; esac
		[ "$(readlink "$process/ns/mnt" 2>/dev/null)" = "$mine" ] || continue
		kill -KILL "$pid" 2>/dev/null && left=1
	done
done
