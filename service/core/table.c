/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "table.h"

#include <stdlib.h>
#include <string.h>

#define MIN_BUCKETS 64

/*
 * When an entry has to leave, as its heap has it. Being seen makes an entry
 * younger, and it may be seen every second: the heap is told only when it asks
 * for the oldest, so a stored key is a lower bound of the real one.
 */
struct key {
	uint64_t age;
	uint64_t observations;
};

/* A binary min-heap whose elements know their place. */
struct heap {
	struct slot {
		struct key key;
		struct procdb_entry *entry;
	} * at;
	size_t len;
	size_t room;
};

struct procdb_table {
	struct procdb_entry **buckets;
	size_t n_buckets; /* a power of two */
	struct heap sets[PROCDB_SETS];
	uint64_t seed;
};

static struct key key_of(const struct procdb_entry *entry)
{
	const struct procdb_profile *profile = &entry->profile;
	/* In the order of the signed times. */
	uint64_t us = (uint64_t)profile->last_seen_us ^ (1ULL << 63);

	return (struct key){entry->set == PROCDB_SET_LIVE ? profile->last_seen_tick : us,
			    profile->observations};
}

static bool is_older(const struct key *a, const struct key *b)
{
	return a->age != b->age ? a->age < b->age : a->observations < b->observations;
}

static int compare_comm(const struct procdb_entry *a, const struct procdb_entry *b)
{
	return memcmp(&a->comm, &b->comm, sizeof(a->comm));
}

static bool leaves_before(const struct slot *a, const struct slot *b)
{
	if (is_older(&a->key, &b->key))
		return true;
	return !is_older(&b->key, &a->key) && compare_comm(a->entry, b->entry) < 0;
}

static void heap_put(const struct heap *heap, size_t i, const struct slot *slot)
{
	heap->at[i] = *slot;
	slot->entry->heap_index = (uint32_t)i;
}

/* Moves the entry at i to where it belongs. */
static void heap_fix(const struct heap *heap, size_t i)
{
	struct slot slot = heap->at[i];

	while (i > 0 && leaves_before(&slot, &heap->at[(i - 1) / 2])) {
		heap_put(heap, i, &heap->at[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < heap->len && leaves_before(&heap->at[child + 1], &heap->at[child]))
			child++;
		if (child >= heap->len || !leaves_before(&heap->at[child], &slot))
			break;
		heap_put(heap, i, &heap->at[child]);
		i = child;
	}
	heap_put(heap, i, &slot);
}

/* Whether the first key is as old as it says; if not it is corrected, and another may be first. */
static bool heap_settle_first(const struct heap *heap)
{
	struct key key = key_of(heap->at[0].entry);

	if (!is_older(&heap->at[0].key, &key))
		return true;
	heap->at[0].key = key;
	heap_fix(heap, 0);
	return false;
}

static bool heap_reserve(struct heap *heap, size_t room)
{
	struct slot *at;

	if (room <= heap->room)
		return true;
	if (room < heap->room * 2)
		room = heap->room * 2;
	at = reallocarray(heap->at, room, sizeof(*at));
	if (!at)
		return false;
	heap->at = at;
	heap->room = room;
	return true;
}

static void heap_add(struct heap *heap, struct procdb_entry *entry)
{
	struct slot slot = {key_of(entry), entry};

	heap_put(heap, heap->len++, &slot);
	heap_fix(heap, heap->len - 1);
}

static void heap_remove(struct heap *heap, struct procdb_entry *entry)
{
	size_t i = entry->heap_index;

	heap->len--;
	if (i == heap->len)
		return;
	heap_put(heap, i, &heap->at[heap->len]);
	heap_fix(heap, i);
}

static struct heap *heap_of(struct procdb_table *table, const struct procdb_entry *entry)
{
	return &table->sets[entry->set];
}

/*
 * Names are chosen by strangers, so the hash is seeded: a multiply-and-fold of
 * the two halves of the key (wyhash's mixing step), not guessable without the
 * seed, cheap at 16 bytes.
 */
static size_t bucket_of(const struct procdb_table *table, const struct procdb_comm *comm)
{
	uint64_t half[2];
	unsigned __int128 product;

	memcpy(half, comm, sizeof(half));
	product = (unsigned __int128)(half[0] ^ table->seed) *
		  (half[1] ^ 0xe7037ed1a0b428dbULL ^ (table->seed << 1));
	return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & (table->n_buckets - 1);
}

static bool same_comm(const struct procdb_comm *a, const struct procdb_comm *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return x[0] == y[0] && x[1] == y[1];
}

static bool grow(struct procdb_table *table)
{
	size_t n_old = table->n_buckets;
	struct procdb_entry **old = table->buckets;
	struct procdb_entry **buckets = calloc(n_old * 2, sizeof(struct procdb_entry *));

	if (!buckets)
		return false;
	table->buckets = buckets;
	table->n_buckets = n_old * 2;
	for (size_t i = 0; i < n_old; i++) {
		for (struct procdb_entry *entry = old[i], *next; entry; entry = next) {
			struct procdb_entry **bucket = &buckets[bucket_of(table, &entry->comm)];

			next = entry->next;
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(old);
	return true;
}

struct procdb_table *procdb_table_new(void)
{
	struct procdb_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->buckets = calloc(MIN_BUCKETS, sizeof(struct procdb_entry *));
	if (!table->buckets) {
		free(table);
		return NULL;
	}
	table->n_buckets = MIN_BUCKETS;
	arc4random_buf(&table->seed, sizeof(table->seed));
	return table;
}

void procdb_table_free(struct procdb_table *table)
{
	if (!table)
		return;
	for (int i = 0; i < PROCDB_SETS; i++) {
		for (size_t j = 0; j < table->sets[i].len; j++)
			free(table->sets[i].at[j].entry);
		free(table->sets[i].at);
	}
	free(table->buckets);
	free(table);
}

size_t procdb_table_count(const struct procdb_table *table, enum procdb_set set)
{
	return table->sets[set].len;
}

size_t procdb_table_size(const struct procdb_table *table)
{
	size_t size = 0;

	for (int i = 0; i < PROCDB_SETS; i++)
		size += table->sets[i].len;
	return size;
}

struct procdb_entry *procdb_table_find(const struct procdb_table *table,
				       const struct procdb_comm *comm)
{
	struct procdb_entry *entry = table->buckets[bucket_of(table, comm)];

	while (entry && !same_comm(&entry->comm, comm))
		entry = entry->next;
	return entry;
}

struct procdb_entry *procdb_table_ensure(struct procdb_table *table, const struct procdb_comm *comm,
					 bool *created)
{
	struct procdb_entry *entry = procdb_table_find(table, comm);
	size_t size = procdb_table_size(table);
	struct procdb_entry **bucket;

	if (created)
		*created = !entry;
	if (entry)
		return entry;
	/* Room for all in each heap, so that moving between them cannot fail. */
	for (int i = 0; i < PROCDB_SETS; i++)
		if (!heap_reserve(&table->sets[i], size + 1))
			return NULL;
	/* Slower without new buckets, but as correct. */
	if (size >= table->n_buckets)
		(void)grow(table);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->comm = *comm;
	procdb_profile_init(&entry->profile);
	entry->set = PROCDB_SET_LIVE;
	bucket = &table->buckets[bucket_of(table, comm)];
	entry->next = *bucket;
	*bucket = entry;
	heap_add(heap_of(table, entry), entry);
	return entry;
}

void procdb_table_remove(struct procdb_table *table, struct procdb_entry *entry)
{
	struct procdb_entry **link = &table->buckets[bucket_of(table, &entry->comm)];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	heap_remove(heap_of(table, entry), entry);
	free(entry);
}

void procdb_table_move(struct procdb_table *table, struct procdb_entry *entry, enum procdb_set set)
{
	if (entry->set == set)
		return;
	heap_remove(heap_of(table, entry), entry);
	entry->set = set;
	heap_add(heap_of(table, entry), entry);
}

void procdb_table_aged(struct procdb_table *table, struct procdb_entry *entry)
{
	const struct heap *heap = heap_of(table, entry);
	struct key key = key_of(entry);

	if (is_older(&key, &heap->at[entry->heap_index].key)) {
		heap->at[entry->heap_index].key = key;
		heap_fix(heap, entry->heap_index);
	}
}

struct procdb_entry *procdb_table_oldest(const struct procdb_table *table, enum procdb_set set)
{
	const struct heap *heap = &table->sets[set];

	if (heap->len == 0)
		return NULL;
	while (!heap_settle_first(heap))
		;
	return heap->at[0].entry;
}

bool procdb_table_has_unseen(const struct procdb_table *table, uint64_t tick)
{
	const struct heap *live = &table->sets[PROCDB_SET_LIVE];

	while (live->len > 0 && live->at[0].key.age < tick)
		if (heap_settle_first(live))
			return true;
	return false;
}

struct procdb_entry *procdb_table_at(const struct procdb_table *table, size_t i)
{
	int set = 0;

	while (i >= table->sets[set].len)
		i -= table->sets[set++].len;
	return table->sets[set].at[i].entry;
}

static int compare_comm_pointers(const void *a, const void *b)
{
	return compare_comm(*(struct procdb_entry *const *)a, *(struct procdb_entry *const *)b);
}

struct procdb_entry **procdb_table_sorted(const struct procdb_table *table)
{
	size_t n = procdb_table_size(table);
	struct procdb_entry **sorted = calloc(n ? n : 1, sizeof(struct procdb_entry *));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < n; i++)
		sorted[i] = procdb_table_at(table, i);
	if (n > 1)
		qsort(sorted, n, sizeof(struct procdb_entry *), compare_comm_pointers);
	return sorted;
}
