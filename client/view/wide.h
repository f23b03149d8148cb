/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Characters as the terminal of the locale shows them. Texts are UTF-8, whatever the locale has. */

#include <glib.h>
#include <wchar.h>

/* The character, or a question mark for one that the locale has not. */
wchar_t wide_shown(gunichar c);

/* The columns that it takes: 0 for what is put over the one before, 2 for a wide one. */
guint wide_columns(gunichar c);

/* The columns that a text without control characters takes, which is valid UTF-8. */
guint wide_text_columns(const char *text);
