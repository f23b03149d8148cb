/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "profile.h"

#include <math.h>
#include <string.h>

#include "classify.h"

/* Judgements that are remembered as recent, and how many wrong ones refute a profile. */
#define RECENT_MAX 32
#define REFUTED_MIN 4
/* Share of the votes below which the tasks of a name disagree. */
#define AGREEMENT_MIN 0.8

#define EVIDENCE_MAX 64
#define MINUTE_US (60 * 1000000LL)

const struct procdb_rules procdb_reference_rules = {
    .min_observations = 3,
    .min_confidence = 0.6,
    .max_profiles = 512,
    .stale_ticks = 60,
};

void procdb_profile_init(struct procdb_profile *profile)
{
	memset(profile, 0, sizeof(*profile));
	profile->override = PROCDB_NO_OVERRIDE;
}

static void count(uint32_t *counter)
{
	if (*counter < UINT32_MAX)
		(*counter)++;
}

/* (old * 7 + val) / 8, rounded down; the sum may need 67 bits. */
static uint64_t average(uint64_t old, uint64_t val)
{
	return (uint64_t)(((unsigned __int128)old * 7 + val) / 8);
}

void procdb_profile_learn(struct procdb_profile *profile, const struct procdb_class *seen,
			  uint64_t tick)
{
	unsigned int tier = seen->tier < PROCDB_TIERS ? seen->tier : PROCDB_TIER_LAT_CRITICAL;

	count(&profile->tier_votes[tier]);
	if (profile->observations == 0) {
		profile->avg_runtime_ns = seen->avg_runtime;
		profile->runtime_dev_ns = seen->runtime_dev;
		profile->wakeup_freq = seen->wakeup_freq;
		profile->csw_rate = seen->csw_rate;
	} else {
		profile->avg_runtime_ns = average(profile->avg_runtime_ns, seen->avg_runtime);
		profile->runtime_dev_ns = average(profile->runtime_dev_ns, seen->runtime_dev);
		profile->wakeup_freq = average(profile->wakeup_freq, seen->wakeup_freq);
		profile->csw_rate = average(profile->csw_rate, seen->csw_rate);
	}
	count(&profile->observations);
	profile->last_seen_tick = tick;
}

void procdb_profile_learn_brief(struct procdb_profile *profile, const struct procdb_class *seen,
				uint64_t tick)
{
	const bool votes = profile->tier_votes[PROCDB_TIER_BATCH] == 0 &&
			   profile->tier_votes[PROCDB_TIER_LAT_CRITICAL] == 0;
	const uint32_t before = profile->tier_votes[PROCDB_TIER_INTERACTIVE];
	struct procdb_class brief = *seen;

	brief.tier = PROCDB_TIER_INTERACTIVE;
	procdb_profile_learn(profile, &brief, tick);
	if (!votes)
		profile->tier_votes[PROCDB_TIER_INTERACTIVE] = before;
}

bool procdb_profile_cap(struct procdb_profile *profile, enum procdb_tier best)
{
	bool capped = false;

	for (unsigned int i = best + 1U; i < PROCDB_TIERS; i++) {
		uint32_t *votes = &profile->tier_votes[i];
		uint32_t room = UINT32_MAX - profile->tier_votes[best];

		capped = capped || *votes > 0;
		profile->tier_votes[best] += *votes < room ? *votes : room;
		*votes = 0;
	}
	return capped;
}

bool procdb_profile_cap_users(struct procdb_profile *profile, enum procdb_tier best)
{
	/* Of profiles that name no teacher, as in old files, it is not known. */
	if (profile->teachers == 0 || (profile->teachers & PROCDB_TAUGHT_BY_ROOT))
		return false;
	return procdb_profile_cap(profile, best);
}

void procdb_profile_fade(struct procdb_profile *profile, uint64_t limit)
{
	if (procdb_profile_votes(profile) <= limit)
		return;
	for (int i = 0; i < PROCDB_TIERS; i++)
		profile->tier_votes[i] /= 2;
	/* What a prior still weighs is not known any more, and next to nothing. */
	profile->teachers &= (uint8_t)~PROCDB_TAUGHT_BY_FARM;
}

void procdb_profile_score(struct procdb_profile *profile, uint32_t right, uint32_t wrong)
{
	uint64_t recent_right = procdb_add(profile->recent_right, right);
	uint64_t recent_wrong = procdb_add(profile->recent_wrong, wrong);

	profile->right = procdb_add(profile->right, right);
	profile->wrong = procdb_add(profile->wrong, wrong);
	if (profile->override != PROCDB_NO_OVERRIDE)
		return;
	while (recent_right + recent_wrong > RECENT_MAX) {
		recent_right /= 2;
		recent_wrong /= 2;
	}
	profile->recent_right = (uint16_t)recent_right;
	profile->recent_wrong = (uint16_t)recent_wrong;
}

bool procdb_profile_is_refuted(const struct procdb_profile *profile)
{
	return profile->recent_wrong >= REFUTED_MIN &&
	       profile->recent_wrong > profile->recent_right;
}

void procdb_profile_withdraw(struct procdb_profile *profile)
{
	memset(profile->tier_votes, 0, sizeof(profile->tier_votes));
	profile->observations = 0;
	profile->recent_right = 0;
	profile->recent_wrong = 0;
	profile->teachers &= (uint8_t)~PROCDB_TAUGHT_BY_FARM;
	count(&profile->withdrawals);
}

bool procdb_profile_is_prior(const struct procdb_profile *profile)
{
	return profile->teachers == PROCDB_TAUGHT_BY_FARM && profile->withdrawals == 0 &&
	       profile->observations <= PROCDB_PRIOR_VOTES;
}

void procdb_profile_make_prior(struct procdb_profile *profile)
{
	const enum procdb_tier tier = procdb_profile_dominant_tier(profile);
	const uint64_t votes = procdb_profile_votes(profile);

	memset(profile->tier_votes, 0, sizeof(profile->tier_votes));
	profile->observations = votes < PROCDB_PRIOR_VOTES ? (uint32_t)votes : PROCDB_PRIOR_VOTES;
	profile->tier_votes[tier] = profile->observations;
}

void procdb_profile_of_farm(struct procdb_profile *profile)
{
	profile->teachers = PROCDB_TAUGHT_BY_FARM;
	profile->override = PROCDB_NO_OVERRIDE;
	profile->owner = 0;
	profile->right = 0;
	profile->wrong = 0;
	profile->withdrawals = 0;
	procdb_profile_make_prior(profile);
}

static uint32_t less(uint32_t count, uint32_t taken)
{
	return count > taken ? count - taken : 0;
}

void procdb_profile_drop_prior(struct procdb_profile *profile)
{
	uint32_t *votes = &profile->tier_votes[procdb_profile_dominant_tier(profile)];

	if (!(profile->teachers & PROCDB_TAUGHT_BY_FARM))
		return;
	*votes = less(*votes, PROCDB_PRIOR_VOTES);
	profile->observations = less(profile->observations, PROCDB_PRIOR_VOTES);
	profile->teachers &= (uint8_t)~PROCDB_TAUGHT_BY_FARM;
}

bool procdb_profile_is_protected(const struct procdb_profile *profile, uint32_t uid_below)
{
	/* Without a user it may be that none is known. */
	return profile->owner < uid_below &&
	       (profile->owner > 0 || (profile->teachers & PROCDB_TAUGHT_BY_ROOT));
}

uint32_t procdb_profile_evidence(const struct procdb_profile *profile)
{
	uint64_t most = EVIDENCE_MAX;

	/* Hearsay, and with times that the store may have made up. */
	if (procdb_profile_is_prior(profile))
		return 0;
	/* Without a first time, as in an import, the number has to be believed. */
	if (profile->first_seen_us > 0 && profile->last_seen_us > profile->first_seen_us)
		most = 1 + (uint64_t)(profile->last_seen_us - profile->first_seen_us) / MINUTE_US;
	else if (profile->first_seen_us > 0)
		most = 1;
	if (most > EVIDENCE_MAX)
		most = EVIDENCE_MAX;
	return profile->observations < most ? profile->observations : (uint32_t)most;
}

struct procdb_share procdb_profile_share(const struct procdb_profile *profile)
{
	struct procdb_share share = {
	    .observations = profile->observations,
	    .averages = {profile->avg_runtime_ns, profile->runtime_dev_ns, profile->wakeup_freq,
			 profile->csw_rate},
	    .first_seen_us = profile->first_seen_us,
	    .last_seen_us = profile->last_seen_us,
	    .right = profile->right,
	    .wrong = profile->wrong,
	    .withdrawals = profile->withdrawals,
	    .teachers = profile->teachers,
	    .owner = profile->owner,
	};

	memcpy(share.votes, profile->tier_votes, sizeof(share.votes));
	return share;
}

void procdb_profile_set_share(struct procdb_profile *profile, const struct procdb_share *share)
{
	memcpy(profile->tier_votes, share->votes, sizeof(share->votes));
	profile->observations = share->observations;
	profile->avg_runtime_ns = share->averages[PROCDB_AVERAGE_RUNTIME];
	profile->runtime_dev_ns = share->averages[PROCDB_AVERAGE_DEVIATION];
	profile->wakeup_freq = share->averages[PROCDB_AVERAGE_WAKEUPS];
	profile->csw_rate = share->averages[PROCDB_AVERAGE_SWITCHES];
	profile->first_seen_us = share->first_seen_us;
	profile->last_seen_us = share->last_seen_us;
	profile->right = share->right;
	profile->wrong = share->wrong;
	profile->withdrawals = share->withdrawals;
	profile->teachers = share->teachers;
	profile->owner = share->owner;
}

uint64_t procdb_profile_votes(const struct procdb_profile *profile)
{
	uint64_t sum = 0;

	for (int i = 0; i < PROCDB_TIERS; i++)
		sum += profile->tier_votes[i];
	return sum;
}

/* The share of the dominant tier in all votes. */
static double agreement(const struct procdb_profile *profile, uint64_t votes)
{
	if (votes == 0)
		return 0.0;
	return (double)profile->tier_votes[procdb_profile_dominant_tier(profile)] / (double)votes;
}

double procdb_profile_agreement(const struct procdb_profile *profile)
{
	return agreement(profile, procdb_profile_votes(profile));
}

double procdb_profile_stability(const struct procdb_profile *profile)
{
	double ratio = 1.0;

	if (profile->avg_runtime_ns > 0)
		ratio = (double)profile->runtime_dev_ns / (double)profile->avg_runtime_ns;
	return ratio < 1.0 ? 1.0 - ratio : 0.0;
}

enum procdb_tier procdb_profile_dominant_tier(const struct procdb_profile *profile)
{
	return procdb_tier_of_votes(profile->tier_votes);
}

enum procdb_tier procdb_profile_tier(const struct procdb_profile *profile)
{
	if (profile->override < PROCDB_TIERS)
		return (enum procdb_tier)profile->override;
	return procdb_profile_dominant_tier(profile);
}

static double evidence(const struct procdb_profile *profile, uint64_t votes)
{
	const double n = (double)votes;
	const double p = agreement(profile, votes);

	if (n <= 0 || p < AGREEMENT_MIN)
		return 0.0;
	return (p + 0.5 / n - sqrt(p * (1 - p) / n + 0.25 / (n * n))) / (1 + 1 / n);
}

static uint32_t missing_of(const struct procdb_profile *profile, uint64_t votes,
			   const struct procdb_rules *rules)
{
	const uint32_t missing = profile->observations < rules->min_observations
				     ? rules->min_observations - profile->observations
				     : 0;
	/* Lives that said nothing have no vote. More votes than these are halved again and again.
	 */
	const uint32_t needed = rules->min_observations < PROCDB_MAX_VOTES / 2
				    ? rules->min_observations
				    : PROCDB_MAX_VOTES / 2;

	if (!rules->by_evidence || votes >= needed)
		return missing;
	return missing > needed - (uint32_t)votes ? missing : needed - (uint32_t)votes;
}

uint32_t procdb_profile_missing(const struct procdb_profile *profile,
				const struct procdb_rules *rules)
{
	return missing_of(profile, procdb_profile_votes(profile), rules);
}

/* The confidence of a profile that lacks no observation. */
static double weigh(const struct procdb_profile *profile, uint64_t votes,
		    const struct procdb_rules *rules)
{
	if (rules->by_evidence)
		return evidence(profile, votes);
	return agreement(profile, votes) * (0.5 + 0.5 * procdb_profile_stability(profile));
}

double procdb_profile_confidence(const struct procdb_profile *profile,
				 const struct procdb_rules *rules)
{
	const uint64_t votes = procdb_profile_votes(profile);

	return missing_of(profile, votes, rules) > 0 ? 0.0 : weigh(profile, votes, rules);
}

bool procdb_profile_is_confident(const struct procdb_profile *profile,
				 const struct procdb_rules *rules)
{
	const uint64_t votes = procdb_profile_votes(profile);

	/* The least confidence may be set to 0, which a profile with too few observations has as
	 * well. */
	return missing_of(profile, votes, rules) == 0 &&
	       weigh(profile, votes, rules) >= rules->min_confidence;
}

struct procdb_class procdb_profile_prediction(const struct procdb_profile *profile)
{
	const uint8_t decided = profile->override < PROCDB_TIERS;

	if (profile->observations == 0)
		return (struct procdb_class){
		    .tier = (uint8_t)procdb_profile_tier(profile),
		    .pad = {[PROCDB_PAD_DECIDED] = decided},
		    .avg_runtime = PROCDB_PRIOR_AVG_RUNTIME,
		    .wakeup_freq = PROCDB_PRIOR_WAKEUP_FREQ,
		};
	return (struct procdb_class){
	    .tier = (uint8_t)procdb_profile_tier(profile),
	    .pad = {[PROCDB_PAD_DECIDED] = decided},
	    .avg_runtime = profile->avg_runtime_ns,
	    .runtime_dev = profile->runtime_dev_ns,
	    .wakeup_freq = profile->wakeup_freq,
	    .csw_rate = profile->csw_rate,
	};
}
