/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "sums.h"

#include <string.h>

#include "escape.h"
#include "scripts.h"

#define MOST ((guint64)1 << 46)
#define SUM_NUMBERS 9
#define PART_NUMBERS 12
/* 15 bytes, each of them escaped. */
#define MAX_NAME 64

/* A whole number at *at, which moves behind it and the space there. */
static gboolean read_number(const char **at, guint64 most, guint64 *number)
{
	guint64 value = 0;

	if (!g_ascii_isdigit(**at))
		return FALSE;
	for (; g_ascii_isdigit(**at); (*at)++) {
		value = value * 10 + (guint64)(**at - '0');
		if (value > most)
			return FALSE;
	}
	if (**at == ' ')
		(*at)++;
	else if (**at && **at != '=')
		return FALSE;
	*number = value;
	return TRUE;
}

static gboolean read_numbers(const char **at, guint64 *const *numbers, guint n)
{
	for (guint i = 0; i < n; i++)
		if (!read_number(at, MOST, numbers[i]))
			return FALSE;
	return TRUE;
}

/* "a57=3": how many machines have that average in that step. */
static gboolean read_step(const char **at, FarmSum *sum)
{
	static const char letters[] = "adwc";
	const char *letter = **at ? strchr(letters, **at) : NULL;
	guint64 step, hosts;
	guint32 *at_step;

	if (!letter)
		return FALSE;
	(*at)++;
	if (!read_number(at, FARM_STEP_MAX, &step) || **at != '=')
		return FALSE;
	(*at)++;
	if (!read_number(at, G_MAXUINT32, &hosts))
		return FALSE;
	at_step = &sum->steps[letter - letters][step];
	sum->in_steps[letter - letters] += hosts - *at_step;
	*at_step = (guint32)hosts;
	return TRUE;
}

gboolean farm_sum_parse(const char *text, FarmSum *sum)
{
	guint64 *const numbers[SUM_NUMBERS] = {
	    &sum->votes[0], &sum->votes[1], &sum->votes[2], &sum->hosts,  &sum->runs,
	    &sum->right,    &sum->wrong,    &sum->first_s,  &sum->last_s,
	};

	memset(sum, 0, sizeof(*sum));
	if (!read_numbers(&text, numbers, SUM_NUMBERS))
		return FALSE;
	while (*text)
		if (!read_step(&text, sum))
			return FALSE;
	return TRUE;
}

gboolean farm_part_parse(const char *text, FarmPart *part)
{
	guint64 *const numbers[PART_NUMBERS] = {
	    &part->votes[0], &part->votes[1], &part->votes[2], &part->runs,
	    &part->right,    &part->wrong,    &part->first_s,  &part->last_s,
	    &part->steps[0], &part->steps[1], &part->steps[2], &part->steps[3],
	};

	return read_numbers(&text, numbers, PART_NUMBERS) && !*text;
}

void farm_part_share(const FarmPart *part, guint64 share[PROCDB_TIERS])
{
	const guint64 all = part->votes[0] + part->votes[1] + part->votes[2];

	for (guint i = 0; i < PROCDB_TIERS; i++)
		share[i] = all <= FARM_HOST_WEIGHT
			       ? part->votes[i]
			       : (part->votes[i] * FARM_HOST_WEIGHT * 2 + all) / (2 * all);
}

gboolean farm_name_is_valid(const char *name)
{
	g_autofree char *bytes = NULL;
	g_autofree char *again = NULL;
	gsize length;

	if (!*name || strlen(name) > MAX_NAME || !g_utf8_validate(name, -1, NULL))
		return FALSE;
	bytes = escape_undo(name, &length);
	if (!bytes || length == 0 || length > 15)
		return FALSE;
	again = escape_raw(bytes, length);
	return g_str_equal(again, name);
}

enum procdb_tier farm_tier_of(const guint64 votes[PROCDB_TIERS])
{
	enum procdb_tier best = PROCDB_TIER_BATCH;

	for (guint i = 1; i < PROCDB_TIERS; i++)
		if (votes[i] >= votes[best])
			best = (enum procdb_tier)i;
	return best;
}

gboolean farm_sum_is_prior(const FarmSum *sum, const FarmDemands *demands)
{
	const guint64 all = sum->votes[0] + sum->votes[1] + sum->votes[2];

	return sum->hosts >= demands->quorum && all >= PROCDB_PRIOR_VOTES &&
	       sum->last_s >= (guint64)MAX(demands->since_s, 0) &&
	       sum->votes[farm_tier_of(sum->votes)] * 5 >= all * 4;
}

static guint64 median(const FarmSum *sum, enum procdb_average average)
{
	return farm_step_value(farm_step_median(sum->steps[average], sum->in_steps[average]));
}

Row farm_sum_to_row(const FarmSum *sum, const char *name, const FarmDemands *demands)
{
	const enum procdb_tier tier = farm_tier_of(sum->votes);
	const gint64 now_s = demands->now_s;
	Row row = {
	    .name = name,
	    .tier = procdb_tier_name(tier),
	    .observations = PROCDB_PRIOR_VOTES,
	    .avg_runtime_ns = median(sum, PROCDB_AVERAGE_RUNTIME),
	    .runtime_dev_ns = median(sum, PROCDB_AVERAGE_DEVIATION),
	    .wakeup_freq = median(sum, PROCDB_AVERAGE_WAKEUPS),
	    .csw_rate = median(sum, PROCDB_AVERAGE_SWITCHES),
	    .first_seen_us = MIN((gint64)sum->first_s, now_s) * G_USEC_PER_SEC,
	    .last_seen_us = MIN((gint64)sum->last_s, now_s) * G_USEC_PER_SEC,
	    .origin = PROCDB_ORIGIN_RETAINED,
	    .taught_by = procdb_teachers_name(PROCDB_TAUGHT_BY_FARM),
	};

	row.votes[tier] = PROCDB_PRIOR_VOTES;
	return row;
}
