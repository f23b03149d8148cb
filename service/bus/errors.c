/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "errors.h"

#include <string.h>

#include "engine.h"

/* The longest message of an error, in bytes. */
#define MAX_MESSAGE 800
/* In place of its end. */
#define MORE "…"

#define PREFIX "org.pandemonium.ProcDb1.Error."

GQuark procdb_bus_error_quark(void)
{
	return g_quark_from_static_string("procdb-bus-error");
}

static const char *const bus_names[] = {
    [PROCDB_BUS_ERROR_INVALID_NAME] = PREFIX "InvalidName",
    [PROCDB_BUS_ERROR_INVALID_TIER] = PREFIX "InvalidTier",
    [PROCDB_BUS_ERROR_LIMIT_EXCEEDED] = PREFIX "LimitExceeded",
    [PROCDB_BUS_ERROR_INVALID_PROFILE] = PREFIX "InvalidProfile",
    [PROCDB_BUS_ERROR_NO_BACKEND] = PREFIX "NoBackend",
    [PROCDB_BUS_ERROR_INVALID_FILTER] = PREFIX "InvalidFilter",
    [PROCDB_BUS_ERROR_NO_SUCH_TASK] = PREFIX "NoSuchTask",
    [PROCDB_BUS_ERROR_NO_SUCH_HOLD] = PREFIX "NoSuchHold",
    [PROCDB_BUS_ERROR_ACCESS_DENIED] = "org.freedesktop.DBus.Error.AccessDenied",
    [PROCDB_BUS_ERROR_INTERACTION_REQUIRED] =
	"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
};

static const char *const engine_names[] = {
    [PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE] = PREFIX "NoSuchProfile",
    [PROCDB_ENGINE_ERROR_SAVE_FAILED] = PREFIX "SaveFailed",
    [PROCDB_ENGINE_ERROR_LOAD_FAILED] = PREFIX "LoadFailed",
    [PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED] = PREFIX "LimitExceeded",
    [PROCDB_ENGINE_ERROR_DECLARED] = PREFIX "Declared",
    [PROCDB_ENGINE_ERROR_CONTRADICTED] = PREFIX "InvalidProfile",
};

const char *procdb_bus_error_name(const GError *error)
{
	if (error->domain == PROCDB_BUS_ERROR && error->code < (gint)G_N_ELEMENTS(bus_names))
		return bus_names[error->code];
	if (error->domain == PROCDB_ENGINE_ERROR && error->code < (gint)G_N_ELEMENTS(engine_names))
		return engine_names[error->code];
	return NULL;
}

GError *procdb_bus_limit(const char *why)
{
	return g_error_new_literal(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED, why);
}

int procdb_bus_reply_error(sd_bus_message *call, GError *error)
{
	const char *name = procdb_bus_error_name(error), *message = error->message;
	gsize length = strlen(message);
	gboolean is_long = length > MAX_MESSAGE;
	int result;

	/* It may have words of its caller, of any length, and is charged as a short one. */
	if (is_long)
		length =
		    (gsize)(g_utf8_find_prev_char(message, message + MAX_MESSAGE - strlen(MORE)) -
			    message);
	result = sd_bus_reply_method_errorf(call, name ? name : SD_BUS_ERROR_FAILED, "%.*s%s",
					    (int)length, message, is_long ? MORE : "");
	g_error_free(error);
	return result;
}

GError *procdb_bus_errno(int result, const char *what)
{
	return g_error_new(G_IO_ERROR, g_io_error_from_errno(-result), "%s: %s", what,
			   g_strerror(-result));
}

int procdb_bus_reply_number(sd_bus_message *call, guint number, GError *error)
{
	return error ? procdb_bus_reply_error(call, error)
		     : sd_bus_reply_method_return(call, "u", (guint32)number);
}

int procdb_bus_reply_nothing(sd_bus_message *call, GError *error)
{
	return error ? procdb_bus_reply_error(call, error) : sd_bus_reply_method_return(call, NULL);
}

int procdb_bus_send_reply(sd_bus_message *reply, int result)
{
	if (result >= 0)
		result = sd_bus_message_send(reply);
	sd_bus_message_unref(reply);
	return result;
}
