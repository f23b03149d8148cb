/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend-memory.h"

#include "backend-ops.h"

#include <string.h>

struct procdb_named_program {
	struct procdb_comm comm;
	struct procdb_program program;
};

typedef struct {
	ProcdbBackend base;
	ProcdbMapIo io;
	GHashTable *observe; /* struct procdb_comm -> struct procdb_class */
	GHashTable *init;
	GArray *scores;	  /* struct procdb_named_score */
	GArray *programs; /* struct procdb_named_program */
	guint capacity;
	guint fail_every;
	guint operations;
	guint64 errors;
	gboolean replaced;
	gboolean shared;
	TestMapsCalls calls;
} Memory;

static Memory *memory(ProcdbBackend *backend)
{
	return (Memory *)backend;
}

static Memory *memory_of(ProcdbMapIo *io)
{
	return (Memory *)((char *)io - G_STRUCT_OFFSET(Memory, io));
}

static guint hash_comm(gconstpointer key)
{
	guint hash = 5381;

	for (guint i = 0; i < PROCDB_COMM_LEN; i++)
		hash = hash * 33 + ((const struct procdb_comm *)key)->bytes[i];
	return hash;
}

static gboolean equal_comm(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct procdb_comm)) == 0;
}

static GHashTable *new_map(void)
{
	return g_hash_table_new_full(hash_comm, equal_comm, g_free, g_free);
}

static void put(GHashTable *map, const struct procdb_comm *comm, const struct procdb_class *class)
{
	g_hash_table_replace(map, g_memdup2(comm, sizeof(*comm)), g_memdup2(class, sizeof(*class)));
}

static gboolean fails(Memory *self, GError **error)
{
	self->operations++;
	if (self->fail_every == 0 || self->operations % self->fail_every != 0)
		return FALSE;
	self->errors++;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "This operation is to fail");
	return TRUE;
}

static void list(GHashTable *map, GArray *out)
{
	GHashTableIter iter;
	gpointer comm, class;

	g_hash_table_iter_init(&iter, map);
	while (g_hash_table_iter_next(&iter, &comm, &class)) {
		struct procdb_observation o = {*(struct procdb_comm *)comm,
					       *(struct procdb_class *)class};

		g_array_append_val(out, o);
	}
}

static gboolean memory_refresh(ProcdbBackend *backend)
{
	gboolean replaced = memory(backend)->replaced;

	memory(backend)->replaced = FALSE;
	return replaced;
}

static gboolean memory_drain(ProcdbMapIo *io, GArray *seen, GError **error)
{
	if (fails(memory_of(io), error))
		return FALSE;
	list(memory_of(io)->observe, seen);
	g_hash_table_remove_all(memory_of(io)->observe);
	return TRUE;
}

static gboolean memory_scores(ProcdbMapIo *io, GArray *scores, GError **error)
{
	GArray *counted = memory_of(io)->scores;

	if (fails(memory_of(io), error))
		return FALSE;
	g_array_append_vals(scores, counted->data, counted->len);
	g_array_set_size(counted, 0);
	return TRUE;
}

static gboolean memory_programs(ProcdbMapIo *io, ProcdbProgramFunc take, gpointer data)
{
	const GArray *counted = memory_of(io)->programs;

	for (guint i = 0; i < counted->len; i++) {
		const struct procdb_named_program *named =
		    &g_array_index(counted, struct procdb_named_program, i);

		take(&named->comm, &named->program, data);
	}
	return TRUE;
}

static gboolean memory_publish(ProcdbMapIo *io, const struct procdb_comm *comms,
			       const struct procdb_class *classes, guint n, guint *done,
			       GError **error)
{
	Memory *self = memory_of(io);

	self->calls.publishes++;
	for (*done = 0; *done < n; (*done)++) {
		if (fails(self, error))
			return FALSE;
		if (g_hash_table_size(self->init) >= self->capacity &&
		    !g_hash_table_contains(self->init, &comms[*done])) {
			self->errors++;
			g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
					    "The map is full");
			return FALSE;
		}
		put(self->init, &comms[*done], &classes[*done]);
		self->calls.published++;
	}
	return TRUE;
}

static gboolean memory_retract(ProcdbMapIo *io, const struct procdb_comm *comms, guint n,
			       GError **error)
{
	Memory *self = memory_of(io);

	self->calls.retracts++;
	for (guint i = 0; i < n; i++) {
		if (fails(self, error))
			return FALSE;
		g_hash_table_remove(self->init, &comms[i]);
		self->calls.retracted++;
	}
	return TRUE;
}

static gboolean memory_predictions(ProcdbMapIo *io, GArray *entries, GError **error)
{
	if (fails(memory_of(io), error))
		return FALSE;
	list(memory_of(io)->init, entries);
	return TRUE;
}

static gboolean memory_lookup(ProcdbMapIo *io, const struct procdb_comm *comm,
			      struct procdb_class *prediction)
{
	const struct procdb_class *class = g_hash_table_lookup(memory_of(io)->init, comm);

	if (class)
		*prediction = *class;
	return class != NULL;
}

static void memory_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){
	    .backend = "memory",
	    .state = "active",
	    .token = "active",
	    .reason = "",
	    .in_use = "memory",
	    .errors = memory(backend)->errors,
	    .init_capacity = memory(backend)->capacity,
	    .shared = memory(backend)->shared,
	};
}

static void memory_close(ProcdbBackend *backend)
{
	g_hash_table_unref(memory(backend)->observe);
	g_hash_table_unref(memory(backend)->init);
	g_array_unref(memory(backend)->scores);
	g_array_unref(memory(backend)->programs);
	g_free(backend);
}

ProcdbBackend *test_maps_new(guint capacity)
{
	static const ProcdbBackendOps ops = {
	    .refresh = memory_refresh,
	    .status = memory_status,
	    .close = memory_close,
	};
	static const ProcdbMapIoOps io_ops = {
	    .drain = memory_drain,
	    .scores = memory_scores,
	    .programs = memory_programs,
	    .publish = memory_publish,
	    .retract = memory_retract,
	    .predictions = memory_predictions,
	    .lookup = memory_lookup,
	};
	Memory *self = g_new0(Memory, 1);

	self->base.ops = &ops;
	self->io.ops = &io_ops;
	self->base.io = &self->io;
	self->observe = new_map();
	self->init = new_map();
	self->scores = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_score));
	self->programs = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_program));
	self->capacity = capacity;
	return &self->base;
}

void test_maps_observe(ProcdbBackend *backend, const struct procdb_comm *comm,
		       const struct procdb_class *seen)
{
	put(memory(backend)->observe, comm, seen);
}

void test_maps_score(ProcdbBackend *backend, const struct procdb_comm *comm,
		     struct procdb_score score)
{
	struct procdb_named_score named = {*comm, score};

	g_array_append_val(memory(backend)->scores, named);
}

void test_maps_count_program(ProcdbBackend *backend, const struct procdb_comm *comm,
			     const struct procdb_program *program)
{
	struct procdb_named_program named = {*comm, *program};
	GArray *programs = memory(backend)->programs;

	for (guint i = 0; i < programs->len; i++)
		if (equal_comm(&g_array_index(programs, struct procdb_named_program, i).comm, comm))
			g_array_remove_index(programs, i--);
	g_array_append_val(programs, named);
}

void test_maps_plant(ProcdbBackend *backend, const struct procdb_comm *comm,
		     const struct procdb_class *prediction)
{
	put(memory(backend)->init, comm, prediction);
}

void test_maps_share(ProcdbBackend *backend)
{
	memory(backend)->shared = TRUE;
}

void test_maps_remove(ProcdbBackend *backend, const struct procdb_comm *comm)
{
	g_hash_table_remove(memory(backend)->init, comm);
}

guint test_maps_predictions(ProcdbBackend *backend)
{
	return g_hash_table_size(memory(backend)->init);
}

void test_maps_fail_every(ProcdbBackend *backend, guint n)
{
	memory(backend)->fail_every = n;
}

void test_maps_replace(ProcdbBackend *backend)
{
	g_hash_table_remove_all(memory(backend)->observe);
	g_hash_table_remove_all(memory(backend)->init);
	memory(backend)->replaced = TRUE;
}

TestMapsCalls test_maps_calls(ProcdbBackend *backend)
{
	return memory(backend)->calls;
}
