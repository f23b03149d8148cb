/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FILE_NAME "procdb.conf"
#define MAX_BYTES ((gsize)1024 * 1024)

/* From the least to the most important. */
static const char *const directories[] = {PROCDB_VENDORDIR, PROCDB_RUNDIR, PROCDB_CONFDIR};

static gboolean is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Whether there is something to read, or to complain of when it is read. */
static gboolean is_there(const char *path, GPtrArray *notes)
{
	struct stat st;

	if (g_stat(path, &st) == 0)
		return TRUE;
	if (errno != ENOENT)
		return TRUE;
	if (notes && g_lstat(path, &st) == 0)
		g_ptr_array_add(
		    notes,
		    g_strdup_printf("%s: the link leads nowhere; nothing is read from it", path));
	return FALSE;
}

static gboolean is_masked(const char *path)
{
	struct stat st;

	return g_stat(path, &st) == 0 && is_null_device(&st);
}

/* Adds the drop-ins of a directory, by name, in place of those of the same names. */
static void find_drop_ins(GHashTable *files, const char *directory, GPtrArray *notes)
{
	g_autofree char *drop_ins = g_build_filename(directory, FILE_NAME ".d", NULL);
	g_autoptr(GDir) dir = g_dir_open(drop_ins, 0, NULL);
	const char *name;

	/* What cannot be read may have said none: reading it as a file tells what is wrong. */
	if (!dir && !is_masked(drop_ins) && is_there(drop_ins, notes))
		g_hash_table_insert(
		    files, g_strdup(drop_ins),
		    /* A file would be read: that it is no directory is what is wrong. */
		    g_strconcat(drop_ins, g_file_test(drop_ins, G_FILE_TEST_IS_REGULAR) ? "/" : "",
				NULL));
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(drop_ins, name, NULL);

		/* Names with a dot in front are what editors leave while they are open. */
		if (g_str_has_suffix(name, ".conf") && *name != '.' && is_there(path, notes))
			g_hash_table_insert(files, g_strdup(name), g_steal_pointer(&path));
	}
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

/* Main files add to each other: that of the package holds nothing but defaults. */
static void add_main_file(GPtrArray *files, const char *directory, GPtrArray *notes)
{
	g_autofree char *path = g_build_filename(directory, FILE_NAME, NULL);

	if (is_masked(path))
		g_ptr_array_set_size(files, 0);
	else if (is_there(path, notes))
		g_ptr_array_add(files, g_steal_pointer(&path));
}

static void add_system_files(GPtrArray *files, GPtrArray *notes)
{
	g_autoptr(GHashTable) drop_ins =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GList) names = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		add_main_file(files, directories[i], notes);
		find_drop_ins(drop_ins, directories[i], notes);
	}
	names = g_list_sort(g_hash_table_get_keys(drop_ins), compare_names);
	for (const GList *name = names; name; name = name->next) {
		const char *path = g_hash_table_lookup(drop_ins, name->data);

		if (!is_masked(path))
			g_ptr_array_add(files, g_strdup(path));
	}
}

GStrv procdb_config_files(const char *explicit_file, GPtrArray *notes)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

	if (explicit_file)
		g_ptr_array_add(files, g_strdup(explicit_file));
	else
		add_system_files(files, notes);
	g_ptr_array_add(files, NULL);
	return (GStrv)g_ptr_array_free(files, FALSE);
}

static char *fail(GError **error, int err, const char *message)
{
	const GFileError code = err ? g_file_error_from_errno(err) : G_FILE_ERROR_INVAL;

	g_set_error_literal(error, G_FILE_ERROR, (gint)code, message);
	return NULL;
}

static char *read_bytes(int fd, gsize *len, GError **error)
{
	g_autofree char *bytes = g_malloc(MAX_BYTES + 1);
	const char *nul;
	ssize_t n;

	for (*len = 0; *len < MAX_BYTES; *len += (gsize)n) {
		n = read(fd, bytes + *len, MAX_BYTES - *len);
		if (n < 0 && errno != EINTR)
			return fail(error, errno, g_strerror(errno));
		if (n == 0)
			break;
		n = MAX(n, 0);
	}
	if (*len >= MAX_BYTES)
		return fail(error, 0, "it is larger than 1 MiB");
	bytes[*len] = '\0';
	nul = memchr(bytes, '\0', *len);
	if (nul) {
		guint line = 1;

		for (const char *c = bytes; c < nul; c++)
			line += *c == '\n';
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "there is a NUL byte in line %u, as a crash may leave; write it again",
			    line);
		return NULL;
	}
	return g_realloc(g_steal_pointer(&bytes), *len + 1);
}

char *procdb_config_read_file(const char *path, gsize *len, GError **error)
{
	/* O_NONBLOCK: not to wait for the writer of a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = NULL;
	struct stat st;

	*len = 0;
	if (fd < 0)
		return fail(error, errno, g_strerror(errno));
	if (fstat(fd, &st) < 0)
		fail(error, errno, g_strerror(errno));
	else if (is_null_device(&st))
		bytes = g_strdup("");
	else if (!S_ISREG(st.st_mode))
		fail(error, 0, "it is not a regular file");
	else
		bytes = read_bytes(fd, len, error);
	close(fd);
	return bytes;
}
