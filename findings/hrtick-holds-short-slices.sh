#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The same short slice costs busy tasks twenty times the switches on a newer kernel.
#
# Seen on:   Debian's linux-image-6.16.12+deb13-cloud-amd64 and linux-binary-7.3.4+deb13-cloud-amd64
#            (6.16.12-1~bpo13+1, 7.3.4-1~bpo13+1; HZ=250 both), QEMU 7.2 without acceleration, one
#            CPU whose clock counts its own instructions: what else runs on the host changes little
# Guess:     two busy tasks with a slice of 0.1 ms (sched_setattr(2)) take turns as often on any kernel.
# Behaviour: on 6.16 a task is replaced in the tick that follows the end of its slice, so two take turns
#            each 4 to 8 ms. Linux 7.3 has the scheduler's feature HRTICK on from the start, a timer for the
#            end of a slice, and they take turns each 0.28 ms; with that feature off it is as on 6.16. A
#            program that asks for a short slice to be woken sooner, and then computes, pays for it there.
# Output:    6.16.12: own slice 110, 0.1 ms 160, 20 ms 30, 0.1 ms without HRTICK 160 switches a second
#            7.3.4: own slice 540, 0.1 ms 3540, 20 ms 160, 0.1 ms without HRTICK 120 switches a second
#
# Fails unless 6.16 has less than 300 switches a second with 0.1 ms, 7.3 more than 2,000, and that without
# HRTICK less than 300. Needs qemu-system-x86 and cpio; no root.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial initrd/debug
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
#include <sys/mount.h>
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
	static const unsigned long long slices[] = {0, 100000, 20000000, 100000};
	struct rusage used;
	long before = 0;
	int status;

	mount("debugfs", "/debug", "debugfs", 0, NULL);
	for (int i = 0; i < 4; i++) {
		double end;

		if (i == 3) {
			FILE *features = fopen("/debug/sched/features", "w");

			if (!features || fputs("NO_HRTICK", features) < 0 || fclose(features))
				printf("the feature cannot be switched off\n");
		}
		end = now() + 2;

		for (int task = 0; task < 2; task++)
			if (fork() == 0)
				compute(slices[i], end);
		while (wait(&status) > 0)
			if (status)
				printf("switches 1000000\n");
		getrusage(RUSAGE_CHILDREN, &used);
		printf("switches %ld\n", (used.ru_nivcsw - before) / 2);
		before = used.ru_nivcsw;
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
}
END
gcc -O1 -static -o initrd/init init.c
(cd initrd && printf "init\ndebug\n" | cpio -o -H newc --quiet) >image

# Switches a second, for each slice.
switches() {
	timeout 300 qemu-system-x86_64 -accel tcg,thread=single -icount shift=2,sleep=off -rtc clock=vm -cpu max -m 512 \
		-no-reboot -nodefaults -display none -vga none -serial stdio -kernel "$1" -initrd image \
		-append 'console=ttyS0 panic=-1 loglevel=1' </dev/null | tr -d "\r" | sed -n 's/^switches //p'
}
for version in 6.16.12 7.3.4; do
	kernel=$(find . -name "vmlinuz*" -path "*$version*" -type f)
	mapfile -t seen < <(switches "$kernel")
	for i in "${!seen[@]}"; do
		seen[i]=$((seen[i] / 10 * 10))
	done
	echo "$version: own slice ${seen[0]}, 0.1 ms ${seen[1]}, 20 ms ${seen[2]}, 0.1 ms without HRTICK ${seen[3]} switches a second"
	case $version in
	6.*) [ "${seen[1]}" -lt 300 ] ;;
	*) [ "${seen[1]}" -gt 2000 ] && [ "${seen[1]}" -lt 100000 ] ;;
	esac
	[ "${seen[3]}" -lt 300 ]
done
