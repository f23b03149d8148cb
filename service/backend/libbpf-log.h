/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Hands libbpf's messages to g_debug() from now on. */
void procdb_libbpf_quiet(void);
