/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How long tasks waited in each minute of the last hour. Bounded: 11 KiB. libc only. */

#include "verdict.h"

#define PROCDB_HISTORY_MINUTES 60

/* The waits of a tier on a side, in a minute. */
struct procdb_minute_waits {
	uint64_t count;
	uint64_t at[PROCDB_PERCENTILES]; /* ns; 0 without waits */
};

struct procdb_minute {
	int64_t end; /* as given to procdb_history_add() */
	struct procdb_minute_waits waits[PROCDB_TIERS][PROCDB_DELAY_SIDES];
};

/* Zeros: nothing was counted yet. */
struct procdb_history {
	struct procdb_minute minutes[PROCDB_HISTORY_MINUTES];
	size_t n;    /* of them */
	size_t next; /* the place of the next one */
	bool known;  /* there is a before */
	struct procdb_delays before;
};

/*
 * A minute ends, with these counters since the observer started; end is any time. NULL: nothing is
 * counted. The first minute after that, or of another observer, is not kept.
 */
void procdb_history_add(struct procdb_history *history, int64_t end,
			const struct procdb_delays *now);

/* The i-th minute, from the oldest one on; NULL when there are no more. */
const struct procdb_minute *procdb_history_get(const struct procdb_history *history, size_t i);
