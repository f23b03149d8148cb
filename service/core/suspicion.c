/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "suspicion.h"

#include <string.h>

/* For a closer look. An interval of this certainty takes six pairs. */
#define CERTAINTY .95
/* In a row; one of two pairs is worse by chance. */
#define WORSE_MIN 2

enum procdb_suspect procdb_suspicion_add(struct procdb_suspicion *suspicion,
					 const struct procdb_pair *pair)
{
	struct procdb_comparison found = procdb_compare(pair, 1, CERTAINTY);

	if (suspicion->n == PROCDB_SUSPICION_PAIRS) {
		memmove(&suspicion->pairs[0], &suspicion->pairs[1],
			sizeof(suspicion->pairs) - sizeof(suspicion->pairs[0]));
		suspicion->n--;
	}
	suspicion->pairs[suspicion->n++] = *pair;
	suspicion->worse = procdb_delays_seem_to_rise(&found) ? suspicion->worse + 1 : 0;
	found = procdb_compare(suspicion->pairs, suspicion->n, CERTAINTY);
	if (procdb_delays_rise(&found))
		return PROCDB_SUSPECT_HARM;
	/* One pair that was not worse does not end it while all of them together are. */
	return suspicion->worse >= WORSE_MIN || (suspicion->worse > 0 && suspicion->n > WORSE_MIN &&
						 procdb_delays_seem_to_rise(&found))
		   ? PROCDB_SUSPECT_PERHAPS
		   : PROCDB_SUSPECT_NOTHING;
}
