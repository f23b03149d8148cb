/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The handlers of Hold and ReleaseHold. */

#include "private.h"

#include <string.h>

#include "errors.h"
#include "name.h"

/* The name of tasks that execute this path: the kernel keeps 15 bytes of the file's name. */
static gboolean name_of_program(const char *path, struct procdb_comm *comm, GError **error)
{
	const char *file = strrchr(path, '/') + 1;

	*comm = (struct procdb_comm){0};
	if (*file == '\0') {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME,
			    "'%s' is the path of a directory: name the program in it", path);
		return FALSE;
	}
	memcpy(comm->bytes, file, MIN(strlen(file), PROCDB_COMM_LEN - 1));
	return TRUE;
}

static gboolean read_name(const char *text, struct procdb_comm *comm, GError **error)
{
	if (text[0] == '/')
		return name_of_program(text, comm, error);
	if (procdb_name_unescape(text, comm, error) && procdb_name_can_match(comm, error))
		return TRUE;
	procdb_name_blame(error, text);
	return FALSE;
}

static gboolean check_reason(const char *reason, GError **error)
{
	if (strlen(reason) <= PROCDB_MAX_REASON)
		return TRUE;
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
		    "A reason may have at most %d bytes", PROCDB_MAX_REASON);
	return FALSE;
}

int procdb_object_hold(ProcdbObject *self, sd_bus_message *call)
{
	const char *name, *tier_name, *reason;
	struct procdb_comm comm;
	enum procdb_tier tier;
	GError *error = NULL;
	guint32 cookie;
	int result = sd_bus_message_read(call, "sss", &name, &tier_name, &reason);

	if (result < 0)
		return result;
	if (!read_name(name, &comm, &error) || !procdb_name_read_tier(tier_name, &tier, &error) ||
	    !check_reason(reason, &error) ||
	    !procdb_holds_add(self->holds, procdb_gate_caller(self->gate, call), &comm, tier,
			      reason, &cookie, &error))
		return procdb_bus_reply_error(call, error);
	procdb_object_changed(self);
	return sd_bus_reply_method_return(call, "u", cookie);
}

int procdb_object_release_hold(ProcdbObject *self, sd_bus_message *call)
{
	GError *error = NULL;
	guint32 cookie;
	int result = sd_bus_message_read(call, "u", &cookie);

	if (result < 0)
		return result;
	if (!procdb_holds_release(self->holds, procdb_gate_caller(self->gate, call), cookie,
				  &error))
		return procdb_bus_reply_error(call, error);
	procdb_object_changed(self);
	return sd_bus_reply_method_return(call, NULL);
}
