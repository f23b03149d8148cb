#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The worker threads of x265 call nice(10), so one process has threads of two nice values.
#
# Seen on:   x265 3.5-2+b1 (Debian 12), Linux 6.18.44, x86-64
# Guess:     a library that encodes leaves the priority to the program, or to nice(1); all
#            threads of a process that was started plainly have nice 0.
# Behaviour: on Linux a nice value belongs to a thread, and each worker of the thread pool
#            lowers its own. Whatever a person gives the process with nice(1) or
#            setpriority() is added to or overwritten for the threads that do the work, and
#            what looks at the process (ps, top without -H) shows 0. Beside an encoder that
#            does not (x264) an x265 gets a tenth of the CPU without being told to, and
#            a service that leaves alone what has a nice value leaves all of its work alone.
# Output:    nice 0: 5 threads
#            nice 10: 2 threads
#
# Fails unless the process has nice 0 and threads with nice 10.
set -eu

work=$(mktemp -d)
trap 'kill $encoder 2>/dev/null || :; rm -rf "$work"' EXIT
encoder=
cd "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download x265=3.5-2+b1 libx265-199=3.5-2+b1 libnuma1 >/dev/null
for package in ./*.deb; do
	dpkg -x "$package" .
done
# Two seconds of noise, 640x360, 4:2:0.
head -c $((640 * 360 * 60 * 3 / 2)) /dev/urandom >noise.yuv
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) usr/bin/x265 --log-level none --no-progress --pools 2 --preset slower \
	--input noise.yuv --input-res 640x360 --fps 30 -o out.hevc &
encoder=$!
sleep 2
threads=$(ps -L -o ni= -p "$encoder" | sort -n | uniq -c)
echo "$threads" | while read -r number nice; do
	echo "nice $nice: $number threads"
done
[ "$(ps -o ni= -p "$encoder")" -eq 0 ]
echo "$threads" | grep -qE '^ *[0-9]+ +10$'
