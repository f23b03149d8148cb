# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
# shellcheck shell=sh
#
# await PID: waits for the child PID and returns its status. SIGTERM is left to
# the function forward (its argument: PID); Ctrl-C reaches the child from the
# terminal, and its status counts.
await() {
	await_again=''
	trap 'await_again=1; forward $1' TERM HUP
	trap 'await_again=1' INT QUIT
	await_status=0
	wait "$1" || await_status=$?
	while [ -n "$await_again" ]; do
		await_again=''
		await_now=0
		wait "$1" || await_now=$?
		# 127: it had been waited for when the signal came.
		[ $await_now = 127 ] || await_status=$await_now
	done
	return $await_status
}
