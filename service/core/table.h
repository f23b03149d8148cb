/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * All profiles by name, and who has to leave. An entry is either live (seen
 * within the stale time) or retained (remembered); each of the two sets is
 * kept as a heap by age, so that a tick costs what changed and not what is
 * there. libc only.
 */

#include <stddef.h>

#include "profile.h"

struct procdb_entry {
	struct procdb_comm comm;       /* the key: do not write */
	struct procdb_profile profile; /* after a change of age, call procdb_table_aged() */

	bool live; /* read only: procdb_table_retain(), procdb_table_revive() */
	/* The caller's own, zero in a new entry. */
	bool dirty;	/* differs from what the init map or a client last saw */
	bool published; /* may have a prediction in the init map */

	/* The table's. */
	size_t heap_index;
	struct procdb_entry *next;
};

struct procdb_table;

/* An empty table, or NULL without memory. Free with procdb_table_free(). */
struct procdb_table *procdb_table_new(void);
void procdb_table_free(struct procdb_table *table);

/* The number of live, and of live and retained entries. */
size_t procdb_table_live(const struct procdb_table *table);
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

/* Moves an entry from the live set to the retained one, and back. */
void procdb_table_retain(struct procdb_table *table, struct procdb_entry *entry);
void procdb_table_revive(struct procdb_table *table, struct procdb_entry *entry);

/* To be called after an entry's last_seen_tick, last_seen_us or observations changed. */
void procdb_table_aged(struct procdb_table *table, struct procdb_entry *entry);

/* The live entry that leaves first: smallest by (last_seen_tick, observations, comm). */
struct procdb_entry *procdb_table_oldest_live(const struct procdb_table *table);

/* The retained entry that gives way first: smallest by (last_seen_us, observations, comm). */
struct procdb_entry *procdb_table_oldest_retained(const struct procdb_table *table);

/*
 * The i-th of all entries, for i below procdb_table_size(), in no useful
 * order. Removing, retaining or reviving any entry renumbers them.
 */
struct procdb_entry *procdb_table_at(const struct procdb_table *table, size_t i);

/*
 * All entries sorted by comm as unsigned bytes: a malloc'ed array of
 * procdb_table_size() pointers that the caller frees; NULL without memory.
 */
struct procdb_entry **procdb_table_sorted(const struct procdb_table *table);
