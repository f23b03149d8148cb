/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The overrides by program and by unit that the service has. */

#include "ctl.h"

/* What an override can be of beside a name; NULL is at the end. */
extern const char *const rules_kinds[];

typedef struct {
	const char *kind; /* of rules_kinds */
	const char *text; /* of it, escaped as a task name is */
	const char *tier;
	const char *source; /* what decided it */
} Rule;

typedef struct {
	GVariant *reply; /* to which the strings belong; NULL: an older service */
	GArray *items;	 /* of Rule */
} Rules;

/* All of them, none of an older service; NULL and error if the service does not say. */
Rules *rules_fetch(Ctl *ctl, GError **error);
void rules_free(Rules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rules, rules_free)

static inline const Rule *rules_get(const Rules *rules, guint index)
{
	return &g_array_index(rules->items, Rule, index);
}
