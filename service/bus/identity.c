/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "identity.h"

#include <string.h>

#include "escape.h"

/* login.defs(5) and systemd's UIDS-GIDS: people begin here. */
#define FIRST_ORDINARY 1000
/* DynamicUser= of systemd.exec(5), and the user nobody behind them. */
#define FIRST_DYNAMIC 61184
#define LAST_DYNAMIC 65534

ProcdbUserClass procdb_user_class(guint32 uid)
{
	if (uid == 0)
		return PROCDB_USER_ROOT;
	return uid < FIRST_ORDINARY || (uid >= FIRST_DYNAMIC && uid <= LAST_DYNAMIC)
		   ? PROCDB_USER_SYSTEM
		   : PROCDB_USER_ORDINARY;
}

const char *procdb_user_class_name(ProcdbUserClass user)
{
	static const char *const names[] = {
	    [PROCDB_USER_ROOT] = "root",
	    [PROCDB_USER_SYSTEM] = "system",
	    [PROCDB_USER_ORDINARY] = "user",
	};

	return names[user];
}

gboolean procdb_user_may_know(guint32 reader, guint32 uid)
{
	return reader == 0 || reader == uid || procdb_user_class(uid) != PROCDB_USER_ORDINARY;
}

const char *procdb_kind_name(guint8 kind)
{
	static const char *const names[] = {
	    [PROCDB_KIND_UNKNOWN] = "",
	    [PROCDB_KIND_PROCESS] = "process",
	    [PROCDB_KIND_THREAD] = "thread",
	    [PROCDB_KIND_KERNEL] = "kernel",
	};

	return kind < G_N_ELEMENTS(names) ? names[kind] : "";
}

/* Replaces "\xNN" by the byte, in place. */
static void undo_escapes(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] == 'x' && g_ascii_isxdigit(text[2]) &&
		    g_ascii_isxdigit(text[3]) && (text[2] != '0' || text[3] != '0')) {
			*to++ = (char)(g_ascii_xdigit_value(text[2]) * 16 +
				       g_ascii_xdigit_value(text[3]));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

char *procdb_application_of(const char *unit)
{
	g_autofree char *name = NULL;
	char *end, *id;

	if (!g_str_has_prefix(unit, "app-"))
		return NULL;
	name = g_strdup(unit + strlen("app-"));
	if (g_str_has_suffix(name, ".scope")) {
		end = strrchr(name, '-');
		if (!end)
			return NULL;
	} else if (g_str_has_suffix(name, ".service")) {
		end = strchr(name, '@');
		if (!end)
			end = name + strlen(name) - strlen(".service");
	} else {
		return NULL;
	}
	*end = '\0';
	id = strrchr(name, '-');
	id = id ? id + 1 : name;
	undo_escapes(id);
	return *id ? g_strdup(id) : NULL;
}

char *procdb_identity_text(const char *bytes, gsize size)
{
	return escape_raw(bytes, strnlen(bytes, size));
}
