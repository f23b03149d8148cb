/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Which profiles leave when there are too many: of those that one user has taught, in the first
 * place, and of these what is known least. libc only.
 */

#include <stddef.h>

#include "table.h"

/* The properties of one entry that decide. */
struct procdb_standing {
	struct procdb_entry *entry;
	uint16_t owner;	   /* of the profile */
	uint32_t evidence; /* procdb_profile_evidence() */
	bool leaves;	   /* the outcome */
};

/*
 * The owner of a profile that a user taught first; 0 for root and for an unknown user. IDs from
 * 61440 on are one owner for each block of 65536: a user has such blocks for user namespaces
 * (subuid(5)).
 */
uint16_t procdb_owner_of_uid(uint32_t uid);

/*
 * Sorts n standings and marks n - keep of them as leaving. Half of the room belongs to what
 * root, or a user that is not known, has taught, as far as it is needed, and the rest to users, in
 * equal shares as far as they need them. Of a share that is too large the least evidence leaves
 * first, then what was not seen for longest. Returns how many leave.
 */
size_t procdb_eviction_choose(struct procdb_standing *all, size_t n, size_t keep);
