/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rules.h"

const char *const rules_kinds[] = {"program", "unit", NULL};

static void add_rule(Rules *rules, GVariant *map)
{
	Rule rule = {.tier = "", .source = ""};

	for (const char *const *kind = rules_kinds; *kind; kind++)
		if (g_variant_lookup(map, *kind, "&s", &rule.text))
			rule.kind = *kind;
	g_variant_lookup(map, "tier", "&s", &rule.tier);
	g_variant_lookup(map, "source", "&s", &rule.source);
	/* Those of names are among the profiles. */
	if (rule.kind)
		g_array_append_val(rules->items, rule);
}

Rules *rules_fetch(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) reply = NULL;
	GError *reason = NULL;
	GVariantIter iter;
	GVariant *map;
	Rules *rules;

	if (!procdb_dbus_proc_db1_call_list_overrides_sync(
		ctl->proxy, ctl->call_flags, ctl->timeout_ms, &reply, NULL, &reason) &&
	    !g_error_matches(reason, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) {
		g_propagate_error(error, reason);
		return NULL;
	}
	g_clear_error(&reason);
	rules = g_new0(Rules, 1);
	rules->items = g_array_new(FALSE, FALSE, sizeof(Rule));
	if (!reply)
		return rules;
	rules->reply = g_steal_pointer(&reply);
	g_variant_iter_init(&iter, rules->reply);
	/* The maps live as long as the reply that they are of. */
	while (g_variant_iter_loop(&iter, "@a{sv}", &map))
		add_rule(rules, map);
	return rules;
}

void rules_free(Rules *rules)
{
	g_clear_pointer(&rules->reply, g_variant_unref);
	g_array_unref(rules->items);
	g_free(rules);
}
