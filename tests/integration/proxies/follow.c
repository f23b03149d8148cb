/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* A proxy that gdbus-codegen makes; see ../proxies.py. */

#include <stdlib.h>

#include "proxy.h"

static int compare(const void *a, const void *b)
{
	return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

static void list(ProcDb1 *proxy)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) rows = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (!proc_db1_call_list_profiles_sync(proxy, &rows, NULL, &error))
		g_error("%s", error->message);
	if (proc_db1_get_profiles(proxy) != g_variant_n_children(rows))
		g_error("other profiles are listed than there are");
	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		char *name;

		g_variant_get_child(row, 0, "s", &name);
		g_ptr_array_add(names, name);
	}
	qsort(names->pdata, names->len, sizeof(gpointer), compare);
	g_print("list");
	for (guint i = 0; i < names->len; i++)
		g_print(" %s", (char *)names->pdata[i]);
	g_print("\n");
}

static void on_changed(ProcDb1 *proxy, guint64 serial, const char *const *changed,
		       const char *const *removed, gpointer data)
{
	g_autofree char *names = g_strjoinv(" ", (char **)changed);

	g_print("changed %s\n", names);
}

static void on_owner(GDBusProxy *proxy, GParamSpec *property, gpointer data)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(proxy);

	if (owner)
		list(PROC_DB1(proxy));
	else
		g_print("gone\n");
}

int main(void)
{
	g_autoptr(GError) error = NULL;
	ProcDb1 *proxy = proc_db1_proxy_new_for_bus_sync(G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_NONE,
							 "org.pandemonium.ProcDb",
							 "/org/pandemonium/ProcDb", NULL, &error);
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	if (!proxy)
		g_error("%s", error->message);
	g_signal_connect(proxy, "profiles-changed", G_CALLBACK(on_changed), NULL);
	g_signal_connect(proxy, "notify::g-name-owner", G_CALLBACK(on_owner), NULL);
	list(proxy);
	g_main_loop_run(loop);
	return 0;
}
