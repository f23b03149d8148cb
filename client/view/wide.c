/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "wide.h"

#include <limits.h>

wchar_t wide_shown(gunichar c)
{
	/* Both are UCS-4 in every locale (__STDC_ISO_10646__). */
	const wchar_t wide = (wchar_t)c;
	char bytes[MB_LEN_MAX];
	mbstate_t state = {0};

	return wcrtomb(bytes, wide, &state) == (size_t)-1 ? L'?' : wide;
}

guint wide_columns(gunichar c)
{
	/* Nearly all that is shown. */
	if (c >= ' ' && c <= '~')
		return 1;
	return (guint)MAX(wcwidth(wide_shown(c)), 0);
}

guint wide_text_columns(const char *text)
{
	guint columns = 0;

	for (; *text; text = g_utf8_next_char(text))
		columns += wide_columns(g_utf8_get_char(text));
	return columns;
}
