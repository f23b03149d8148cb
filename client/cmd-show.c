/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

/* What is not known by name is printed as GVariant text, so that nothing is hidden. */
static void add_others(struct libscols_table *table, GVariant *profile)
{
	static const char *const known[] = {
	    "name",	    "tier",	"confidence",	  "confident",
	    "observations", "votes",	"avg_runtime_ns", "runtime_dev_ns",
	    "wakeup_freq",  "csw_rate", "last_seen_us",	  "origin",
	    NULL,
	};
	GVariantIter iter;
	const char *key;
	GVariant *value;

	g_variant_iter_init(&iter, profile);
	while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
		g_autofree char *text = NULL;
		const char *texts[2] = {key};

		if (g_strv_contains(known, key))
			continue;
		text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)
			   ? g_variant_dup_string(value, NULL)
			   : g_variant_print(value, FALSE);
		texts[1] = text;
		out_table_add(table, texts, NULL);
	}
}

static void add(struct libscols_table *table, const char *key, const char *colour, char *text)
{
	const char *texts[] = {key, text};
	const char *colours[] = {NULL, colour};

	out_table_add(table, texts, colours);
	g_free(text);
}

static guint64 get_uint64(GVariantDict *dict, const char *key)
{
	guint64 value = 0;

	g_variant_dict_lookup(dict, key, "t", &value);
	return value;
}

static void add_seen(struct libscols_table *table, GVariantDict *dict)
{
	g_autoptr(GDateTime) time = NULL;
	g_autofree char *stamp = NULL;
	g_autofree char *ago = NULL;
	gint64 seen = 0;

	g_variant_dict_lookup(dict, "last_seen_us", "x", &seen);
	ago = out_ago(seen, g_get_real_time());
	time = seen > 0 ? g_date_time_new_from_unix_local(seen / G_USEC_PER_SEC) : NULL;
	stamp = time ? g_date_time_format(time, "%F %T") : NULL;
	add(table, "Last seen", NULL,
	    stamp ? g_strdup_printf("%s (%s)", stamp, ago) : g_strdup(ago));
}

static void add_known(struct libscols_table *table, GVariant *profile)
{
	g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(profile);
	const char *name = "", *tier = "", *origin = "";
	guint32 votes[3] = {0}, observations = 0;
	double confidence = 0;
	gboolean confident = FALSE;
	g_autofree char *average = out_duration_ns(get_uint64(&dict, "avg_runtime_ns"));
	g_autofree char *deviation = out_duration_ns(get_uint64(&dict, "runtime_dev_ns"));

	g_variant_dict_lookup(&dict, "name", "&s", &name);
	g_variant_dict_lookup(&dict, "tier", "&s", &tier);
	g_variant_dict_lookup(&dict, "origin", "&s", &origin);
	g_variant_dict_lookup(&dict, "confidence", "d", &confidence);
	g_variant_dict_lookup(&dict, "confident", "b", &confident);
	g_variant_dict_lookup(&dict, "observations", "u", &observations);
	g_variant_dict_lookup(&dict, "votes", "(uuu)", &votes[0], &votes[1], &votes[2]);

	add(table, "Name", NULL, g_strdup(name));
	add(table, "Tier", out_tier_colour(tier), g_strdup(tier));
	add(table, "Confidence", confident ? "green" : "brown",
	    g_strdup_printf("%.3f (%s)", confidence,
			    confident ? "confident" : "not confident yet"));
	add(table, "Observations", NULL, g_strdup_printf("%u", observations));
	add(table, "Votes", NULL,
	    g_strdup_printf("batch %u, interactive %u, lat-critical %u", votes[0], votes[1],
			    votes[2]));
	add(table, "Run time", NULL, g_strdup_printf("%s ± %s", average, deviation));
	add(table, "Wake-ups", NULL,
	    g_strdup_printf("%" G_GUINT64_FORMAT " per 100 ms", get_uint64(&dict, "wakeup_freq")));
	add(table, "Voluntary switches", NULL,
	    g_strdup_printf("%" G_GUINT64_FORMAT " per 100 ms", get_uint64(&dict, "csw_rate")));
	add_seen(table, &dict);
	add(table, "Origin", NULL, g_strdup(origin));
}

int cmd_show(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const OutColumn columns[] = {{"KEY", 0, 0}, {"VALUE", 0, SCOLS_FL_WRAP}, {NULL}};
	g_auto(GStrv) args = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GVariant) profile = NULL;
	g_autoptr(GError) error = NULL;
	struct libscols_table *table;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	name = escape_argument(args[0]);
	if (!procdb_dbus_proc_db1_call_get_profile_sync(ctl->proxy, name, ctl->call_flags,
							ctl->timeout_ms, &profile, NULL, &error))
		return failure_report("GetProfile", name, error);
	if (ctl->json) {
		ctl_json_print(ctl_json_from_variant(profile));
		return CTL_OK;
	}
	table = out_table_new(ctl, columns);
	scols_table_enable_noheadings(table, 1);
	add_known(table, profile);
	add_others(table, profile);
	out_table_print(table);
	return CTL_OK;
}
