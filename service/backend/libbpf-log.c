/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "libbpf-log.h"

#include <bpf/libbpf.h>
#include <glib.h>

/* For debugging only: the state of the backend tells admins what failed. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
    G_GNUC_PRINTF(2, 0);

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	g_autofree char *text = NULL;

	if (level == LIBBPF_DEBUG)
		return 0;
	text = g_strdup_vprintf(format, args);
	g_debug("libbpf: %s", g_strchomp(text));
	return 0;
}

void procdb_libbpf_log_to_debug(void)
{
	libbpf_set_print(print_libbpf);
}
