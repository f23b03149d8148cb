#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# One property that cannot be read now takes all properties of an sd-bus service from its clients.
#
# Seen on:   libsystemd 252.39-1~deb12u2, GLib 2.74.6-2+deb12u9, dbus-daemon 1.14.10-1~deb12u1
#            (Debian 12), x86-64; the same with 257.13-1~deb13u1, 2.84.4-3~deb13u5 and 1.16.2-2 (Debian 13),
#            and with 262.1-1, 2.90.1-2 and 1.16.2-8
# Guess:     a getter that returns an error is an error for that property: a caller that asks for it gets the
#            error, and GetAll has the others. So it is with GDBus.
# Behaviour: sd-bus gives up GetAll at the first error of a getter (libsystemd/sd-bus/bus-objects.c,
#            vtable_append_all_properties()) and answers with that. GDBusProxy, and what is generated
#            or wrapped from it, asks for the properties by GetAll alone when it is made, and takes an error
#            for a service without properties: the proxy is made, without an error or a warning, and
#            each property is NULL, the default of its type in generated code. Get of each of the others works, and
#            busctl introspect shows an error where it showed a table. A device that is unplugged for a moment so
#            takes name and version from every program that is started in that time, for as long as it runs.
#            A getter had better give a value that says "unknown".
# Output:    sd-bus, all can be read:  2 properties, error: none
#            sd-bus, one cannot:       0 properties, error: none
#            GDBus, one cannot:        1 properties, error: none
#
# Fails unless the second has none, and the others those that can be read. Needs gcc, libsystemd-dev,
# libglib2.0-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
cat >"$work/sd.c" <<'C'
#include <systemd/sd-bus.h>

static uint32_t version = 3;

static int get_broken(sd_bus *bus, const char *path, const char *interface, const char *name, sd_bus_message *reply,
		      void *unused, sd_bus_error *error)
{
	return sd_bus_error_set(error, "org.example.Error.Unplugged", "Not now.");
}

static const sd_bus_vtable whole[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "u", NULL, 0, 0),
	SD_BUS_PROPERTY("Level", "u", NULL, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable broken[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "u", NULL, 0, 0),
	SD_BUS_PROPERTY("Level", "u", get_broken, 0, 0),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	sd_bus *bus = NULL;

	if (sd_bus_open_user(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/whole", "org.example.I", whole, &version) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/broken", "org.example.I", broken, &version) < 0 ||
	    sd_bus_request_name(bus, "org.example.Sd", 0) < 0)
		return 1;
	while (sd_bus_process(bus, NULL) >= 0)
		if (sd_bus_wait(bus, UINT64_MAX) < 0)
			return 1;
	return 1;
}
C
cat >"$work/gdbus.c" <<'C'
#include <gio/gio.h>

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
			const char *name, GError **error, gpointer unused)
{
	if (g_str_equal(name, "Version"))
		return g_variant_new_uint32(3);
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "Not now.");
	return NULL;
}

/* The same, on "/broken" only. */
int main(void)
{
	static const GDBusInterfaceVTable table = {.get_property = on_get};
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	GDBusNodeInfo *node = g_dbus_node_info_new_for_xml("<node><interface name='org.example.I'>"
							   "<property name='Version' type='u' access='read'/>"
							   "<property name='Level' type='u' access='read'/>"
							   "</interface></node>",
							   NULL);

	if (!bus || !g_dbus_connection_register_object(bus, "/broken", node->interfaces[0], &table, NULL, NULL, NULL))
		return 1;
	g_bus_own_name_on_connection(bus, "org.example.GDBus", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}
C
cat >"$work/look.c" <<'C'
#include <gio/gio.h>

/* look NAME PATH: how many properties a proxy has. */
int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	GDBusProxy *proxy = g_dbus_proxy_new_for_bus_sync(G_BUS_TYPE_SESSION, G_DBUS_PROXY_FLAGS_NONE, NULL, argv[1],
							  argv[2], "org.example.I", NULL, &error);
	g_auto(GStrv) names = proxy ? g_dbus_proxy_get_cached_property_names(proxy) : NULL;

	g_print("%u properties, error: %s\n", names ? g_strv_length(names) : 0, error ? error->message : "none");
	return 0;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/sd" "$work/sd.c" $(pkg-config --cflags --libs libsystemd)
for program in gdbus look; do
	# shellcheck disable=SC2046
	gcc -o "$work/$program" "$work/$program.c" $(pkg-config --cflags --libs gio-2.0)
done
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done
"$work/sd" &
pids="$pids $!"
"$work/gdbus" &
pids="$pids $!"
until names=$(busctl --address="$DBUS_SESSION_BUS_ADDRESS" list --no-legend) &&
	[[ $names = *org.example.Sd* && $names = *org.example.GDBus* ]]; do
	sleep 0.05
done
whole=$("$work/look" org.example.Sd /whole 2>&1)
broken=$("$work/look" org.example.Sd /broken 2>&1)
other=$("$work/look" org.example.GDBus /broken 2>&1)
echo "sd-bus, all can be read:  $whole"
echo "sd-bus, one cannot:       $broken"
echo "GDBus, one cannot:        $other"
[ "$whole" = "2 properties, error: none" ]
[ "$broken" = "0 properties, error: none" ]
[ "$other" = "1 properties, error: none" ]
