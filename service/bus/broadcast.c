/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "broadcast.h"

#include "log.h"
#include "peers.h"
#include "statistics.h"

/* With the 72 MiB that all callers may leave unread (unread.c) less than 127. */
#define MOST ((guint32)48 << 20)
#define AGAIN ((guint32)32 << 20)
/* In that time PropertiesChanged has some 100 KiB. */
#define ASK_US (60 * (gint64)G_USEC_PER_SEC)

struct _ProcdbBroadcast {
	sd_bus *bus;
	sd_bus_slot *question; /* while it is under way */
	gint64 asked_at;       /* monotonic µs */
	gboolean silent;
};

static int on_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbBroadcast *self = data;
	gboolean silent = self->silent;
	guint32 bytes;

	self->question = sd_bus_slot_unref(self->question);
	/* "Incoming" of the bus: what came from us, and is not read by its receivers yet. */
	if (!procdb_statistics_enter(reply, "IncomingBytes", "u") ||
	    sd_bus_message_read_basic(reply, 'u', &bytes) <= 0)
		return 1;
	self->silent = bytes > (silent ? AGAIN : MOST);
	if (self->silent && !silent)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_BUS,
			   "A program that follows PropertiesChanged has not read it for long: the "
			   "bus keeps %u MiB of the service's messages. No more are sent until "
			   "these are read, or the program has ended",
			   (guint)(bytes >> 20));
	return 1;
}

gboolean procdb_broadcast_may(ProcdbBroadcast *self)
{
	const gint64 now = g_get_monotonic_time();
	const char *name;

	if (!self->question && (self->asked_at == 0 || now - self->asked_at >= ASK_US) &&
	    sd_bus_get_unique_name(self->bus, &name) >= 0) {
		self->asked_at = now;
		(void)sd_bus_call_method_async(self->bus, &self->question, PROCDB_DAEMON_NAME,
					       PROCDB_DAEMON_PATH, PROCDB_STATISTICS,
					       "GetConnectionStats", on_answer, self, "s", name);
	}
	return !self->silent;
}

ProcdbBroadcast *procdb_broadcast_new(sd_bus *bus)
{
	ProcdbBroadcast *self = g_new0(ProcdbBroadcast, 1);

	self->bus = sd_bus_ref(bus);
	return self;
}

void procdb_broadcast_free(ProcdbBroadcast *self)
{
	if (!self)
		return;
	sd_bus_slot_unref(self->question);
	sd_bus_unref(self->bus);
	g_free(self);
}
