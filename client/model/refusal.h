/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What a call that should have changed something came to, in one line. */

#include <glib.h>

/*
 * The line for the error of a call that changes something: whether that was changed all the same,
 * and why the call failed, without what a terminal must not see. Free with g_free().
 */
char *refusal_line(const GError *error);
