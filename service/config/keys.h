/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The settings that there are: what they are called, and how their values are written. */

#include "config.h"

typedef enum {
	KEY_UINT,   /* guint */
	KEY_UINT64, /* guint64 */
	KEY_TIME,   /* guint64, ns; files say it in units */
	KEY_FLAG,   /* guint32, 0 or 1, of a struct that BPF reads */
	KEY_DOUBLE,
	KEY_TIER,   /* guint, enum procdb_tier */
	KEY_CHOICE, /* char *, one of choices */
	KEY_PATH,   /* char *, absolute */
	KEY_NAMES,  /* GStrv of task names */
} KeyType;

typedef struct {
	const char *group;
	const char *name;
	KeyType type;
	size_t offset; /* in ProcdbConfig */
	double min;    /* of numbers */
	double max;
	const char *choices; /* separated by "|" */
	guint64 unit;	     /* of KEY_TIME, in ns */
	guint64 least;	     /* of numbers from 0 on: the least but 0; 0: there is none */
} ProcdbConfigKey;

/* The setting of that name, or NULL. All are static. */
const ProcdbConfigKey *procdb_config_key_find(const char *group, const char *name);
/* The same in any case, and of any section where group is NULL. */
const ProcdbConfigKey *procdb_config_key_find_similar(const char *group, const char *name);
/* Whether a section of that name, which may be NULL, has settings. */
gboolean procdb_config_is_section(const char *name);

/* The value in force, as a file would say it. The caller frees it. */
char *procdb_config_key_value(const ProcdbConfig *config, const ProcdbConfigKey *key);
