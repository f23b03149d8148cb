/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Passes libbpf's messages to g_debug() from now on. */
void procdb_libbpf_log_to_debug(void);
