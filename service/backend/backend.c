/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend-ops.h"

#include <bpf/libbpf.h>

/* The backend that a call reaches: a selector's choice, or the backend itself. */
static ProcdbBackend *in_use(ProcdbBackend *backend)
{
	while (backend->chosen)
		backend = backend->chosen;
	return backend;
}

int procdb_backend_states(const ProcdbBackend *backend)
{
	while (backend->chosen)
		backend = backend->chosen;
	return backend->states ? bpf_map__fd(backend->states) : -1;
}

gboolean procdb_backend_refresh(ProcdbBackend *backend)
{
	return backend->ops->refresh(backend);
}

gboolean procdb_backend_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return !io || io->ops->drain(io, seen, error);
}

gboolean procdb_backend_scores(ProcdbBackend *backend, GArray *scores, GError **error)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return !io || !io->ops->scores || io->ops->scores(io, scores, error);
}

gboolean procdb_backend_programs(ProcdbBackend *backend, ProcdbProgramFunc take, gpointer data)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return io && io->ops->programs && io->ops->programs(io, take, data);
}

gboolean procdb_backend_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
				const struct procdb_class *classes, guint n, guint *done,
				GError **error)
{
	ProcdbMapIo *io = in_use(backend)->io;

	*done = 0;
	return !io || io->ops->publish(io, comms, classes, n, done, error);
}

gboolean procdb_backend_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
				GError **error)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return !io || io->ops->retract(io, comms, n, error);
}

gboolean procdb_backend_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return !io || io->ops->predictions(io, entries, error);
}

gboolean procdb_backend_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
			       struct procdb_class *prediction)
{
	ProcdbMapIo *io = in_use(backend)->io;

	return io && io->ops->lookup(io, comm, prediction);
}

void procdb_backend_request_events(ProcdbBackend *backend, const guint64 *slices)
{
	/* A selector keeps the request for the backend that it chooses next. */
	for (ProcdbBackend *b = backend; b; b = b->chosen) {
		b->events_requested = slices != NULL;
		for (guint i = 0; slices && i < PROCDB_TIERS; i++)
			b->slices[i] = slices[i];
		if (b->events)
			procdb_task_events_request(b->events, slices);
	}
}

void procdb_backend_set_rules(ProcdbBackend *backend, ProcdbDecide decide, gpointer data)
{
	for (ProcdbBackend *b = backend; b; b = b->chosen) {
		b->decide = decide;
		b->decide_data = data;
		if (b->events)
			procdb_task_events_set_rules(b->events, decide, data);
	}
}

int procdb_backend_events_fd(ProcdbBackend *backend)
{
	ProcdbTaskEvents *events = in_use(backend)->events;

	return events ? procdb_task_events_fd(events) : -1;
}

void procdb_backend_take_events(ProcdbBackend *backend, GArray *events, gboolean arm)
{
	ProcdbTaskEvents *source = in_use(backend)->events;

	if (source)
		procdb_task_events_take(source, events, arm);
}

gboolean procdb_backend_ask_again(ProcdbBackend *backend)
{
	ProcdbBackend *chosen = in_use(backend);

	return !chosen->ops->ask_again || chosen->ops->ask_again(chosen);
}

guint procdb_backend_let_rest(ProcdbBackend *backend)
{
	ProcdbBackend *chosen = in_use(backend);

	return chosen->ops->let_rest ? chosen->ops->let_rest(chosen) : 0;
}

guint64 procdb_backend_other_groups(ProcdbBackend *backend, guint64 least)
{
	ProcdbBackend *chosen = in_use(backend);

	return chosen->ops->other_groups ? chosen->ops->other_groups(chosen, least) : 0;
}

gboolean procdb_backend_delays(ProcdbBackend *backend, struct procdb_delays *sum, GError **error)
{
	ProcdbBackend *chosen = in_use(backend);

	if (chosen->ops->delays)
		return chosen->ops->delays(chosen, sum, error);
	*sum = (struct procdb_delays){0};
	g_set_error(
	    error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
	    "the time that tasks wait for a CPU is counted by the observer only, which does "
	    "not run");
	return FALSE;
}

void procdb_backend_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	backend->ops->status(backend, status);
}

void procdb_backend_close(ProcdbBackend *backend)
{
	if (backend)
		backend->ops->close(backend);
}

void procdb_backend_choose(ProcdbBackend *selector, ProcdbBackend *chosen)
{
	g_clear_pointer(&selector->chosen, procdb_backend_close);
	selector->chosen = chosen;
	if (chosen)
		procdb_backend_set_rules(chosen, selector->decide, selector->decide_data);
	if (chosen && selector->events_requested)
		procdb_backend_request_events(chosen, selector->slices);
}

static gboolean none_refresh(ProcdbBackend *backend)
{
	return FALSE;
}

static void none_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){
	    .backend = "none",
	    .state = "active",
	    .token = "active",
	    .reason = "",
	    .in_use = "none",
	};
}

static void none_close(ProcdbBackend *backend)
{
	g_free(backend);
}

ProcdbBackend *procdb_backend_none_new(void)
{
	static const ProcdbBackendOps ops = {
	    .refresh = none_refresh,
	    .status = none_status,
	    .close = none_close,
	};
	ProcdbBackend *backend = g_new0(ProcdbBackend, 1);

	backend->ops = &ops;
	return backend;
}
