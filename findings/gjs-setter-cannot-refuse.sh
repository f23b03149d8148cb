#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A caller that sets a D-Bus property of a service in GJS is told that it is set when the setter throws.
#
# Seen on:   gjs 1.74.2-1+deb12u1, GLib 2.74.6-2+deb12u9 (Debian 12), x86-64; the same with
#            1.82.3-1 (Debian 13) and 1.90.1-1
# Guess:     an exception is an error for the caller: so it is in the methods of an object of
#            Gio.DBusExportedObject.wrapJSObject(), and in its getters.
# Behaviour: the setter is called by a GObject signal that has no place for an error, and
#            the wrapper in C says yes for it (libgjs-private/gjs-gdbus-wrapper.c). The exception is
#            a line in the service's own log, the caller has a reply without an error, and the property has its
#            old value. A service that checks what it is given, as one does with a method, cannot say
#            that it did not take it, and a client has to read each property that it has written. What
#            has to refuse needs a method.
# Output:    method that throws: Call failed: too loud
#            getter that throws: Failed to get property Broken on interface org.example.I: Property
#            retrieval failed
#            setter that throws: no error, Volume is u 5
#
# Fails unless the method and the getter alone give the caller an error, and the value stays. Needs
# gjs, dbus-daemon and busctl.
set -eu

work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
cat >"$work/serve.js" <<'JS'
const {Gio, GLib} = imports.gi;

class Service {
    get Volume() {
        return 5;
    }

    set Volume(value) {
        throw new Error('too loud');
    }

    get Broken() {
        throw new Error('broken');
    }

    Louder() {
        throw new Error('too loud');
    }
}

const object = Gio.DBusExportedObject.wrapJSObject(`<node>
  <interface name="org.example.I">
    <method name="Louder"/>
    <property name="Volume" type="u" access="readwrite"/>
    <property name="Broken" type="u" access="read"/>
  </interface>
</node>`, new Service());
Gio.bus_own_name(Gio.BusType.SESSION, 'org.example.Gjs', Gio.BusNameOwnerFlags.NONE,
    bus => object.export(bus, '/'), null, null);
new GLib.MainLoop(null, false).run();
JS
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done
gjs "$work/serve.js" 2>"$work/log.gjs" &
pids="$pids $!"
until [[ $(busctl --address="$DBUS_SESSION_BUS_ADDRESS" list --no-legend) = *org.example.Gjs* ]]; do
	kill -0 "$!"
	sleep 0.05
done

# What the client sees: the error, or "no error".
client() {
	local verb=$1
	shift
	if error=$(busctl --address="$DBUS_SESSION_BUS_ADDRESS" "$verb" org.example.Gjs / org.example.I "$@" 2>&1); then
		error="no error"
	fi
	echo "$error"
}
method=$(client call Louder)
getter=$(client get-property Broken)
setter=$(client set-property Volume u 11)
value=$(busctl --address="$DBUS_SESSION_BUS_ADDRESS" get-property org.example.Gjs / org.example.I Volume)
echo "method that throws: $method"
echo "getter that throws: $getter"
echo "setter that throws: $setter, Volume is $value"
[ "$method" != "no error" ] && [ "$getter" != "no error" ] && [ "$setter" = "no error" ] && [ "$value" = "u 5" ]
