/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The settings of the observer that BPF reads: the service hands this struct over as it is,
 * before it loads the programs. Members are ordered by size, so that no padding hides a
 * difference from memcmp().
 */

#include "procdb-abi.h"

struct procdb_observing {
	__u64 exit_min_ns;    /* CPU time below which a task that dies says nothing */
	__u64 renew_ns;	      /* a task that goes on running is published again then; 0: never */
	__u32 from_maturity;  /* observe tasks once enough is known of them */
	__u32 from_exit;      /* observe tasks that die before */
	__u32 reference_rule; /* tiers by the score of the reference, not by share of CPU */
	__u32 max_user_tier;  /* enum procdb_tier: the best that is learned from users' tasks */
};

#define PROCDB_OBSERVING_DEFAULTS                                                                  \
	{                                                                                          \
		.exit_min_ns = 250000, .renew_ns = 10000000000ULL, .from_maturity = 1,             \
		.from_exit = 1, .max_user_tier = PROCDB_TIER_LAT_CRITICAL,                         \
	}

_Static_assert(sizeof(struct procdb_observing) == 2 * 8 + 4 * 4, "no padding");
