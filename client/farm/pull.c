/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the farm knows comes to the service as a prior, which yields to what the machine sees. */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "failure.h"
#include "json.h"
#include "farm-known.h"
#include "output.h"
#include "overrides.h"
#include "session.h"
#include "sums.h"

/* What a service of default settings remembers; of more, those that most machines have seen. */
#define MAX_PRIORS 16384

typedef struct {
	char *name;
	guint64 machines;
	Row row; /* texts are the name, and static */
} Prior;

typedef struct {
	GHashTable *own; /* names that this machine has seen itself */
	FarmDemands demands;
	GArray *priors;
	FarmKnown *known;
	FarmSum sum; /* of the name that is looked at */
	guint names; /* in the store */
	guint seen;  /* of these, seen by this machine itself */
	guint unsure;
	guint strange;
	guint imported; /* priors that the service took, which may know some names itself by now */
} Pull;

static void prior_clear(gpointer data)
{
	g_free(((Prior *)data)->name);
}

static void pull_clear(Pull *pull)
{
	g_clear_pointer(&pull->own, g_hash_table_unref);
	g_clear_pointer(&pull->priors, g_array_unref);
	g_clear_pointer(&pull->known, farm_known_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pull, pull_clear)

/* Names of which the service has more than an earlier prior. It would take none of these. */
static GHashTable *own_names(const Rows *rows)
{
	GHashTable *own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *farm = procdb_teachers_name(PROCDB_TAUGHT_BY_FARM);

	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);

		if (row->withdrawals > 0 ||
		    (row->observations > 0 && g_strcmp0(row->taught_by, farm) != 0))
			g_hash_table_add(own, g_strdup(row->name));
	}
	return own;
}

static void take(Pull *pull, const char *name, const char *text)
{
	const FarmSum *sum = &pull->sum;
	Prior prior;

	pull->names++;
	if (!farm_name_is_valid(name) || !farm_sum_parse(text, &pull->sum)) {
		pull->strange++;
		return;
	}
	if (!farm_sum_is_prior(sum, &pull->demands)) {
		pull->unsure++;
		return;
	}
	farm_known_add(pull->known, name, sum->hosts, sum->runs);
	if (g_hash_table_contains(pull->own, name)) {
		pull->seen++;
		return;
	}
	prior.name = g_strdup(name);
	prior.machines = sum->hosts;
	prior.row = farm_sum_to_row(sum, prior.name, &pull->demands);
	g_array_append_val(pull->priors, prior);
}

static gint by_machines(gconstpointer a, gconstpointer b)
{
	const Prior *x = a, *y = b;

	if (x->machines != y->machines)
		return x->machines < y->machines ? 1 : -1;
	return strcmp(x->name, y->name);
}

static gboolean read_store(FarmSession *session, Pull *pull, GError **error)
{
	g_autofree char *sums = farm_session_key(session, "sums", NULL);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;

	g_ptr_array_add(words, (gpointer) "HGETALL");
	g_ptr_array_add(words, sums);
	reply = farm_store_call(session->store, words, error);
	if (!reply || !farm_session_check_pairs(reply, error))
		return FALSE;
	for (gsize i = 0; i < reply->elements; i += 2)
		take(pull, reply->element[i]->str, reply->element[i + 1]->str);
	g_array_sort(pull->priors, by_machines);
	if (pull->priors->len > MAX_PRIORS)
		g_array_set_size(pull->priors, MAX_PRIORS);
	return TRUE;
}

static GVariant *records_of(const Pull *pull)
{
	g_autoptr(Records) records = records_new();

	for (guint i = 0; i < pull->priors->len; i++)
		records_add(records, &g_array_index(pull->priors, Prior, i).row);
	return records_end(records);
}

static void report_overrides(const FarmTaken *taken)
{
	g_autofree char *overrides = out_count(taken->taken, "override");

	printf("%s of the farm taken over; %u stay as they were decided here.\n", overrides,
	       taken->kept);
	if (taken->unsure > 0)
		printf("Of %u overrides too few machines say so, or they disagree.\n",
		       taken->unsure);
}

/* taken is NULL if overrides were not asked for. */
static void report(const Ctl *ctl, const FarmSession *session, const Pull *pull,
		   const FarmTaken *taken)
{
	g_autofree char *names = out_count(pull->names, "program");
	g_autofree char *priors = out_number(pull->imported);
	g_autofree char *seen = out_number(pull->seen);

	if (pull->strange > 0)
		g_printerr("%u of the entries in %s are not what this program writes, and were "
			   "left out.\n",
			   pull->strange, session->place);
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_uint(builder, "names", pull->names);
		ctl_json_set_uint(builder, "pulled", pull->imported);
		ctl_json_set_uint(builder, "own", pull->seen);
		ctl_json_set_uint(builder, "unsure", pull->unsure);
		if (taken) {
			ctl_json_set_uint(builder, "overrides", taken->taken);
			ctl_json_set_uint(builder, "overrides_kept", taken->kept);
			ctl_json_set_uint(builder, "overrides_unsure", taken->unsure);
		}
		ctl_json_print(ctl_json_end(builder));
		return;
	}
	if (taken)
		report_overrides(taken);
	if (pull->names == 0) {
		printf("%s knows nothing yet of machines like this one (%s).\n", session->place,
		       session->fingerprint);
		return;
	}
	printf("Of %s that %s knows, %s have a prior from it now; %s this machine knows itself.\n",
	       names, session->place, priors, seen);
	if (pull->unsure > 0)
		printf("Of %u too few machines have seen enough, or they disagree.\n",
		       pull->unsure);
}

static int import(Ctl *ctl, Pull *pull)
{
	g_autoptr(GError) error = NULL;

	if (pull->priors->len == 0 || procdb_dbus_proc_db1_call_import_prior_sync(
					  ctl->proxy, records_of(pull), ctl->call_flags,
					  ctl->timeout_ms, &pull->imported, NULL, &error))
		return CTL_OK;
	return failure_report("ImportPrior", NULL, error);
}

int farm_pull(Ctl *ctl, const FarmOptions *options)
{
	const gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(FarmSession) session = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(Pull) pull = {0};
	FarmTaken taken = {0};
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	session = farm_session_open(options, FALSE, &status);
	if (!session)
		return status;
	rows = rows_fetch_whole(ctl, &error);
	if (!rows)
		return failure_report("ExportProfiles", NULL, error);
	pull = (Pull){
	    .own = own_names(rows),
	    .demands = {(guint)MAX(options->quorum, 1), now_s - farm_retention_s(ctl), now_s},
	    .priors = g_array_new(FALSE, FALSE, sizeof(Prior)),
	    .known = farm_known_new(),
	};
	g_array_set_clear_func(pull.priors, prior_clear);
	if (!read_store(session, &pull, &error))
		return farm_session_report(session, error);
	status = import(ctl, &pull);
	if (status != CTL_OK)
		return status;
	/* For show and explain only. */
	if (!farm_known_write(pull.known, farm_directory(options), &error))
		g_printerr("What the farm knows cannot be shown later: %s.\n", error->message);
	if (options->overrides)
		status = farm_overrides_pull(ctl, session, options, rows, &taken);
	report(ctl, session, &pull, options->overrides ? &taken : NULL);
	return status;
}
