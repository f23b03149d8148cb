/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "migrate.h"

/* Version 1 knows one statistic; the others start from nothing, as in scx_pandemonium. */
static void migrate_1(struct procdb_stored *stored)
{
	struct procdb_profile *profile = &stored->record.profile;

	profile->runtime_dev_ns = 0;
	profile->wakeup_freq = 0;
	profile->csw_rate = 0;
}

/* Version 2 knows the sum of the votes only: the stored tier gets them all. */
static void migrate_2(struct procdb_stored *stored)
{
	struct procdb_profile *profile = &stored->record.profile;

	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		profile->tier_votes[tier] = tier == stored->tier ? stored->votes : 0;
	profile->last_seen_tick = 0;
	profile->first_seen_us = 0;
	profile->last_seen_us = 0;
	profile->right = 0;
	profile->wrong = 0;
	profile->override = PROCDB_NO_OVERRIDE;
	profile->teachers = 0;
	profile->owner = 0;
	profile->declared = false;
	profile->seen_run_us = 0;
}

/* The first extension knows neither recent scores nor withdrawals. */
static void migrate_3(struct procdb_stored *stored)
{
	struct procdb_profile *profile = &stored->record.profile;

	profile->recent_right = 0;
	profile->recent_wrong = 0;
	profile->withdrawals = 0;
}

void procdb_migrate(struct procdb_stored *stored)
{
	static void (*const steps[])(struct procdb_stored *) = {
	    [PROCDB_SCHEMA_V1] = migrate_1,
	    [PROCDB_SCHEMA_V2] = migrate_2,
	    [PROCDB_SCHEMA_EXT_1] = migrate_3,
	};
	G_STATIC_ASSERT(G_N_ELEMENTS(steps) == PROCDB_SCHEMA_CURRENT);

	g_return_if_fail(stored->schema >= PROCDB_SCHEMA_V1);
	for (; stored->schema < PROCDB_SCHEMA_CURRENT; stored->schema++)
		steps[stored->schema](stored);
}
