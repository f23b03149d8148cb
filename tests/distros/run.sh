#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# Builds and tests the project in another Debian; see usage() below.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$(CDPATH='' cd -- "$here/../.." && pwd)
cache=${PROCDB_DISTROS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/procdb-distros}

usage() {
	cat <<-'END'
	usage: run.sh [OPTION...] SUITE [TEST...]

	Builds this tree with warnings as errors in a chroot of the Debian SUITE (trixie, sid), and runs
	the suites unit, golden, bus and sync there, and a short part of integration. TESTs are names of
	meson tests, with wildcards, to be run in place of all that.

	  --broker        the bus of every lab is dbus-broker
	  --quick         only the suites unit and golden, with fewer packages
	  --whole         the suites integration, crash and lint as a whole, and what kernels load
	  --seconds N     how long it may take to make the chroot, and as long to build and test (1800)
	  --package       builds the Debian package, and installs, upgrades and purges it under systemd
	  --shell         a shell there, after the build
	  --prepare       only makes the chroot

	The chroot is kept in $PROCDB_DISTROS_CACHE, by default ~/.cache/procdb-distros, and made anew
	when the lists of packages lose one (it gets what they gain), that of sid also after two weeks;
	one that --quick made gets what more needs.
	Its packages come from the mirror that apt on this machine uses. Exit code 77: it cannot be made
	here.
	END
}

skip() {
	echo "SKIP: $1"
	exit 77
}

broker=0 part=short seconds=1800
while [ $# -gt 0 ]; do
	case $1 in
	--broker) broker=1 && shift ;;
	--quick | --whole | --shell | --package | --prepare) part=${1#--} && shift ;;
	--seconds) seconds=${2:?} && shift 2 ;;
	--help | -h) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) break ;;
	esac
done
case ${1:-} in
trixie | sid) suite=$1 && shift ;;
*) usage >&2 && exit 2 ;;
esac

[ "$(id -u)" = 0 ] || skip 'making a chroot needs root'
for program in debootstrap apt-get flock unshare; do
	command -v $program >/dev/null || skip "no $program; tests/vm/packages.txt and tests/packages have it"
done
unshare --mount --pid --fork true 2>/dev/null || skip 'may not make namespaces here'

named() { # LIST...: the packages, in order
	sed 's|#.*||' "$@" | tr -s ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u
}
listed=$(named "$source"/tests/packages/*.txt "$source/tests/vm/packages.txt" "$here/packages.txt")
packages=$listed
[ "$part" != quick ] || packages=$(named "$source/tests/packages/build.txt" "$source/tests/packages/run.txt")
root=$cache/$suite

# In a mount namespace of its own, with this tree at /src, where what is written is lost. Process ids
# are the machine's: in a pid namespace the service changes no task, and that is to be tested as well.
# unshare ignores SIGTERM; killed, it takes all of it along, and it dies with this script.
inside() {
	# shellcheck disable=SC2016 # the shell inside reads it
	setpriv --pdeathsig KILL timeout -s KILL "$seconds" setpriv --pdeathsig KILL \
		unshare --mount --fork --kill-child=KILL --propagation private sh -eu -c '
		root=$1 source=$2
		shift 2
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mkdir -p "$root/src" "$root/tmp/up" "$root/tmp/work"
		mount -t overlay -o "lowerdir=$source,upperdir=$root/tmp/up,workdir=$root/tmp/work" overlay "$root/src"
		mkfifo "$root/tmp/alive"
		setsid "$source/tests/lab/warden.sh" $$ $PPID <"$root/tmp/alive" >/dev/null 2>&1 8>&- &
		exec 8>"$root/tmp/alive"
		# A mere chroot may make no user namespaces.
		cd "$root"
		pivot_root . .
		umount -l .
		chroot . env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" 8>&-' - "$root" "$source" "$@"
}

make_chroot() {
	echo "Making a chroot of $suite in $root; its log is $root.log" >&2
	rm -rf "$root" "$root.made" "$root.made.before"
	timeout "$seconds" debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || return 1
	# It has no power to lose, and no services to start.
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	install_packages
}

install_packages() {
	# shellcheck disable=SC2086 # one word a package
	inside apt-get -q -y -o Acquire::Retries=5 --no-install-recommends install $packages \
		</dev/null >>"$root.log" 2>&1 || return 1
	rm -rf "$root"/var/cache/apt/archives/*.deb
	{ echo "$packages" && cat "$root.made.before"; } 2>/dev/null | LC_ALL=C sort -u >"$root.made"
	rm -f "$root.made.before"
}

# Nothing in it is beyond the lists.
has_only_listed() {
	[ -e "$root.made" ] && [ -z "$(echo "$listed" | LC_ALL=C comm -23 "$root.made" -)" ]
}
has_all() {
	[ -z "$(echo "$packages" | LC_ALL=C comm -13 "$root.made" -)" ]
}

# That file is as old as the chroot.
young() {
	[ "$suite" != sid ] || [ -n "$(find "$root/usr/sbin/policy-rc.d" -mtime -14)" ]
}

# debootstrap looks at no date either: the mirror may be a snapshot.
add_packages() {
	inside apt-get -q -o Acquire::Check-Valid-Until=false update </dev/null >>"$root.log" 2>&1 && install_packages
}

mkdir -p "$cache"
exec 9>"$root.lock"
flock 9
if has_only_listed && young; then
	has_all || {
		mv "$root.made" "$root.made.before"
		add_packages || :
	}
else
	rm -f "$root.made"
fi
if [ ! -e "$root.made" ]; then
	mirror=$("$source/tests/packages/mirror.sh") || skip 'apt knows no Debian mirror'
	make_chroot || {
		tail -n 20 "$root.log" >&2
		skip "cannot make a chroot of $suite"
	}
fi
[ "$part" != prepare ] || exit 0

if [ "$part" = package ]; then
	set -- /src/tests/distros/package.sh
else
	set -- /src/tests/distros/inside.sh "$part" "$@"
fi
inside env LAB_BROKER="$broker" "$@"
