/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * All profiles by name, and which of them has to leave first. Each entry is in one of five
 * sets, and each set is a heap by age, so that a tick costs what changed and
 * not what is there. libc only.
 */

#include <stddef.h>

#include "profile.h"

enum procdb_set {
	PROCDB_SET_LIVE,      /* seen within the stale time; the oldest by last_seen_tick */
	PROCDB_SET_PREDICTED, /* remembered, with a prediction in the init map */
	PROCDB_SET_RETAINED,  /* remembered, without one */
	PROCDB_SET_OVERRIDE,  /* not live, but an admin's override keeps it */
	PROCDB_SET_CANDIDATE, /* remembered, but not confident yet */
	PROCDB_SETS,
};

/* There are tens of thousands: ordered by size, without holes. */
struct procdb_entry {
	struct procdb_comm comm;       /* the key: do not write */
	struct procdb_profile profile; /* after a change of age, call procdb_table_aged() */

	/* The caller's own, false and 0 in a new entry. */
	struct procdb_class written; /* which prediction is in the init map, as far as known */
	uint64_t serial;	     /* of the last change that clients were told of */
	/* Execs under this name since the start that found a prediction, and that did not. */
	uint64_t found;
	uint64_t missed;

	struct procdb_entry *next; /* the table's */
	uint32_t heap_index;	   /* the table's */

	uint32_t brief; /* votes for interactive that only say that a life was short */
	uint8_t held;	/* 1 + the tier that a caller holds it in; 0: none does */
	bool pending;	/* its prediction has to be looked at */
	bool changed;	/* a client has not been told yet */
	bool published; /* may have a prediction in the init map */
	bool confident; /* is counted as one that is */
	bool judged;	/* that is what its profile says now */

	uint8_t set; /* enum procdb_set; read only: procdb_table_move() */
};

/* Whether its tier was decided from outside, for good or as long as a hold lasts. */
static inline bool procdb_entry_is_decided(const struct procdb_entry *entry)
{
	return entry->profile.override != PROCDB_NO_OVERRIDE || entry->held;
}

struct procdb_table;

/* An empty table, or NULL without memory. Free with procdb_table_free(). */
struct procdb_table *procdb_table_new(void);
void procdb_table_free(struct procdb_table *table);

/* The number of entries in one set, and in all. */
size_t procdb_table_count(const struct procdb_table *table, enum procdb_set set);
size_t procdb_table_size(const struct procdb_table *table);

/* The entry of a name, or NULL. It stays valid until it is removed. */
struct procdb_entry *procdb_table_find(const struct procdb_table *table,
				       const struct procdb_comm *comm);

/*
 * The entry of a name, created empty and live if there is none; *created (may
 * be NULL) says which. NULL without memory, with the table unchanged.
 */
struct procdb_entry *procdb_table_ensure(struct procdb_table *table, const struct procdb_comm *comm,
					 bool *created);

/* Forgets an entry and frees it. */
void procdb_table_remove(struct procdb_table *table, struct procdb_entry *entry);

/* Moves an entry to a set; cannot fail. */
void procdb_table_move(struct procdb_table *table, struct procdb_entry *entry, enum procdb_set set);

/* To be called after an entry's last_seen_tick, last_seen_us or observations changed. */
void procdb_table_aged(struct procdb_table *table, struct procdb_entry *entry);

/*
 * The entry of a set that leaves first, or NULL: the smallest by (age,
 * observations, comm), age being last_seen_tick in the live set and
 * last_seen_us in the others.
 */
struct procdb_entry *procdb_table_oldest(const struct procdb_table *table, enum procdb_set set);

/*
 * Whether there is a live entry that was last seen before a tick. Cheaper than
 * asking for the oldest: costs nothing as long as none can be.
 */
bool procdb_table_has_unseen(const struct procdb_table *table, uint64_t tick);

/*
 * The i-th of all entries, for i below procdb_table_size(), in no useful
 * order. Adding, removing or moving any entry renumbers them.
 */
struct procdb_entry *procdb_table_at(const struct procdb_table *table, size_t i);

/*
 * All entries sorted by comm as unsigned bytes: a malloc'ed array of
 * procdb_table_size() pointers that the caller frees; NULL without memory.
 */
struct procdb_entry **procdb_table_sorted(const struct procdb_table *table);
