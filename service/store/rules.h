/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Overrides of tasks by what they execute or by where they run, which an administrator set: kept
 * in a section of their own in the extension block, which older readers skip.
 */

#include "reader.h"
#include "tiers.h"

/* As many may be set: each is looked at for each program that is executed. */
#define PROCDB_MAX_RULES 128
/* The most bytes of a text; a longer path or unit is not known. */
#define PROCDB_MAX_RULE_TEXT 255

typedef enum {
	PROCDB_RULE_PROGRAM, /* a path, or the last part of one */
	PROCDB_RULE_UNIT,    /* a unit of systemd, or another cgroup's name */
	PROCDB_RULE_KINDS,
} ProcdbRuleKind;

typedef struct {
	ProcdbRuleKind kind;
	enum procdb_tier tier;
	char *text; /* bytes, in which * and ? stand for others */
} ProcdbRule;

/* Rules (of ProcdbRule, owned). Free with g_ptr_array_unref(). */
GPtrArray *procdb_rules_new(void);
/* The index of a rule, or -1. */
int procdb_rules_find(const GPtrArray *rules, ProcdbRuleKind kind, const char *text);
/* Adds a rule, or changes its tier. */
void procdb_rules_set(GPtrArray *rules, ProcdbRuleKind kind, const char *text,
		      enum procdb_tier tier);

/* The bytes of a section; NULL where there are no rules. The caller owns them. */
GBytes *procdb_rules_encode(const GPtrArray *rules);
/*
 * Reads the bytes of a section, which are from an offset up to another, and adds the rules. What
 * does not hold what it says ends it; rules of kinds that are not known are left out.
 */
void procdb_rules_read(ProcdbReader *reader, gsize at, gsize end, GPtrArray *rules);
