/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The handler of ImportPrograms. */

#include "private.h"

#include <string.h>

#include "errors.h"
#include "escape.h"
#include "identity.h"
#include "name.h"

/* A row while it is read; the texts are those of the message. */
struct row {
	const char *name;
	const char *program;
	const char *unit;
	const char *kind;
	guint64 runs;
	guint64 cpu;
	guint32 uid;
};

/* The members of a row that count; QueryProfiles has others beside them. */
static const struct member {
	const char *key;
	char type;
	gsize offset;
} members[] = {
    {"name", 's', G_STRUCT_OFFSET(struct row, name)},
    {"program", 's', G_STRUCT_OFFSET(struct row, program)},
    {"unit", 's', G_STRUCT_OFFSET(struct row, unit)},
    {"kind", 's', G_STRUCT_OFFSET(struct row, kind)},
    {"runs", 't', G_STRUCT_OFFSET(struct row, runs)},
    {"cpu_ns", 't', G_STRUCT_OFFSET(struct row, cpu)},
    {"uid", 'u', G_STRUCT_OFFSET(struct row, uid)},
};

/* An identity with its own texts. */
struct program {
	struct procdb_identity identity;
	char *path;
	char *unit;
};

static void program_clear(gpointer data)
{
	struct program *program = data;

	g_free(program->path);
	g_free(program->unit);
}

static const struct member *find_member(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		if (g_str_equal(members[i].key, key))
			return &members[i];
	return NULL;
}

/* Reads an entry of a{sv}. 0 with error set for one of another type. */
static int read_entry(sd_bus_message *call, struct row *row, GError **error)
{
	const struct member *member;
	const char *key, *type;
	int result = sd_bus_message_read_basic(call, 's', &key);

	if (result >= 0)
		result = sd_bus_message_peek_type(call, NULL, &type);
	if (result < 0)
		return result;
	member = find_member(key);
	if (!member)
		return sd_bus_message_skip(call, "v");
	if (type[0] != member->type || type[1] != '\0') {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_PROFILE,
			    "'%s' of a program must be of type %c", member->key, member->type);
		return 0;
	}
	return sd_bus_message_read(call, "v", type, G_STRUCT_MEMBER_P(row, member->offset));
}

/* Reads the next row; 0 behind the last one, or with error set. */
static int read_row(sd_bus_message *call, struct row *row, GError **error)
{
	int result = sd_bus_message_enter_container(call, 'a', "{sv}");

	*row = (struct row){.program = "", .unit = "", .kind = ""};
	if (result <= 0)
		return result;
	while ((result = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
		result = read_entry(call, row, error);
		/* What is wrong is known: the rest does not matter. */
		if (*error)
			return 0;
		if (result >= 0)
			result = sd_bus_message_exit_container(call);
		if (result < 0)
			return result;
	}
	return result < 0 ? result : sd_bus_message_exit_container(call);
}

static gboolean read_kind(const char *name, guint8 *kind)
{
	for (*kind = PROCDB_KIND_UNKNOWN; *kind <= PROCDB_KIND_KERNEL; (*kind)++)
		if (g_str_equal(procdb_kind_name(*kind), name))
			return TRUE;
	return FALSE;
}

/* The bytes of a text of which so many are kept; NULL for what none of a task is. */
static char *read_bytes(const char *escaped, gsize most)
{
	gsize len = 0;
	g_autofree char *bytes = escape_undo(escaped, &len);

	return bytes && len < most && strlen(bytes) == len ? g_steal_pointer(&bytes) : NULL;
}

static gboolean take_row(const struct row *row, GArray *programs, GError **error)
{
	struct program program = {
	    .identity = {.runs = row->runs, .cpu = row->cpu, .uid = row->uid}};
	const char *wrong = NULL;

	if (!row->name) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_PROFILE,
			    "A program has no 'name'");
		return FALSE;
	}
	if (!procdb_name_unescape(row->name, &program.identity.comm, error)) {
		procdb_name_blame(error, row->name);
		return FALSE;
	}
	program.path = read_bytes(row->program, PROCDB_PATH_LEN);
	program.unit = read_bytes(row->unit, PROCDB_UNIT_LEN);
	if (!read_kind(row->kind, &program.identity.kind))
		wrong = "'kind' must be process, thread or kernel";
	else if (!program.path)
		wrong = "'program' is no path, escaped as a name, of less than 256 bytes";
	else if (!program.unit)
		wrong = "'unit' is no unit, escaped as a name, of less than 128 bytes";
	if (wrong) {
		g_set_error_literal(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_PROFILE,
				    wrong);
		procdb_name_blame(error, row->name);
		program_clear(&program);
		return FALSE;
	}
	program.identity.path = program.path;
	program.identity.unit = program.unit;
	g_array_append_val(programs, program);
	return TRUE;
}

/* Reads all rows. 0 with error set for those that hold no program. */
static int read_rows(sd_bus_message *call, GArray *programs, GError **error)
{
	int result = sd_bus_message_enter_container(call, 'a', "a{sv}");
	struct row row;

	while (result >= 0 && (result = read_row(call, &row, error)) > 0) {
		if (!take_row(&row, programs, error))
			return 0;
		if (programs->len > PROCDB_MAX_IDENTITIES) {
			g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
				    "At most %d programs can be imported in one call",
				    PROCDB_MAX_IDENTITIES);
			return 0;
		}
	}
	return result < 0 || *error ? result : sd_bus_message_exit_container(call);
}

int procdb_object_import_programs(ProcdbObject *self, sd_bus_message *call)
{
	g_autoptr(GArray) programs = g_array_new(FALSE, FALSE, sizeof(struct program));
	GError *error = NULL;
	guint imported = 0;
	int add = FALSE, result;

	g_array_set_clear_func(programs, program_clear);
	result = read_rows(call, programs, &error);
	if (result >= 0 && !error)
		result = sd_bus_message_read(call, "b", &add);
	if (result < 0)
		return result;
	for (guint i = 0; !error && i < programs->len; i++)
		imported +=
		    procdb_engine_import_identity(
			self->engine, &g_array_index(programs, struct program, i).identity, add)
			? 1
			: 0;
	return procdb_object_reply_when_saved(self, call, 'u', imported, error);
}
