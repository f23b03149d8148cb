/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Overrides by program and by unit. They are above overrides of names and below holds; the apply
 * layer asks procdb_engine_decide() for each program that is executed while there are some.
 */

#include "engine-state.h"

#include "ledger.h"
#include "script.h"

#include <string.h>

const GPtrArray *procdb_engine_rules(const ProcdbEngine *engine)
{
	return engine->rules;
}

void procdb_engine_replace_rules(ProcdbEngine *engine, GPtrArray *rules)
{
	g_ptr_array_unref(engine->rules);
	engine->rules = rules ? rules : procdb_rules_new();
}

gboolean procdb_engine_set_rule(ProcdbEngine *engine, ProcdbRuleKind kind, const char *text,
				enum procdb_tier tier, GError **error)
{
	if (engine->rules->len >= PROCDB_MAX_RULES &&
	    procdb_rules_find(engine->rules, kind, text) < 0) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
			    "There are %u overrides by program and unit already; clear one first",
			    engine->rules->len);
		return FALSE;
	}
	procdb_rules_set(engine->rules, kind, text, tier);
	engine->dirty = TRUE;
	return TRUE;
}

gboolean procdb_engine_clear_rule(ProcdbEngine *engine, ProcdbRuleKind kind, const char *text,
				  GError **error)
{
	const int index = procdb_rules_find(engine->rules, kind, text);

	if (index < 0) {
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE,
				    "There is no override of this program or unit");
		return FALSE;
	}
	g_ptr_array_remove_index(engine->rules, (guint)index);
	engine->dirty = TRUE;
	/* It does not come back from an older file either. */
	engine->saves.forgetting = TRUE;
	return TRUE;
}

/* What rules can be compared with, of one task. */
struct executed {
	const char *path;   /* of the executable; "" if it is not known */
	const char *script; /* NULL: none */
	const char *unit;   /* "" if it is not known */
};

static gboolean is_of_program(const char *text, const char *path)
{
	return path && *path &&
	       procdb_script_matches(text, strchr(text, '/') ? path : procdb_script_base(path));
}

static gboolean applies(const ProcdbRule *rule, const struct executed *executed)
{
	if (rule->kind == PROCDB_RULE_UNIT)
		return *executed->unit && procdb_script_matches(rule->text, executed->unit);
	return is_of_program(rule->text, executed->script) ||
	       is_of_program(rule->text, executed->path);
}

/* How much a rule says: a path more than a name, and more bytes more than fewer. */
static gsize weight_of(const ProcdbRule *rule)
{
	gsize weight = strchr(rule->text, '/') ? PROCDB_MAX_RULE_TEXT + 1 : 1;

	for (const char *at = rule->text; *at; at++)
		weight += *at != '*' && *at != '?';
	return weight;
}

/* The rule of a kind that says most; NULL: none applies. */
static const ProcdbRule *find(const ProcdbEngine *engine, ProcdbRuleKind kind,
			      const struct executed *executed)
{
	const ProcdbRule *best = NULL;

	for (guint i = 0; i < engine->rules->len; i++) {
		const ProcdbRule *rule = engine->rules->pdata[i];

		if (rule->kind == kind && applies(rule, executed) &&
		    (!best || weight_of(rule) > weight_of(best)))
			best = rule;
	}
	return best;
}

guint8 procdb_engine_decide(const ProcdbEngine *engine, const struct procdb_execution *execution)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, &execution->event.comm);
	char path[PROCDB_PATH_LEN], unit[PROCDB_UNIT_LEN];
	struct executed executed = {.path = path, .unit = unit};
	const ProcdbRule *rule;

	/* A hold is above all. */
	if (engine->rules->len == 0 || (entry && entry->held))
		return 0;
	/* BPF ends them with a zero; what it copied they are all the same. */
	g_strlcpy(path, execution->path, sizeof(path));
	g_strlcpy(unit, execution->unit, sizeof(unit));
	executed.script =
	    procdb_script_find(path, execution->args, MIN(execution->args_len, PROCDB_ARGS_LEN));
	rule = find(engine, PROCDB_RULE_PROGRAM, &executed);
	if (rule)
		return PROCDB_DECISION(rule->tier, PROCDB_BY_PROGRAM);
	rule = find(engine, PROCDB_RULE_UNIT, &executed);
	return rule ? PROCDB_DECISION(rule->tier, 0) : 0;
}
