/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "pair.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

/* Entries a batch call moves at most; a hash bucket never comes near it. */
#define BATCH 1024

/* errno of an operation that a map type does not implement (include/linux/errno.h). */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

typedef int (*batch_fn)(int fd, void *in_batch, void *out_batch, void *keys, void *values,
			__u32 *count, const struct bpf_map_batch_opts *opts);

void procdb_pair_init(ProcdbPair *pair)
{
	*pair = (ProcdbPair){.observe_fd = -1, .init_fd = -1};
}

void procdb_pair_open(ProcdbPair *pair, int observe_fd, int init_fd, guint init_capacity)
{
	procdb_pair_close(pair);
	pair->observe_fd = observe_fd;
	pair->init_fd = init_fd;
	pair->init_capacity = init_capacity;
	pair->no_batch = FALSE;
	if (!pair->keys) {
		pair->keys = g_new(struct procdb_comm, BATCH);
		pair->values = g_new(struct procdb_class, BATCH);
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void procdb_pair_close(ProcdbPair *pair)
{
	close_fd(&pair->observe_fd);
	close_fd(&pair->init_fd);
	pair->init_capacity = 0;
}

void procdb_pair_clear(ProcdbPair *pair)
{
	procdb_pair_close(pair);
	g_clear_pointer(&pair->keys, g_free);
	g_clear_pointer(&pair->values, g_free);
}

gboolean procdb_pair_is_open(const ProcdbPair *pair)
{
	return pair->observe_fd >= 0;
}

/* Kernels before 5.6, and map types without batches. */
static gboolean refuses_batches(int err)
{
	return err == EINVAL || err == ENOTSUPP || err == EOPNOTSUPP || err == ENOSYS;
}

static gboolean fail(ProcdbPair *pair, const char *what, int err, GError **error)
{
	pair->errors++;
	g_set_error(error, G_IO_ERROR,
		    err == E2BIG ? G_IO_ERROR_NO_SPACE : (gint)g_io_error_from_errno(err), "%s: %s",
		    what, err == E2BIG ? "the map is full" : g_strerror(err));
	return FALSE;
}

static void append(GArray *entries, const struct procdb_comm *comm, const struct procdb_class *seen)
{
	struct procdb_observation entry = {*comm, *seen};

	g_array_append_val(entries, entry);
}

static void append_batch(const ProcdbPair *pair, guint n, GArray *entries)
{
	guint before = entries->len;

	g_array_set_size(entries, before + n);
	for (guint i = 0; i < n; i++)
		g_array_index(entries, struct procdb_observation, before + i) =
		    (struct procdb_observation){pair->keys[i], pair->values[i]};
}

/*
 * Walks a whole map with bpf_map_lookup_batch() or its deleting sister; the
 * cursor is a bucket number (kernel/bpf/hashtab.c). Returns 0 or an errno.
 */
static int walk_batches(ProcdbPair *pair, batch_fn next_batch, int fd, GArray *entries)
{
	guint before = entries->len;
	__u32 cursor = 0;
	void *in = NULL;

	while (entries->len - before < PROCDB_WALK_MAX) {
		__u32 count = BATCH;
		int err =
		    next_batch(fd, in, &cursor, pair->keys, pair->values, &count, NULL) ? errno : 0;

		/* ENOENT is the end of the map; what came with it counts. */
		if (!err || err == ENOENT)
			append_batch(pair, MIN(count, BATCH), entries);
		if (err)
			return err == ENOENT ? 0 : err;
		in = &cursor;
	}
	return 0;
}

/* The entry of a key, which is deleted when take is set. Returns 0 or an errno. */
static int read_one(int fd, gboolean take, const struct procdb_comm *key, GArray *entries)
{
	struct procdb_class seen;
	int err = take ? bpf_map_lookup_and_delete_elem(fd, key, &seen)
		       : bpf_map_lookup_elem(fd, key, &seen);

	/* Hashes can take atomically since 5.14; before that an update in between is lost. */
	if (err && take && refuses_batches(errno)) {
		err = bpf_map_lookup_elem(fd, key, &seen);
		if (!err)
			err = bpf_map_delete_elem(fd, key);
	}
	if (err)
		return errno == ENOENT ? 0 : errno;
	append(entries, key, &seen);
	return 0;
}

/*
 * One key after the other. Keys are listed before their entries are taken:
 * get_next_key of a deleted key starts over at the first one. A key that others
 * delete meanwhile does too, hence the bound. Returns 0 or an errno.
 */
static int walk_singly(ProcdbPair *pair, int fd, gboolean take, GArray *entries)
{
	guint before = entries->len;
	struct procdb_comm last;
	const struct procdb_comm *previous = NULL;
	guint n;

	do {
		for (n = 0; n < BATCH; n++) {
			if (bpf_map_get_next_key(fd, previous, &pair->keys[n])) {
				if (errno != ENOENT)
					return errno;
				break;
			}
			last = pair->keys[n];
			previous = &last;
		}
		for (guint i = 0; i < n; i++) {
			int err = read_one(fd, take, &pair->keys[i], entries);

			if (err)
				return err;
		}
	} while (n == BATCH && entries->len - before < PROCDB_WALK_MAX);
	return 0;
}

static int walk(ProcdbPair *pair, int fd, gboolean take, GArray *entries)
{
	if (!pair->no_batch) {
		int err = walk_batches(
		    pair, take ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch, fd,
		    entries);

		if (!refuses_batches(err))
			return err;
		pair->no_batch = TRUE;
	}
	return walk_singly(pair, fd, take, entries);
}

gboolean procdb_pair_drain(ProcdbPair *pair, GArray *seen, GError **error)
{
	int err;

	if (pair->observe_fd < 0)
		return TRUE;
	err = walk(pair, pair->observe_fd, TRUE, seen);
	return err ? fail(pair, "Cannot drain the observe map", err, error) : TRUE;
}

gboolean procdb_pair_predictions(ProcdbPair *pair, GArray *entries, GError **error)
{
	int err;

	if (pair->init_fd < 0)
		return TRUE;
	err = walk(pair, pair->init_fd, FALSE, entries);
	return err ? fail(pair, "Cannot read the init map", err, error) : TRUE;
}

gboolean procdb_pair_publish(ProcdbPair *pair, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error)
{
	const char *what = "Cannot write predictions to the init map";

	*done = 0;
	if (pair->init_fd < 0 || n == 0)
		return TRUE;
	if (!pair->no_batch) {
		__u32 count = n;

		if (bpf_map_update_batch(pair->init_fd, comms, classes, &count, NULL) == 0) {
			*done = n;
			return TRUE;
		}
		if (!refuses_batches(errno)) {
			int err = errno;

			/* Untouched if it did not come to the first one (generic_map_update_batch). */
			*done = count < n ? count : 0;
			return fail(pair, what, err, error);
		}
		pair->no_batch = TRUE;
	}
	for (; *done < n; (*done)++)
		if (bpf_map_update_elem(pair->init_fd, &comms[*done], &classes[*done], BPF_ANY))
			return fail(pair, what, errno, error);
	return TRUE;
}

gboolean procdb_pair_retract(ProcdbPair *pair, const struct procdb_comm *comms, guint n,
			     GError **error)
{
	const char *what = "Cannot remove predictions from the init map";

	if (pair->init_fd < 0)
		return TRUE;
	while (n > 0 && !pair->no_batch) {
		__u32 count = n;

		if (bpf_map_delete_batch(pair->init_fd, comms, &count, NULL) == 0)
			return TRUE;
		if (refuses_batches(errno)) {
			pair->no_batch = TRUE;
			break;
		}
		/* It stops at the first key that is not there: go on behind that. */
		if (errno != ENOENT)
			return fail(pair, what, errno, error);
		count = MIN(count + 1, n);
		comms += count;
		n -= count;
	}
	for (; n > 0; comms++, n--)
		if (bpf_map_delete_elem(pair->init_fd, comms) && errno != ENOENT)
			return fail(pair, what, errno, error);
	return TRUE;
}

gboolean procdb_pair_lookup(ProcdbPair *pair, const struct procdb_comm *comm,
			    struct procdb_class *prediction)
{
	return pair->init_fd >= 0 && bpf_map_lookup_elem(pair->init_fd, comm, prediction) == 0;
}
