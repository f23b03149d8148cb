/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "eviction.h"

#include <stdlib.h>
#include <string.h>

/* From here on owners are blocks of users. */
#define FIRST_BLOCK 0xf000
#define BLOCKS 0x1000

uint16_t procdb_owner_of_uid(uint32_t uid)
{
	return uid < FIRST_BLOCK ? (uint16_t)uid : (uint16_t)(FIRST_BLOCK + ((uid >> 16) % BLOCKS));
}

/* Of one owner, the profile that leaves first comes first. */
static int compare(const void *a, const void *b)
{
	const struct procdb_standing *x = a;
	const struct procdb_standing *y = b;
	int64_t s = x->entry->profile.last_seen_us;
	int64_t t = y->entry->profile.last_seen_us;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->evidence != y->evidence)
		return x->evidence < y->evidence ? -1 : 1;
	if (s != t)
		return s < t ? -1 : 1;
	return memcmp(&x->entry->comm, &y->entry->comm, sizeof(x->entry->comm));
}

/* The end of the run of one owner that begins at an index. */
static size_t run_end(const struct procdb_standing *all, size_t n, size_t at)
{
	size_t end = at;

	while (end < n && all[end].owner == all[at].owner)
		end++;
	return end;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many users' entries stay when none has more than share. */
static size_t stay(const struct procdb_standing *all, size_t n, size_t first, size_t share)
{
	size_t sum = 0;

	for (size_t at = first, end; at < n; at = end) {
		end = run_end(all, n, at);
		sum += least(end - at, share);
	}
	return sum;
}

/* The largest share for each user with which no more than room stay. */
static size_t share_of(const struct procdb_standing *all, size_t n, size_t first, size_t room)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;

		if (stay(all, n, first, middle) <= room)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static size_t mark(struct procdb_standing *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		all[i].leaves = true;
	return count;
}

size_t procdb_eviction_choose(struct procdb_standing *all, size_t n, size_t keep)
{
	size_t trusted, users, room, share, spare, leaving = 0;

	for (size_t i = 0; i < n; i++)
		all[i].leaves = false;
	if (n <= keep)
		return 0;
	qsort(all, n, sizeof(*all), compare);
	trusted = all[0].owner == 0 ? run_end(all, n, 0) : 0;
	users = n - trusted;
	room = trusted < keep - keep / 2 ? keep - trusted : keep / 2;
	room = least(room, users);
	leaving += mark(all, trusted - least(trusted, keep - room));
	share = share_of(all, n, trusted, room);
	spare = room - stay(all, n, trusted, share);
	for (size_t at = trusted, end; at < n; at = end) {
		size_t allowed = share;

		end = run_end(all, n, at);
		if (spare > 0 && end - at > share) {
			allowed++;
			spare--;
		}
		leaving += mark(all + at, end - at - least(end - at, allowed));
	}
	return leaving;
}
