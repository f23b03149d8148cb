/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib.h>

/*
 * The number of system calls that work() makes, counted exactly by tracing a
 * child process: prepare() runs uncounted, then n times before() uncounted
 * and work() counted. *most is the greatest number of one run, the result
 * their sum. A failure of the child ends this program.
 */
typedef struct {
	gpointer (*prepare)(gpointer data);
	void (*before)(gpointer prepared); /* may be NULL */
	void (*work)(gpointer prepared);
	void (*finish)(gpointer prepared);
} CountedWork;

guint64 count_calls(const CountedWork *work, gpointer data, guint n, guint *most);
