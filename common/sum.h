/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How what several machines have learned of one name adds up. libc only. */

#include <stdbool.h>
#include <stdint.h>

#include "tiers.h"

/* The averages of a profile. */
enum procdb_average {
	PROCDB_AVERAGE_RUNTIME,
	PROCDB_AVERAGE_DEVIATION,
	PROCDB_AVERAGE_WAKEUPS,
	PROCDB_AVERAGE_SWITCHES,
	PROCDB_AVERAGES,
};

/*
 * A teacher beside PROCDB_TAUGHT_BY_ROOT and PROCDB_TAUGHT_BY_USERS: other machines, by "farm
 * pull". PROCDB_PRIOR_VOTES of such a profile, for its leading tier, are a prior: so few that one
 * vote against them leaves less agreement than a prediction needs.
 */
#define PROCDB_TAUGHT_BY_FARM 4
#define PROCDB_TEACHERS_ALL 7
#define PROCDB_PRIOR_VOTES 3

/* The part of a profile that travels between machines; fields as in struct procdb_profile.
 */
struct procdb_share {
	uint32_t votes[PROCDB_TIERS];
	uint32_t observations;
	uint64_t averages[PROCDB_AVERAGES];
	int64_t first_seen_us; /* µs since the epoch; 0 = unknown */
	int64_t last_seen_us;
	uint64_t right;
	uint64_t wrong;
	uint32_t withdrawals;
	uint8_t teachers; /* PROCDB_TAUGHT_BY_*; 0 = unknown */
	uint16_t owner;	  /* of the user that taught it first; 0: root, or unknown */
};

/* Sums are divided at the end only, so that the order of the shares cannot show. */
struct procdb_sum {
	uint64_t votes[PROCDB_TIERS];
	uint64_t observations;
	unsigned __int128 averages[PROCDB_AVERAGES]; /* times observations */
	int64_t first_seen_us;
	int64_t last_seen_us;
	uint64_t right;
	uint64_t wrong;
	uint64_t withdrawals;
	uint8_t teachers;
	uint32_t owner; /* the first in the order of taught_first(), plus one; 0: of no share yet */
};

/*
 * Adds a share to a sum, which is all zeros at first; up to 2^32 of them. Votes, observations
 * and scores add up, averages count by their observations, the first time is the earliest that
 * is known and the last one the latest.
 */
void procdb_sum_add(struct procdb_sum *sum, const struct procdb_share *share);

/*
 * What a sum says, with counters at their greatest value where they would go beyond it. A sum
 * of sums is the same as that of all shares, but for the averages: each division rounds them
 * down by less than 1, and a counter that is full weighs no more than that.
 */
struct procdb_share procdb_sum_get(const struct procdb_sum *sum);

/*
 * A word for each combination of PROCDB_TAUGHT_BY_*: "unknown", "root", "users", "root and users",
 * and with the farm "farm", "root and farm", "users and farm", "root, users and farm".
 */
const char *procdb_teachers_name(uint8_t teachers);
/* The other way round; false for anything else. */
bool procdb_teachers_parse(const char *name, uint8_t *teachers);
