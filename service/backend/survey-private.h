/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <bpf/libbpf.h>
#include <glib.h>

/* Runs a loaded iterator; its output, owned by the caller. NULL when the kernel refuses. */
GByteArray *procdb_survey_read(struct bpf_program *program);
/* The same, but no more than about so many bytes of it. */
GByteArray *procdb_survey_read_some(struct bpf_program *program, gsize most);
