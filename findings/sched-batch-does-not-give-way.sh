#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# Background work under SCHED_BATCH delays a program that wakes often as much as plain work does.
#
# Seen on:   Linux 6.18.44 (EEVDF), x86-64, 2 CPUs; util-linux 2.38.1, Python 3.11
# Guess:     chrt --batch is what its name says, so work that is started with it gives way to
#            a program that sleeps and wakes.
# Behaviour: SCHED_BATCH only means that the task itself does not preempt others when it wakes
#            (kernel/sched/fair.c, check_preempt_wakeup_fair()). What burns its CPU never wakes,
#            so nothing changes: a program that wakes waits for the rest of its slice, as
#            before. A longer slice for the burners, which sounds like the contrary, does help:
#            their deadlines are later than that of the program then.
# Output:    (p90 of the delay of a wake-up beside eight burners, three rounds in turn)
#            plain 3.9 ms, batch 3.9 ms, 20 ms slice 0.1 ms
#
# Fails if SCHED_BATCH halves the delay, or if a longer slice does not. On a quiet machine.
set -eu

burn='while True: pass'
probe='
import sys, time
late = []
due = time.monotonic()
for _ in range(400):
    due += 0.005
    time.sleep(max(0, due - time.monotonic()))
    late.append(time.monotonic() - due)
    end = time.thread_time() + 0.0003
    while time.thread_time() < end:
        pass
    due = max(due, time.monotonic())
print(sorted(late)[360] * 1000)
'
long='
import ctypes, os, platform, struct, sys
number = {"x86_64": 314, "aarch64": 274}[platform.machine()]
attr = struct.pack("IIQiIQQQ", 48, 0, 0, 0, 0, 20_000_000, 0, 0)
assert ctypes.CDLL(None).syscall(number, 0, attr, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
'
measure() {
	local pids=()
	for _ in 1 2 3 4 5 6 7 8; do
		"$@" /usr/bin/python3 -c "$burn" &
		pids+=($!)
	done
	sleep 0.5
	/usr/bin/python3 -c "$probe"
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null || true
}
median() {
	printf '%s\n' "$@" | sort -n | sed -n 2p
}
plain=() batch=() slice=()
for _ in 1 2 3; do
	plain+=("$(measure env)")
	batch+=("$(measure chrt --batch 0)")
	slice+=("$(measure /usr/bin/python3 -c "$long")")
done
a=$(median "${plain[@]}") b=$(median "${batch[@]}") c=$(median "${slice[@]}")
printf 'plain %.1f ms, batch %.1f ms, 20 ms slice %.1f ms\n' "$a" "$b" "$c"
awk -v a="$a" -v b="$b" -v c="$c" 'BEGIN { exit !(b > a / 2 && c < a / 2) }'
