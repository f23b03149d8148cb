/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The errors of the interface and their names on the bus. */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

#define PROCDB_BUS_ERROR (procdb_bus_error_quark())
GQuark procdb_bus_error_quark(void);
typedef enum {
	PROCDB_BUS_ERROR_INVALID_NAME,
	PROCDB_BUS_ERROR_INVALID_TIER,
	PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
	PROCDB_BUS_ERROR_NO_BACKEND,
	PROCDB_BUS_ERROR_INVALID_PROFILE,
	PROCDB_BUS_ERROR_INVALID_FILTER,
	PROCDB_BUS_ERROR_NO_SUCH_TASK,
	PROCDB_BUS_ERROR_NO_SUCH_HOLD,
	PROCDB_BUS_ERROR_ACCESS_DENIED,
	PROCDB_BUS_ERROR_INTERACTION_REQUIRED, /* a prompt would be needed, and the caller allows
						  none */
} ProcdbBusError;

/* The name on the bus of an error of this layer or of the engine; NULL for others. Static. */
const char *procdb_bus_error_name(const GError *error);

/* LimitExceeded, for this reason. */
GError *procdb_bus_limit(const char *why);

/*
 * Answers a call with an error, by its name on the bus, and frees the error. Returns the result of
 * sd_bus_reply_method_error(), for a handler to return.
 */
int procdb_bus_reply_error(sd_bus_message *call, GError *error);

/* Answers a call with a number, or with the error if there is one, which is freed. */
int procdb_bus_reply_number(sd_bus_message *call, guint number, GError *error);
/* The same without a number. */
int procdb_bus_reply_nothing(sd_bus_message *call, GError *error);

/*
 * Sends a reply that was made with this result of sd-bus, unless it is an error, and frees the
 * reply. Returns what a handler returns.
 */
int procdb_bus_send_reply(sd_bus_message *reply, int result);

/* An error that says what failed, from a negative errno. The caller frees it. */
GError *procdb_bus_errno(int result, const char *what);
