/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "name.h"

#include <string.h>

#include "errors.h"
#include "escape.h"

/* The bytes of a name in an error: that of a task has 64 at most, when all are escaped. */
#define MAX_SHOWN 64

char *procdb_name_escape(const struct procdb_comm *comm)
{
	gsize len = PROCDB_COMM_LEN;

	while (len > 0 && comm->bytes[len - 1] == '\0')
		len--;
	return escape_raw((const char *)comm->bytes, len);
}

/* The part of a name that the kernel keeps, escaped. */
static char *kept_of(const struct procdb_comm *comm)
{
	struct procdb_comm kept = *comm;

	kept.bytes[PROCDB_COMM_LEN - 1] = 0;
	return procdb_name_escape(&kept);
}

static gboolean refuse(GError **error, const char *why)
{
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME,
		    "Not a valid task name: %s", why);
	return FALSE;
}

static gboolean refuse_kept(const struct procdb_comm *comm, GError **error)
{
	g_autofree char *name = kept_of(comm);

	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME,
		    "Not a valid task name: the kernel keeps 15 bytes, which are '%s'", name);
	return FALSE;
}

gboolean procdb_name_can_match(const struct procdb_comm *comm, GError **error)
{
	return comm->bytes[PROCDB_COMM_LEN - 1] == 0 || refuse_kept(comm, error);
}

/* Fails for a name that is too long: out has the bytes before n, the next does not fit. */
static gboolean refuse_length(struct procdb_comm *out, gsize n, const char *more, GError **error)
{
	memcpy(out->bytes + n, more, PROCDB_COMM_LEN - n);
	return refuse_kept(out, error);
}

gboolean procdb_name_unescape(const char *name, struct procdb_comm *comm, GError **error)
{
	struct procdb_comm out = {0};
	char bytes[ESCAPE_CHARACTER_MAX];
	gsize n = 0;

	while (*name) {
		const gsize len = escape_read(&name, bytes);

		if (len == 0 && *name == '\\')
			return refuse(error, "a backslash is written \\\\, and a byte \\xNN with "
					     "two lower-case hexadecimal digits");
		if (len == 0)
			return refuse(error, "an unprintable byte is written \\xNN");
		if (n + len > PROCDB_COMM_LEN)
			return refuse_length(&out, n, bytes, error);
		memcpy(out.bytes + n, bytes, len);
		n += len;
	}
	*comm = out;
	return TRUE;
}

void procdb_name_blame(GError **error, const char *name)
{
	const gsize length = strlen(name);
	const char *end =
	    length > MAX_SHOWN ? g_utf8_find_prev_char(name, name + MAX_SHOWN + 1) : name + length;

	g_prefix_error(error, "'%.*s%s': ", (int)(end - name), name, *end ? "…" : "");
}

gboolean procdb_name_read_tier(const char *text, enum procdb_tier *tier, GError **error)
{
	if (procdb_tier_parse(text, tier))
		return TRUE;
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_TIER,
		    "There is no tier '%s': use batch, interactive or lat-critical", text);
	return FALSE;
}
