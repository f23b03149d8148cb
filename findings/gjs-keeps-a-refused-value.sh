#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A D-Bus property that the service did not change has the new value in GJS, for good.
#
# Seen on:   gjs 1.74.2-1+deb12u1, libsystemd 252.39-1~deb12u2 (Debian 12), x86-64; the same with
#            1.82.3-1 and 257.13-1~deb13u1 (Debian 13), and with 1.90.1-1 and 262.1-1
# Guess:     a proxy of Gio.DBusProxy.makeProxyWrapper() has the properties of the service, as
#            GDBusProxy does: what is set is there when PropertiesChanged says so. To read a property
#            after it was set tells whether that worked.
# Behaviour: an assignment writes the value into the proxy's own cache and sends Set afterwards, and does not
#            take it back when the reply is an error (modules/core/overrides/Gio.js, _propertySetter()): no
#            exception, one line in the log. It stays, as a service that did not change anything sends no
#            PropertiesChanged. The same with a service that takes the call and makes the most of it
#            that is allowed, if it had that already: then nothing is in the log either. A switch or a slider
#            that shows the property shows what the user wanted, until the program or the service is
#            started anew. A call of Set, and the property as it is in the next signal, is what holds.
# Output:    refused: before 100, after a second 7, in the service 100
#            limited: before 100, after a second 120, in the service 100
#            taken:   before 100, after a second 60, in the service 60
#
# Fails unless the proxy has another value than the service in the first two, and the same in the
# last. Needs gjs, gcc, libsystemd-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
cat >"$work/serve.c" <<'C'
#include <systemd/sd-bus.h>

static uint32_t level = 100;

/* No level below 10, none above 100. */
static int set_level(sd_bus *bus, const char *path, const char *interface, const char *name, sd_bus_message *value,
		     void *unused, sd_bus_error *error)
{
	uint32_t old = level, wanted;
	int r = sd_bus_message_read(value, "u", &wanted);

	if (r < 0)
		return r;
	if (wanted < 10)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "Too little.");
	level = wanted > 100 ? 100 : wanted;
	return level == old ? 0 : sd_bus_emit_properties_changed(bus, path, interface, name, NULL);
}

static const sd_bus_vtable table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_WRITABLE_PROPERTY("Level", "u", NULL, set_level, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	sd_bus *bus = NULL;

	if (sd_bus_open_user(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/", "org.example.I", table, &level) < 0 ||
	    sd_bus_request_name(bus, "org.example.Service", 0) < 0)
		return 1;
	while (sd_bus_process(bus, NULL) >= 0)
		if (sd_bus_wait(bus, UINT64_MAX) < 0)
			return 1;
	return 1;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/serve" "$work/serve.c" $(pkg-config --cflags --libs libsystemd)
cat >"$work/set.js" <<'JS'
const {Gio, GLib} = imports.gi;
const Proxy = Gio.DBusProxy.makeProxyWrapper(`<node>
  <interface name="org.example.I">
    <property name="Level" type="u" access="readwrite"/>
  </interface>
</node>`);
const proxy = new Proxy(Gio.DBus.session, 'org.example.Service', '/');
const loop = new GLib.MainLoop(null, false);
const before = proxy.Level;

proxy.Level = Number(ARGV[0]);
GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1000, () => {
    const [real] = Gio.DBus.session.call_sync('org.example.Service', '/', 'org.freedesktop.DBus.Properties', 'Get',
        new GLib.Variant('(ss)', ['org.example.I', 'Level']), null, Gio.DBusCallFlags.NONE, -1, null).recursiveUnpack();

    print(`before ${before}, after a second ${proxy.Level}, in the service ${real}`);
    loop.quit();
    return GLib.SOURCE_REMOVE;
});
loop.run();
JS
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done
"$work/serve" &
pids="$pids $!"
until [[ $(busctl --address="$DBUS_SESSION_BUS_ADDRESS" list --no-legend) = *org.example.Service* ]]; do
	kill -0 "$!"
	sleep 0.05
done
refused=$(gjs "$work/set.js" 7 2>"$work/log.refused")
limited=$(gjs "$work/set.js" 120 2>"$work/log.limited")
taken=$(gjs "$work/set.js" 60 2>"$work/log.taken")
echo "refused: $refused"
echo "limited: $limited"
echo "taken:   $taken"
[ "$refused" = "before 100, after a second 7, in the service 100" ]
[ "$limited" = "before 100, after a second 120, in the service 100" ]
[ "$taken" = "before 100, after a second 60, in the service 60" ]
[ ! -s "$work/log.limited" ]
