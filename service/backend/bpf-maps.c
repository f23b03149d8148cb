/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bpf-maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

/* The most entries that one batch call moves; no hash bucket has nearly as many. */
#define BATCH 1024

/* errno of an operation that a map type does not implement (include/linux/errno.h). */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

typedef int (*batch_fn)(int fd, void *in_batch, void *out_batch, void *keys, void *values,
			__u32 *count, const struct bpf_map_batch_opts *opts);

static ProcdbBpfMaps *bpf_maps(ProcdbMapIo *io)
{
	return (ProcdbBpfMaps *)io;
}

void procdb_bpf_maps_init(ProcdbBpfMaps *maps)
{
	static const ProcdbMapIoOps ops = {
	    .drain = procdb_bpf_maps_drain,
	    .publish = procdb_bpf_maps_publish,
	    .retract = procdb_bpf_maps_retract,
	    .predictions = procdb_bpf_maps_predictions,
	    .lookup = procdb_bpf_maps_lookup,
	};

	*maps = (ProcdbBpfMaps){.io = {&ops}, .observe_fd = -1, .init_fd = -1};
}

void procdb_bpf_maps_open(ProcdbBpfMaps *maps, int observe_fd, int init_fd, guint init_capacity)
{
	procdb_bpf_maps_close(maps);
	maps->observe_fd = observe_fd;
	maps->init_fd = init_fd;
	maps->init_capacity = init_capacity;
	maps->no_batch = FALSE;
	if (!maps->keys) {
		maps->keys = g_new(struct procdb_comm, BATCH);
		maps->values = g_new(struct procdb_class, BATCH);
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void procdb_bpf_maps_close(ProcdbBpfMaps *maps)
{
	close_fd(&maps->observe_fd);
	close_fd(&maps->init_fd);
	maps->init_capacity = 0;
}

void procdb_bpf_maps_clear(ProcdbBpfMaps *maps)
{
	procdb_bpf_maps_close(maps);
	g_clear_pointer(&maps->keys, g_free);
	g_clear_pointer(&maps->values, g_free);
}

gboolean procdb_bpf_maps_is_open(const ProcdbBpfMaps *maps)
{
	return maps->observe_fd >= 0;
}

/* Kernels before 5.6, and map types without batches. */
static gboolean refuses_batches(int err)
{
	return err == EINVAL || err == ENOTSUPP || err == EOPNOTSUPP || err == ENOSYS;
}

static gboolean fail(ProcdbBpfMaps *maps, const char *what, int err, GError **error)
{
	maps->errors++;
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

static void append_batch(const ProcdbBpfMaps *maps, guint n, GArray *entries)
{
	guint before = entries->len;

	g_array_set_size(entries, before + n);
	for (guint i = 0; i < n; i++)
		g_array_index(entries, struct procdb_observation, before + i) =
		    (struct procdb_observation){maps->keys[i], maps->values[i]};
}

/*
 * Walks a whole map with bpf_map_lookup_batch() or its deleting sister; the
 * cursor is a bucket number (kernel/bpf/hashtab.c). Returns 0 or an errno.
 */
static int walk_batches(ProcdbBpfMaps *maps, batch_fn next_batch, int fd, GArray *entries)
{
	guint before = entries->len;
	__u32 cursor = 0;
	void *in = NULL;

	while (entries->len - before < PROCDB_WALK_MAX) {
		__u32 count = BATCH;
		int err =
		    next_batch(fd, in, &cursor, maps->keys, maps->values, &count, NULL) ? errno : 0;

		/* ENOENT is the end of the map; entries that came with it count. */
		if (!err || err == ENOENT)
			append_batch(maps, MIN(count, BATCH), entries);
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

	/* Hash maps look up and delete in one step since 5.14; before, an update in between is
	 * lost. */
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
 * Walks a map key by key. Keys are listed before their entries are taken: get_next_key of a deleted
 * key starts again at the first one. So it does for a key that another program deletes meanwhile,
 * hence the bound. Returns 0 or an errno.
 */
static int walk_singly(ProcdbBpfMaps *maps, int fd, gboolean take, GArray *entries)
{
	guint before = entries->len;
	struct procdb_comm last;
	const struct procdb_comm *previous = NULL;
	guint n;

	do {
		for (n = 0; n < BATCH; n++) {
			if (bpf_map_get_next_key(fd, previous, &maps->keys[n])) {
				if (errno != ENOENT)
					return errno;
				break;
			}
			last = maps->keys[n];
			previous = &last;
		}
		for (guint i = 0; i < n; i++) {
			int err = read_one(fd, take, &maps->keys[i], entries);

			if (err)
				return err;
		}
	} while (n == BATCH && entries->len - before < PROCDB_WALK_MAX);
	return 0;
}

static int walk(ProcdbBpfMaps *maps, int fd, gboolean take, GArray *entries)
{
	if (!maps->no_batch) {
		int err = walk_batches(
		    maps, take ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch, fd,
		    entries);

		if (!refuses_batches(err))
			return err;
		maps->no_batch = TRUE;
	}
	return walk_singly(maps, fd, take, entries);
}

gboolean procdb_bpf_maps_drain(ProcdbMapIo *io, GArray *seen, GError **error)
{
	ProcdbBpfMaps *maps = bpf_maps(io);
	int err;

	if (maps->observe_fd < 0)
		return TRUE;
	err = walk(maps, maps->observe_fd, TRUE, seen);
	return err ? fail(maps, "Cannot drain the observe map", err, error) : TRUE;
}

gboolean procdb_bpf_maps_predictions(ProcdbMapIo *io, GArray *entries, GError **error)
{
	ProcdbBpfMaps *maps = bpf_maps(io);
	int err;

	if (maps->init_fd < 0)
		return TRUE;
	err = walk(maps, maps->init_fd, FALSE, entries);
	return err ? fail(maps, "Cannot read the init map", err, error) : TRUE;
}

gboolean procdb_bpf_maps_publish(ProcdbMapIo *io, const struct procdb_comm *comms,
				 const struct procdb_class *classes, guint n, guint *done,
				 GError **error)
{
	ProcdbBpfMaps *maps = bpf_maps(io);
	const char *what = "Cannot write predictions to the init map";

	*done = 0;
	if (maps->init_fd < 0 || n == 0)
		return TRUE;
	if (!maps->no_batch) {
		__u32 count = n;

		if (bpf_map_update_batch(maps->init_fd, comms, classes, &count, NULL) == 0) {
			*done = n;
			return TRUE;
		}
		if (!refuses_batches(errno)) {
			int err = errno;

			/* The kernel leaves count as it was if it fails before the first one
			 * (generic_map_update_batch). */
			*done = count < n ? count : 0;
			return fail(maps, what, err, error);
		}
		maps->no_batch = TRUE;
	}
	for (; *done < n; (*done)++)
		if (bpf_map_update_elem(maps->init_fd, &comms[*done], &classes[*done], BPF_ANY))
			return fail(maps, what, errno, error);
	return TRUE;
}

gboolean procdb_bpf_maps_retract(ProcdbMapIo *io, const struct procdb_comm *comms, guint n,
				 GError **error)
{
	ProcdbBpfMaps *maps = bpf_maps(io);
	const char *what = "Cannot remove predictions from the init map";

	if (maps->init_fd < 0)
		return TRUE;
	while (n > 0 && !maps->no_batch) {
		__u32 count = n;

		if (bpf_map_delete_batch(maps->init_fd, comms, &count, NULL) == 0)
			return TRUE;
		if (refuses_batches(errno)) {
			maps->no_batch = TRUE;
			break;
		}
		/* The kernel stops at the first key that is not there: continue after that. */
		if (errno != ENOENT)
			return fail(maps, what, errno, error);
		count = MIN(count + 1, n);
		comms += count;
		n -= count;
	}
	for (; n > 0; comms++, n--)
		if (bpf_map_delete_elem(maps->init_fd, comms) && errno != ENOENT)
			return fail(maps, what, errno, error);
	return TRUE;
}

gboolean procdb_bpf_maps_lookup(ProcdbMapIo *io, const struct procdb_comm *comm,
				struct procdb_class *prediction)
{
	int fd = bpf_maps(io)->init_fd;

	return fd >= 0 && bpf_map_lookup_elem(fd, comm, prediction) == 0;
}
