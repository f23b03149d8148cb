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
	const char *path;   /* of the executable, behind all links; "" if it is not known */
	const char *name;   /* that it was executed by; "" if it is not known */
	const char *script; /* NULL: none */
	const char *unit;   /* "" if it is not known */
};

static gboolean is_of_program(const char *text, const char *path)
{
	return path && *path &&
	       procdb_script_matches(text, strchr(text, '/') ? path : procdb_script_base(path));
}

/* As for systemctl, a name without a type is that of a service. */
static gboolean is_of_unit(const char *text, const char *unit)
{
	const gsize len = strlen(text);

	return *unit && (procdb_script_matches(text, unit) ||
			 (strncmp(unit, text, len) == 0 && g_str_equal(unit + len, ".service")));
}

/* How much a rule says of what was executed; 0: it is not of that. */
static gsize weight_of(const ProcdbRule *rule, const struct executed *executed)
{
	const gboolean is_path = strchr(rule->text, '/') != NULL;
	gsize bytes = 0, wildcards = 0;
	enum { NOT, OF_PROGRAM, OF_SCRIPT } of = NOT;

	if (rule->kind == PROCDB_RULE_UNIT) {
		if (is_of_unit(rule->text, executed->unit))
			of = OF_PROGRAM;
	} else if (is_of_program(rule->text, executed->script)) {
		/* It says more than its interpreter, which many have. */
		of = OF_SCRIPT;
	} else if (is_of_program(rule->text, executed->path) ||
		   (!is_path && is_of_program(rule->text, executed->name))) {
		of = OF_PROGRAM;
	}
	for (const char *at = rule->text; *at; at++) {
		const gboolean wildcard = *at == '*' || *at == '?';

		wildcards += wildcard;
		bytes += !wildcard;
	}
	/* A path says more than a name, more bytes more than fewer, and an exact text most. */
	return of == NOT ? 0
			 : (((gsize)of * 2 + is_path) * (PROCDB_MAX_RULE_TEXT + 1) + bytes) * 2 +
			       (wildcards == 0);
}

/* The rule of a kind that says most; NULL: none applies. */
static const ProcdbRule *find(const ProcdbEngine *engine, ProcdbRuleKind kind,
			      const struct executed *executed)
{
	const ProcdbRule *best = NULL;
	gsize most = 0;

	for (guint i = 0; i < engine->rules->len; i++) {
		const ProcdbRule *rule = engine->rules->pdata[i];
		const gsize weight = rule->kind == kind ? weight_of(rule, executed) : 0;

		if (weight > most) {
			best = rule;
			most = weight;
		}
	}
	return best;
}

guint8 procdb_engine_decide(const ProcdbEngine *engine, const struct procdb_execution *execution)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, &execution->event.comm);
	char path[PROCDB_PATH_LEN], unit[PROCDB_UNIT_LEN], name[PROCDB_COMM_LEN + 1] = "";
	struct executed executed = {.path = path, .name = name, .unit = unit};
	const ProcdbRule *rule;

	/* A hold is above all. */
	if (engine->rules->len == 0 || (entry && entry->held))
		return 0;
	/* BPF ends them with a zero; what it copied they are all the same. */
	memcpy(path, execution->path, sizeof(path));
	memcpy(unit, execution->unit, sizeof(unit));
	path[sizeof(path) - 1] = unit[sizeof(unit) - 1] = '\0';
	if (execution->event.reason == PROCDB_TASK_EXECUTED)
		memcpy(name, execution->event.comm.bytes, PROCDB_COMM_LEN);
	executed.script =
	    procdb_script_find(path, execution->args, MIN(execution->args_len, PROCDB_ARGS_LEN));
	rule = find(engine, PROCDB_RULE_PROGRAM, &executed);
	if (rule)
		return PROCDB_DECISION(rule->tier, PROCDB_BY_PROGRAM);
	rule = find(engine, PROCDB_RULE_UNIT, &executed);
	return rule ? PROCDB_DECISION(rule->tier, 0) : 0;
}
