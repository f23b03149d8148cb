/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/*
 * The options that all commands take, as entries that write to ctl; without json,
 * that one is not shown. Free with g_free().
 */
GOptionEntry *options_common(Ctl *ctl, gboolean json);

/*
 * Parses a command's argv. entries may be NULL. *args gets what is not an
 * option, byte for byte as it was given (caller frees), and its number is
 * within what the command allows. On FALSE the reason has been printed, and
 * the exit code is CTL_USAGE.
 */
gboolean options_parse(Ctl *ctl, const CtlCommand *command, const GOptionEntry *entries,
		       char **argv, char ***args);

/*
 * Whether word is one of words. If not, a usage error has been printed; kind names the words
 * there, such as "tier".
 */
gboolean options_is_word(const CtlCommand *command, const char *kind, const char *word,
			 const char *const *words);

/* Prints a usage error of a command and where help is; returns CTL_USAGE. */
int options_usage(const CtlCommand *command, const char *format, ...) G_GNUC_PRINTF(2, 3);
