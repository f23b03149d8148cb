/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib.h>

/* Whether there is a terminal to ask on. */
gboolean ask_possible(void);

/* Whether the process has a terminal at all, whatever its input and output are. */
gboolean ask_has_terminal(void);

/*
 * Asks a yes-or-no question on the terminal, where "no" is the default. TRUE
 * without asking where there is no terminal to ask on.
 */
gboolean ask_confirm(const char *question);
