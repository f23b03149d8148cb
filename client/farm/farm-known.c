/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "farm-known.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "output.h"

#define FILE_NAME "known"
/* Names, and in the same order machines and runs: written at each pull, and read of one name. */
#define TYPE "(asatat)"
#define MAX_BYTES ((goffset)16 * 1024 * 1024)

const char *farm_known_directory(void)
{
	const char *systemd = getenv("STATE_DIRECTORY");

	return systemd && *systemd ? systemd : "/var/lib/pandemonium-farm";
}

struct _FarmKnown {
	GPtrArray *names;
	GArray *machines; /* of guint64, as runs */
	GArray *runs;
};

FarmKnown *farm_known_new(void)
{
	FarmKnown *known = g_new(FarmKnown, 1);

	known->names = g_ptr_array_new_with_free_func(g_free);
	known->machines = g_array_new(FALSE, FALSE, sizeof(guint64));
	known->runs = g_array_new(FALSE, FALSE, sizeof(guint64));
	return known;
}

void farm_known_free(FarmKnown *known)
{
	g_ptr_array_unref(known->names);
	g_array_unref(known->machines);
	g_array_unref(known->runs);
	g_free(known);
}

void farm_known_add(FarmKnown *known, const char *name, guint64 machines, guint64 runs)
{
	g_ptr_array_add(known->names, g_strdup(name));
	g_array_append_val(known->machines, machines);
	g_array_append_val(known->runs, runs);
}

gboolean farm_known_make_directory(const char *directory, GError **error)
{
	if (g_mkdir_with_parents(directory, 0755) == 0)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", directory,
		    g_strerror(errno));
	return FALSE;
}

static GVariant *numbers(const GArray *all)
{
	return g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, all->data, all->len,
					 sizeof(guint64));
}

gboolean farm_known_write(const FarmKnown *known, const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, FILE_NAME, NULL);
	g_autoptr(GVariant) all = NULL;

	all = g_variant_ref_sink(g_variant_new(
	    "(@as@at@at)",
	    g_variant_new_strv((const char *const *)known->names->pdata, known->names->len),
	    numbers(known->machines), numbers(known->runs)));
	return farm_known_make_directory(directory, error) &&
	       g_file_set_contents_full(path, g_variant_get_data(all),
					(gssize)g_variant_get_size(all),
					G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

/* The numbers of a name; FALSE if it is not among them, or they are none. */
static gboolean look_up(GVariant *all, const char *name, guint64 *machines, guint64 *runs)
{
	g_autoptr(GVariant) names = g_variant_get_child_value(all, 0);
	g_autoptr(GVariant) all_machines = g_variant_get_child_value(all, 1);
	g_autoptr(GVariant) all_runs = g_variant_get_child_value(all, 2);
	const gsize n = g_variant_n_children(names);

	if (g_variant_n_children(all_machines) != n || g_variant_n_children(all_runs) != n)
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		const char *one;

		g_variant_get_child(names, i, "&s", &one);
		if (!g_str_equal(one, name))
			continue;
		g_variant_get_child(all_machines, i, "t", machines);
		g_variant_get_child(all_runs, i, "t", runs);
		return TRUE;
	}
	return FALSE;
}

char *farm_known_to_text(const char *name)
{
	g_autofree char *path = g_build_filename(farm_known_directory(), FILE_NAME, NULL);
	g_autoptr(GVariant) all = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *of_machines = NULL;
	g_autofree char *of_runs = NULL;
	guint64 machines, runs;
	struct stat st;
	char *content;
	gsize length;

	/* It is another user's, and whatever that one made of it. */
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_BYTES ||
	    !g_file_get_contents(path, &content, &length, NULL))
		return g_strdup("the farm");
	bytes = g_bytes_new_take(content, length);
	all = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(TYPE), bytes, FALSE));
	if (!g_variant_is_normal_form(all) || !look_up(all, name, &machines, &runs))
		return g_strdup("the farm");
	of_machines = out_count(machines, "machine");
	of_runs = out_count(runs, "run");
	return g_strdup_printf("the farm (%s, %s)", of_machines, of_runs);
}
