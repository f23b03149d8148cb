/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "filter.h"

#include "contract.h"
#include "errors.h"
#include "identity.h"
#include "name.h"

/* The longest pattern in bytes: an escaped name has 64. */
#define MAX_PATTERN 256

/* Reads the value of an entry. FALSE with error set when there is no such value. */
typedef gboolean (*ReadText)(ProcdbFilter *filter, const char *text, GError **error);

static gboolean refuse(GError **error, const char *what, const char *text, const char *use)
{
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
		    "There is no %s '%s' to filter by: use %s", what, text, use);
	return FALSE;
}

static gboolean is_short(const char *text, GError **error)
{
	if (strlen(text) <= MAX_PATTERN)
		return TRUE;
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
		    "A pattern may have at most %d bytes", MAX_PATTERN);
	return FALSE;
}

static gboolean read_pattern(ProcdbFilter *filter, const char *text, GError **error)
{
	if (!is_short(text, error))
		return FALSE;
	g_clear_pointer(&filter->pattern, g_pattern_spec_free);
	filter->pattern = g_pattern_spec_new(text);
	return TRUE;
}

static gboolean read_title(ProcdbFilter *filter, const char *text, GError **error)
{
	if (!filter->titles)
		filter->titles =
		    g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
	filter->title_bytes += strlen(text);
	if (filter->titles->len == PROCDB_MAX_TITLES ||
	    filter->title_bytes > PROCDB_MAX_TITLE_BYTES) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "At most %u titles of %u bytes together can be asked for",
			    PROCDB_MAX_TITLES, PROCDB_MAX_TITLE_BYTES);
		return FALSE;
	}
	g_ptr_array_add(filter->titles, g_pattern_spec_new(text));
	return TRUE;
}

static gboolean read_after(ProcdbFilter *filter, const char *text, GError **error)
{
	filter->is_after = TRUE;
	return procdb_name_unescape(text, &filter->after, error);
}

static gboolean read_tier(ProcdbFilter *filter, const char *text, GError **error)
{
	enum procdb_tier tier;

	if (!procdb_tier_parse(text, &tier))
		return refuse(error, "tier", text, "batch, interactive or lat-critical");
	filter->tier = (int)tier;
	return TRUE;
}

static gboolean read_kind(ProcdbFilter *filter, const char *text, GError **error)
{
	for (guint kind = PROCDB_KIND_PROCESS; kind <= PROCDB_KIND_KERNEL; kind++) {
		if (!g_str_equal(text, procdb_kind_name((guint8)kind)))
			continue;
		filter->kinds |= 1U << kind;
		return TRUE;
	}
	return refuse(error, "kind", text, "process, thread or kernel");
}

static gboolean read_user(ProcdbFilter *filter, const char *text, GError **error)
{
	for (guint user = 0; user < PROCDB_USER_CLASSES; user++) {
		if (!g_str_equal(text, procdb_user_class_name((ProcdbUserClass)user)))
			continue;
		filter->users |= 1U << user;
		return TRUE;
	}
	return refuse(error, "kind of user", text, "root, system or user");
}

static gboolean read_sort(ProcdbFilter *filter, const char *text, GError **error)
{
	static const char *const names[] = {
	    [PROCDB_SORT_NAME] = "name",
	    [PROCDB_SORT_CPU] = "cpu",
	    [PROCDB_SORT_LAST_SEEN] = "last_seen",
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!g_str_equal(text, names[i]))
			continue;
		filter->sort = (ProcdbSort)i;
		return TRUE;
	}
	return refuse(error, "order", text, "name, cpu or last_seen");
}

#define NUMBER(member) G_STRUCT_OFFSET(ProcdbFilter, member)

static const struct key {
	const char *name;
	const char *type;
	guint of;      /* ProcdbFilterOf, or of both */
	ReadText read; /* of s and as */
	gsize offset;  /* of the others */
} keys[] = {
    {"pattern", "s", PROCDB_FILTER_PROFILES | PROCDB_FILTER_TASKS, read_pattern, 0},
    {PROCDB_FILTER_TITLES, "as", PROCDB_FILTER_PROFILES, read_title, 0},
    {"tier", "s", PROCDB_FILTER_PROFILES | PROCDB_FILTER_TASKS, read_tier, 0},
    {"kinds", "as", PROCDB_FILTER_PROFILES | PROCDB_FILTER_TASKS, read_kind, 0},
    {"applied", "b", PROCDB_FILTER_PROFILES | PROCDB_FILTER_TASKS, NULL, NUMBER(applied)},
    {"users", "as", PROCDB_FILTER_PROFILES, read_user, 0},
    {"confident", "b", PROCDB_FILTER_PROFILES, NULL, NUMBER(confident)},
    {"changed_since", "t", PROCDB_FILTER_PROFILES, NULL, NUMBER(changed_since)},
    {"sort", "s", PROCDB_FILTER_PROFILES, read_sort, 0},
    {"after", "s", PROCDB_FILTER_PROFILES, read_after, 0},
    {"pid", "u", PROCDB_FILTER_TASKS, NULL, NUMBER(pid)},
    {"uid", "u", PROCDB_FILTER_TASKS, NULL, NUMBER(uid)},
};

/* NULL with error set for a name that is no entry's; the error has those that there are. */
static const struct key *find_key(const char *name, ProcdbFilterOf of, GError **error)
{
	g_autoptr(GString) known = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (!(keys[i].of & of))
			continue;
		if (g_str_equal(keys[i].name, name))
			return &keys[i];
		g_string_append_printf(known, "%s%s", known->len ? ", " : "", keys[i].name);
	}
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
		    "A filter has no entry '%s': there are %s", name, known->str);
	return NULL;
}

static int read_texts(sd_bus_message *call, const struct key *key, ProcdbFilter *filter,
		      GError **error)
{
	const char *text;
	int result = sd_bus_message_enter_container(call, 'a', "s");

	while (result >= 0 && (result = sd_bus_message_read_basic(call, 's', &text)) > 0)
		if (!key->read(filter, text, error))
			return 0;
	return result < 0 ? result : sd_bus_message_exit_container(call);
}

static int read_value(sd_bus_message *call, const struct key *key, ProcdbFilter *filter,
		      GError **error)
{
	union {
		const char *text;
		guint32 u;
		guint64 t;
		int b;
	} value;
	int result;

	if (key->type[0] == 'a')
		return read_texts(call, key, filter, error);
	result = sd_bus_message_read_basic(call, key->type[0], &value);
	if (result < 0)
		return result;
	if (key->read)
		(void)key->read(filter, value.text, error);
	else if (key->type[0] == 'b')
		G_STRUCT_MEMBER(int, filter, key->offset) = value.b != 0;
	else if (key->type[0] == 'u')
		G_STRUCT_MEMBER(gint64, filter, key->offset) = value.u;
	else
		G_STRUCT_MEMBER(guint64, filter, key->offset) = value.t;
	filter->since |= key->type[0] == 't';
	return 0;
}

/* Reads what follows the name of an entry. */
static int read_entry(sd_bus_message *call, const char *name, ProcdbFilterOf of,
		      ProcdbFilter *filter, GError **error)
{
	const struct key *key = find_key(name, of, error);
	const char *type;
	int result;

	if (!key)
		return 0;
	result = sd_bus_message_peek_type(call, NULL, &type);
	if (result < 0)
		return result;
	if (!g_str_equal(type, key->type)) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "The entry '%s' of a filter is of type %s, not %s", name, key->type,
			    type);
		return 0;
	}
	result = sd_bus_message_enter_container(call, 'v', type);
	if (result >= 0)
		result = read_value(call, key, filter, error);
	return result < 0 || *error ? result : sd_bus_message_exit_container(call);
}

int procdb_filter_read(sd_bus_message *call, ProcdbFilterOf of, ProcdbFilter *filter,
		       GError **error)
{
	const char *name;
	int result = sd_bus_message_enter_container(call, 'a', "{sv}");

	*filter = (ProcdbFilter){
	    .tier = PROCDB_TIERS,
	    .confident = -1,
	    .applied = -1,
	    .pid = -1,
	    .uid = -1,
	};
	while (result >= 0 && (result = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
		result = sd_bus_message_read_basic(call, 's', &name);
		if (result >= 0)
			result = read_entry(call, name, of, filter, error);
		/* What is wrong is known: the rest does not matter. */
		if (*error)
			return 0;
		if (result >= 0)
			result = sd_bus_message_exit_container(call);
	}
	if (filter->is_after && filter->sort != PROCDB_SORT_NAME)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "'after' goes on in the order by name: leave 'sort' out");
	return result < 0 || *error ? MIN(result, 0) : sd_bus_message_exit_container(call);
}

void procdb_filter_clear(ProcdbFilter *filter)
{
	g_clear_pointer(&filter->pattern, g_pattern_spec_free);
	g_clear_pointer(&filter->titles, g_ptr_array_unref);
}

gboolean procdb_filter_has_title(const ProcdbFilter *filter, const char *text)
{
	for (guint i = 0; i < filter->titles->len; i++)
		if (g_pattern_spec_match_string(g_ptr_array_index(filter->titles, i), text))
			return TRUE;
	return FALSE;
}

gboolean procdb_filter_takes_name(const ProcdbFilter *filter, const struct procdb_comm *comm)
{
	g_autofree char *name = NULL;

	if (!filter->pattern)
		return TRUE;
	name = procdb_name_escape(comm);

	return g_pattern_spec_match_string(filter->pattern, name);
}

gboolean procdb_filter_takes_kind(const ProcdbFilter *filter, guint8 kind)
{
	return filter->kinds == 0 || kind == PROCDB_KIND_UNKNOWN || filter->kinds & (1U << kind);
}
