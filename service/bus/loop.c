/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "loop.h"

#include <errno.h>
#include <poll.h>

/* Messages in one turn of the main loop: others have theirs after some milliseconds at most. */
#define MAX_AT_ONCE 32
/* A bus that takes nothing for so long does not work for this connection any more. */
#define STUCK_US (5 * (gint64)G_USEC_PER_SEC)
/*
 * A message that cannot be handled is gone, and the next one comes. So many failures in
 * turn are no messages: what is read makes no sense.
 */
#define MAX_FAILURES 16

typedef struct {
	GSource source;
	sd_bus *bus;
	void (*lost)(int error, gpointer data);
	gpointer data;
	GPollFD fd;
	guint64 unsent;	 /* messages at the last look */
	gint64 stuck_at; /* monotonic µs: when there will be no hope; 0 while nothing waits */
	guint failures;
	gboolean running; /* lest a handler runs the loop */
} Source;

static guint64 unsent(sd_bus *bus)
{
	guint64 n = 0;

	(void)sd_bus_get_n_queued_write(bus, &n);
	return n;
}

/* Notes since when nothing of what waits to be sent has left; left: something just has. */
static void watch_unsent(Source *self, gboolean left)
{
	/* Before it is ready, what waits does so for an answer. */
	self->unsent = sd_bus_is_ready(self->bus) > 0 ? unsent(self->bus) : 0;
	if (self->unsent == 0)
		self->stuck_at = 0;
	else if (self->stuck_at == 0 || left)
		self->stuck_at = g_get_monotonic_time() + STUCK_US;
}

/* When to look again even if nothing comes; -1: never. */
static gint64 next_look(Source *self)
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
	watch_unsent(self, FALSE);
	self->fd.fd = sd_bus_get_fd(self->bus);
	self->fd.events = (gushort)(self->unsent > 0 ? POLLOUT : events);
	self->fd.revents = 0;
	look = next_look(self);
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
	look = next_look(self);
	return look >= 0 && look <= g_get_monotonic_time();
}

/* 0 when the connection works, else why it does not. */
static int process(Source *self)
{
	gboolean left = FALSE;

	for (guint i = 0; i < MAX_AT_ONCE; i++) {
		guint64 before = unsent(self->bus);
		int result = sd_bus_process(self->bus, NULL);

		if (result < 0 && (!sd_bus_is_open(self->bus) || ++self->failures >= MAX_FAILURES))
			return result;
		if (result > 0)
			self->failures = 0;
		/* It either sends or handles a message, which may add to what is to be sent. */
		left = left || unsent(self->bus) < before;
		if (result == 0 || unsent(self->bus) > 0)
			break;
	}
	watch_unsent(self, left);
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
	self->lost(error, self->data);
	return G_SOURCE_REMOVE;
}

static void finalize(GSource *source)
{
	sd_bus_unref(((Source *)source)->bus);
}

GSource *procdb_bus_source_new(sd_bus *bus, void (*lost)(int error, gpointer data), gpointer data)
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
	self->lost = lost;
	self->data = data;
	self->fd.fd = sd_bus_get_fd(bus);
	g_source_set_static_name(source, "sd-bus");
	/* Else GLib takes the fd out of its poll for each dispatch, and wakes up once more. */
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
