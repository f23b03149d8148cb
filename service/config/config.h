/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The configuration: one table of keys, read from files (files.h), each over the
 * ones before.
 */

#include "apply.h"
#include "engine.h"
#include "files.h"
#include "observer-settings.h"

/* Not procdb.bin, which scx_pandemonium writes, nor procdb.*.tmp beside it, which it removes. */
#define PROCDB_DEFAULT_DATABASE PROCDB_STATEDIR "/profiles.bin"
#define PROCDB_SHARED_DATABASE PROCDB_STATEDIR "/procdb.bin"

typedef struct {
	ProcdbEngineSettings engine;
	GHashTable *overrides;		 /* of ProcdbDeclaration */
	ProcdbApplySettings apply;	 /* without the mode */
	char *apply_mode;		 /* "auto", "slices", "none" */
	char *backend;			 /* "auto", "observer", "sched-ext", "pinned", "none" */
	char *database;			 /* path of the database file */
	ProcdbObserverSettings observer; /* without max_user_tier, which the engine has */
} ProcdbConfig;

/* The defaults; to be cleared by procdb_config_clear(). */
void procdb_config_init(ProcdbConfig *config);
void procdb_config_clear(ProcdbConfig *config);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbConfig, procdb_config_clear)

/* A deep copy into an uninitialized configuration. */
void procdb_config_copy(ProcdbConfig *to, const ProcdbConfig *from);

/* Settings of a backend; the names stay those of the configuration. */
ProcdbObserverSettings procdb_config_observer(const ProcdbConfig *config);

/* Whether both ask for the same backend and the same observation. */
gboolean procdb_config_same_backend(const ProcdbConfig *a, const ProcdbConfig *b);

/* Findings about the files. */
typedef struct {
	GPtrArray *problems; /* char *: a sentence for each, without a full stop */
	GPtrArray *notes;    /* char *: what may be meant so, and is good to know */
	/* A line of [Apply] cannot be understood, so nothing is applied. */
	gboolean apply_unclear;
} ProcdbVerdict;

/* An empty verdict; to be cleared by procdb_verdict_clear(). */
void procdb_verdict_init(ProcdbVerdict *verdict);
void procdb_verdict_clear(ProcdbVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbVerdict, procdb_verdict_clear)

/*
 * Reads files over config. Each problem becomes a sentence in verdict: the file,
 * line and key, what is allowed and what stays in force; the rest is read all the
 * same. A file that is not there, or not a regular one, is a problem. running is the
 * configuration that stays in force as a whole if there are problems; NULL where only
 * what is wrong is left out. There, [Apply] counts as a whole: what may have been meant
 * to keep the service from acting does so, and Mode is "none" if it is unclear.
 */
void procdb_config_read(ProcdbConfig *config, const ProcdbConfig *running, const char *const *files,
			ProcdbVerdict *verdict);

/*
 * Sets one key as a file would; NULL, or what is wrong and allowed, without a
 * full stop. The caller frees it.
 */
char *procdb_config_set(ProcdbConfig *config, const char *group, const char *key,
			const char *value);

/* The value of a key as a file would say it, NULL if there is no such key. The caller frees it. */
char *procdb_config_get(const ProcdbConfig *config, const char *group, const char *key);

/* The i-th key of the table, from 0 on; FALSE when there are no more. Both are static. */
gboolean procdb_config_key(guint i, const char **group, const char **key);
