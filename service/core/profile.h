/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What is known of the tasks of one name, and how sure we are. libc only; no
 * clock and no I/O: times are passed in.
 */

#include <stdbool.h>
#include <stdint.h>

#include "procdb-abi.h"
#include "sum.h"
#include "tiers.h"

/* procdb_profile.override when no admin has spoken. */
#define PROCDB_NO_OVERRIDE UINT8_MAX

struct procdb_profile {
	uint32_t tier_votes[PROCDB_TIERS]; /* observations for each tier, saturating */
	uint32_t observations;		   /* saturating */
	uint64_t avg_runtime_ns;
	uint64_t runtime_dev_ns;
	uint64_t wakeup_freq; /* wake-ups per 100 ms */
	uint64_t csw_rate;    /* voluntary context switches per 100 ms */
	uint64_t last_seen_tick;

	/* Members for which the PDDB entry has no room; kept in the file's extension block. */
	int64_t first_seen_us; /* wall clock, µs since the epoch; 0 = unknown */
	int64_t last_seen_us;
	uint64_t right; /* predictions that the task's own tier confirmed */
	uint64_t wrong;
	uint16_t recent_right; /* the same, halved now and then, so that the past fades */
	uint16_t recent_wrong;
	uint32_t withdrawals; /* times that it was unlearned because its predictions were wrong */
	uint8_t override;     /* enum procdb_tier, or PROCDB_NO_OVERRIDE */
	uint8_t teachers;     /* PROCDB_TAUGHT_BY_*, the farm as well; 0 = unknown */
	/* procdb_owner_of_uid() of the user that taught it first; 0: root, or unknown. */
	uint16_t owner;
	/* The override is that of a file of the configuration, which the database does not keep. */
	bool declared;
	/* When it was last seen, in µs of the time that the machine ran; 0 = unknown. */
	int64_t seen_run_us;
};

/*
 * The most votes that a profile keeps; beyond it they are halved: at one observation every ten
 * seconds, a program that changed wins within minutes.
 */
#define PROCDB_MAX_VOTES 64

/* The thresholds in force. */
struct procdb_rules {
	uint32_t min_observations; /* below it the confidence is 0 */
	double min_confidence;	   /* a profile at or above it is confident */
	uint32_t max_profiles;	   /* cap of the live table */
	uint64_t stale_ticks;	   /* a profile not seen for more ticks leaves the live table */
	/*
	 * How sure a profile is: by how much evidence there is that its tasks agree, or, when
	 * false, by the formula of the reference.
	 */
	bool by_evidence;
};

/* The rules of scx_pandemonium: 3, 0.6, 512, 60. */
extern const struct procdb_rules procdb_reference_rules;

/* An empty profile: no votes, no override. */
void procdb_profile_init(struct procdb_profile *profile);

/*
 * Merges one observation: votes for its tier (anything above LAT_CRITICAL
 * counts as that); the first one sets the statistics, later ones are averaged
 * in as (old * 7 + new) / 8 without overflow. Counters saturate. Sets
 * last_seen_tick to tick; the wall-clock fields are the caller's.
 */
void procdb_profile_learn(struct procdb_profile *profile, const struct procdb_class *seen,
			  uint64_t tick);

/*
 * The same for a life that was too short to say what it was: where others have said that
 * they were batch or lat-critical it has no vote, else one for interactive.
 */
void procdb_profile_learn_brief(struct procdb_profile *profile, const struct procdb_class *seen,
				uint64_t tick);

/* Turns the votes for tiers above best into votes for best. Whether there were any. */
bool procdb_profile_cap(struct procdb_profile *profile, enum procdb_tier best);

/*
 * The same for a profile that none but users and farms have taught. One in which root took part
 * stays as it is: votes do not say whose they are, and what root teaches is not limited. So it may
 * be asked for again and again, as at each start, and changes nothing that was learned since.
 */
bool procdb_profile_cap_users(struct procdb_profile *profile, enum procdb_tier best);

/*
 * Halves all votes when there are more than limit, so that a program that has
 * changed its ways wins the vote in reasonable time. Not in the reference.
 */
void procdb_profile_fade(struct procdb_profile *profile, uint64_t limit);

/*
 * Counts predictions that tasks have confirmed or refuted. Saturates. Those of
 * an override are no sign of what was learned underneath, and not remembered as
 * recent.
 */
void procdb_profile_score(struct procdb_profile *profile, uint32_t right, uint32_t wrong);

/* Whether its recent predictions were wrong again and again: at least four, and most. */
bool procdb_profile_is_refuted(const struct procdb_profile *profile);

/*
 * Forgets the votes, so that it has to be learned anew before it predicts
 * again; what was measured and the lasting counts stay.
 */
void procdb_profile_withdraw(struct procdb_profile *profile);

/* Whether all that is known of it is what a farm said: nothing of it was seen here. */
bool procdb_profile_is_prior(const struct procdb_profile *profile);

/* Leaves of what a farm said no more than a prior weighs: PROCDB_PRIOR_VOTES for the leading tier.
 */
void procdb_profile_make_prior(struct procdb_profile *profile);

/*
 * Makes a prior of what a farm said, whatever it claims: nothing that only this machine can know or
 * decide, as overrides, owners and scores, comes with it.
 */
void procdb_profile_of_farm(struct procdb_profile *profile);

/* Takes the votes of a prior back, if there is one: an observation of this machine contradicts it.
 */
void procdb_profile_drop_prior(struct procdb_profile *profile);

/*
 * Whether root, or another user with an ID below this, taught the profile first: other users cannot
 * change its tier then. 0: no profile is protected.
 */
bool procdb_profile_is_protected(const struct procdb_profile *profile, uint32_t uid_below);

/*
 * How much speaks for keeping it: how often it was observed, but no more than once in each
 * minute, up to 64.
 */
uint32_t procdb_profile_evidence(const struct procdb_profile *profile);

/* The part of it that travels to another machine. */
struct procdb_share procdb_profile_share(const struct procdb_profile *profile);

/* Puts that in place of what was learned; what does not travel stays. */
void procdb_profile_set_share(struct procdb_profile *profile, const struct procdb_share *share);

/* Sum of the votes; cannot overflow. */
uint64_t procdb_profile_votes(const struct procdb_profile *profile);

/* Share of the votes that the leading tier has, 0 to 1; 0 without votes. */
double procdb_profile_agreement(const struct procdb_profile *profile);

/* 1 for runs of equal length, 0 when they deviate by their average or more. */
double procdb_profile_stability(const struct procdb_profile *profile);

/* The tier with most votes; of equals the highest, so LAT_CRITICAL without votes. */
enum procdb_tier procdb_profile_dominant_tier(const struct procdb_profile *profile);

/* The tier to predict: the override if there is one, else the dominant tier. */
enum procdb_tier procdb_profile_tier(const struct procdb_profile *profile);

/* Observations that a profile lacks to have any confidence: with a vote, where evidence counts. */
uint32_t procdb_profile_missing(const struct procdb_profile *profile,
				const struct procdb_rules *rules);

/*
 * How sure the dominant tier is, 0 to 1; 0 below rules->min_observations.
 *
 * By evidence: the lower bound of the share of tasks that are of that tier, after so
 * many votes (Wilson, 1927, with z = 1: it holds in five of six cases). It grows with the
 * votes and never reaches 1. A name whose tasks disagree (bash that is typed into, and
 * bash that runs a script) predicts nothing: below four fifths of the votes it is 0.
 *
 * By the reference: agreement × (0.5 + 0.5 × stability), IEEE doubles in its order.
 */
double procdb_profile_confidence(const struct procdb_profile *profile,
				 const struct procdb_rules *rules);

/* Whether the confidence reaches rules->min_confidence. Says nothing of overrides. */
bool procdb_profile_is_confident(const struct procdb_profile *profile,
				 const struct procdb_rules *rules);

/*
 * What the init map says of this profile: its tier and statistics; those that
 * every task begins with when there is only an override.
 */
struct procdb_class procdb_profile_prediction(const struct procdb_profile *profile);
