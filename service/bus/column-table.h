/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The columns that there are, and where the value of each comes from. Of columns.c only. */

#include "profile-rows.h"

/* Of what the values of an entry are taken. */
struct source {
	const ProcdbView *view;
	const struct procdb_rules *rules;
	const struct procdb_entry *entry;
};

/* A value of the type of its column; of a text either member, made is freed. */
struct value {
	union {
		guint64 t;
		gint64 x;
		double d;
		guint32 u; /* also of b */
		const char *s;
	};
	char *made;
};

/* What a column needs. */
enum {
	COLUMN_OF_TASKS = 1,   /* the tasks that run now */
	COLUMN_OF_USERS = 2,   /* a text of any length that only its user and root are told */
	COLUMN_OF_SCRIPTS = 4, /* arguments of tasks */
};

struct column {
	const char *name; /* as GetProfile has it */
	/* Of a value: s, u, t, x, d or b, or PROCDB_COLUMN_PIDS. */
	char type;
	guint needs;
	/* NULL for a number that the entry has at offset; else what is handed over. */
	void (*get)(const struct source *of, gsize offset, struct value *value);
	gsize offset;
};

/* An au: the tasks that have the name now. It has no get. */
#define PROCDB_COLUMN_PIDS 'p'

/* All columns that there are, in the order in which an error lists them. */
extern const struct column procdb_columns[];
extern const guint procdb_columns_count;
