/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What an interpreter was started for: found in its arguments, which any program may have chosen.
 */

#include <glib.h>

/*
 * The script, module or archive that the interpreter at this path (not all paths are of one) runs
 * by these arguments, each of which ends with a zero: python's train.py, the .jar of java. The last
 * of len bytes of arguments may be cut, and is not believed then. NULL where there is none, as for
 * a shell that is typed into, or code on the command line. It is one of the arguments.
 */
const char *procdb_script_find(const char *path, const char *args, gsize len);

/* Whether the program at this path is one of the interpreters whose arguments are understood. */
gboolean procdb_script_is_interpreter(const char *path);

/* The last part of a path; the path itself where it has no slash. */
const char *procdb_script_base(const char *path);

/*
 * Whether all of a text is that of a pattern, in which * stands for any bytes and ? for one. Takes
 * at most the product of both lengths.
 */
gboolean procdb_script_matches(const char *pattern, const char *text);
