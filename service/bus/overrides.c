/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The handlers of SetOverrideFor, ClearOverrideFor and ListOverrides. */

#include "private.h"

#include <string.h>

#include "errors.h"
#include "escape.h"
#include "name.h"

static const char *const kinds[] = {
    [PROCDB_RULE_PROGRAM] = "program",
    [PROCDB_RULE_UNIT] = "unit",
};

static gboolean refuse(GError **error, const char *kind, const char *text, const char *why)
{
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME, "The %s '%s' %s", kind,
		    text, why);
	return FALSE;
}

/* The bytes of a program or unit that a task can have; NULL with error set for another text. */
static char *read_text(ProcdbRuleKind kind, const char *escaped, GError **error)
{
	const gsize most = kind == PROCDB_RULE_UNIT ? PROCDB_UNIT_LEN - 1 : PROCDB_PATH_LEN - 1;
	gsize len = 0;
	g_autofree char *text = escape_undo(escaped, &len);

	if (text && len == 0)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME,
			    "The %s is empty: give its name", kinds[kind]);
	else if (!text || strlen(text) != len)
		refuse(error, kinds[kind], escaped,
		       "is no text that is escaped as the name of a task is");
	else if (len > most)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME,
			    "The %s '%s' is longer than the %" G_GSIZE_FORMAT
			    " bytes that are looked at",
			    kinds[kind], escaped, most);
	else if (kind == PROCDB_RULE_UNIT && strchr(text, '/'))
		refuse(error, kinds[kind], escaped, "has a slash: give the name of one unit");
	else if (kind == PROCDB_RULE_PROGRAM && text[len - 1] == '/')
		refuse(error, kinds[kind], escaped, "is a directory: name the program in it");
	else if (kind == PROCDB_RULE_PROGRAM && strchr(text, '/') && text[0] != '/' &&
		 text[0] != '*')
		refuse(error, kinds[kind], escaped,
		       "is a relative path: begin it with a slash, or give the name of the file");
	else
		return g_steal_pointer(&text);
	return NULL;
}

/* Reads the entries of a{sv}. 0 with error set for those that say nothing of a task. */
static int read_entry(sd_bus_message *call, ProcdbRuleKind *kind, char **text, GError **error)
{
	const char *key, *type, *escaped;
	int result = sd_bus_message_read_basic(call, 's', &key);
	guint found = 0;

	if (result >= 0)
		result = sd_bus_message_peek_type(call, NULL, &type);
	if (result < 0)
		return result;
	while (found < PROCDB_RULE_KINDS && !g_str_equal(kinds[found], key))
		found++;
	if (found == PROCDB_RULE_KINDS || !g_str_equal(type, "s") || *text) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "'%s' says nothing here: give program or unit, one of them, of type s",
			    key);
		return 0;
	}
	result = sd_bus_message_read(call, "v", "s", &escaped);
	if (result < 0)
		return result;
	*kind = (ProcdbRuleKind)found;
	*text = read_text(*kind, escaped, error);
	return 0;
}

static int read_what(sd_bus_message *call, ProcdbRuleKind *kind, char **text, GError **error)
{
	int result = sd_bus_message_enter_container(call, 'a', "{sv}");

	*text = NULL;
	while (result >= 0 && (result = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
		result = read_entry(call, kind, text, error);
		/* What is wrong is known: the rest does not matter. */
		if (*error)
			return 0;
		if (result >= 0)
			result = sd_bus_message_exit_container(call);
	}
	if (result >= 0 && !*text)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "An override is of a program or a unit, and neither is given");
	return result < 0 || *error ? result : sd_bus_message_exit_container(call);
}

void procdb_object_rules_changed(ProcdbObject *self)
{
	if (self->host->rules_changed)
		self->host->rules_changed(self->host_data);
}

int procdb_object_set_override_for(ProcdbObject *self, sd_bus_message *call)
{
	g_autofree char *text = NULL;
	const char *tier_name;
	ProcdbRuleKind kind = PROCDB_RULE_KINDS;
	enum procdb_tier tier;
	GError *error = NULL;
	int result = read_what(call, &kind, &text, &error);

	if (result >= 0 && !error)
		result = sd_bus_message_read(call, "s", &tier_name);
	if (result < 0)
		return result;
	if (!error && procdb_name_read_tier(tier_name, &tier, &error) &&
	    procdb_engine_set_rule(self->engine, kind, text, tier, &error))
		procdb_object_rules_changed(self);
	return procdb_object_reply_when_saved(self, call, 0, 0, error);
}

int procdb_object_clear_override_for(ProcdbObject *self, sd_bus_message *call)
{
	g_autofree char *text = NULL;
	ProcdbRuleKind kind = PROCDB_RULE_KINDS;
	GError *error = NULL;
	int result = read_what(call, &kind, &text, &error);

	if (result < 0)
		return result;
	if (!error && procdb_engine_clear_rule(self->engine, kind, text, &error))
		procdb_object_rules_changed(self);
	return procdb_object_reply_when_saved(self, call, 0, 0, error);
}

/* An override as a row: of what, the tier, and where it comes from. */
static int append(sd_bus_message *message, const char *key, const char *text, enum procdb_tier tier,
		  const char *source)
{
	int result = sd_bus_message_open_container(message, 'a', "{sv}");

	result = PROCDB_ADD(result, message, key, "s", text);
	result = PROCDB_ADD(result, message, "tier", "s", procdb_tier_name(tier));
	result = PROCDB_ADD(result, message, "source", "s", source);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return memcmp(&(*(const struct procdb_entry *const *)a)->comm,
		      &(*(const struct procdb_entry *const *)b)->comm, sizeof(struct procdb_comm));
}

static int append_names(sd_bus_message *message, const ProcdbEngine *engine)
{
	const struct procdb_table *table = procdb_engine_table(engine);
	g_autoptr(GPtrArray) entries = g_ptr_array_new();
	int result = 0;

	for (size_t i = 0; i < procdb_table_size(table); i++) {
		struct procdb_entry *entry = procdb_table_at(table, i);

		if (entry->profile.override != PROCDB_NO_OVERRIDE)
			g_ptr_array_add(entries, entry);
	}
	g_ptr_array_sort(entries, by_name);
	for (guint i = 0; i < entries->len && result >= 0; i++) {
		const struct procdb_entry *entry = entries->pdata[i];
		g_autofree char *name = procdb_name_escape(&entry->comm);

		result = append(message, "name", name, (enum procdb_tier)entry->profile.override,
				procdb_override_source(engine, entry));
	}
	return result;
}

int procdb_object_list_overrides(ProcdbObject *self, sd_bus_message *call)
{
	const GPtrArray *rules = procdb_engine_rules(self->engine);
	sd_bus_message *reply = NULL;
	int result = sd_bus_message_new_method_return(call, &reply);

	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (guint i = 0; i < rules->len && result >= 0; i++) {
		const ProcdbRule *rule = rules->pdata[i];
		g_autofree char *text = escape_raw(rule->text, strlen(rule->text));

		result = append(reply, kinds[rule->kind], text, rule->tier, "administrator");
	}
	if (result >= 0)
		result = append_names(reply, self->engine);
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	return procdb_bus_send_reply(reply, result);
}
