/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bench.h"

#include <gio/gunixinputstream.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps-memory.h"
#include "object.h"
#include "polkit.h"
#include "variants.h"

typedef struct {
	ProcdbEngine *engine;
	ProcdbPolkit *polkit;
	ProcdbAuthority forgetful; /* polkit's, but nothing that it says may be kept */
	ProcdbAuthorizer *authorizer;
	ProcdbAuthorizer *forgetful_authorizer;
	ProcdbObject *object;
	ProcdbObject *forgetful_object;
	GVariant *list;
} Bench;

static gboolean unsupported(gpointer data, GError **error)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "Not in a benchmark");
	return FALSE;
}

static gboolean unsupported_argument(gpointer data, const char *argument, GError **error)
{
	return unsupported(data, error);
}

static void fill(ProcdbEngine *engine, guint n)
{
	g_autoptr(GArray) records = g_array_new(FALSE, TRUE, sizeof(struct procdb_record));

	for (guint i = 0; i < n; i++) {
		struct procdb_record record = {0};

		g_snprintf((char *)record.comm.bytes, sizeof(record.comm.bytes), "program-%u", i);
		procdb_profile_init(&record.profile);
		record.profile.tier_votes[i % PROCDB_TIERS] = 10;
		record.profile.observations = 10;
		record.profile.avg_runtime_ns = 1000000 + i;
		record.profile.runtime_dev_ns = 1000;
		record.profile.wakeup_freq = 20;
		record.profile.csw_rate = 30;
		g_array_append_val(records, record);
	}
	procdb_engine_replace(engine, records);
}

static gboolean forget(gpointer self, GAsyncResult *result, gboolean *allowed, gboolean *challenge,
		       gboolean *cacheable, GError **error)
{
	gboolean ok =
	    procdb_polkit_authority.finish(self, result, allowed, challenge, cacheable, error);

	*cacheable = FALSE;
	return ok;
}

static void answer_bare(GDBusConnection *connection, const char *sender, const char *path,
			const char *interface, const char *method, GVariant *parameters,
			GDBusMethodInvocation *invocation, gpointer data)
{
	g_dbus_method_invocation_return_value(invocation, ((Bench *)data)->list);
}

/* The generated dispatcher: what ProcdbObject calls once the gate let a call through. */
static const GDBusInterfaceVTable *open_vtable(ProcdbObject *object)
{
	GDBusInterfaceSkeletonClass *generated = g_type_class_peek_parent(
	    G_TYPE_INSTANCE_GET_CLASS(object, PROCDB_TYPE_OBJECT, ProcdbObjectClass));

	return generated->get_vtable(G_DBUS_INTERFACE_SKELETON(object));
}

static gboolean export_all(Bench *bench, GDBusConnection *connection, GError **error)
{
	static const GDBusInterfaceVTable bare = {.method_call = answer_bare};
	GDBusInterfaceInfo *info = procdb_dbus_proc_db1_interface_info();

	return g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(bench->object),
						connection, BENCH_PATH, error) &&
	       g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(bench->forgetful_object),
						connection, BENCH_PATH_FORGETFUL, error) &&
	       g_dbus_connection_register_object(connection, BENCH_PATH_OPEN, info,
						 open_vtable(bench->object), bench->object, NULL,
						 error) &&
	       g_dbus_connection_register_object(connection, BENCH_PATH_BARE, info, &bare, bench,
						 NULL, error);
}

static void on_end(GObject *source, GAsyncResult *result, gpointer data)
{
	g_main_loop_quit(data);
}

static void on_name_lost(GDBusConnection *connection, const char *name, gpointer data)
{
	g_printerr("bench-bus: %s is not to be had\n", name);
	exit(EXIT_FAILURE);
}

int bench_serve(GDBusConnection *connection, guint n)
{
	static const ProcdbHost host = {
	    .reconfigure = unsupported,
	    .set_backend = unsupported_argument,
	    .set_apply = unsupported_argument,
	};
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GInputStream) input = g_unix_input_stream_new(STDIN_FILENO, FALSE);
	g_autoptr(GError) error = NULL;
	Bench bench = {0};
	char end;

	bench.engine =
	    procdb_engine_new(&procdb_engine_default_settings,
			      procdb_store_new("/nonexistent/procdb.bin"), test_maps_new(n));
	fill(bench.engine, n);
	bench.list = g_variant_ref_sink(procdb_variant_list(bench.engine));
	bench.polkit = procdb_polkit_new(connection);
	bench.authorizer = procdb_authorizer_new(&procdb_polkit_authority, bench.polkit);
	procdb_polkit_set_authorizer(bench.polkit, bench.authorizer);
	bench.forgetful = procdb_polkit_authority;
	bench.forgetful.finish = forget;
	bench.forgetful_authorizer = procdb_authorizer_new(&bench.forgetful, bench.polkit);
	bench.forgetful_object = procdb_object_new(bench.engine, &host, NULL);
	procdb_object_set_authorizer(bench.forgetful_object, bench.forgetful_authorizer);
	/* Last, so that it is this one that the engine tells of changes. */
	bench.object = procdb_object_new(bench.engine, &host, NULL);
	procdb_object_set_authorizer(bench.object, bench.authorizer);
	if (!export_all(&bench, connection, &error)) {
		g_printerr("bench-bus: %s\n", error->message);
		return EXIT_FAILURE;
	}
	procdb_engine_start(bench.engine);
	g_bus_own_name_on_connection(connection, PROCDB_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE, NULL,
				     on_name_lost, NULL, NULL);
	g_input_stream_read_async(input, &end, 1, G_PRIORITY_DEFAULT, NULL, on_end, loop);
	g_main_loop_run(loop);
	return EXIT_SUCCESS;
}
