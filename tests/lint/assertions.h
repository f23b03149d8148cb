/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * What gcc's analyzer includes first in each test: a failed assertion ends the program. GLib tells
 * that only to clang's (G_ANALYZER_NORETURN in gmacros.h), and gcc 14 follows what would come
 * behind it.
 */

#ifndef PROCDB_TESTS_LINT_ASSERTIONS_H
#define PROCDB_TESTS_LINT_ASSERTIONS_H

#include <glib.h>

#define ENDS(function) extern __typeof__(function)(function) __attribute__((noreturn))

ENDS(g_assertion_message);
ENDS(g_assertion_message_cmpstr);
ENDS(g_assertion_message_cmpstrv);
ENDS(g_assertion_message_cmpnum);
ENDS(g_assertion_message_error);
#if GLIB_CHECK_VERSION(2, 78, 0)
G_GNUC_BEGIN_IGNORE_DEPRECATIONS
ENDS(g_assertion_message_cmpint);
G_GNUC_END_IGNORE_DEPRECATIONS
#endif

#undef ENDS

#endif
