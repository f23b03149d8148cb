/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Whether single pairs of windows, each taken a minute or so after the one before, make it look as
 * if applying harmed. It only decides where to look closely: the closer look is judged by windows
 * of its own, so that it does not matter how often this was asked before. libc only.
 */

#include "verdict.h"

/* The pairs that count: older ones speak of another load. */
#define PROCDB_SUSPICION_PAIRS 8

struct procdb_suspicion {
	struct procdb_pair pairs[PROCDB_SUSPICION_PAIRS]; /* the oldest first */
	size_t n;
	size_t worse; /* of the last ones, in a row */
};

enum procdb_suspect {
	PROCDB_SUSPECT_NOTHING = 0,
	PROCDB_SUSPECT_PERHAPS = 1, /* the next pair should come sooner */
	PROCDB_SUSPECT_HARM = 2,    /* it takes a closer look */
};

/* Adds a pair; *suspicion of zeros has none yet. */
enum procdb_suspect procdb_suspicion_add(struct procdb_suspicion *suspicion,
					 const struct procdb_pair *pair);
