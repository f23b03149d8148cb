/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The record of survey.bpf.c for each map of the kernel. */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

struct procdb_map_users {
	__u32 id;
	__u32 programs; /* references of BPF programs, and of what else is in the kernel */
	__u32 handles;	/* file descriptors of processes, and pins */
};
