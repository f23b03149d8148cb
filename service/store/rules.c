/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "rules.h"

#include "codec.h"

#include <string.h>

/* At the start of the section. */
struct table {
	guint32 size; /* of the fixed part of each */
	guint32 count;
} __attribute__((packed));

/* The fixed part, which a newer writer may extend; the text follows it. */
struct fixed {
	guint8 kind;
	guint8 tier;
	guint16 len;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct table) == 8);
G_STATIC_ASSERT(sizeof(struct fixed) == 4);
/* With the head of the section. */
G_STATIC_ASSERT(PROCDB_RULES_SIZE ==
		8 + sizeof(struct table) +
		    (gsize)PROCDB_MAX_RULES * (sizeof(struct fixed) + PROCDB_MAX_RULE_TEXT));

static void rule_free(gpointer data)
{
	ProcdbRule *rule = data;

	g_free(rule->text);
	g_free(rule);
}

GPtrArray *procdb_rules_new(void)
{
	return g_ptr_array_new_with_free_func(rule_free);
}

int procdb_rules_find(const GPtrArray *rules, ProcdbRuleKind kind, const char *text)
{
	for (guint i = 0; i < rules->len; i++) {
		const ProcdbRule *rule = rules->pdata[i];

		if (rule->kind == kind && g_str_equal(rule->text, text))
			return (int)i;
	}
	return -1;
}

void procdb_rules_set(GPtrArray *rules, ProcdbRuleKind kind, const char *text,
		      enum procdb_tier tier)
{
	const int index = procdb_rules_find(rules, kind, text);
	ProcdbRule *rule;

	if (index >= 0) {
		((ProcdbRule *)rules->pdata[index])->tier = tier;
		return;
	}
	rule = g_new(ProcdbRule, 1);
	*rule = (ProcdbRule){kind, tier, g_strdup(text)};
	g_ptr_array_add(rules, rule);
}

GBytes *procdb_rules_encode(const GPtrArray *rules)
{
	const struct table table = {GUINT32_TO_LE((guint32)sizeof(struct fixed)),
				    GUINT32_TO_LE(rules->len)};
	GByteArray *bytes;

	if (rules->len == 0)
		return NULL;
	bytes = g_byte_array_new();
	g_byte_array_append(bytes, (const guint8 *)&table, sizeof(table));
	for (guint i = 0; i < rules->len; i++) {
		const ProcdbRule *rule = rules->pdata[i];
		const guint16 len = (guint16)strnlen(rule->text, PROCDB_MAX_RULE_TEXT);
		const struct fixed fixed = {(guint8)rule->kind, (guint8)rule->tier,
					    GUINT16_TO_LE(len)};

		g_byte_array_append(bytes, (const guint8 *)&fixed, sizeof(fixed));
		g_byte_array_append(bytes, (const guint8 *)rule->text, len);
	}
	return g_byte_array_free_to_bytes(bytes);
}

/* Reads one rule and moves the offset behind it; FALSE where there is none. */
static gboolean read_one(ProcdbReader *reader, gsize *at, gsize size, gsize end, GPtrArray *rules)
{
	const guint8 *data = procdb_reader_get_within(reader, *at, sizeof(struct fixed), end);
	char text[PROCDB_MAX_RULE_TEXT + 1] = "";
	struct fixed fixed;
	gsize len;

	if (!data || size > end - *at)
		return FALSE;
	memcpy(&fixed, data, sizeof(fixed));
	*at += size;
	len = GUINT16_FROM_LE(fixed.len);
	data = len < sizeof(text) ? procdb_reader_get_within(reader, *at, len, end) : NULL;
	if (!data)
		return FALSE;
	memcpy(text, data, len);
	*at += len;
	if (*text && fixed.kind < PROCDB_RULE_KINDS && fixed.tier < PROCDB_TIERS)
		procdb_rules_set(rules, (ProcdbRuleKind)fixed.kind, text,
				 (enum procdb_tier)fixed.tier);
	return TRUE;
}

void procdb_rules_read(ProcdbReader *reader, gsize at, gsize end, GPtrArray *rules)
{
	const guint8 *data = procdb_reader_get_within(reader, at, sizeof(struct table), end);
	struct table table;
	guint32 count;

	if (!data)
		return;
	memcpy(&table, data, sizeof(table));
	at += sizeof(table);
	count = MIN(GUINT32_FROM_LE(table.count), PROCDB_MAX_RULES);
	if (GUINT32_FROM_LE(table.size) < sizeof(struct fixed))
		return;
	for (guint32 i = 0; i < count; i++)
		if (!read_one(reader, &at, GUINT32_FROM_LE(table.size), end, rules))
			return;
}
