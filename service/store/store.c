/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above any number of names a machine has; keeps a wrong file out of memory. */
#define MAX_FILE_SIZE (64u * 1024 * 1024)

struct _ProcdbStore {
	char *path;
	char *folder;
	char *name;
	char *temp_name; /* one fixed name, so what a crash leaves cannot pile up */
};

/* A descriptor that closes at the end of its scope. */
typedef int AutoFd;

static void auto_fd_clear(AutoFd *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AutoFd, auto_fd_clear)

static gboolean fail(GError **error, int err, const char *what, const char *path)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(err), "Cannot %s %s: %s", what, path,
		    g_strerror(err));
	return FALSE;
}

ProcdbStore *procdb_store_new(const char *path)
{
	ProcdbStore *store = g_new0(ProcdbStore, 1);

	store->path = g_strdup(path);
	store->folder = g_path_get_dirname(path);
	store->name = g_path_get_basename(path);
	store->temp_name = g_strconcat(store->name, ".tmp", NULL);
	return store;
}

void procdb_store_free(ProcdbStore *store)
{
	g_free(store->path);
	g_free(store->folder);
	g_free(store->name);
	g_free(store->temp_name);
	g_free(store);
}

const char *procdb_store_path(const ProcdbStore *store)
{
	return store->path;
}

/* Reads the whole file; NULL without an error if there is none. */
static GByteArray *read_file(const char *path, GError **error)
{
	g_autoptr(GByteArray) bytes = NULL;
	g_auto(AutoFd) fd = -1;
	struct stat st;
	gsize len = 0;

	/* Not to hang on a FIFO in its place. */
	fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		if (errno != ENOENT)
			fail(error, errno, "open the database", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0) {
		fail(error, errno, "examine the database", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
			    "Cannot read the database %s: it is not a regular file", path);
		return NULL;
	}
	if (st.st_size > MAX_FILE_SIZE) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
			    "Cannot read the database %s: it is larger than %u MiB", path,
			    MAX_FILE_SIZE >> 20);
		return NULL;
	}

	bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, (guint)st.st_size);
	while (len < bytes->len) {
		ssize_t n = read(fd, bytes->data + len, bytes->len - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(error, errno, "read the database", path);
			return NULL;
		}
		if (n == 0)
			break;
		len += (gsize)n;
	}
	g_byte_array_set_size(bytes, (guint)len);
	return g_steal_pointer(&bytes);
}

gboolean procdb_store_load(ProcdbStore *store, GArray *records, ProcdbDiag *diag, GError **error)
{
	g_autoptr(GByteArray) bytes = NULL;
	GError *local_error = NULL;

	*diag = PROCDB_DIAG_NONE;
	bytes = read_file(store->path, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, local_error);
		return FALSE;
	}
	if (bytes != NULL)
		*diag = procdb_codec_decode(bytes->data, bytes->len, records);
	return TRUE;
}

static gboolean write_all(int fd, const guint8 *data, gsize len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FALSE;
		data += n;
		len -= (gsize)n;
	}
	return TRUE;
}

/* Writes and syncs the temp file; on an error there is none. */
static gboolean write_temp(ProcdbStore *store, int folder, GBytes *bytes, GError **error)
{
	g_auto(AutoFd) fd = -1;
	const guint8 *data;
	gsize len;
	int err;

	data = g_bytes_get_data(bytes, &len);
	/* What an interrupted save left, or whatever else took the name. */
	if (unlinkat(folder, store->temp_name, 0) < 0 && errno != ENOENT)
		return fail(error, errno, "remove the leftover of a save beside", store->path);
	fd = openat(folder, store->temp_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return fail(error, errno, "create a file beside", store->path);
	if (write_all(fd, data, len) && fsync(fd) == 0)
		return TRUE;
	err = errno;
	(void)unlinkat(folder, store->temp_name, 0);
	return fail(error, err, "write a new version of", store->path);
}

gboolean procdb_store_save(ProcdbStore *store, const struct procdb_record *records, guint n,
			   GError **error)
{
	g_autoptr(GBytes) bytes = procdb_codec_encode(records, n);
	g_auto(AutoFd) folder = -1;

	if (g_mkdir_with_parents(store->folder, 0700) < 0)
		return fail(error, errno, "make the folder", store->folder);
	folder = g_open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (folder < 0)
		return fail(error, errno, "open the folder", store->folder);
	if (!write_temp(store, folder, bytes, error))
		return FALSE;
	if (renameat(folder, store->temp_name, folder, store->name) < 0) {
		int err = errno;

		(void)unlinkat(folder, store->temp_name, 0);
		return fail(error, err, "replace", store->path);
	}
	/* Without it a power cut brings the old file back. */
	if (fsync(folder) < 0)
		return fail(error, errno, "sync the folder of", store->path);
	return TRUE;
}
