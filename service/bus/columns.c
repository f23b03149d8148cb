/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "columns.h"

#include <string.h>

#include "errors.h"
#include "identity.h"
#include "name.h"
#include "rows.h"
#include "task-rows.h"

/* The estimated bytes of a text, with its length and padding. */
#define TEXT_SIZE 24

/* A field may be asked for twice, but not thousands of times. */
#define MAX_FIELDS 64U

/* Of what the values of an entry are taken. */
struct source {
	const ProcdbView *view;
	const struct procdb_rules *rules;
	const struct procdb_entry *entry;
};

/* A value of the type of its column; of a text either member, made is freed. */
struct value {
	union {
		guint64 t;
		gint64 x;
		double d;
		guint32 u; /* also of b */
		const char *s;
	};
	char *made;
};

static void get_name(const struct source *of, struct value *value)
{
	value->made = procdb_name_escape(&of->entry->comm);
}

static void get_tier(const struct source *of, struct value *value)
{
	value->s = procdb_tier_name(procdb_entry_tier(of->entry));
}

static void get_confidence(const struct source *of, struct value *value)
{
	value->d = procdb_profile_confidence(&of->entry->profile, of->rules);
}

static void get_confident(const struct source *of, struct value *value)
{
	value->u = procdb_profile_is_confident(&of->entry->profile, of->rules) ? 1 : 0;
}

static void get_origin(const struct source *of, struct value *value)
{
	value->s = procdb_profile_origin(of->entry);
}

static void get_predicted(const struct source *of, struct value *value)
{
	value->u = of->entry->published ? 1 : 0;
}

static void get_prediction_source(const struct source *of, struct value *value)
{
	value->s = procdb_prediction_source(of->view->engine, of->entry);
}

static void get_held(const struct source *of, struct value *value)
{
	const ProcdbHold *hold =
	    of->entry->held ? procdb_holds_find(of->view->holds, &of->entry->comm) : NULL;

	value->s = hold ? procdb_tier_name(hold->tier) : "";
}

static void get_kind(const struct source *of, struct value *value)
{
	ProcdbIdentity identity;

	value->s = procdb_view_identity(of->view, of->entry, &identity)
		       ? procdb_kind_name(identity.kind)
		       : "";
}

static void get_user(const struct source *of, struct value *value)
{
	ProcdbIdentity identity;

	value->s = procdb_view_identity(of->view, of->entry, &identity)
		       ? procdb_user_class_name(procdb_user_class(identity.uid))
		       : "";
}

/* What is told of a program only to its user and root. */
static gboolean find_told(const struct source *of, ProcdbIdentity *identity)
{
	return procdb_view_identity(of->view, of->entry, identity) &&
	       procdb_user_may_know(of->view->uid, identity->uid);
}

static void get_program(const struct source *of, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_text(identity.path, PROCDB_PATH_LEN);
}

static void get_unit(const struct source *of, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_text(identity.unit, PROCDB_UNIT_LEN);
}

static void get_application(const struct source *of, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_application(&identity);
}

static void get_script(const struct source *of, struct value *value)
{
	value->s = procdb_view_scripts(of->view, of->entry)->first;
}

static void get_scripts(const struct source *of, struct value *value)
{
	value->u = procdb_view_scripts(of->view, of->entry)->number;
}

static void get_runs(const struct source *of, struct value *value)
{
	struct procdb_identity known;

	procdb_engine_identity(of->view->engine, of->entry, &known);
	value->t = known.runs;
}

static const ProcdbProgram *program_of(const struct source *of)
{
	return procdb_engine_program(of->view->engine, &of->entry->comm);
}

static void get_cpu(const struct source *of, struct value *value)
{
	struct procdb_identity known;

	procdb_engine_identity(of->view->engine, of->entry, &known);
	value->t = known.cpu;
}

static void get_cpu_share(const struct source *of, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? program->cpu_share : -1;
}

static void get_wakeups(const struct source *of, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? procdb_program_rate(program, program->wakeups) : -1;
}

static void get_switches(const struct source *of, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? procdb_program_rate(program, program->switches) : -1;
}

#define PROFILE(member) NULL, G_STRUCT_OFFSET(struct procdb_entry, profile.member)

/* As GetProfile names them. */
static const struct column {
	const char *name;
	char type;
	void (*get)(const struct source *of, struct value *value);
	gsize offset; /* without get: where the entry has the number */
} all[] = {
    {"name", 's', get_name},
    {"tier", 's', get_tier},
    {"confidence", 'd', get_confidence},
    {"confident", 'b', get_confident},
    {"observations", 'u', PROFILE(observations)},
    {"avg_runtime_ns", 't', PROFILE(avg_runtime_ns)},
    {"runtime_dev_ns", 't', PROFILE(runtime_dev_ns)},
    {"wakeup_freq", 't', PROFILE(wakeup_freq)},
    {"csw_rate", 't', PROFILE(csw_rate)},
    {"first_seen_us", 'x', PROFILE(first_seen_us)},
    {"last_seen_us", 'x', PROFILE(last_seen_us)},
    {"origin", 's', get_origin},
    {"predicted", 'b', get_predicted},
    {"prediction_source", 's', get_prediction_source},
    {"held", 's', get_held},
    {"kind", 's', get_kind},
    {"user", 's', get_user},
    {"program", 's', get_program},
    {"unit", 's', get_unit},
    {"application", 's', get_application},
    {"script", 's', get_script},
    {"scripts", 'u', get_scripts},
    {"runs", 't', get_runs},
    {"cpu_ns", 't', get_cpu},
    {"cpu_share", 'd', get_cpu_share},
    {"wakeups_per_second", 'd', get_wakeups},
    {"switches_per_second", 'd', get_switches},
};
_Static_assert(G_N_ELEMENTS(all) <= 32, "a bit of ProcdbColumns for each");

static gsize value_size(char type)
{
	return type == 'u' || type == 'b' ? sizeof(guint32) : sizeof(guint64);
}

static gboolean choose(const char *name, ProcdbColumns *columns, GError **error)
{
	g_autoptr(GString) known = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		if (g_str_equal(all[i].name, name)) {
			*columns |= 1U << i;
			return TRUE;
		}
	}
	known = g_string_new(all[0].name);
	for (guint i = 1; i < G_N_ELEMENTS(all); i++)
		g_string_append_printf(known, ", %s", all[i].name);
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
		    "There is no column '%s': there are %s", name, known->str);
	return FALSE;
}

int procdb_columns_read(sd_bus_message *call, ProcdbColumns *columns, GError **error)
{
	const char *name;
	int result = sd_bus_message_enter_container(call, 'a', "s");
	guint count = 0;

	*columns = 0;
	while (result >= 0 && (result = sd_bus_message_read_basic(call, 's', &name)) > 0) {
		if (!choose(name, columns, error))
			return 0;
		if (++count <= MAX_FIELDS)
			continue;
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "More than %u fields are asked for; there are %u", MAX_FIELDS,
			    (guint)G_N_ELEMENTS(all));
		return 0;
	}
	return result < 0 ? result : sd_bus_message_exit_container(call);
}

gsize procdb_columns_size(ProcdbColumns columns)
{
	gsize size = 0;

	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		if (columns & (1U << i))
			size += all[i].type == 's' ? TEXT_SIZE : value_size(all[i].type);
	return size;
}

/* One by one: texts, and booleans, of which sd-bus takes no array. */
static int append_each(sd_bus_message *message, const struct column *column, struct source *of,
		       const GPtrArray *entries)
{
	const char type[] = {column->type, '\0'};
	int result = sd_bus_message_open_container(message, 'a', type);

	for (guint i = 0; i < entries->len && result >= 0; i++) {
		struct value value = {.s = ""};

		of->entry = g_ptr_array_index(entries, i);
		column->get(of, &value);
		if (column->type == 's')
			result = sd_bus_message_append_basic(message, 's',
							     value.made ? value.made : value.s);
		else
			result = sd_bus_message_append_basic(message, 'b', &value.u);
		g_free(value.made);
	}
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static int append_numbers(sd_bus_message *message, const struct column *column, struct source *of,
			  const GPtrArray *entries)
{
	const gsize size = value_size(column->type);
	void *space;
	/* sd-bus makes the room in the message, aligned to the type. */
	int result =
	    sd_bus_message_append_array_space(message, column->type, entries->len * size, &space);

	for (guint i = 0; i < entries->len && result >= 0; i++) {
		struct value value = {.t = 0};

		of->entry = g_ptr_array_index(entries, i);
		if (column->get)
			column->get(of, &value);
		memcpy((char *)space + i * size,
		       column->get ? (const char *)&value
				   : (const char *)of->entry + column->offset,
		       size);
	}
	return result;
}

static int append_column(sd_bus_message *message, const struct column *column, struct source *of,
			 const GPtrArray *entries)
{
	const char type[] = {'a', column->type, '\0'};
	int result = sd_bus_message_open_container(message, 'e', "sv");

	if (result >= 0)
		result = sd_bus_message_append_basic(message, 's', column->name);
	if (result >= 0)
		result = sd_bus_message_open_container(message, 'v', type);
	if (result >= 0)
		result = strchr("sb", column->type) ? append_each(message, column, of, entries)
						    : append_numbers(message, column, of, entries);
	if (result >= 0)
		result = sd_bus_message_close_container(message);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static gboolean have(ProcdbColumns columns, gboolean (*is)(const struct column *column))
{
	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		if (columns & (1U << i) && is(&all[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_text_of_users(const struct column *column)
{
	return column->get == get_program || column->get == get_unit ||
	       column->get == get_application || column->get == get_script;
}

static gboolean is_of_tasks(const struct column *column)
{
	return is_text_of_users(column) || column->get == get_kind || column->get == get_user ||
	       column->get == get_scripts;
}

static gboolean is_of_scripts(const struct column *column)
{
	return column->get == get_script || column->get == get_scripts;
}

gboolean procdb_columns_have_scripts(ProcdbColumns columns)
{
	return have(columns, is_of_scripts);
}

gboolean procdb_columns_have_texts(ProcdbColumns columns)
{
	return have(columns, is_text_of_users);
}

gboolean procdb_columns_need_tasks(ProcdbColumns columns)
{
	return have(columns, is_of_tasks);
}

int procdb_columns_append(sd_bus_message *message, const ProcdbView *view, const GPtrArray *entries,
			  ProcdbColumns columns)
{
	struct source of = {
	    .view = view,
	    .rules = &procdb_engine_settings(view->engine)->rules,
	};
	int result = sd_bus_message_open_container(message, 'a', "{sv}");

	for (guint i = 0; i < G_N_ELEMENTS(all) && result >= 0; i++)
		if (columns & (1U << i))
			result = append_column(message, &all[i], &of, entries);
	return result < 0 ? result : sd_bus_message_close_container(message);
}
