#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A call that wants no reply is not authorized by polkit, not even of root for what anybody may do.
#
# Seen on:   polkitd 122-3, dbus-daemon 1.14.10-1~deb12u1, systemd 252.39-1~deb12u2 (Debian 12), x86-64
# Guess:     a program may say that it wants no reply, and a service that asks polkit about the sender of a call
#            decides about that call as about any other: the message names its sender, and the bus has delivered it.
# Behaviour: `busctl --expect-reply=no`, and dbus-send by default, leave the bus as soon as the call is written.
#            Neither polkit nor the service can find out then whose the connection was: GetConnectionUnixUser and
#            its kin know living connections only, and a message has no credentials of its own. polkitd answers with
#            the error of the bus in place of "not authorized", for root and for actions whose default is "yes" for
#            all. So the call is dropped, and the program that made it, which wanted no reply, ends with 0. A service
#            can only log it; a program has to stay until it has some answer.
# Output:    with a reply: is authorized: True
#            without one: polkit says org.freedesktop.DBus.Error.NameHasNoOwner; busctl ended with 0
#
# Fails unless the second call, and it alone, is refused. Needs root, polkitd, busctl, dbus-daemon and python3-gi.
set -eu

if [ "${1-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside
fi
work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
chmod 755 "$work"
mkdir "$work/actions" "$work/none" "$work/rules"
cat >"$work/actions/org.example.policy" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">
<policyconfig>
  <action id="org.example.look">
    <description>Look</description>
    <message>Look</message>
    <defaults>
      <allow_any>yes</allow_any>
      <allow_inactive>yes</allow_inactive>
      <allow_active>yes</allow_active>
    </defaults>
  </action>
</policyconfig>
END
cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$work/bus</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
END
# Only here: the rules and actions of polkitd are those of this directory.
mount --bind "$work/rules" /etc/polkit-1/rules.d
mount --bind "$work/none" /usr/share/polkit-1/rules.d
mount --bind "$work/actions" /usr/share/polkit-1/actions
for polkitd in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd; do
	[ ! -x $polkitd ] || break
done
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done

cat >"$work/service.py" <<'END'
import sys
import time

from gi.repository import Gio, GLib

XML = '<node><interface name="org.example.Service"><method name="Look"/></interface></node>'
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)


def look(_bus, sender, _path, _interface, _method, _parameters, invocation):
    # As a service that has something else to do before.
    time.sleep(0.5)
    subject = ("system-bus-name", {"name": GLib.Variant("s", sender)})
    try:
        answer = bus.call_sync("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                               "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
                               GLib.Variant("((sa{sv})sa{ss}us)", (subject, "org.example.look", {}, 0, "")),
                               None, 0, 5000)
        print(f"is authorized: {answer.unpack()[0][0]}", flush=True)
    except GLib.Error as error:
        print(f"polkit says {Gio.DBusError.get_remote_error(error)}", flush=True)
    invocation.return_value(None)


bus.register_object("/", Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], look, None, None)
Gio.bus_own_name_on_connection(bus, "org.example.Service", 0, lambda *_: print("ready", flush=True), None)
GLib.MainLoop().run()
END
$polkitd --no-debug >"$work/log.polkitd" 2>&1 &
pids="$pids $!"
until busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.freedesktop.DBus / org.freedesktop.DBus \
	GetNameOwner s org.freedesktop.PolicyKit1 >"$work/owner" 2>&1; do
	kill -0 $! || exit 1
	sleep 0.05
done
/usr/bin/python3 "$work/service.py" >"$work/said" &
pids="$pids $!"

# Waits until the service has said so many lines, and prints the last one.
said() {
	until [ "$(wc -l <"$work/said")" -ge "$1" ]; do
		kill -0 $! || exit 1
		sleep 0.05
	done
	tail -n 1 "$work/said"
}
said 1 >/dev/null
busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.example.Service / org.example.Service Look
with=$(said 2)
status=0
busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --expect-reply=no call org.example.Service / org.example.Service Look ||
	status=$?
without=$(said 3)
echo "with a reply: $with"
echo "without one: $without; busctl ended with $status"
[ "$with" = "is authorized: True" ]
[ "$without; $status" = "polkit says org.freedesktop.DBus.Error.NameHasNoOwner; 0" ]
