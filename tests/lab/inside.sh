#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The inner half of lab.sh: furnishes the namespace, starts bus and polkitd, runs
# the command. Everything it writes is in file systems that go with the namespace.
set -eu
umask 022

die() {
	echo "lab: $1" >&2
	[ ! -s "${2:-}" ] || cat "$2" >&2
	exit 2
}

mount -t tmpfs -o mode=755 tmpfs /run
export LAB_DIR=/run/lab
mkdir -p $LAB_DIR/bin /run/dbus /run/lock /run/systemd/sessions /run/systemd/users \
	/run/systemd/seats /run/systemd/machines

# This shell is the pipe's only writer.
if [ "$LAB_HOST_PIDS" = 1 ]; then
	mkfifo $LAB_DIR/alive
	# shellcheck disable=SC2016 # that shell reads it
	setsid sh -c '"$LAB_SOURCE/tests/lab/warden.sh" "$$" "$@"; [ -z "$LAB_BUS" ] || rm -rf "$LAB_BUS"' \
		- $$ $PPID <$LAB_DIR/alive >/dev/null 2>&1 &
	warden=$!
	exec 9>$LAB_DIR/alive
fi

for tree in etc var/lib; do
	upper=$LAB_DIR/overlay/$tree
	mkdir -p "$upper/up" "$upper/work"
	mount -t overlay -o "lowerdir=/$tree,upperdir=$upper/up,workdir=$upper/work" overlay "/$tree" ||
		die "cannot lay a private copy over /$tree (overlayfs)"
done
# Devices are the machine's: a program that replaces one replaces it here only.
mkdir -p $LAB_DIR/dev $LAB_DIR/overlay/dev/up $LAB_DIR/overlay/dev/work
mount --rbind /dev $LAB_DIR/dev
mount -t overlay -o "lowerdir=$LAB_DIR/dev,upperdir=$LAB_DIR/overlay/dev/up,workdir=$LAB_DIR/overlay/dev/work" overlay /dev ||
	die "cannot lay a private copy over /dev (overlayfs)"
[ ! -d /dev/pts ] || mount --rbind $LAB_DIR/dev/pts /dev/pts
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 tmpfs /dev/shm
umount -l $LAB_DIR/dev
[ -c /dev/null ] || die "/dev/null is no device in a private copy of /dev: is it mounted on its own?"
chmod 700 $LAB_DIR/overlay
rm -rf /etc/pandemonium /var/lib/pandemonium
mkdir -m 700 /var/lib/pandemonium
mkdir /etc/pandemonium
for user in alice:2001 bob:2002; do
	id=${user#*:} name=${user%:*}
	grep -q "^$name:" /etc/passwd || echo "$name:x:$id:$id::/nonexistent:/bin/sh" >>/etc/passwd
	grep -q "^$name:" /etc/group || echo "$name:x:$id:" >>/etc/group
done

# Only polkit's own files and ours: no other service of the machine, nor its rules.
private() { # DIRECTORY [FILE-TO-KEEP]
	[ -d "$1" ] || die "$1 is missing: is polkitd installed?"
	keep=
	[ -z "${2:-}" ] || keep=$(cat "$1/$2") || die "$1/$2 is missing: is polkitd installed?"
	mount -t tmpfs -o mode=755 tmpfs "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$keep" >"$1/$2"
}
services=/usr/share/dbus-1/system-services
policies=/usr/share/dbus-1/system.d
actions=/usr/share/polkit-1/actions
private $services
private $policies org.freedesktop.PolicyKit1.conf
private $actions org.freedesktop.policykit.policy
private /usr/share/polkit-1/rules.d 50-default.rules
# polkit 125 and later read that as well.
[ ! -d /usr/local/share/polkit-1 ] || private /usr/local/share/polkit-1
rm -rf /etc/dbus-1 /etc/polkit-1
mkdir -p /etc/dbus-1/system.d /etc/polkit-1/rules.d
[ -z "$LAB_RULES" ] || cp "$LAB_RULES"/*.rules /etc/polkit-1/rules.d/

# The one file of that name in an installed tree.
installed() {
	file=$(find "$LAB_DESTDIR" -name "$1" -type f)
	[ -f "$file" ] || die "expected one $1 in $LAB_DESTDIR, found: ${file:-none}"
	echo "$file"
}
if [ -n "$LAB_DESTDIR" ]; then
	cp "$(installed org.pandemonium.ProcDb.conf)" $policies/
	cp "$(installed org.pandemonium.procdb.policy)" $actions/
	activation=$(installed org.pandemonium.ProcDb.service)
	programs="$(installed pandemonium-procdbd) $(installed pandemoniumctl)"
else
	cp "$LAB_SOURCE/dbus/org.pandemonium.ProcDb.conf" $policies/
	cp "$LAB_SOURCE/polkit/org.pandemonium.procdb.policy" $actions/
	activation=$LAB_SOURCE/dbus/org.pandemonium.ProcDb.service.in
	programs="$LAB_BUILD/service/pandemonium-procdbd $LAB_BUILD/client/pandemoniumctl"
fi
# Copies, because alice may not be able to look into the build directory.
for program in $programs; do
	[ ! -f "$program" ] || install -m 755 "$program" $LAB_DIR/bin/
done
export LAB_SERVICE=$LAB_DIR/bin/pandemonium-procdbd
sed "s|^Exec=.*|Exec=$LAB_SERVICE${LAB_SERVICE_ARGS:+ $LAB_SERVICE_ARGS}|" "$activation" \
	>$services/org.pandemonium.ProcDb.service
export PATH="$LAB_DIR/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

while mountpoint -q /sys/fs/bpf; do
	umount -l /sys/fs/bpf || die "cannot take the machine's bpffs out of sight"
done
[ "$LAB_WITH_BPFFS" = 0 ] || mount -t bpf -o mode=700 bpf /sys/fs/bpf

if [ -n "$LAB_BUS" ]; then
	cat >/etc/dbus-1/system-local.conf <<-END
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
	 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig>
	  <listen>unix:path=$LAB_BUS/bus</listen>
	</busconfig>
	END
fi
unset DBUS_SYSTEM_BUS_ADDRESS DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE
if [ "$LAB_BROKER" = 0 ]; then
	dbus-daemon --system --nofork --nopidfile --nosyslog </dev/null >$LAB_DIR/dbus.log 2>&1 9>&- &
else
	# It wants its socket of systemd, and a journal to write to.
	mkdir -p /run/systemd/journal
	systemd-socket-activate --datagram -l /run/systemd/journal/socket sh -c 'exec cat <&3' \
		</dev/null >$LAB_DIR/journal.log 2>&1 9>&- &
	until [ -S /run/systemd/journal/socket ]; do sleep 0.01; done
	# Later versions of it open the journal as the user of the bus.
	chmod 666 /run/systemd/journal/socket
	systemd-socket-activate -l /run/dbus/system_bus_socket dbus-broker-launch --scope system \
		</dev/null >$LAB_DIR/dbus.log 2>&1 9>&- &
fi
LAB_BUS_PID=$! LAB_POLKITD_PID=
[ "$LAB_BROKER" = 0 ] || {
	until [ -S /run/dbus/system_bus_socket ]; do sleep 0.01; done
	chmod 666 /run/dbus/system_bus_socket
}

# Waits until a name on the bus has an owner; fails when the process PID ends before.
owned() { # NAME PID
	until dbus-send --system --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
		org.freedesktop.DBus.GetNameOwner "string:$1" >/dev/null 2>&1; do
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.01
	done
}
owned org.freedesktop.DBus $LAB_BUS_PID || die "the bus ended:" $LAB_DIR/dbus.log
# The launcher's child is the one that has the messages.
[ "$LAB_BROKER" = 0 ] || LAB_BUS_PID=$(cat "/proc/$LAB_BUS_PID/task/$LAB_BUS_PID/children")

LAB_POLKITD=
if [ "$LAB_WITH_POLKITD" = 1 ]; then
	for program in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd /usr/libexec/polkit-1/polkitd; do
		[ ! -x $program ] || LAB_POLKITD=$program
	done
	[ -n "$LAB_POLKITD" ] || die "polkitd is not installed"
	# Its criticals are its own: version 126 has one at its first check.
	env -u G_DEBUG "$LAB_POLKITD" --no-debug </dev/null >$LAB_DIR/polkitd.log 2>&1 9>&- &
	LAB_POLKITD_PID=$!
	owned org.freedesktop.PolicyKit1 $LAB_POLKITD_PID || die "polkitd ended:" $LAB_DIR/polkitd.log
	# Since version 127 systemd starts what checks passwords; before, it is setuid.
	helper=${LAB_POLKITD%/*}/polkit-agent-helper-1
	if [ -x "$helper" ] && [ ! -u "$helper" ]; then
		mkdir -p /run/polkit
		socket=/run/polkit/agent-helper.socket
		systemd-socket-activate --accept --inetd -l $socket "$helper" --socket-activated \
			</dev/null >$LAB_DIR/helper.log 2>&1 9>&- &
		until [ -S $socket ]; do
			kill -0 $! 2>/dev/null || die "what starts polkit's helper ended:" $LAB_DIR/helper.log
			sleep 0.01
		done
		chmod 666 $socket
	fi
fi

export LAB_BUS_PID LAB_POLKITD LAB_POLKITD_PID
exec 3<&0
env --default-signal=INT,QUIT "$@" <&3 3<&- 9>&- &
command=$!
exec 3<&-
# shellcheck disable=SC2317,SC2329 # await calls it
forward() {
	kill -TERM "$1"
}
# shellcheck source=tests/lab/await.sh
. "$LAB_SOURCE/tests/lab/await.sh"
status=0
await $command || status=$?

if [ "$LAB_HOST_PIDS" = 1 ]; then
	exec 9>&-
	wait "$warden" || :
elif [ -n "$LAB_BUS" ]; then
	rm -rf "$LAB_BUS"
fi
exit $status
