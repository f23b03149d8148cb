/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Replacing the database file by a new version, and quarantine for bad ones. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "directory.h"
#include "files-private.h"
#include "lock.h"

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean is_regular(int directory, const char *name)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* The names of quarantined files, oldest first. Only regular files count as ours. */
static GPtrArray *list_quarantined(ProcdbFiles *files, int directory, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(files->directory, 0, error);
	const char *name;

	if (!dir)
		return NULL;
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_prefix(name, files->bad_prefix) && is_regular(directory, name))
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

/* The errors of a file system without hard links (link(2)). */
static gboolean has_no_links(int err)
{
	return err == EPERM || err == EOPNOTSUPP || err == ENOSYS;
}

/* Renames, and overwrites nothing; 0, or an errno: EEXIST if the other name is taken. */
static int rename_beside(int directory, const char *name, const char *other)
{
	struct stat st;

	if (renameat2(directory, name, directory, other, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return errno;
	/* Not every file system knows the flag. The directory is ours alone. */
	if (fstatat(directory, other, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	return renameat(directory, name, directory, other) == 0 ? 0 : errno;
}

/* Links NAME to a name with the time in it; an existing file is never overwritten. */
static char *link_quarantined(ProcdbFiles *files, int directory, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	int err = EEXIST;

	for (guint i = 1; err == EEXIST && i < 100; i++) {
		g_autofree char *name =
		    i == 1 ? g_strdup_printf("%s%s", files->bad_prefix, stamp)
			   : g_strdup_printf("%s%s-%02u", files->bad_prefix, stamp, i);

		err = linkat(directory, files->name, directory, name, 0) == 0 ? 0 : errno;
		/* Then NAME itself gets the other name. */
		if (has_no_links(err))
			err = rename_beside(directory, files->name, name);
		if (err == 0)
			return g_steal_pointer(&name);
	}
	procdb_io_fail(error, err, "keep the bad file", files->path);
	return NULL;
}

/*
 * Whether what has the name of the file may get another name. Not /dev/null, to which a path or a
 * link may lead, nor a socket or directory that others use.
 */
static gboolean may_be_moved(const ProcdbFiles *files, const struct stat *st, GError **error)
{
	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		return TRUE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
		    "Cannot replace %s: it is not a regular file; remove it, or set Path= in the "
		    "section [Database] of procdb.conf to another one",
		    files->path);
	return FALSE;
}

static char *quarantine(ProcdbFiles *files, int directory, GError **error)
{
	g_autoptr(GPtrArray) names = list_quarantined(files, directory, error);
	struct stat st = {0};
	struct stat other;

	if (!names)
		return NULL;
	if (fstatat(directory, files->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		procdb_io_fail(error, errno, "examine", files->path);
		return NULL;
	}
	if (!may_be_moved(files, &st, error))
		return NULL;
	/* An earlier start may have quarantined this very file. */
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (fstatat(directory, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
		    other.st_ino == st.st_ino && other.st_dev == st.st_dev)
			return g_strdup(name);
	}
	while (names->len >= PROCDB_MAX_QUARANTINED) {
		const char *name = g_ptr_array_index(names, 0);

		if (unlinkat(directory, name, 0) < 0) {
			procdb_io_fail(error, errno, "remove", name);
			return NULL;
		}
		g_ptr_array_remove_index(names, 0);
	}
	return link_quarantined(files, directory, error);
}

/* Renames a file, or directory, that is not ours. */
static gboolean move_out_of_the_way(int directory, const char *name, GError **error)
{
	int err = EEXIST;

	for (guint i = 1; err == EEXIST && i < 100; i++) {
		g_autofree char *other = g_strdup_printf("%s.not-ours-%u", name, i);

		err = rename_beside(directory, name, other);
		if (err == 0)
			return TRUE;
	}
	return procdb_io_fail(error, err, "move out of the way", name);
}

static gboolean remove_if_there(int directory, const char *name, GError **error)
{
	if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	if (errno == EISDIR)
		return move_out_of_the_way(directory, name, error);
	return procdb_io_fail(error, errno, "remove", name);
}

/* Nothing can take the place of what something is mounted on. */
static gboolean fail_on_mount(const ProcdbFiles *files, GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
		    "Cannot replace %s: it is a mount of its own; mount its directory instead",
		    files->path);
	return FALSE;
}

/* Puts NAME.prev in the place of NAME; it keeps its own name too. */
static gboolean restore_prev(ProcdbFiles *files, int directory, GError **error)
{
	struct stat st = {0};

	if (!remove_if_there(directory, files->temp_name, error))
		return FALSE;
	if (linkat(directory, files->prev_name, directory, files->temp_name, 0) < 0 ||
	    fstatat(directory, files->temp_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    renameat(directory, files->temp_name, directory, files->name) < 0)
		return procdb_io_fail(error, errno, "restore the previous version of", files->path);
	procdb_files_set_known(files, &st);
	return TRUE;
}

char *procdb_files_quarantine(ProcdbFiles *files, gboolean restore, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	g_auto(ProcdbFd) directory = procdb_directory_open(files->directory, error);
	g_autofree char *name = NULL;

	if (directory < 0)
		return NULL;
	name = quarantine(files, directory, error);
	if (!name || (restore && !restore_prev(files, directory, error)))
		return NULL;
	if (fsync(directory) < 0) {
		procdb_io_fail(error, errno, "sync the directory", files->directory);
		return NULL;
	}
	return g_steal_pointer(&name);
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

/* Writes and syncs the temp file. */
static gboolean write_temp(ProcdbFiles *files, int directory, GBytes *bytes, struct stat *st,
			   GError **error)
{
	g_auto(ProcdbFd) fd = -1;
	const guint8 *data;
	gsize len;

	data = g_bytes_get_data(bytes, &len);
	/* The rest of an interrupted save, or something else of that name. */
	if (!remove_if_there(directory, files->temp_name, error))
		return FALSE;
	fd = openat(directory, files->temp_name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return procdb_io_fail(error, errno, "create a file in", files->directory);
	if (!write_all(fd, data, len) || fsync(fd) < 0 || fstat(fd, st) < 0)
		return procdb_io_fail(error, errno, "write a new version of", files->path);
	return TRUE;
}

/*
 * Quarantines NAME if it is bad, for another program may have written it, or if it was not read
 * when it should have been.
 */
static gboolean check_newest(ProcdbFiles *files, int directory, gboolean *good, GError **error)
{
	/* Only the check is needed, no entries. */
	static const ProcdbLimit none = {0, 0};
	g_auto(ProcdbFile) file = {0};
	g_autofree char *aside = NULL;
	struct stat st = {0};

	*good = FALSE;
	if (fstatat(directory, files->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return TRUE;
		return procdb_io_fail(error, errno, "examine", files->path);
	}
	*good = TRUE;
	if (procdb_files_is_known(files, &st))
		return TRUE;
	procdb_files_read_named(files, files->name, &none, &file, &st);
	files->foreign = procdb_file_is_whole(&file) && !procdb_file_is_ours(&file);
	/* One that can be read only now has what nothing in memory has. */
	if (procdb_file_is_whole(&file) && !files->unread)
		return TRUE;
	*good = FALSE;
	aside = quarantine(files, directory, error);
	return aside != NULL;
}

/*
 * Makes NAME the previous one too, but a foreign one only where there is none: it would take
 * the place of the last of ours. File systems without links do without.
 */
static gboolean keep_prev(ProcdbFiles *files, int directory, GError **error)
{
	struct stat st;

	if (files->foreign && fstatat(directory, files->prev_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return TRUE;
	if (!remove_if_there(directory, files->prev_name, error))
		return FALSE;
	if (linkat(directory, files->name, directory, files->prev_name, 0) == 0 ||
	    has_no_links(errno))
		return TRUE;
	if (errno == EXDEV)
		return fail_on_mount(files, error);
	return procdb_io_fail(error, errno, "keep the previous version of", files->path);
}

static gboolean replace(ProcdbFiles *files, int directory, GBytes *bytes, gboolean forget,
			GError **error)
{
	gboolean good;
	struct stat st = {0};

	if (!write_temp(files, directory, bytes, &st, error) ||
	    !check_newest(files, directory, &good, error) ||
	    (good && !forget && !keep_prev(files, directory, error)))
		return FALSE;
	if (renameat(directory, files->temp_name, directory, files->name) < 0)
		return errno == EBUSY ? fail_on_mount(files, error)
				      : procdb_io_fail(error, errno, "replace", files->path);
	procdb_files_set_known(files, &st);
	files->foreign = FALSE;
	files->unread = FALSE;
	return TRUE;
}

gboolean procdb_files_replace(ProcdbFiles *files, GBytes *bytes, guint64 serial, gboolean forget,
			      GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	g_auto(ProcdbFd) directory = -1;

	if (serial <= files->written)
		return TRUE;
	/* The file that could not be read again. */
	if (g_bytes_get_size(bytes) > PROCDB_MAX_FILE_SIZE) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
			    "Cannot write %s: it would be larger than %zu MiB", files->path,
			    PROCDB_MAX_FILE_SIZE >> 20);
		return FALSE;
	}
	/* The link, or what it led to, would be lost. */
	if (!procdb_files_check_link(files, error))
		return FALSE;
	/* The target of a link may be on a disk that is not mounted yet. */
	if (!files->through_link && !procdb_directory_make(files->directory, error))
		return FALSE;
	directory = procdb_directory_open(files->directory, error);
	if (directory < 0)
		return FALSE;
	if (procdb_lock_renew(files, directory) == PROCDB_LOCK_TAKEN) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			    "Cannot write %s: its lock was removed, and another service has "
			    "made a new one; stop one of them, and run: pandemoniumctl load",
			    files->path);
		return FALSE;
	}
	if (!replace(files, directory, bytes, forget, error)) {
		/* The error that counts is set; the next save removes it otherwise. */
		(void)unlinkat(directory, files->temp_name, 0);
		return FALSE;
	}
	files->written = serial;
	if (forget && !remove_if_there(directory, files->prev_name, error))
		return FALSE;
	/* Without it a power cut brings the old file back. */
	if (fsync(directory) < 0)
		return procdb_io_fail(error, errno, "sync the directory", files->directory);
	return TRUE;
}
