/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "own-maps.h"

#include "bpf-program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Scores taken in one system call; their map has room for four times as many. */
#define SCORES_BATCH 1024
/* Programs read in one: a quarter of their map. */
#define PROGRAMS_BATCH 1024

static ProcdbOwnMaps *own_maps(ProcdbMapIo *io)
{
	return (ProcdbOwnMaps *)io;
}

static gboolean own_drain(ProcdbMapIo *io, GArray *seen, GError **error)
{
	ProcdbOwnMaps *own = own_maps(io);
	guint before = seen->len;
	guint64 added;

	if (!own->program.observed)
		return TRUE;
	/* BPF counts an entry once it is in the map: the same count, nothing to take. */
	added = __atomic_load_n(own->program.observed, __ATOMIC_ACQUIRE);
	if (added == own->drained + own->lost && !own->leftovers)
		return TRUE;
	if (!procdb_bpf_maps_drain(io, seen, error)) {
		/* Entries that came out before the failure are not lost. */
		if (!own->leftovers)
			own->drained += seen->len - before;
		return FALSE;
	}
	if (own->leftovers) {
		/* These programs have not counted the entries of the earlier service. */
		own->leftovers = FALSE;
		own->drained = __atomic_load_n(own->program.observed, __ATOMIC_ACQUIRE);
		own->lost = 0;
		return TRUE;
	}
	own->drained += seen->len - before;
	/* Of the entries counted before, those that did not come out gave way to newer ones. */
	if (added > own->drained + own->lost)
		own->lost = added - own->drained;
	return TRUE;
}

static gboolean own_scores(ProcdbMapIo *io, GArray *scores, GError **error)
{
	ProcdbOwnMaps *own = own_maps(io);
	guint64 changes;
	__u32 cursor = 0;
	void *in = NULL;
	int err = 0;

	if (!own->program.scored)
		return TRUE;
	changes = __atomic_load_n(own->program.scored, __ATOMIC_ACQUIRE);
	if (changes == own->scores_taken)
		return TRUE;
	if (!own->keys) {
		own->keys = g_new(struct procdb_comm, SCORES_BATCH);
		own->values = g_new(struct procdb_score, SCORES_BATCH);
	}
	while (!err) {
		__u32 n = SCORES_BATCH;

		if (bpf_map_lookup_and_delete_batch(bpf_map__fd(own->program.scores), in, &cursor,
						    own->keys, own->values, &n, NULL))
			err = errno;
		/* ENOENT is the end of the map; entries that came with it count. */
		for (__u32 i = 0; (!err || err == ENOENT) && i < MIN(n, SCORES_BATCH); i++) {
			struct procdb_named_score score = {own->keys[i], own->values[i]};

			g_array_append_val(scores, score);
		}
		in = &cursor;
	}
	if (err != ENOENT) {
		own->bpf.errors++;
		return procdb_program_fail(error, err, "cannot read how predictions fared");
	}
	own->scores_taken = changes;
	return TRUE;
}

static gboolean own_programs(ProcdbMapIo *io, ProcdbProgramFunc take, gpointer data)
{
	ProcdbOwnMaps *own = own_maps(io);
	g_autofree struct procdb_comm *keys = NULL;
	g_autofree struct procdb_program *values = NULL;
	__u32 cursor = 0, taken = 0;
	void *in = NULL;
	int err = 0;

	if (!own->program.programs)
		return FALSE;
	keys = g_new(struct procdb_comm, PROGRAMS_BATCH);
	values = g_new(struct procdb_program, PROGRAMS_BATCH);
	while (!err && taken < bpf_map__max_entries(own->program.programs)) {
		__u32 n = PROGRAMS_BATCH;

		if (bpf_map_lookup_batch(bpf_map__fd(own->program.programs), in, &cursor, keys,
					 values, &n, NULL))
			err = errno;
		/* ENOENT is the end of the map; entries that came with it count. */
		for (__u32 i = 0; (!err || err == ENOENT) && i < MIN(n, PROGRAMS_BATCH); i++) {
			/* BPF ends both; nothing else may read beyond them. */
			values[i].path[PROCDB_PATH_LEN - 1] = '\0';
			values[i].unit[PROCDB_UNIT_LEN - 1] = '\0';
			take(&keys[i], &values[i], data);
		}
		taken += n;
		in = &cursor;
	}
	if (err && err != ENOENT)
		own->bpf.errors++;
	return !err || err == ENOENT;
}

void procdb_own_maps_init(ProcdbOwnMaps *own)
{
	static const ProcdbMapIoOps ops = {
	    .drain = own_drain,
	    .scores = own_scores,
	    .programs = own_programs,
	    .publish = procdb_bpf_maps_publish,
	    .retract = procdb_bpf_maps_retract,
	    .predictions = procdb_bpf_maps_predictions,
	    .lookup = procdb_bpf_maps_lookup,
	};

	*own = (ProcdbOwnMaps){0};
	procdb_bpf_maps_init(&own->bpf);
	own->bpf.io.ops = &ops;
}

gboolean procdb_own_maps_reuse(struct bpf_map *observe, struct bpf_map *init)
{
	struct bpf_map *maps[] = {observe, init};
	gboolean ok = TRUE;
	int fds[2];
	guint capacity;

	if (procdb_pins_owner() != PROCDB_PINS_OURS ||
	    !procdb_pins_open(&fds[0], &fds[1], &capacity, NULL))
		return FALSE;
	for (int i = 0; i < 2; i++) {
		struct bpf_map_info info = {0};
		__u32 len = sizeof(info);

		ok = ok && bpf_obj_get_info_by_fd(fds[i], &info, &len) == 0 &&
		     info.max_entries == bpf_map__max_entries(maps[i]) &&
		     info.map_flags == bpf_map__map_flags(maps[i]);
	}
	ok = ok && bpf_map__reuse_fd(maps[0], fds[0]) == 0 &&
	     bpf_map__reuse_fd(maps[1], fds[1]) == 0;
	close(fds[0]);
	close(fds[1]);
	return ok;
}

/* Beside a map that another program has pinned it goes on without pins, as beside two. */
static gboolean pin_both(int observe_fd, int init_fd, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (procdb_pins_write(observe_fd, init_fd, &problem) ||
	    g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_EXISTS))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* The maps get descriptors of their own; the pins are made last, for they would outlive a failure.
 */
static gboolean open_and_pin(ProcdbBpfMaps *maps, struct bpf_map *observe, struct bpf_map *init,
			     gboolean pin, GError **error)
{
	int observe_fd, init_fd;

	observe_fd = fcntl(bpf_map__fd(observe), F_DUPFD_CLOEXEC, 0);
	if (observe_fd < 0)
		return procdb_program_fail(error, errno, "cannot duplicate a file descriptor");
	init_fd = fcntl(bpf_map__fd(init), F_DUPFD_CLOEXEC, 0);
	if (init_fd < 0)
		procdb_program_fail(error, errno, "cannot duplicate a file descriptor");
	if (init_fd < 0 || (pin && !pin_both(observe_fd, init_fd, error))) {
		if (init_fd >= 0)
			close(init_fd);
		close(observe_fd);
		return FALSE;
	}
	procdb_bpf_maps_open(maps, observe_fd, init_fd, bpf_map__max_entries(init));
	return TRUE;
}

gboolean procdb_own_maps_open(ProcdbOwnMaps *own, const ProcdbProgramMaps *program, gboolean reused,
			      GError **error)
{
	gboolean pin = !reused && procdb_pins_owner() != PROCDB_PINS_FOREIGN;

	if (!open_and_pin(&own->bpf, program->observe, program->init, pin, error))
		return FALSE;
	own->program = *program;
	own->pins = procdb_pins_identify();
	own->drained = own->lost = own->scores_taken = 0;
	own->leftovers = reused;
	return TRUE;
}

void procdb_own_maps_close(ProcdbOwnMaps *own)
{
	own->program = (ProcdbProgramMaps){0};
	procdb_bpf_maps_close(&own->bpf);
}

void procdb_own_maps_clear(ProcdbOwnMaps *own)
{
	procdb_own_maps_close(own);
	procdb_bpf_maps_clear(&own->bpf);
	g_clear_pointer(&own->keys, g_free);
	g_clear_pointer(&own->values, g_free);
}

gboolean procdb_own_maps_check_pins(ProcdbOwnMaps *own)
{
	g_autoptr(GError) error = NULL;
	gboolean changed = procdb_pins_changed(&own->pins);

	if (!changed && procdb_pins_present(&own->pins))
		return FALSE;
	/* Pins of another scheduler stay; missing pins are made again. */
	if (procdb_pins_owner() == PROCDB_PINS_ABSENT) {
		/* To see whether a program uses a pin takes a tenth of a second. */
		if (own->wait > 0) {
			own->wait--;
			return changed;
		}
		/* Logged once. */
		if (!procdb_pins_write(own->bpf.observe_fd, own->bpf.init_fd, &error) && changed)
			g_warning("The pins of the maps are gone, and %s; trying again",
				  error->message);
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS))
			own->wait = PROCDB_PINS_CHECK_TICKS;
		own->pins = procdb_pins_identify();
	}
	return changed;
}

guint64 procdb_own_maps_lost(const ProcdbOwnMaps *own)
{
	return own->lost +
	       (own->program.failed ? __atomic_load_n(own->program.failed, __ATOMIC_RELAXED) : 0);
}

void procdb_own_maps_set_active(ProcdbBackendState *state)
{
	g_autoptr(ProcdbSurvey) survey = NULL;

	procdb_backend_state_set(
	    state, "active", procdb_pins_are_abandoned(&survey, 0) ? PROCDB_PINS_ABANDONED : NULL,
	    NULL);
}
