/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The configuration: one table of keys, read from a vendor file, an admin file
 * and drop-ins, each over the ones before.
 */

#include "apply.h"
#include "engine.h"

#define PROCDB_DEFAULT_DATABASE PROCDB_STATEDIR "/procdb.bin"

typedef struct {
	ProcdbEngineSettings engine;
	ProcdbApplySettings apply; /* without the mode */
	char *apply_mode;	   /* "auto", "slices", "none" */
	char *backend;		   /* "auto", "observer", "sched-ext", "pinned", "none" */
	char *database;		   /* path of the database file */
	GStrv compositors;	   /* task names that are always latency critical */
	gboolean observe_maturity; /* what is observed, as in ProcdbObserverSettings */
	gboolean observe_exit;
	gboolean reference_rule;
	guint exit_min_us;
	guint renew_s;
} ProcdbConfig;

/* The defaults; to be cleared by procdb_config_clear(). */
void procdb_config_init(ProcdbConfig *config);
void procdb_config_clear(ProcdbConfig *config);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbConfig, procdb_config_clear)

/* A deep copy into an uninitialized configuration. */
void procdb_config_copy(ProcdbConfig *to, const ProcdbConfig *from);

/* Whether both ask for the same backend and the same observation. */
gboolean procdb_config_same_maps(const ProcdbConfig *a, const ProcdbConfig *b);

/*
 * The files to read, in order: only explicit_file if it is not NULL, else the
 * vendor file, the admin file and its drop-ins, as far as they exist. The
 * caller frees the list.
 */
GStrv procdb_config_files(const char *explicit_file);

/*
 * Reads files over config. Each problem becomes a sentence in problems (of
 * char *, which the array owns): the file and key, what is allowed and what
 * stays in force; the rest is read all the same. A file that is not there, or
 * not a regular one, is a problem. running is the configuration that stays in
 * force as a whole if there are problems; NULL where only what is wrong is left out.
 */
void procdb_config_read(ProcdbConfig *config, const ProcdbConfig *running, const char *const *files,
			GPtrArray *problems);

/*
 * Sets one key as a file would; NULL, or what is wrong and allowed, without a
 * full stop. The caller frees it.
 */
char *procdb_config_set(ProcdbConfig *config, const char *group, const char *key,
			const char *value);
