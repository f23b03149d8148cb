#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# Runs a command on a system bus of its own: real dbus-daemon, real polkitd, the
# project's policies and activation file, private bpffs, database and
# configuration directories, and users alice and bob. See usage() below.
set -eu

# Dies with its caller, whatever happens to that one.
if [ -z "${LAB_TIED:-}" ] && command -v setpriv >/dev/null; then
	LAB_TIED=$PPID exec setpriv --pdeathsig KILL "$0" "$@"
fi
# The caller died before it was tied to us.
[ "${LAB_TIED:-$PPID}" = "$PPID" ] || exit 1
unset LAB_TIED

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
LAB_SOURCE=$(CDPATH='' cd -- "$here/../.." && pwd)

usage() {
	cat <<-'END'
	usage: lab.sh [OPTION...] [--] COMMAND [ARGUMENT...]

	  --build DIR          build directory that service and client come from (default: $LAB_BUILD,
	                       $MESON_BUILD_ROOT, or build in the source tree)
	  --destdir DIR        take everything from a tree made by `DESTDIR=DIR meson install` instead
	  --rules DIR          add the polkit rules of DIR (DIR/*.rules)
	  --no-polkitd         without polkitd, and nothing that would start it
	  --no-bpffs           without a bpffs
	  --service-args ARGS  arguments of the service when the bus activates it, in place of
	                       --database /var/lib/pandemonium/procdb.bin
	  --host-pids          keep the process ids of the machine (else: a private pid namespace)
	  --broker             the bus is dbus-broker, not dbus-daemon; it activates no service,
	                       which it leaves to systemd (LAB_BROKER=1 does the same)
	  --bus DIR            also listen at DIR/bus, for programs outside; DIR is removed at the end

	COMMAND runs as root with LAB_DIR (scratch), LAB_SERVICE (the service; it is not started),
	LAB_POLKITD and LAB_POLKITD_PID (the program and its process), pandemoniumctl in PATH and the
	bus where programs look for it. The exit status is COMMAND's; 77 when the machine cannot do it.
	END
}

skip() {
	echo "lab: SKIP: $1" >&2
	exit 77
}

die() {
	echo "lab: $1" >&2
	exit 2
}

directory() {
	[ -d "$1" ] || die "$1: no such directory"
	(CDPATH='' cd -- "$1" && pwd)
}

build=${LAB_BUILD:-${MESON_BUILD_ROOT:-$LAB_SOURCE/build}}
LAB_BUILD='' LAB_DESTDIR='' LAB_RULES='' LAB_BUS=''
LAB_SERVICE_ARGS='--database /var/lib/pandemonium/procdb.bin'
LAB_WITH_POLKITD=1 LAB_WITH_BPFFS=1 LAB_HOST_PIDS=0 LAB_BROKER=${LAB_BROKER:-0}
while [ $# -gt 0 ]; do
	case $1 in
	--build | --destdir | --rules | --bus | --service-args)
		[ $# -ge 2 ] || die "$1 needs an argument"
		case $1 in
		--build) build=$2 ;;
		--destdir) LAB_DESTDIR=$(directory "$2") ;;
		--rules) LAB_RULES=$(directory "$2") ;;
		--bus) LAB_BUS=$(directory "$2") ;;
		--service-args) LAB_SERVICE_ARGS=$2 ;;
		esac
		shift 2
		;;
	--no-polkitd) LAB_WITH_POLKITD=0 && shift ;;
	--no-bpffs) LAB_WITH_BPFFS=0 && shift ;;
	--broker) LAB_BROKER=1 && shift ;;
	--host-pids) LAB_HOST_PIDS=1 && shift ;;
	--help) usage && exit 0 ;;
	--) shift && break ;;
	-*) die "unknown option $1 (--help lists them)" ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || die "no command given (--help says how)"
[ -z "$LAB_RULES" ] || [ -n "$(find "$LAB_RULES/" -maxdepth 1 -name '[!.]*.rules')" ] ||
	die "$LAB_RULES: no *.rules in it"
[ -n "$LAB_DESTDIR" ] || LAB_BUILD=$(directory "$build")

[ "$(id -u)" = 0 ] || skip "needs root"
daemons=dbus-daemon
if [ "$LAB_BROKER" = 1 ]; then
	[ -z "$LAB_BUS" ] || die "--bus needs dbus-daemon"
	daemons='dbus-broker-launch dbus-broker systemd-socket-activate'
fi
for program in $daemons dbus-send unshare setpriv; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done
unshare --mount --pid --fork true 2>/dev/null || skip "may not make namespaces here"

export LAB_SOURCE LAB_BUILD LAB_DESTDIR LAB_RULES LAB_BUS LAB_SERVICE_ARGS
export LAB_WITH_POLKITD LAB_WITH_BPFFS LAB_HOST_PIDS LAB_BROKER

if [ $LAB_HOST_PIDS = 0 ]; then
	namespaces='--mount --pid --mount-proc'
else
	namespaces='--mount'
fi

# What kills this script, unshare or their caller takes the namespace along:
# each dies with its parent. In the background, so that a signal can interrupt;
# a shell would let background commands ignore Ctrl-C.
exec 3<&0
# shellcheck disable=SC2086 # a list of options
setpriv --pdeathsig KILL env --default-signal=INT,QUIT \
	unshare $namespaces --fork --kill-child=KILL --propagation private \
	"$here/inside.sh" "$@" <&3 3<&- &
child=$!
exec 3<&-

# unshare ignores SIGTERM: its child is told, which tells COMMAND. A second one kills.
told=''
# shellcheck disable=SC2317,SC2329 # await calls it
forward() {
	[ -z "$told" ] || kill -KILL "$1"
	told=1
	# shellcheck disable=SC2046 # a list
	kill -TERM $(cat "/proc/$1/task/$1/children")
}
# shellcheck source=tests/lab/await.sh
. "$here/await.sh"
await $child
