/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <bpf/libbpf.h>
#include <glib.h>

/* All that a loaded iterator program writes; NULL when the kernel refuses. The caller's to free. */
GByteArray *procdb_survey_read(struct bpf_program *program);
