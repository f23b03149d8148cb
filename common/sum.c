/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "sum.h"

#include <string.h>

#include "classify.h"

static uint32_t narrow(uint64_t count)
{
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* Root, as it would on one machine, then users by number, and last what is not known. */
static uint32_t taught_first(const struct procdb_share *share)
{
	if (share->owner > 0)
		return share->owner;
	return share->teachers & PROCDB_TAUGHT_BY_ROOT ? 0 : UINT16_MAX + 1U;
}

void procdb_sum_add(struct procdb_sum *sum, const struct procdb_share *share)
{
	const uint32_t owner = taught_first(share) + 1;

	for (int i = 0; i < PROCDB_TIERS; i++)
		sum->votes[i] += share->votes[i];
	for (int i = 0; i < PROCDB_AVERAGES; i++)
		sum->averages[i] += (unsigned __int128)share->averages[i] * share->observations;
	sum->observations += share->observations;
	if (share->first_seen_us > 0 &&
	    (sum->first_seen_us == 0 || share->first_seen_us < sum->first_seen_us))
		sum->first_seen_us = share->first_seen_us;
	if (share->last_seen_us > sum->last_seen_us)
		sum->last_seen_us = share->last_seen_us;
	sum->right = procdb_add(sum->right, share->right);
	sum->wrong = procdb_add(sum->wrong, share->wrong);
	sum->withdrawals += share->withdrawals;
	sum->teachers |= share->teachers;
	if (sum->owner == 0 || owner < sum->owner)
		sum->owner = owner;
}

struct procdb_share procdb_sum_get(const struct procdb_sum *sum)
{
	struct procdb_share share = {
	    .observations = narrow(sum->observations),
	    .first_seen_us = sum->first_seen_us,
	    .last_seen_us = sum->last_seen_us,
	    .right = sum->right,
	    .wrong = sum->wrong,
	    .withdrawals = narrow(sum->withdrawals),
	    .teachers = sum->teachers,
	};

	for (int i = 0; i < PROCDB_TIERS; i++)
		share.votes[i] = narrow(sum->votes[i]);
	for (int i = 0; i < PROCDB_AVERAGES && sum->observations > 0; i++)
		share.averages[i] = (uint64_t)(sum->averages[i] / sum->observations);
	if (sum->owner > 0 && sum->owner - 1 <= UINT16_MAX)
		share.owner = (uint16_t)(sum->owner - 1);
	return share;
}

static const char *const names[] = {
    "unknown", "root",		"users",	  "root and users",
    "farm",    "root and farm", "users and farm", "root, users and farm",
};

const char *procdb_teachers_name(uint8_t teachers)
{
	return names[teachers & PROCDB_TEACHERS_ALL];
}

bool procdb_teachers_parse(const char *name, uint8_t *teachers)
{
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*teachers = (uint8_t)i;
		return true;
	}
	return false;
}
