#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A short slice is worth little when the program's own session has a burner.
#
# Seen on:   Linux 6.18.44 (EEVDF, autogroup), x86-64, CONFIG_HZ=250, 2 CPUs; Python 3.11
# Guess:     a task with a slice of 0.1 ms gets the CPU at once when it wakes, whatever else
#            burns; groups do not stand in the way, as each takes over the shortest slice
#            among its tasks (since Linux 6.12).
# Behaviour: between sessions the sessions compete. One that also has a burner is on the queue
#            all the time: its part is spent by the burner, so it is often not eligible, and
#            its deadline was set with the burner's slice. When the short task wakes, the
#            session takes over the short slice, not a new deadline (kernel/sched/fair.c,
#            enqueue_task_fair(): only an entity that was not queued is placed anew). So the
#            task waits for the turn of its session, ten times as long as beside the same
#            number of burners in sessions of their own. Sessions are what setsid(2) makes:
#            a terminal, so an editor and a build in two of them, or in one. Control groups
#            for the CPU, as of systemd's services, compete in the same way.
# Output:    (median of the delay of a wake-up beside three burners, three rounds in turn)
#            three burners in other sessions:        plain 0.2 ms, slice of 0.1 ms 0.2 ms
#            one of the three in the own session:    plain 1.8 ms, slice of 0.1 ms 1.7 ms
#            the same on a busy machine:
#            three burners in other sessions:        plain 1.5 ms, slice of 0.1 ms 0.2 ms
#            one of the three in the own session:    plain 4.8 ms, slice of 0.1 ms 2.0 ms
#
# Fails if the burner in the own session does not make the delay with the short slice four times
# as long, or says that sessions are no groups here.
set -eu

case $(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)$(grep -E '^[0-9]+:([^:]*,)?cpu(,[^:]*)?:' /proc/self/cgroup || grep '^0::' /proc/self/cgroup) in
1*:/) ;;
*)
	echo "Sessions are no groups here: no autogroup, or not in the root control group." >&2
	exit 1
	;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the median of the delay of a wake-up in ms. Its slice in ms, and whether a
# burner is in its session.
cat >"$work/probe.py" <<'PYTHON'
import ctypes, os, platform, signal, struct, sys, time

slice_ns = int(float(sys.argv[1]) * 1e6)
burner = 0
if sys.argv[2] == "own":
    burner = os.fork()
    if not burner:
        while True:
            pass
if slice_ns:
    number = {"x86_64": 314, "aarch64": 274}[platform.machine()]
    attr = struct.pack("IIQiIQQQ", 48, 0, 0, 0, 0, slice_ns, 0, 0)
    assert ctypes.CDLL(None).syscall(number, 0, attr, 0) == 0
late = []
for _ in range(150):
    due = time.monotonic() + 0.01
    time.sleep(0.01)
    late.append(time.monotonic() - due)
    end = time.thread_time() + 0.0003
    while time.thread_time() < end:
        pass
if burner:
    os.kill(burner, signal.SIGKILL)
print(sorted(late)[75] * 1000)
PYTHON

# The slice of the probe, and the session that the third of three burners is in.
measure() {
	local sessions=2 pids=()
	[ "$2" = own ] || sessions=3
	for _ in $(seq "$sessions"); do
		setsid taskset -c 0 /usr/bin/python3 -c 'while True: pass' &
		pids+=($!)
	done
	sleep 0.3
	setsid -w taskset -c 0 /usr/bin/python3 "$work/probe.py" "$1" "$2"
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null || true
}
median() {
	printf '%s\n' "$@" | sort -n | sed -n 2p
}
plain=() short=() plain_own=() short_own=()
for _ in 1 2 3; do
	plain+=("$(measure 0 other)")
	short+=("$(measure 0.1 other)")
	plain_own+=("$(measure 0 own)")
	short_own+=("$(measure 0.1 own)")
done
a=$(median "${plain[@]}") b=$(median "${short[@]}")
c=$(median "${plain_own[@]}") d=$(median "${short_own[@]}")
printf 'three burners in other sessions:        plain %.1f ms, slice of 0.1 ms %.1f ms\n' "$a" "$b"
printf 'one of the three in the own session:    plain %.1f ms, slice of 0.1 ms %.1f ms\n' "$c" "$d"
awk -v apart="$b" -v together="$d" 'BEGIN { exit !(together > 4 * apart) }'
