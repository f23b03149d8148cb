/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "task-events.h"

#include "bpf-program.h"

#include <errno.h>

#include "ledger.h"

/* What rules make of an event. */
static void take_decision(const ProcdbTaskEvents *events, const struct procdb_execution *execution,
			  struct procdb_task_event *event)
{
	*event = execution->event;
	event->decision =
	    events->decide ? events->decide(execution, events->decide_data) : (guint8)0;
	/* That one has ended is said as well: the task executed something else, or left the unit.
	 */
	if (event->decision == 0)
		return;
	event->tier = PROCDB_DECIDED_TIER(event->decision);
	if (event->reason == PROCDB_TASK_EXECUTED)
		/* Nothing is known of its runs yet. */
		event->runtime = PROCDB_PRIOR_AVG_RUNTIME;
}

/* libbpf calls this for each event. */
static int on_event(void *context, void *data, size_t size)
{
	ProcdbTaskEvents *events = context;
	struct procdb_task_event event;

	/* libbpf's records are aligned, and as long as BPF reserved them, to eight bytes. */
	if (size >= sizeof(struct procdb_execution)) {
		take_decision(events, data, &event);
		g_array_append_val(events->taken, event);
	} else if (size >= sizeof(event)) {
		g_array_append_vals(events->taken, data, 1);
	}
	return 0;
}

static void write_request(const ProcdbTaskEvents *events)
{
	for (guint i = 0; i < PROCDB_TIERS; i++)
		events->wanted->slice[i] = events->slices[i];
	/* The next event wakes the service, which arms it again. */
	events->wanted->armed = 1;
	/* What was decided holds on when the last rule goes. */
	if (events->decide)
		events->wanted->decided = 1;
	events->wanted->rules = events->decide != NULL;
	__atomic_store_n(&events->wanted->on, events->requested, __ATOMIC_RELEASE);
}

void procdb_task_events_request(ProcdbTaskEvents *events, const guint64 *slices)
{
	events->requested = slices != NULL;
	for (guint i = 0; slices && i < PROCDB_TIERS; i++)
		events->slices[i] = slices[i];
	if (events->wanted)
		write_request(events);
}

void procdb_task_events_set_rules(ProcdbTaskEvents *events, ProcdbDecide decide, gpointer data)
{
	events->decide = decide;
	events->decide_data = data;
	if (events->wanted)
		write_request(events);
}

gboolean procdb_task_events_open(ProcdbTaskEvents *events, struct bpf_map *requests,
				 struct procdb_wanted *wanted, GError **error)
{
	events->fd = bpf_map__fd(requests);
	events->ring = ring_buffer__new(events->fd, on_event, events, NULL);
	if (!events->ring)
		return procdb_program_fail(error, errno,
					   "cannot map the ring buffer of the BPF observer");
	events->wanted = wanted;
	write_request(events);
	return TRUE;
}

void procdb_task_events_close(ProcdbTaskEvents *events)
{
	g_clear_pointer(&events->ring, ring_buffer__free);
	events->wanted = NULL;
}

int procdb_task_events_fd(const ProcdbTaskEvents *events)
{
	return events->ring && events->requested ? events->fd : -1;
}

void procdb_task_events_take(ProcdbTaskEvents *events, GArray *taken, gboolean arm)
{
	if (!events->ring)
		return;
	events->taken = taken;
	ring_buffer__consume(events->ring);
	if (arm) {
		__atomic_store_n(&events->wanted->armed, 1, __ATOMIC_SEQ_CST);
		/* Events that BPF sent before it could see that it has to wake us. */
		ring_buffer__consume(events->ring);
	}
	events->taken = NULL;
}
