/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "daemon.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>

#include "backends.h"
#include "connection.h"
#include "errors.h"
#include "log.h"
#include "notify.h"
#include "object.h"
#include "polkit.h"
#include "proof.h"
#include "putback.h"
#include "source.h"
#include "task-list.h"

typedef struct {
	ProcdbOptions options; /* the strings are the caller's */
	ProcdbConfig config;
	GStrv problems; /* of the files as they were last read */
	GMainLoop *loop;
	ProcdbConnection *connection;
	ProcdbPolkit *polkit; /* one for each connection */
	/* NULL until the first connection: before it the service touches nothing shared. */
	ProcdbBackend *backend; /* the engine's */
	ProcdbEngine *engine;
	ProcdbObject *object;
	ProcdbLedger *ledger; /* outlives the backends and apply */
	ProcdbTaskList *task_list;
	ProcdbKernelTasks *tasks; /* apply's */
	ProcdbApply *apply;
	ProcdbApplySource *apply_source;
	ProcdbProof *proof;
	ProcdbNotify *notify; /* NULL until the service is ready */
	gboolean hung_up;     /* before there was an engine */
	int status;
} Service;

/* Logs the verdict, and keeps its problems for the property ConfigurationProblems. */
static void take_verdict(Service *service, const ProcdbVerdict *verdict)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < verdict->problems->len; i++) {
		const char *problem = verdict->problems->pdata[i];

		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_CONFIGURATION, "%s", problem);
		if (i < PROCDB_MAX_PROBLEMS)
			g_strv_builder_add(builder, problem);
	}
	for (guint i = 0; i < verdict->notes->len; i++)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_CONFIGURATION, "%s",
			   (const char *)verdict->notes->pdata[i]);
	g_strfreev(service->problems);
	service->problems = g_strv_builder_end(builder);
}

static ProcdbBackend *backend_for(const ProcdbConfig *config, ProcdbLedger *ledger)
{
	ProcdbObserverSettings settings = procdb_config_observer(config);

	settings.ledger = ledger;
	if (g_str_equal(config->backend, "observer"))
		return procdb_backend_observer_new(&settings);
	if (g_str_equal(config->backend, "sched-ext"))
		return procdb_backend_scheduler_new(&settings);
	if (g_str_equal(config->backend, "pinned"))
		return procdb_backend_pinned_new();
	if (g_str_equal(config->backend, "none"))
		return procdb_backend_none_new();
	return procdb_backend_auto_new(&settings);
}

/*
 * The system's database takes over, once, what earlier versions kept where scx_pandemonium
 * keeps its own since 5.10, and what that one kept for its user before.
 */
static ProcdbStore *store_for(const ProcdbConfig *config)
{
	ProcdbStore *store = procdb_store_new(config->database);

	procdb_store_claim(store);
	g_autofree char *older =
	    g_build_filename(g_get_home_dir(), ".cache", "pandemonium", "procdb.bin", NULL);

	if (g_str_equal(config->database, PROCDB_DEFAULT_DATABASE)) {
		procdb_store_add_import(store, PROCDB_SHARED_DATABASE);
		procdb_store_add_import(store, older);
	}
	return store;
}

/* The apply layer must leave the old backend before the engine closes that. */
static void use_backend(Service *service)
{
	service->backend = backend_for(&service->config, service->ledger);
	procdb_apply_source_set_backend(service->apply_source, NULL);
	procdb_engine_set_backend(service->engine, service->backend);
	procdb_apply_source_set_backend(service->apply_source, service->backend);
	procdb_proof_set_backend(service->proof, service->backend);
}

static void use_apply_settings(Service *service)
{
	ProcdbApplySettings settings = service->config.apply;

	procdb_apply_mode_parse(service->config.apply_mode, &settings.mode);
	procdb_apply_configure(service->apply, &settings);
	procdb_apply_source_settings_changed(service->apply_source);
	procdb_proof_set_guard(service->proof,
			       settings.guard && settings.mode != PROCDB_APPLY_NONE);
}

/* Why a trial ends whose windows could not be compared any more. */
#define RECONFIGURED "the service was given other settings"

static gboolean get_delays(gpointer data, struct procdb_delays *sum, GError **error)
{
	return procdb_proof_delays(((Service *)data)->proof, sum, error);
}

static void on_proof_changed(gpointer data, gboolean trial)
{
	Service *service = data;

	if (trial)
		procdb_object_trial_changed(service->object);
	else
		procdb_object_guard_changed(service->object);
}

static gboolean start_trial(gpointer data, guint seconds, GError **error)
{
	return procdb_proof_start_trial(((Service *)data)->proof, seconds, error);
}

static void stop_trial(gpointer data, const char *reason)
{
	procdb_proof_stop_trial(((Service *)data)->proof, reason);
}

static void get_trial(gpointer data, ProcdbTrialStatus *status)
{
	procdb_proof_trial_status(((Service *)data)->proof, status);
}

static void get_guard(gpointer data, ProcdbGuardStatus *status)
{
	procdb_proof_guard_status(((Service *)data)->proof, status);
}

static const struct procdb_history *get_history(gpointer data)
{
	return procdb_proof_history(((Service *)data)->proof);
}

static gboolean set_apply(gpointer data, const char *mode, GError **error)
{
	Service *service = data;
	g_autofree char *problem = procdb_config_set(&service->config, "Apply", "Mode", mode);

	if (problem) {
		g_set_error_literal(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_NO_BACKEND, problem);
		return FALSE;
	}
	procdb_proof_stop_trial(service->proof, RECONFIGURED);
	use_apply_settings(service);
	return TRUE;
}

static const ProcdbApply *get_apply(gpointer data)
{
	return ((Service *)data)->apply;
}

static gboolean list_tasks(gpointer data, GArray *tasks, GError **error)
{
	Service *service = data;

	return procdb_task_list_read(service->task_list, service->backend, tasks, error);
}

static guint8 decide(const struct procdb_execution *execution, gpointer data)
{
	return procdb_engine_decide(((Service *)data)->engine, execution);
}

/* Without rules, nothing is told of programs that are executed, and nothing is asked. */
static void rules_changed(gpointer data)
{
	Service *service = data;

	procdb_apply_source_set_rules(service->apply_source,
				      procdb_engine_rules(service->engine)->len > 0 ? decide : NULL,
				      service);
}

static const char *const *get_problems(gpointer data)
{
	return (const char *const *)((Service *)data)->problems;
}

static void switch_backend(Service *service, const char *name)
{
	procdb_proof_stop_trial(service->proof, RECONFIGURED);
	g_free(service->config.backend);
	service->config.backend = g_strdup(name);
	use_backend(service);
	use_apply_settings(service);
}

static gboolean set_backend(gpointer data, const char *backend, GError **error)
{
	Service *service = data;
	g_autofree char *problem = NULL;
	g_auto(ProcdbConfig) wanted;

	procdb_config_copy(&wanted, &service->config);
	problem = procdb_config_set(&wanted, "Service", "Backend", backend);
	if (problem) {
		g_set_error_literal(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_NO_BACKEND, problem);
		return FALSE;
	}
	if (!g_str_equal(backend, service->config.backend))
		switch_backend(service, backend);
	return TRUE;
}

static gboolean refuse_configuration(const ProcdbVerdict *verdict, GError **error)
{
	const guint more = verdict->problems->len - 1;
	g_autofree char *others =
	    more > 0 ? g_strdup_printf(" (pandemoniumctl doctor has %u more problem%s)", more,
				       more == 1 ? "" : "s")
		     : g_strdup("");

	g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED, "%s%s",
		    (const char *)verdict->problems->pdata[0], others);
	return FALSE;
}

/* Applies all of the new configuration, or nothing of it. */
static gboolean reconfigure(gpointer data, GError **error)
{
	Service *service = data;
	g_auto(ProcdbVerdict) verdict;
	g_auto(ProcdbConfig) config;
	ProcdbEngineStatus status;
	gboolean rebuild;

	procdb_config_init(&config);
	procdb_verdict_init(&verdict);
	g_strfreev(
	    procdb_options_read_config(&service->options, &config, &service->config, &verdict));
	take_verdict(service, &verdict);
	if (verdict.problems->len > 0)
		return refuse_configuration(&verdict, error);
	procdb_proof_stop_trial(service->proof, RECONFIGURED);
	procdb_engine_status(service->engine, &status);
	if (!g_str_equal(config.database, status.database_path))
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_CONFIGURATION,
			   "Path=%s takes effect at the next start", config.database);
	rebuild = !procdb_config_same_backend(&config, &service->config);
	procdb_config_clear(&service->config);
	procdb_config_copy(&service->config, &config);
	procdb_engine_configure(service->engine, &config.engine);
	procdb_engine_declare(service->engine, config.overrides);
	if (rebuild)
		use_backend(service);
	use_apply_settings(service);
	procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_CONFIGURATION, "Configuration reloaded");
	return TRUE;
}

static gboolean on_hangup(gpointer data)
{
	Service *service = data;
	g_autoptr(GError) error = NULL;

	/* It waits for the bus, perhaps for an older service: the files are read again then. */
	service->hung_up = !service->engine;
	if (service->hung_up)
		return G_SOURCE_CONTINUE;
	procdb_notify_reloading(service->notify);
	/* The problems have been logged, and are in the property ConfigurationProblems. */
	(void)reconfigure(service, &error);
	procdb_object_settings_changed(service->object);
	procdb_notify_reloaded(service->notify);
	return G_SOURCE_CONTINUE;
}

static gboolean on_terminate(gpointer data)
{
	g_main_loop_quit(((Service *)data)->loop);
	return G_SOURCE_CONTINUE;
}

static void begin(Service *service)
{
	g_autoptr(GError) reason = NULL;
	guint loaded;

	/* Before the file: a disk may hang. */
	procdb_putback_leftovers(service->apply);
	/* From now on the record may be pinned in the place of the older one. */
	procdb_apply_refresh(service->apply);
	/* A service without profiles still learns. */
	if (!procdb_engine_load(service->engine, &loaded, &reason))
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_LOADED,
			   "%s; starting without profiles", reason->message);
	else
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_LOADED, "%u profiles from %s",
			   loaded, service->config.database);
	procdb_engine_declare(service->engine, service->config.overrides);
	procdb_engine_start(service->engine);
	/* A failure is harmless: slices are set a little later under load. */
	(void)procdb_tasks_shorten_own_slice();
	procdb_apply_source_set_backend(service->apply_source, service->backend);
	procdb_proof_set_backend(service->proof, service->backend);
	rules_changed(service);
	use_apply_settings(service);
}

/* Makes the parts that use shared things. No other service runs any more. */
static void build(Service *service)
{
	static const ProcdbHost host = {
	    .reconfigure = reconfigure,
	    .set_backend = set_backend,
	    .set_apply = set_apply,
	    .apply = get_apply,
	    .delays = get_delays,
	    .start_trial = start_trial,
	    .stop_trial = stop_trial,
	    .trial = get_trial,
	    .guard = get_guard,
	    .history = get_history,
	    .problems = get_problems,
	    .rules_changed = rules_changed,
	    .list_tasks = list_tasks,
	};
	ProcdbApplySettings settings = service->config.apply;

	service->ledger = procdb_ledger_new();
	service->task_list = procdb_task_list_new(service->ledger);
	service->backend = backend_for(&service->config, service->ledger);
	service->engine = procdb_engine_new(&service->config.engine, store_for(&service->config),
					    service->backend);
	procdb_apply_mode_parse(service->config.apply_mode, &settings.mode);
	service->tasks = procdb_kernel_tasks_new(service->ledger);
	service->apply = procdb_apply_new(&settings, &procdb_kernel_tasks, service->tasks);
	service->apply_source = procdb_apply_source_new(service->apply);
	service->proof =
	    procdb_proof_new(service->apply, service->apply_source, on_proof_changed, service);
	service->object = procdb_object_new(service->engine, &host, service);
	begin(service);
	procdb_object_settings_changed(service->object);
	if (service->hung_up)
		(void)on_hangup(service);
}

static gboolean on_connected(sd_bus *bus, gpointer data, GError **error)
{
	Service *service = data;

	if (!service->engine)
		build(service);
	service->polkit = procdb_polkit_new(bus);
	if (!procdb_object_export(service->object, bus, &procdb_polkit_authority, service->polkit,
				  error))
		return FALSE;
	procdb_polkit_set_gate(service->polkit, procdb_object_gate(service->object));
	return TRUE;
}

static void on_handled(gint64 us, gpointer data)
{
	procdb_object_handled(((Service *)data)->object, us);
}

static void on_named(gpointer data)
{
	Service *service = data;

	if (!service->notify)
		service->notify = procdb_notify_new(service->engine);
}

static void on_disconnected(gpointer data)
{
	Service *service = data;

	procdb_polkit_set_gate(service->polkit, NULL);
	procdb_object_unexport(service->object);
	g_clear_pointer(&service->polkit, procdb_polkit_free);
}

static void on_failed(const GError *error, gpointer data)
{
	Service *service = data;

	procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_BUS, "%s", error->message);
	service->status = EXIT_FAILURE;
	g_main_loop_quit(service->loop);
}

/* The name goes last: the next service waits for it. */
static void stop(Service *service)
{
	ProcdbEngineStatus status;

	g_clear_pointer(&service->notify, procdb_notify_free);
	if (service->engine) {
		procdb_proof_stop_trial(service->proof, "the service ends");
		/* No window begins any more. */
		procdb_proof_quit(service->proof);
		/* Before the save: a disk may hang. */
		procdb_putback_all(service->apply);
		procdb_engine_status(service->engine, &status);
		/* The engine logs why it failed. */
		if ((status.dirty || status.counted) &&
		    !procdb_engine_save(service->engine, NULL, NULL))
			service->status = EXIT_FAILURE;
	}
	procdb_connection_withdraw(service->connection);
	g_clear_pointer(&service->proof, procdb_proof_free);
	g_clear_pointer(&service->object, procdb_object_free);
	g_clear_pointer(&service->apply_source, procdb_apply_source_free);
	g_clear_pointer(&service->apply, procdb_apply_free);
	g_clear_pointer(&service->tasks, procdb_kernel_tasks_free);
	g_clear_pointer(&service->engine, procdb_engine_free);
	g_clear_pointer(&service->task_list, procdb_task_list_free);
	g_clear_pointer(&service->ledger, procdb_ledger_free);
	g_clear_pointer(&service->connection, procdb_connection_free);
}

static void run(Service *service)
{
	static const ProcdbConnectionListener listener = {
	    .connected = on_connected,
	    .handled = on_handled,
	    .named = on_named,
	    .disconnected = on_disconnected,
	    .failed = on_failed,
	};

	service->loop = g_main_loop_new(NULL, FALSE);
	service->connection = procdb_connection_new(&listener, service);
	g_unix_signal_add(SIGTERM, on_terminate, service);
	g_unix_signal_add(SIGINT, on_terminate, service);
	g_unix_signal_add(SIGHUP, on_hangup, service);
	g_main_loop_run(service->loop);
	stop(service);
	g_main_loop_unref(service->loop);
}

int procdb_daemon_run(const ProcdbOptions *options)
{
	Service service = {.options = *options};
	g_auto(ProcdbVerdict) verdict;

	/* As systemd has it: a log that is not read any more does not end the service. */
	(void)signal(SIGPIPE, SIG_IGN);
	procdb_config_init(&service.config);
	procdb_verdict_init(&verdict);
	g_strfreev(procdb_options_read_config(options, &service.config, NULL, &verdict));
	take_verdict(&service, &verdict);
	run(&service);
	procdb_config_clear(&service.config);
	g_strfreev(service.problems);
	return service.status;
}
