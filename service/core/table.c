/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "table.h"

#include <stdlib.h>
#include <string.h>

#define MIN_BUCKETS 64

typedef int (*order_fn)(const struct procdb_entry *a, const struct procdb_entry *b);

/* A binary min-heap whose elements know their place. */
struct heap {
	struct procdb_entry **at;
	size_t len;
	size_t room;
	order_fn order;
};

struct procdb_table {
	struct procdb_entry **buckets;
	size_t n_buckets; /* a power of two */
	struct heap sets[PROCDB_SETS];
	uint64_t seed;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_comm(const struct procdb_entry *a, const struct procdb_entry *b)
{
	return memcmp(&a->comm, &b->comm, sizeof(a->comm));
}

static int compare_seen_less(const struct procdb_entry *a, const struct procdb_entry *b)
{
	int order = compare_u64(a->profile.observations, b->profile.observations);

	return order ? order : compare_comm(a, b);
}

static int order_live(const struct procdb_entry *a, const struct procdb_entry *b)
{
	int order = compare_u64(a->profile.last_seen_tick, b->profile.last_seen_tick);

	return order ? order : compare_seen_less(a, b);
}

static int order_remembered(const struct procdb_entry *a, const struct procdb_entry *b)
{
	int64_t x = a->profile.last_seen_us, y = b->profile.last_seen_us;
	int order = (x > y) - (x < y);

	return order ? order : compare_seen_less(a, b);
}

static void heap_put(struct heap *heap, size_t i, struct procdb_entry *entry)
{
	heap->at[i] = entry;
	entry->heap_index = i;
}

/* Moves the entry at i to where it belongs. */
static void heap_fix(struct heap *heap, size_t i)
{
	struct procdb_entry *entry = heap->at[i];

	while (i > 0 && heap->order(entry, heap->at[(i - 1) / 2]) < 0) {
		heap_put(heap, i, heap->at[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < heap->len && heap->order(heap->at[child + 1], heap->at[child]) < 0)
			child++;
		if (child >= heap->len || heap->order(heap->at[child], entry) >= 0)
			break;
		heap_put(heap, i, heap->at[child]);
		i = child;
	}
	heap_put(heap, i, entry);
}

static bool heap_reserve(struct heap *heap, size_t room)
{
	struct procdb_entry **at;

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
	heap_put(heap, heap->len++, entry);
	heap_fix(heap, heap->len - 1);
}

static void heap_remove(struct heap *heap, struct procdb_entry *entry)
{
	size_t i = entry->heap_index;

	heap->len--;
	if (i == heap->len)
		return;
	heap_put(heap, i, heap->at[heap->len]);
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
	for (int i = 0; i < PROCDB_SETS; i++)
		table->sets[i].order = i == PROCDB_SET_LIVE ? order_live : order_remembered;
	arc4random_buf(&table->seed, sizeof(table->seed));
	return table;
}

void procdb_table_free(struct procdb_table *table)
{
	if (!table)
		return;
	for (int i = 0; i < PROCDB_SETS; i++) {
		for (size_t j = 0; j < table->sets[i].len; j++)
			free(table->sets[i].at[j]);
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

	while (entry && memcmp(&entry->comm, comm, sizeof(*comm)) != 0)
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
	heap_fix(heap_of(table, entry), entry->heap_index);
}

struct procdb_entry *procdb_table_oldest(const struct procdb_table *table, enum procdb_set set)
{
	return table->sets[set].len ? table->sets[set].at[0] : NULL;
}

struct procdb_entry *procdb_table_at(const struct procdb_table *table, size_t i)
{
	int set = 0;

	while (i >= table->sets[set].len)
		i -= table->sets[set++].len;
	return table->sets[set].at[i];
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
