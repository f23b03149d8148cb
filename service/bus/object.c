/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "object.h"

#include "errors.h"
#include "import.h"
#include "name.h"
#include "replies.h"
#include "variants.h"

struct _ProcdbObject {
	ProcdbDBusProcDb1Skeleton parent;
	ProcdbEngine *engine;
	ProcdbAuthorizer *authorizer; /* NULL while there is none */
	const ProcdbHost *host;
	gpointer host_data;
	GDBusInterfaceVTable vtable; /* the generated one, with the gate in front */
	GVariant *list;		     /* the reply of ListProfiles, until something changes */
	ProcdbReplies *lists;	     /* those that ask for it */
	gboolean properties_old;     /* something may have changed since they were set */
	guint64 serial;
};

G_DEFINE_FINAL_TYPE(ProcdbObject, procdb_object, PROCDB_DBUS_TYPE_PROC_DB1_SKELETON)

static GDBusInterfaceVTable *generated_vtable(ProcdbObject *self)
{
	return G_DBUS_INTERFACE_SKELETON_CLASS(procdb_object_parent_class)
	    ->get_vtable(G_DBUS_INTERFACE_SKELETON(self));
}

static void on_authorized(GDBusMethodInvocation *invocation, GError *denied, gpointer data)
{
	g_autoptr(ProcdbObject) self = data;

	if (denied) {
		procdb_bus_return_error(invocation, denied);
		return;
	}
	generated_vtable(self)->method_call(g_dbus_method_invocation_get_connection(invocation),
					    g_dbus_method_invocation_get_sender(invocation),
					    g_dbus_method_invocation_get_object_path(invocation),
					    g_dbus_method_invocation_get_interface_name(invocation),
					    g_dbus_method_invocation_get_method_name(invocation),
					    g_dbus_method_invocation_get_parameters(invocation),
					    invocation, self);
}

/* In front of the generated dispatcher, so that no method can do without the gate. */
static void on_method_call(GDBusConnection *connection, const char *sender, const char *path,
			   const char *interface, const char *method, GVariant *parameters,
			   GDBusMethodInvocation *invocation, gpointer data)
{
	ProcdbObject *self = PROCDB_OBJECT(data);

	if (self->authorizer)
		procdb_authorizer_check(self->authorizer, invocation, on_authorized,
					g_object_ref(self));
	else
		procdb_bus_return_error(invocation,
					g_error_new_literal(PROCDB_BUS_ERROR,
							    PROCDB_BUS_ERROR_ACCESS_DENIED,
							    "Nobody is there to authorize it"));
}

static void apply_status(ProcdbObject *self, ProcdbApplyStatus *status)
{
	const ProcdbApply *apply = self->host->apply ? self->host->apply(self->host_data) : NULL;

	if (apply)
		procdb_apply_status(apply, status);
	else
		*status = (ProcdbApplyStatus){.mode = PROCDB_APPLY_NONE};
}

/* The properties that announce their changes, so they have to be set when they change. */
static void update_announced(ProcdbObject *self)
{
	ProcdbDBusProcDb1 *iface = PROCDB_DBUS_PROC_DB1(self);
	ProcdbEngineStatus status;
	ProcdbApplyStatus apply;

	procdb_engine_status(self->engine, &status);
	apply_status(self, &apply);
	g_object_set(iface, "apply", procdb_apply_mode_name(apply.mode), "apply-active",
		     apply.active, "backend", status.maps.backend, "backend-state",
		     status.maps.state, "overrides", status.overrides, "last-save",
		     status.last_save_us, "last-save-error", status.last_save_error, "flood",
		     status.flood, NULL);
}

static void update_settings(ProcdbObject *self)
{
	static const char *const none[] = {NULL};
	const ProcdbEngineSettings *settings = procdb_engine_settings(self->engine);
	const char *const *problems =
	    self->host->problems ? self->host->problems(self->host_data) : none;

	g_object_set(self, "configuration-problems", problems, "min-observations",
		     settings->rules.min_observations, "min-confidence",
		     settings->rules.min_confidence, "max-profiles", settings->rules.max_profiles,
		     "stale-ticks", settings->rules.stale_ticks, "retention-days",
		     settings->retention_days, NULL);
}

/* Those that nobody is told of: set when somebody asks. */
static void update_silent(ProcdbObject *self)
{
	ProcdbEngineStatus status;
	ProcdbApplyStatus apply;

	if (!self->properties_old)
		return;
	self->properties_old = FALSE;
	procdb_engine_status(self->engine, &status);
	apply_status(self, &apply);
	g_object_set(self, "profiles", (guint)procdb_table_size(procdb_engine_table(self->engine)),
		     "confident", procdb_engine_confident(self->engine), "tick",
		     procdb_engine_get_tick(self->engine), "observations", status.observations,
		     "observations-lost", status.maps.lost, "map-errors", status.maps.errors,
		     "dirty", status.dirty, "prediction-hits", status.found, "prediction-misses",
		     status.missed, "predictions-right", status.right, "predictions-wrong",
		     status.wrong, "prediction-outcomes", procdb_variant_outcomes(&status),
		     "applied", apply.results[PROCDB_APPLY_SET], "apply-statistics",
		     procdb_variant_apply_statistics(&apply, status.maps.tasks_lost), NULL);
}

static GVariant *on_get_property(GDBusConnection *connection, const char *sender, const char *path,
				 const char *interface, const char *property, GError **error,
				 gpointer data)
{
	ProcdbObject *self = PROCDB_OBJECT(data);

	update_silent(self);
	return generated_vtable(self)->get_property(connection, sender, path, interface, property,
						    error, data);
}

static GDBusInterfaceVTable *procdb_object_get_vtable(GDBusInterfaceSkeleton *skeleton)
{
	return &PROCDB_OBJECT(skeleton)->vtable;
}

/* After a request changed something. */
static void changed(ProcdbObject *self)
{
	self->properties_old = TRUE;
	g_clear_pointer(&self->list, g_variant_unref);
	update_announced(self);
}

static void on_profiles_changed(const GArray *names, const GArray *removed, gpointer data)
{
	ProcdbObject *self = data;
	gboolean all = names->len + removed->len > PROCDB_MAX_NAMES_OUT;
	g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	g_auto(GStrv) changed_names = procdb_variant_names(all ? none : names);
	g_auto(GStrv) removed_names = procdb_variant_names(all ? none : removed);

	g_clear_pointer(&self->list, g_variant_unref);
	self->properties_old = TRUE;
	procdb_dbus_proc_db1_emit_profiles_changed(PROCDB_DBUS_PROC_DB1(self), ++self->serial,
						   (const char *const *)changed_names,
						   (const char *const *)removed_names);
}

static void on_stepped(gpointer data)
{
	ProcdbObject *self = data;

	self->properties_old = TRUE;
	update_announced(self);
}

void procdb_object_settings_changed(ProcdbObject *self)
{
	update_settings(self);
	changed(self);
}

static const struct procdb_entry *find(ProcdbObject *self, const char *name, GError **error)
{
	struct procdb_comm comm;

	if (!procdb_name_unescape(name, &comm, error))
		return NULL;
	return procdb_engine_find(self->engine, &comm, error);
}

/* Made when somebody asks after a change. */
static GVariant *list_of(gpointer data)
{
	ProcdbObject *self = data;

	if (!self->list)
		self->list = g_variant_ref_sink(procdb_variant_list(self->engine));
	return self->list;
}

static gboolean handle_list_profiles(ProcdbObject *self, GDBusMethodInvocation *invocation)
{
	procdb_replies_answer(self->lists, invocation);
	return TRUE;
}

/* Answers with the a{sv} that make() makes of a profile. */
static gboolean
answer_values(ProcdbObject *self, GDBusMethodInvocation *invocation, const char *name,
	      GVariant *(*make)(ProcdbEngine *engine, const struct procdb_entry *entry))
{
	GError *error = NULL;
	const struct procdb_entry *entry = find(self, name, &error);

	if (!entry)
		procdb_bus_return_error(invocation, error);
	else
		g_dbus_method_invocation_return_value(
		    invocation, g_variant_new("(@a{sv})", make(self->engine, entry)));
	return TRUE;
}

static gboolean handle_get_profile(ProcdbObject *self, GDBusMethodInvocation *invocation,
				   const char *name)
{
	return answer_values(self, invocation, name, procdb_variant_profile);
}

static gboolean handle_explain(ProcdbObject *self, GDBusMethodInvocation *invocation,
			       const char *name)
{
	return answer_values(self, invocation, name, procdb_variant_explanation);
}

static gboolean handle_get_confidence(ProcdbObject *self, GDBusMethodInvocation *invocation,
				      const char *name)
{
	const struct procdb_rules *rules = &procdb_engine_settings(self->engine)->rules;
	GError *error = NULL;
	const struct procdb_entry *entry = find(self, name, &error);

	if (!entry)
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_get_confidence(
		    PROCDB_DBUS_PROC_DB1(self), invocation,
		    procdb_profile_confidence(&entry->profile, rules));
	return TRUE;
}

static gboolean handle_delete_profile(ProcdbObject *self, GDBusMethodInvocation *invocation,
				      const char *name)
{
	GError *error = NULL;
	struct procdb_comm comm;

	if (!procdb_name_unescape(name, &comm, &error) ||
	    !procdb_engine_delete(self->engine, &comm, 1, NULL, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_delete_profile(PROCDB_DBUS_PROC_DB1(self),
							     invocation);
	changed(self);
	return TRUE;
}

/* Says which name of several it is that is wrong. */
static gboolean read_names(ProcdbObject *self, const char *const *names, GArray *comms,
			   GError **error)
{
	for (; *names; names++) {
		const struct procdb_entry *entry = find(self, *names, error);

		if (!entry) {
			g_prefix_error(error, "'%s': ", *names);
			return FALSE;
		}
		g_array_append_val(comms, entry->comm);
	}
	return TRUE;
}

static gboolean handle_delete_profiles(ProcdbObject *self, GDBusMethodInvocation *invocation,
				       const char *const *names)
{
	g_autoptr(GArray) comms = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	GError *error = NULL;
	guint deleted = 0;

	if (g_strv_length((GStrv)names) > PROCDB_MAX_NAMES_IN)
		g_set_error(&error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
			    "At most %d names can be deleted in one call", PROCDB_MAX_NAMES_IN);
	if (error || !read_names(self, names, comms, &error) ||
	    !procdb_engine_delete(self->engine, (const struct procdb_comm *)comms->data, comms->len,
				  &deleted, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_delete_profiles(PROCDB_DBUS_PROC_DB1(self),
							      invocation, deleted);
	changed(self);
	return TRUE;
}

static gboolean handle_reset(ProcdbObject *self, GDBusMethodInvocation *invocation)
{
	GError *error = NULL;
	guint deleted = 0;

	if (!procdb_engine_reset(self->engine, &deleted, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_reset(PROCDB_DBUS_PROC_DB1(self), invocation,
						    deleted);
	changed(self);
	return TRUE;
}

/* One that waits for a save. */
typedef struct {
	ProcdbObject *self;
	GDBusMethodInvocation *invocation;
} Saver;

static void on_save_ended(guint saved, const GError *error, gpointer data)
{
	g_autofree Saver *saver = data;
	g_autoptr(ProcdbObject) self = saver->self;

	if (error)
		procdb_bus_return_error(saver->invocation, g_error_copy(error));
	else
		procdb_dbus_proc_db1_complete_save(PROCDB_DBUS_PROC_DB1(self), saver->invocation,
						   saved);
	changed(self);
}

static gboolean handle_save(ProcdbObject *self, GDBusMethodInvocation *invocation)
{
	Saver *saver = g_new(Saver, 1);

	saver->self = g_object_ref(self);
	saver->invocation = invocation;
	procdb_engine_request_save(self->engine, on_save_ended, saver);
	return TRUE;
}

static gboolean handle_reload(ProcdbObject *self, GDBusMethodInvocation *invocation)
{
	GError *error = NULL;

	if (!self->host->reconfigure(self->host_data, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_reload(
		    PROCDB_DBUS_PROC_DB1(self), invocation,
		    (guint)procdb_table_size(procdb_engine_table(self->engine)));
	procdb_object_settings_changed(self);
	return TRUE;
}

static gboolean handle_load_database(ProcdbObject *self, GDBusMethodInvocation *invocation)
{
	GError *error = NULL;
	guint loaded = 0;

	if (!procdb_engine_reload(self->engine, &loaded, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_load_database(PROCDB_DBUS_PROC_DB1(self), invocation,
							    loaded);
	changed(self);
	return TRUE;
}

static gboolean handle_import(ProcdbObject *self, GDBusMethodInvocation *invocation, GVariant *rows,
			      gboolean replace)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	GError *error = NULL;

	if (!procdb_import_rows(rows, records, &error) ||
	    !procdb_engine_import(self->engine, records, replace, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_import(PROCDB_DBUS_PROC_DB1(self), invocation,
						     records->len);
	changed(self);
	return TRUE;
}

static gboolean handle_set_backend(ProcdbObject *self, GDBusMethodInvocation *invocation,
				   const char *backend)
{
	GError *error = NULL;

	if (!self->host->set_backend(self->host_data, backend, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_set_backend(PROCDB_DBUS_PROC_DB1(self), invocation);
	changed(self);
	return TRUE;
}

static void set_override(ProcdbObject *self, GDBusMethodInvocation *invocation, const char *name,
			 guint8 tier)
{
	GError *error = NULL;
	struct procdb_comm comm;

	if (!procdb_name_unescape(name, &comm, &error) ||
	    (tier != PROCDB_NO_OVERRIDE && !procdb_name_can_match(&comm, &error)) ||
	    !procdb_engine_override(self->engine, &comm, tier, &error))
		procdb_bus_return_error(invocation, error);
	else
		g_dbus_method_invocation_return_value(invocation, NULL);
	changed(self);
}

static gboolean handle_set_apply(ProcdbObject *self, GDBusMethodInvocation *invocation,
				 const char *mode)
{
	GError *error = NULL;

	if (!self->host->set_apply(self->host_data, mode, &error))
		procdb_bus_return_error(invocation, error);
	else
		procdb_dbus_proc_db1_complete_set_apply(PROCDB_DBUS_PROC_DB1(self), invocation);
	procdb_object_settings_changed(self);
	return TRUE;
}

static gboolean handle_set_override(ProcdbObject *self, GDBusMethodInvocation *invocation,
				    const char *name, const char *tier_name)
{
	enum procdb_tier tier;

	if (procdb_tier_parse(tier_name, &tier))
		set_override(self, invocation, name, (guint8)tier);
	else
		procdb_bus_return_error(
		    invocation,
		    g_error_new(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_TIER,
				"There is no tier '%s': use batch, interactive or lat-critical",
				tier_name));
	return TRUE;
}

static gboolean handle_clear_override(ProcdbObject *self, GDBusMethodInvocation *invocation,
				      const char *name)
{
	set_override(self, invocation, name, PROCDB_NO_OVERRIDE);
	return TRUE;
}

static void procdb_object_finalize(GObject *object)
{
	ProcdbObject *self = PROCDB_OBJECT(object);

	procdb_engine_set_listener(self->engine, NULL, NULL);
	procdb_replies_free(self->lists);
	g_clear_pointer(&self->list, g_variant_unref);
	G_OBJECT_CLASS(procdb_object_parent_class)->finalize(object);
}

static void procdb_object_class_init(ProcdbObjectClass *class)
{
	G_OBJECT_CLASS(class)->finalize = procdb_object_finalize;
	G_DBUS_INTERFACE_SKELETON_CLASS(class)->get_vtable = procdb_object_get_vtable;
}

static void procdb_object_init(ProcdbObject *self)
{
	static const struct {
		const char *signal;
		GCallback handler;
	} handlers[] = {
	    {"handle-list-profiles", G_CALLBACK(handle_list_profiles)},
	    {"handle-get-profile", G_CALLBACK(handle_get_profile)},
	    {"handle-get-confidence", G_CALLBACK(handle_get_confidence)},
	    {"handle-explain", G_CALLBACK(handle_explain)},
	    {"handle-delete-profile", G_CALLBACK(handle_delete_profile)},
	    {"handle-delete-profiles", G_CALLBACK(handle_delete_profiles)},
	    {"handle-reset", G_CALLBACK(handle_reset)},
	    {"handle-save", G_CALLBACK(handle_save)},
	    {"handle-reload", G_CALLBACK(handle_reload)},
	    {"handle-load-database", G_CALLBACK(handle_load_database)},
	    {"handle-import", G_CALLBACK(handle_import)},
	    {"handle-set-backend", G_CALLBACK(handle_set_backend)},
	    {"handle-set-apply", G_CALLBACK(handle_set_apply)},
	    {"handle-set-override", G_CALLBACK(handle_set_override)},
	    {"handle-clear-override", G_CALLBACK(handle_clear_override)},
	};

	self->vtable = *generated_vtable(self);
	self->vtable.method_call = on_method_call;
	self->vtable.get_property = on_get_property;
	self->properties_old = TRUE;
	self->lists = procdb_replies_new(list_of, self);
	for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
		g_signal_connect(self, handlers[i].signal, handlers[i].handler, NULL);
}

void procdb_object_set_authorizer(ProcdbObject *self, ProcdbAuthorizer *authorizer)
{
	self->authorizer = authorizer;
}

ProcdbObject *procdb_object_new(ProcdbEngine *engine, const ProcdbHost *host, gpointer user_data)
{
	static const ProcdbEngineListener listener = {
	    .profiles_changed = on_profiles_changed,
	    .stepped = on_stepped,
	};
	ProcdbObject *self = g_object_new(PROCDB_TYPE_OBJECT, NULL);
	ProcdbEngineStatus status;

	self->engine = engine;
	self->host = host;
	self->host_data = user_data;
	procdb_engine_set_listener(engine, &listener, self);
	procdb_engine_status(engine, &status);
	g_object_set(self, "version", PROCDB_VERSION, "api-version", PROCDB_API_VERSION,
		     "database-path", status.database_path, NULL);
	update_settings(self);
	update_announced(self);
	return self;
}
