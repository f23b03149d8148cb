#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The same short slice costs busy tasks twenty times the switches on a newer kernel.
#
# Seen on:   Debian's linux-image-6.16.12+deb13-cloud-amd64 and linux-binary-7.3.4+deb13-cloud-amd64
#            (6.16.12-1~bpo13+1, 7.3.4-1~bpo13+1; HZ=250 both), QEMU 7.2 without acceleration, one
#            CPU whose clock counts its own instructions: what else runs on the host changes little
# Guess:     a slice of 0.1 ms (sched_setattr(2)) gives two busy tasks turns of 0.1 ms, or else of a
#            tick, on any kernel that has slices.
# Behaviour: up to 6.18 a running task is looked at in the tick: it keeps the CPU to the next one,
#            however short its slice is. Linux 7.3 has the feature HRTICK on (kernel/sched/features.h), a
#            timer for the end of each slice: 0.1 ms is 0.1 ms. A program that asks for a short slice to
#            be woken sooner, and then computes, was interrupted 160 times a second, and is 3,900
#            times. Also with the kernel's own slice, and with 20 ms, tasks take turns several times
#            as often.
# Output:    6.16.12: own slice 110, 0.1 ms 160, 20 ms 30 switches a second
#            7.3.4: own slice 540, 0.1 ms 3870, 20 ms 150 switches a second
#
# Fails unless the older kernel has less than 300 switches a second with 0.1 ms, and the newer one
# more than 2,000. Needs qemu-system-x86 and cpio; no root.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial initrd
# shellcheck disable=SC2016 # apt-get replaces these, not the shell
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
	awk '$2 == "Debian" && $3 == "Debian" && NF == 3 { print $1; exit }')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie-backports main" >sources
own=(-o "Dir::Etc::sourcelist=$work/sources" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists"
	-o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get -qq "${own[@]}" update
apt-get -qq "${own[@]}" download 'linux-image-6.16.12+deb13-cloud-amd64=6.16.12-1~bpo13+1' \
	'linux-binary-7.3.4+deb13-cloud-amd64=7.3.4-1~bpo13+1' >/dev/null
for package in ./*.deb; do
	dpkg -x "$package" .
done

# The first program of the guest: for each slice two tasks that compute for two seconds.
cat >init.c <<'END'
#include <linux/sched/types.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void compute(unsigned long long slice, double end)
{
	struct sched_attr attr = {.size = sizeof(attr), .sched_runtime = slice};

	if (slice && syscall(SYS_sched_setattr, 0, &attr, 0))
		_exit(1);
	while (now() < end)
		for (volatile int i = 0; i < 1000; i++)
			;
	_exit(0);
}

int main(void)
{
	static const unsigned long long slices[] = {0, 100000, 20000000};
	struct rusage used;
	long before = 0;
	int status;

	for (int i = 0; i < 3; i++) {
		double end = now() + 2;

		for (int task = 0; task < 2; task++)
			if (fork() == 0)
				compute(slices[i], end);
		while (wait(&status) > 0)
			if (status)
				printf("the slice was refused\n");
		getrusage(RUSAGE_CHILDREN, &used);
		printf("switches %ld\n", (used.ru_nivcsw - before) / 2);
		before = used.ru_nivcsw;
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
}
END
gcc -O1 -static -o initrd/init init.c
(cd initrd && echo init | cpio -o -H newc --quiet) >image

# Switches a second, for each slice.
switches() {
	timeout 300 qemu-system-x86_64 -accel tcg,thread=single -icount shift=2,sleep=off -rtc clock=vm -cpu max -m 512 \
		-no-reboot -nodefaults -display none -vga none -serial stdio -kernel "$1" -initrd image \
		-append 'console=ttyS0 panic=-1 loglevel=1' </dev/null | tr -d "\r" | sed -n 's/^switches //p'
}
for version in 6.16.12 7.3.4; do
	kernel=$(find . -name "vmlinuz*" -path "*$version*" -type f)
	mapfile -t seen < <(switches "$kernel")
	echo "$version: own slice $((seen[0] / 10 * 10)), 0.1 ms $((seen[1] / 10 * 10)), 20 ms $((seen[2] / 10 * 10)) switches a second"
	case $version in
	6.*) [ "${seen[1]}" -lt 300 ] ;;
	*) [ "${seen[1]}" -gt 2000 ] ;;
	esac
done
