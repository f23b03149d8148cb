/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "files-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "directory.h"
#include "identities.h"
#include "rules.h"
#include "lock.h"

/* As many as the kernel follows (MAXSYMLINKS in include/linux/namei.h). */
#define MAX_LINKS 40

/*
 * The path that a path leads to, whether there is a file or not. Links are followed only where no
 * other user can make one.
 */
static char *follow(const char *path)
{
	char *at = g_strdup(path);

	for (guint i = 0; i < MAX_LINKS; i++) {
		g_autofree char *target = g_file_read_link(at, NULL);
		g_autofree char *directory = g_path_get_dirname(at);
		char *next;

		if (!target || !procdb_directory_is_ours_alone(directory))
			break;
		next = g_canonicalize_filename(target, directory);
		g_free(at);
		at = next;
	}
	return at;
}

ProcdbFiles *procdb_files_new(const char *path)
{
	ProcdbFiles *files = g_new0(ProcdbFiles, 1);

	files->refs = 1;
	files->given = g_strdup(path);
	files->path = follow(path);
	files->through_link = !g_str_equal(files->path, path);
	files->directory = g_path_get_dirname(files->path);
	files->name = g_path_get_basename(files->path);
	files->prev_name = g_strconcat(files->name, ".prev", NULL);
	files->temp_name = g_strconcat(files->name, ".tmp", NULL);
	files->bad_prefix = g_strconcat(files->name, ".bad-", NULL);
	files->lock_name = g_strconcat(files->name, ".lock", NULL);
	files->lock_fd = -1;
	files->whole.size = -1;
	g_mutex_init(&files->lock);
	g_cond_init(&files->saved);
	return files;
}

gboolean procdb_files_check_link(const ProcdbFiles *files, GError **error)
{
	g_autofree char *leads_to = follow(files->given);

	if (g_str_equal(leads_to, files->path))
		return TRUE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
		    "Cannot replace %s: %s leads to %s since the service started; restart it, so "
		    "that it uses that file",
		    files->path, files->given, leads_to);
	return FALSE;
}

ProcdbFiles *procdb_files_ref(ProcdbFiles *files)
{
	g_atomic_int_inc(&files->refs);
	return files;
}

void procdb_files_unref(ProcdbFiles *files)
{
	if (!g_atomic_int_dec_and_test(&files->refs))
		return;
	procdb_lock_release(files);
	g_mutex_clear(&files->lock);
	g_cond_clear(&files->saved);
	g_free(files->given);
	g_free(files->path);
	g_free(files->directory);
	g_free(files->name);
	g_free(files->prev_name);
	g_free(files->temp_name);
	g_free(files->bad_prefix);
	g_free(files->lock_name);
	g_free(files);
}

void procdb_file_clear(ProcdbFile *file)
{
	g_clear_pointer(&file->records, g_array_unref);
	g_clear_pointer(&file->identities, g_hash_table_unref);
	g_clear_pointer(&file->rules, g_ptr_array_unref);
	g_clear_error(&file->error);
}

gboolean procdb_file_is_whole(const ProcdbFile *file)
{
	return file->exists && file->readable && file->decoded.diag == PROCDB_DIAG_NONE &&
	       file->decoded.ext != PROCDB_EXT_DAMAGED;
}

gboolean procdb_file_is_ours(const ProcdbFile *file)
{
	return procdb_file_is_whole(file) &&
	       (file->decoded.ext == PROCDB_EXT_GOOD || file->decoded.ext == PROCDB_EXT_NEWER);
}

gboolean procdb_files_is_known(const ProcdbFiles *files, const struct stat *st)
{
	return files->whole.size == st->st_size && files->whole.inode == st->st_ino &&
	       files->whole.device == st->st_dev &&
	       files->whole.mtime.tv_sec == st->st_mtim.tv_sec &&
	       files->whole.mtime.tv_nsec == st->st_mtim.tv_nsec;
}

void procdb_files_set_known(ProcdbFiles *files, const struct stat *st)
{
	files->whole.size = st->st_size;
	files->whole.inode = st->st_ino;
	files->whole.device = st->st_dev;
	files->whole.mtime = st->st_mtim;
}

/*
 * Where no checksum vouches for a file, zeros in place of entries or of what followed them
 * are damage. (In what a checksum covers, and in the codec, a name of no bytes is one.)
 */
static void find_zeros(ProcdbFile *file)
{
	guint kept = 0;

	if (file->decoded.ext == PROCDB_EXT_GOOD || file->decoded.ext == PROCDB_EXT_NEWER ||
	    !(file->decoded.blank > 0 || file->decoded.zero_tail))
		return;
	file->zeros = file->decoded.ext != PROCDB_EXT_DAMAGED;
	file->decoded.ext = PROCDB_EXT_DAMAGED;
	for (guint i = 0; i < file->records->len; i++) {
		struct procdb_record record = g_array_index(file->records, struct procdb_record, i);

		if (!procdb_record_is_blank(&record))
			g_array_index(file->records, struct procdb_record, kept++) = record;
	}
	g_array_set_size(file->records, kept);
}

/* Whether the header says that this is a database at all. */
static gboolean has_header(int fd, goffset size, ProcdbFile *file)
{
	guint8 header[PROCDB_HEADER_SIZE];

	/* Too short, or cannot be read: that is found out later. */
	if (size < (goffset)sizeof(header) ||
	    pread(fd, header, sizeof(header), 0) != sizeof(header))
		return TRUE;
	procdb_codec_decode(header, sizeof(header), file->records, &file->decoded);
	return file->decoded.diag != PROCDB_DIAG_MAGIC && file->decoded.diag != PROCDB_DIAG_VERSION;
}

static void read_contents(ProcdbFile *file, int fd, gsize size, const char *path,
			  const ProcdbLimit *limit)
{
	g_auto(ProcdbReader) reader = {0};

	procdb_reader_init_file(&reader, fd, size);
	procdb_codec_read(&reader, limit, file->records, file->identities, file->rules,
			  &file->decoded);
	file->readable = !reader.failed;
	if (file->readable)
		find_zeros(file);
	else if (reader.error)
		procdb_io_fail(&file->error, reader.error, "read", path);
	else
		g_set_error(&file->error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
			    "Cannot read %s: another program cut it while it was read", path);
}

/* Reads what fd is open on, or says why that did not open. */
static void read_open_file(ProcdbFile *file, int fd, const char *path, const ProcdbLimit *limit,
			   struct stat *st)
{
	memset(file, 0, sizeof(*file));
	file->records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	file->identities = procdb_identities_new();
	file->rules = procdb_rules_new();
	if (fd < 0 && errno == ENOENT)
		return;
	file->exists = TRUE;
	if (fd < 0 || fstat(fd, st) < 0) {
		procdb_io_fail(&file->error, errno, "open", path);
		return;
	}
	if (!S_ISREG(st->st_mode)) {
		g_set_error(&file->error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
			    "Cannot read %s: it is not a regular file", path);
		return;
	}
	/* A file whose header is not ours is not read any further, whatever its size. */
	if (!has_header(fd, st->st_size, file)) {
		file->readable = TRUE;
	} else if (st->st_size > (goffset)PROCDB_MAX_FILE_SIZE) {
		file->readable = TRUE;
		file->decoded = (ProcdbDecoded){.diag = PROCDB_DIAG_TOO_LARGE};
	} else {
		read_contents(file, fd, (gsize)st->st_size, path, limit);
	}
}

/* O_NONBLOCK: not to hang on a FIFO in its place. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Takes back the records of a file that another user may have put there. */
static void refuse_foreign(ProcdbFile *file, const char *path, const struct stat *st)
{
	if (!file->readable || st->st_uid == 0 || st->st_uid == geteuid())
		return;
	file->readable = FALSE;
	g_array_set_size(file->records, 0);
	g_hash_table_remove_all(file->identities);
	g_ptr_array_set_size(file->rules, 0);
	g_set_error(&file->error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		    "Cannot use %s: it belongs to user %u, and must belong to root or to user %u",
		    path, st->st_uid, geteuid());
}

void procdb_files_read_named(ProcdbFiles *files, const char *name, const ProcdbLimit *limit,
			     ProcdbFile *file, struct stat *st)
{
	g_autofree char *path = g_build_filename(files->directory, name, NULL);
	g_auto(ProcdbFd) fd = open(path, READ_FLAGS);

	read_open_file(file, fd, path, limit, st);
	if (!procdb_directory_is_ours_alone(files->directory))
		refuse_foreign(file, path, st);
}

void procdb_files_begin_saving(ProcdbFiles *files)
{
	g_atomic_int_set(&files->saving, 1);
}

void procdb_files_end_saving(ProcdbFiles *files)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);

	g_atomic_int_set(&files->saving, 0);
	g_cond_broadcast(&files->saved);
}

gboolean procdb_files_is_saving(ProcdbFiles *files)
{
	return g_atomic_int_get(&files->saving) != 0;
}

void procdb_files_read(ProcdbFiles *files, const ProcdbLimit *limit, ProcdbFile *file)
{
	g_autofree char *temp = g_build_filename(files->directory, files->temp_name, NULL);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st = {0};

	/* Else it would be in the file, and not be read. */
	while (procdb_files_is_saving(files))
		g_cond_wait(&files->saved, &files->lock);

	/* If this fails the next save tells. */
	(void)unlink(temp);
	procdb_files_read_named(files, files->name, limit, file, &st);
	files->unread = !file->readable;
	files->whole.size = -1;
	if (procdb_file_is_whole(file))
		procdb_files_set_known(files, &st);
	files->foreign = procdb_file_is_whole(file) && !procdb_file_is_ours(file);
}

void procdb_files_read_prev(ProcdbFiles *files, const ProcdbLimit *limit, ProcdbFile *file)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st = {0};

	procdb_files_read_named(files, files->prev_name, limit, file, &st);
}

void procdb_files_read_other(const char *path, const ProcdbLimit *limit, ProcdbFile *file)
{
	g_auto(ProcdbFd) fd = open(path, READ_FLAGS | O_NOFOLLOW);
	struct stat st = {0};

	read_open_file(file, fd, path, limit, &st);
	refuse_foreign(file, path, &st);
}

gboolean procdb_files_is_current(ProcdbFiles *files)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st;

	return stat(files->path, &st) == 0 && procdb_files_is_known(files, &st);
}
