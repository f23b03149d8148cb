/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "farm-known.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "output.h"

#define FILE_NAME "known"
#define TYPE "a{s(tt)}"
#define MAX_BYTES ((goffset)16 * 1024 * 1024)

const char *farm_known_directory(void)
{
	const char *systemd = getenv("STATE_DIRECTORY");

	return systemd && *systemd ? systemd : "/var/lib/pandemonium-farm";
}

typedef struct {
	guint64 machines;
	guint64 runs;
} Known;

GHashTable *farm_known_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void farm_known_add(GHashTable *known, const char *name, guint64 machines, guint64 runs)
{
	const Known one = {machines, runs};

	g_hash_table_insert(known, g_strdup(name), g_memdup2(&one, sizeof(one)));
}

gboolean farm_known_write(GHashTable *known, const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, FILE_NAME, NULL);
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE(TYPE));
	g_autoptr(GVariant) all = NULL;
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, known);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const Known *one = value;

		g_variant_builder_add(&builder, "{s(tt)}", name, one->machines, one->runs);
	}
	all = g_variant_ref_sink(g_variant_builder_end(&builder));
	if (g_mkdir_with_parents(directory, 0755) != 0) {
		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s",
			    directory, g_strerror(errno));
		return FALSE;
	}
	return g_file_set_contents_full(path, g_variant_get_data(all),
					(gssize)g_variant_get_size(all),
					G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

char *farm_known_to_text(const char *name)
{
	g_autofree char *path = g_build_filename(farm_known_directory(), FILE_NAME, NULL);
	g_autoptr(GVariant) all = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *machines = NULL;
	g_autofree char *runs = NULL;
	struct stat st;
	char *content;
	gsize length;
	Known known;

	/* It is another user's, and whatever that one made of it. */
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_BYTES ||
	    !g_file_get_contents(path, &content, &length, NULL))
		return g_strdup("the farm");
	bytes = g_bytes_new_take(content, length);
	all = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(TYPE), bytes, FALSE));
	if (!g_variant_is_normal_form(all) ||
	    !g_variant_lookup(all, name, "(tt)", &known.machines, &known.runs))
		return g_strdup("the farm");
	machines = out_count(known.machines, "machine");
	runs = out_count(known.runs, "run");
	return g_strdup_printf("the farm (%s, %s)", machines, runs);
}
