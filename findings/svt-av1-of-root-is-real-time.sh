#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# An AV1 encoder that root starts runs above everything else: SCHED_FIFO, priority 99.
#
# Seen on:   svt-av1 1.4.1+dfsg-1 (Debian 12; 2.3.0+dfsg-1 of Debian 13 does the same), Linux 6.18.44,
#            x86-64
# Guess:     an encoder is batch work: it has the priority that it was started with, or less.
# Behaviour: in a process of root that may (CAP_SYS_NICE: outside of most containers), the library
#            makes all of its threads SCHED_FIFO with the highest priority that there is, and
#            the thread that called it, too: also the main thread of ffmpeg -c:v libsvtav1. Hours
#            of computing then come before the user interface, sound and nearly all that is
#            itself real-time; nice(1), slices and CPU weights of the fair scheduler
#            mean nothing to it. Another user's encoder is an ordinary program, even with the
#            capability, so the same command is harmless on the desk and stalls the server.
# Output:    root: 17 threads, SCHED_FIFO 99, nice 19 asked for: the same
#            root without CAP_SYS_NICE: 17 threads, SCHED_OTHER 0
#            another user with CAP_SYS_NICE: 17 threads, SCHED_OTHER 0
#
# Fails unless each thread is SCHED_FIFO 99 in the first case, and none in the others. Needs root.
set -eu

work=$(mktemp -d)
trap 'kill $encoder 2>/dev/null || :; rm -rf "$work"' EXIT
encoder=
cd "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download svt-av1=1.4.1+dfsg-1 libsvtav1enc1=1.4.1+dfsg-1 >/dev/null
for package in ./*.deb; do
	dpkg -x "$package" .
done
LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
# Four seconds of noise, 640x360, 4:2:0.
head -c $((640 * 360 * 120 * 3 / 2)) /dev/urandom >noise.yuv

# The threads of an encoder that the words before start, by policy and priority.
threads() {
	"$@" usr/bin/SvtAv1EncApp -i noise.yuv -w 640 -h 360 --fps 30 --lp 1 --preset 8 -b /dev/null >/dev/null 2>&1 &
	encoder=$!
	until [ "$(chrt -a -p "$encoder" | wc -l)" -gt 18 ]; do
		kill -0 "$encoder"
		sleep 0.05
	done
	sleep 0.2
	chrt -a -p "$encoder" | sed -n 's/.*\(policy\|priority\): //p' | paste -d ' ' - - | sort | uniq -c
	kill "$encoder"
	wait "$encoder" 2>/dev/null || :
}
root=$(threads env)
nice=$(threads nice -n 19)
plain=$(threads setpriv --bounding-set=-sys_nice)
user=$(threads setpriv --reuid=65534 --clear-groups --inh-caps=+sys_nice --ambient-caps=+sys_nice)
[ "$root" = "$nice" ] && same="the same" || same=$nice
read -r number kind <<<"$root"
echo "root: $number threads, $kind, nice 19 asked for: $same"
read -r number kind_plain <<<"$plain"
echo "root without CAP_SYS_NICE: $number threads, $kind_plain"
read -r number kind_user <<<"$user"
echo "another user with CAP_SYS_NICE: $number threads, $kind_user"
[ "$same" = "the same" ]
[ "$kind, $kind_plain, $kind_user" = "SCHED_FIFO 99, SCHED_OTHER 0, SCHED_OTHER 0" ]
