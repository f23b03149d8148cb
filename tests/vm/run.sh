#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# run.sh [-c CPUS] [-m MIB] [-t SECONDS] [-i IMAGE] [-l] KERNEL COMMAND [FILE...]
#
# Boots a Debian kernel (VERSION of fetch.sh) under software emulation with the
# minimal image of the FILEs, runs COMMAND in it, and writes what that writes on
# standard output. Ends with its exit code; after a failure the guest's log is
# on standard error (-l: always). The machine is gone after SECONDS (120),
# whatever happens in it. -i takes another image, which need not have a COMMAND.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cpus=2 memory=1024 limit=120 image='' always_log=''
while getopts c:m:t:i:l option; do
	case $option in
	c) cpus=$OPTARG ;;
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	i) image=$OPTARG ;;
	l) always_log=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || { echo "run.sh: which kernel, and which command?" >&2; exit 2; }
version=$1
command=$2
shift 2

for program in /bin/busybox cpio flock apt-get qemu-system-x86_64; do
	command -v "$program" >/dev/null || {
		echo "run.sh: no $program; install the packages of tests/vm/packages.txt" >&2
		exit 77
	}
done
kernel=$("$here/fetch.sh" kernel "$version")

work=$(mktemp -d "${TMPDIR:-/tmp}/procdb-vm.XXXXXX")
machine=
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
	if [ -n "$machine" ]; then
		kill -KILL "$machine" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

if [ -z "$image" ]; then
	image=$work/image
	"$here/image.sh" "$image" "$command" "$@"
fi
modules=$(dirname "$kernel")/modules
if [ -n "$(ls "$modules" 2>/dev/null)" ]; then
	(cat "$image" && cd "$modules/.." && find modules | cpio --create --format=newc --owner=0:0 --quiet) >"$work/with-modules"
	image=$work/with-modules
fi
: >"$work/result"
: >"$work/status"
# nosoftlockup: that detector sees a host that is busy elsewhere, and ends a
# sched_ext scheduler for it; the watchdog of sched_ext itself stays.
# One thread for all CPUs of the guest: with one for each, QEMU crashes guests
# whose kernel patches its text, which every attach of BPF makes it do (an int3
# that is long gone is executed; seen with 7.2 and with 10.0).
# The guest's time is 4 ns for each instruction that it runs, and leaps when all
# its CPUs sleep: a host that is busy, or that stands still for a minute as
# virtual machines do, takes no time from what the guest measures.
nice -n 5 qemu-system-x86_64 -accel tcg,thread=single -icount shift=2,sleep=off -rtc clock=vm -cpu max -smp "$cpus" -m "$memory" -no-reboot \
	-nodefaults -display none -vga none -serial "file:$work/log" \
	-device virtio-serial \
	-chardev "file,id=result,path=$work/result" -device virtserialport,chardev=result,name=result \
	-chardev "file,id=status,path=$work/status" -device virtserialport,chardev=status,name=status \
	-kernel "$kernel" -initrd "$image" \
	-append 'console=ttyS0 panic=-1 loglevel=4 nosoftlockup' </dev/null &
machine=$!

# Counted in looks of a fifth of a second, not by a clock: the host may have stood still.
left=$((limit * 5))
while kill -0 "$machine" 2>/dev/null; do
	if [ "$left" -le 0 ]; then
		[ -s "$work/status" ] ||
			echo "run.sh: the machine ran for $limit s and was ended" >>"$work/log"
		kill -KILL "$machine"
		break
	fi
	# It has said what it had to say, and has 10 s to go in peace.
	if [ -s "$work/status" ] && [ "$left" -gt 50 ]; then
		left=50
	fi
	left=$((left - 1))
	sleep 0.2
done
wait "$machine" || true
machine=

cat "$work/result"
status=$(cat "$work/status")
if [ "$status" != 0 ] && [ "$status" != 77 ] || [ -n "$always_log" ]; then
	echo "--- log of the guest (Linux $version, exit code ${status:-unknown}) ---" >&2
	tail -n 300 "$work/log" >&2
fi
exit "${status:-1}"
