/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib/gstdio.h>

static inline gboolean remove_tree_once(const char *path)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
		g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
		const char *name;

		while (dir && (name = g_dir_read_name(dir))) {
			g_autofree char *child = g_build_filename(path, name, NULL);

			(void)remove_tree_once(child);
		}
	}
	return g_remove(path) == 0;
}

/*
 * Removes a file, or a directory with all that is in it; fails the test if it cannot. A save that
 * an engine left to its thread may still write there.
 */
static inline void remove_tree(const char *path)
{
	for (guint i = 0; i < 2000; i++) {
		if (remove_tree_once(path))
			return;
		g_usleep(5000);
	}
	g_error("%s cannot be removed", path);
}
