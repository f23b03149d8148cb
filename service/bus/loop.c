/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

/* The most messages in one turn of the main loop: its other sources wait some milliseconds. */
#define MAX_AT_ONCE 32
/* A connection of which the bus reads nothing for so long is given up. */
#define STUCK_US (5 * (gint64)G_USEC_PER_SEC)
/*
 * A message that cannot be handled is dropped. After so many in turn the connection is given up:
 * its bytes are no messages.
 */
#define MAX_FAILURES 16

typedef struct {
	GSource source;
	sd_bus *bus;
	const ProcdbBusListener *listener;
	gpointer data;
	GPollFD fd;
	guint64 unsent;	 /* queued messages at the last check */
	gint64 stuck_at; /* monotonic µs: the connection is given up then; 0: none is queued */
	guint failures;
	gboolean running; /* a handler must not run the loop again */
} Source;

static guint64 unsent(sd_bus *bus)
{
	guint64 n = 0;

	(void)sd_bus_get_n_queued_write(bus, &n);
	return n;
}

/* Sets the time limit for queued messages; left: one has just been sent. */
static void check_unsent(Source *self, gboolean left)
{
	/* Before the connection is ready, queued messages wait for an answer of the bus. */
	self->unsent = sd_bus_is_ready(self->bus) > 0 ? unsent(self->bus) : 0;
	if (self->unsent == 0)
		self->stuck_at = 0;
	else if (self->stuck_at == 0 || left)
		self->stuck_at = g_get_monotonic_time() + STUCK_US;
}

/* The time of the next check even if nothing happens; -1: never. */
static gint64 next_check(Source *self)
{
	uint64_t timeout = UINT64_MAX;

	if (self->stuck_at > 0)
		return self->stuck_at;
	(void)sd_bus_get_timeout(self->bus, &timeout);
	return timeout == UINT64_MAX ? -1 : (gint64)MIN(timeout, (uint64_t)G_MAXINT64);
}

static gboolean prepare(GSource *source, int *timeout_ms)
{
	Source *self = (Source *)source;
	int events;
	gint64 look, left;

	*timeout_ms = -1;
	if (self->running)
		return FALSE;
	events = sd_bus_get_events(self->bus);
	if (events < 0)
		return TRUE;
	check_unsent(self, FALSE);
	self->fd.fd = sd_bus_get_fd(self->bus);
	self->fd.events = (gushort)(self->unsent > 0 ? POLLOUT : events);
	self->fd.revents = 0;
	look = next_check(self);
	if (look < 0)
		return FALSE;
	left = look - g_get_monotonic_time();
	if (left <= 0)
		return TRUE;
	*timeout_ms = (int)MIN((left + 999) / 1000, G_MAXINT);
	return FALSE;
}

static gboolean check(GSource *source)
{
	Source *self = (Source *)source;
	gint64 look;

	if (self->running)
		return FALSE;
	if (self->fd.revents != 0)
		return TRUE;
	look = next_check(self);
	return look >= 0 && look <= g_get_monotonic_time();
}

/* The CPU time of this thread: on a machine that is busy, or stands still, others are to blame. */
static gint64 cpu_us(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * (gint64)G_USEC_PER_SEC + t.tv_nsec / 1000;
}

/* As sd_bus_process(), and says how long it took. */
static int process_one(Source *self)
{
	const gint64 began = cpu_us();
	const int result = sd_bus_process(self->bus, NULL);

	if (result > 0 && self->listener->handled)
		self->listener->handled(cpu_us() - began, self->data);
	return result;
}

/* 0 when the connection works, else a negative errno. */
static int process(Source *self)
{
	gboolean left = FALSE;

	for (guint i = 0; i < MAX_AT_ONCE; i++) {
		guint64 before = unsent(self->bus);
		int result = process_one(self);

		if (result < 0 && (!sd_bus_is_open(self->bus) || ++self->failures >= MAX_FAILURES))
			return result;
		if (result > 0)
			self->failures = 0;
		/* sd_bus_process() sends or handles a message; that may queue further ones. */
		left = left || unsent(self->bus) < before;
		if (result == 0 || unsent(self->bus) > 0)
			break;
	}
	check_unsent(self, left);
	return self->stuck_at > 0 && self->stuck_at <= g_get_monotonic_time() ? -ETIMEDOUT : 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	Source *self = (Source *)source;
	int error;

	if (self->running)
		return G_SOURCE_CONTINUE;
	self->running = TRUE;
	error = process(self);
	self->running = FALSE;
	if (error == 0 || g_source_is_destroyed(source))
		return G_SOURCE_CONTINUE;
	self->listener->lost(error, self->data);
	return G_SOURCE_REMOVE;
}

static void finalize(GSource *source)
{
	sd_bus_unref(((Source *)source)->bus);
}

GSource *procdb_bus_source_new(sd_bus *bus, const ProcdbBusListener *listener, gpointer data)
{
	static GSourceFuncs functions = {
	    .prepare = prepare,
	    .check = check,
	    .dispatch = dispatch,
	    .finalize = finalize,
	};
	GSource *source = g_source_new(&functions, sizeof(Source));
	Source *self = (Source *)source;

	self->bus = sd_bus_ref(bus);
	self->listener = listener;
	self->data = data;
	self->fd.fd = sd_bus_get_fd(bus);
	g_source_set_static_name(source, "sd-bus");
	/* Without it GLib takes the fd out of its poll at each dispatch: one more wake-up. */
	g_source_set_can_recurse(source, TRUE);
	g_source_add_poll(source, &self->fd);
	g_source_attach(source, NULL);
	return source;
}

gboolean procdb_bus_flush(sd_bus *bus, gint64 timeout_us)
{
	gint64 deadline = g_get_monotonic_time() + timeout_us;

	while (unsent(bus) > 0) {
		gint64 left = deadline - g_get_monotonic_time();
		struct pollfd fd = {.fd = sd_bus_get_fd(bus), .events = POLLOUT};
		int result;

		if (left <= 0 || !sd_bus_is_open(bus))
			return FALSE;
		result = sd_bus_process(bus, NULL);
		if (result < 0)
			return FALSE;
		if (result == 0)
			(void)poll(&fd, 1, (int)(left / 1000) + 1);
	}
	return TRUE;
}
