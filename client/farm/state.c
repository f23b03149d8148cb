/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "farm-known.h"

#define MAGIC "pandemonium-farm 1"
#define MARK "(uuuutt)"
#define INCREMENT "(suuuuttxxuuuu)"
/* Magic, incarnation, serial, marks, whether something is under way, the marks then, what. */
#define TYPE "(sst" MARKS "b" MARKS "a" INCREMENT ")"
#define MARKS "a{s" MARK "}"

static GVariant *marks_to_variant(GHashTable *marks)
{
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE(MARKS));
	GHashTableIter iter;
	gpointer name, value;

	if (marks) {
		g_hash_table_iter_init(&iter, marks);
		while (g_hash_table_iter_next(&iter, &name, &value)) {
			const FarmMark *mark = value;

			g_variant_builder_add(&builder, "{s" MARK "}", name, mark->votes[0],
					      mark->votes[1], mark->votes[2], mark->observations,
					      mark->right, mark->wrong);
		}
	}
	return g_variant_builder_end(&builder);
}

static GHashTable *marks_from_variant(GVariant *variant)
{
	GHashTable *marks = farm_marks_new();
	FarmMark mark;
	GVariantIter iter;
	const char *name;

	g_variant_iter_init(&iter, variant);
	while (g_variant_iter_next(&iter, "{&s" MARK "}", &name, &mark.votes[0], &mark.votes[1],
				   &mark.votes[2], &mark.observations, &mark.right, &mark.wrong))
		g_hash_table_insert(marks, g_strdup(name), g_memdup2(&mark, sizeof(mark)));
	return marks;
}

static GVariant *increments_to_variant(const GArray *increments)
{
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a" INCREMENT));

	for (guint i = 0; increments && i < increments->len; i++) {
		const FarmIncrement *one = &g_array_index(increments, FarmIncrement, i);

		g_variant_builder_add(&builder, INCREMENT, one->name, one->votes[0], one->votes[1],
				      one->votes[2], one->runs, one->right, one->wrong,
				      one->first_s, one->last_s, one->steps[0], one->steps[1],
				      one->steps[2], one->steps[3]);
	}
	return g_variant_builder_end(&builder);
}

static GArray *increments_from_variant(GVariant *variant)
{
	GArray *increments = farm_increments_new();
	FarmIncrement one = {0};
	GVariantIter iter;

	g_variant_iter_init(&iter, variant);
	while (g_variant_iter_next(&iter, INCREMENT, &one.name, &one.votes[0], &one.votes[1],
				   &one.votes[2], &one.runs, &one.right, &one.wrong, &one.first_s,
				   &one.last_s, &one.steps[0], &one.steps[1], &one.steps[2],
				   &one.steps[3]))
		g_array_append_val(increments, one);
	return increments;
}

static void begin_anew(FarmState *state)
{
	g_free(state->incarnation);
	state->incarnation = g_uuid_string_random();
	state->serial = 0;
	g_clear_pointer(&state->next, g_hash_table_unref);
	g_clear_pointer(&state->increments, g_array_unref);
}

static gboolean understand(FarmState *state, GBytes *bytes, GError **error)
{
	g_autoptr(GVariant) all =
	    g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(TYPE), bytes, FALSE));
	g_autoptr(GVariant) marks = NULL;
	g_autoptr(GVariant) next = NULL;
	g_autoptr(GVariant) increments = NULL;
	const char *magic;
	gboolean under_way;

	if (g_variant_is_normal_form(all)) {
		g_clear_pointer(&state->incarnation, g_free);
		g_variant_get(all, "(&sst@" MARKS "b@" MARKS "@a" INCREMENT ")", &magic,
			      &state->incarnation, &state->serial, &marks, &under_way, &next,
			      &increments);
		if (g_str_equal(magic, MAGIC) && g_uuid_string_is_valid(state->incarnation)) {
			state->marks = marks_from_variant(marks);
			if (under_way) {
				state->next = marks_from_variant(next);
				state->increments = increments_from_variant(increments);
			}
			return TRUE;
		}
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		    "%s cannot be understood: remove it, and what this machine has learned is "
		    "pushed once more",
		    state->path);
	return FALSE;
}

static gboolean read_file(FarmState *state, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) reason = NULL;
	char *content;
	gsize length;

	if (g_file_get_contents(state->path, &content, &length, &reason)) {
		bytes = g_bytes_new_take(content, length);
		return understand(state, bytes, error);
	}
	if (!g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		g_propagate_error(error, g_steal_pointer(&reason));
		return FALSE;
	}
	begin_anew(state);
	state->marks = farm_marks_new();
	return TRUE;
}

static gboolean write_file(FarmState *state, GError **error)
{
	g_autoptr(GVariant) all = g_variant_ref_sink(
	    g_variant_new("(sst@" MARKS "b@" MARKS "@a" INCREMENT ")", MAGIC, state->incarnation,
			  state->serial, marks_to_variant(state->marks), state->next != NULL,
			  marks_to_variant(state->next), increments_to_variant(state->increments)));

	return g_file_set_contents_full(
	    state->path, g_variant_get_data(all), (gssize)g_variant_get_size(all),
	    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

static gboolean take_lock(FarmState *state, GError **error)
{
	g_autofree char *path = g_strconcat(state->path, ".lock", NULL);
	int reason;

	state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (state->lock >= 0 && flock(state->lock, LOCK_EX | LOCK_NB) == 0)
		return TRUE;
	reason = errno;
	if (reason == EWOULDBLOCK)
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				    "another push to this store is under way");
	else
		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason), "%s: %s",
			    path, g_strerror(reason));
	return FALSE;
}

FarmState *farm_state_open(const char *directory, const char *store, const char *fingerprint,
			   const char *host, GError **error)
{
	g_autofree char *whole = g_strjoin("\n", store, fingerprint, host, NULL);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
	g_autofree char *name = g_strdup_printf("push-%.16s", digest);
	g_autoptr(FarmState) state = g_new0(FarmState, 1);

	state->lock = -1;
	state->path = g_build_filename(directory, name, NULL);
	if (!farm_known_make_directory(directory, error) || !take_lock(state, error) ||
	    !read_file(state, error))
		return NULL;
	return g_steal_pointer(&state);
}

void farm_state_close(FarmState *state)
{
	g_clear_pointer(&state->marks, g_hash_table_unref);
	g_clear_pointer(&state->next, g_hash_table_unref);
	g_clear_pointer(&state->increments, g_array_unref);
	if (state->lock >= 0)
		close(state->lock);
	g_free(state->incarnation);
	g_free(state->path);
	g_free(state);
}

gboolean farm_state_begin(FarmState *state, GArray *increments, GHashTable *next, GError **error)
{
	g_assert(!state->next);
	state->increments = increments;
	state->next = next;
	return write_file(state, error);
}

gboolean farm_state_end(FarmState *state, guint chunks, GError **error)
{
	state->serial += chunks;
	g_hash_table_unref(state->marks);
	state->marks = g_steal_pointer(&state->next);
	g_clear_pointer(&state->increments, g_array_unref);
	return write_file(state, error);
}

gboolean farm_state_restart(FarmState *state, gboolean forget, GError **error)
{
	begin_anew(state);
	if (forget)
		g_hash_table_remove_all(state->marks);
	return write_file(state, error);
}
