/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The command line of the service, and what it says over the configuration. */

#include "config.h"

typedef struct {
	char *config_file; /* as given; NULL for the system's files */
	char *database;	   /* as given, over the configuration */
	char *backend;
	gboolean check; /* the configuration only */
	gboolean version;
} ProcdbOptions;

/* Reads the command line into an empty struct. FALSE with error set (G_OPTION_ERROR). */
gboolean procdb_options_parse(ProcdbOptions *options, int argc, char **argv, GError **error);
void procdb_options_clear(ProcdbOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbOptions, procdb_options_clear)

/* Puts the options over the configuration. NULL, or a sentence about what is wrong. */
char *procdb_options_apply(const ProcdbOptions *options, ProcdbConfig *config);

/*
 * Reads the files and puts the options over them, as procdb_config_read() does it: running is
 * NULL at the start. Returns the files that were read; the caller frees the list.
 */
GStrv procdb_options_read_config(const ProcdbOptions *options, ProcdbConfig *config,
				 const ProcdbConfig *running, ProcdbVerdict *verdict);
