/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"

/* As many as the kernel follows (MAXSYMLINKS in include/linux/namei.h). */
#define MAX_LINKS 40

/*
 * Where a path leads in the end, whether there is a file or not. Links are followed only
 * where nobody else can put one.
 */
static char *follow(const char *path)
{
	char *at = g_strdup(path);

	for (guint i = 0; i < MAX_LINKS; i++) {
		g_autofree char *target = g_file_read_link(at, NULL);
		g_autofree char *folder = g_path_get_dirname(at);
		char *next;

		if (!target || !procdb_folder_is_ours_alone(folder))
			break;
		next = g_canonicalize_filename(target, folder);
		g_free(at);
		at = next;
	}
	return at;
}

ProcdbFiles *procdb_files_new(const char *path)
{
	ProcdbFiles *files = g_new0(ProcdbFiles, 1);

	files->refs = 1;
	files->path = follow(path);
	files->through_link = !g_str_equal(files->path, path);
	files->folder = g_path_get_dirname(files->path);
	files->name = g_path_get_basename(files->path);
	files->prev_name = g_strconcat(files->name, ".prev", NULL);
	files->temp_name = g_strconcat(files->name, ".tmp", NULL);
	files->bad_prefix = g_strconcat(files->name, ".bad-", NULL);
	files->whole.size = -1;
	g_mutex_init(&files->lock);
	g_cond_init(&files->saved);
	return files;
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
	g_mutex_clear(&files->lock);
	g_cond_clear(&files->saved);
	g_free(files->path);
	g_free(files->folder);
	g_free(files->name);
	g_free(files->prev_name);
	g_free(files->temp_name);
	g_free(files->bad_prefix);
	g_free(files);
}

void procdb_file_clear(ProcdbFile *file)
{
	g_clear_pointer(&file->records, g_array_unref);
	g_clear_error(&file->error);
}

gboolean procdb_file_is_whole(const ProcdbFile *file)
{
	return file->exists && file->readable && file->decoded.diag == PROCDB_DIAG_NONE &&
	       file->decoded.ext != PROCDB_EXT_DAMAGED;
}

/* Whether a whole file was written by a service of this kind. */
static gboolean is_ours(const ProcdbFile *file)
{
	return file->decoded.ext == PROCDB_EXT_GOOD || file->decoded.ext == PROCDB_EXT_NEWER;
}

static gboolean is_known_whole(const ProcdbFiles *files, const struct stat *st)
{
	return files->whole.size == st->st_size && files->whole.inode == st->st_ino &&
	       files->whole.device == st->st_dev &&
	       files->whole.mtime.tv_sec == st->st_mtim.tv_sec &&
	       files->whole.mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static void set_known_whole(ProcdbFiles *files, const struct stat *st)
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
	procdb_codec_read(&reader, limit, file->records, &file->decoded);
	file->readable = !reader.failed;
	if (file->readable)
		find_zeros(file);
	else if (reader.error)
		procdb_io_fail(&file->error, reader.error, "read", path);
	else
		g_set_error(&file->error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
			    "Cannot read %s: it became shorter meanwhile", path);
}

/* Reads what fd is open on, or says why that did not open. */
static void read_open_file(ProcdbFile *file, int fd, const char *path, const ProcdbLimit *limit,
			   struct stat *st)
{
	memset(file, 0, sizeof(*file));
	file->records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
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
	/* What it is no database of ours by is not read, whatever its size. */
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

/* Takes back what was read of a file that somebody else may have put there. */
static void refuse_foreign(ProcdbFile *file, const char *path, const struct stat *st)
{
	if (!file->readable || st->st_uid == 0 || st->st_uid == geteuid())
		return;
	file->readable = FALSE;
	g_array_set_size(file->records, 0);
	g_set_error(&file->error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		    "Will not use %s: it belongs to user %u", path, st->st_uid);
}

static void read_named(ProcdbFiles *files, const char *name, const ProcdbLimit *limit,
		       ProcdbFile *file, struct stat *st)
{
	g_autofree char *path = g_build_filename(files->folder, name, NULL);
	g_auto(ProcdbFd) fd = open(path, READ_FLAGS);

	read_open_file(file, fd, path, limit, st);
	if (!procdb_folder_is_ours_alone(files->folder))
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
	g_autofree char *temp = g_build_filename(files->folder, files->temp_name, NULL);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st = {0};

	/* Else it would be in the file, and not be read. */
	while (procdb_files_is_saving(files))
		g_cond_wait(&files->saved, &files->lock);

	/* If this fails the next save tells. */
	(void)unlink(temp);
	read_named(files, files->name, limit, file, &st);
	files->whole.size = -1;
	if (procdb_file_is_whole(file))
		set_known_whole(files, &st);
	files->foreign = procdb_file_is_whole(file) && !is_ours(file);
}

void procdb_files_read_prev(ProcdbFiles *files, const ProcdbLimit *limit, ProcdbFile *file)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st = {0};

	read_named(files, files->prev_name, limit, file, &st);
}

void procdb_files_read_other(const char *path, const ProcdbLimit *limit, ProcdbFile *file)
{
	g_auto(ProcdbFd) fd = open(path, READ_FLAGS | O_NOFOLLOW);
	struct stat st = {0};

	read_open_file(file, fd, path, limit, &st);
	refuse_foreign(file, path, &st);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean is_regular(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* The names that bad files have been given, oldest first; what else has such a name is not ours. */
static GPtrArray *list_set_aside(ProcdbFiles *files, int folder, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(files->folder, 0, error);
	const char *name;

	if (!dir)
		return NULL;
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_prefix(name, files->bad_prefix) && is_regular(folder, name))
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

/* Links NAME to a name that says when; an existing one is never overwritten. */
static char *link_aside(ProcdbFiles *files, int folder, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	int err = EEXIST;

	for (guint i = 1; err == EEXIST && i < 100; i++) {
		g_autofree char *name =
		    i == 1 ? g_strdup_printf("%s%s", files->bad_prefix, stamp)
			   : g_strdup_printf("%s%s-%02u", files->bad_prefix, stamp, i);

		if (linkat(folder, files->name, folder, name, 0) == 0)
			return g_steal_pointer(&name);
		err = errno;
	}
	procdb_io_fail(error, err, "set aside the bad file", files->path);
	return NULL;
}

static char *set_aside(ProcdbFiles *files, int folder, GError **error)
{
	g_autoptr(GPtrArray) names = list_set_aside(files, folder, error);
	struct stat st = {0};
	struct stat other;

	if (!names)
		return NULL;
	if (fstatat(folder, files->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		procdb_io_fail(error, errno, "examine", files->path);
		return NULL;
	}
	/* At an earlier start, perhaps. */
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (fstatat(folder, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
		    other.st_ino == st.st_ino && other.st_dev == st.st_dev)
			return g_strdup(name);
	}
	while (names->len >= PROCDB_MAX_SET_ASIDE) {
		const char *name = g_ptr_array_index(names, 0);

		if (unlinkat(folder, name, 0) < 0) {
			procdb_io_fail(error, errno, "remove", name);
			return NULL;
		}
		g_ptr_array_remove_index(names, 0);
	}
	return link_aside(files, folder, error);
}

/* Gives what is no file of ours another name, whatever it is. */
static gboolean move_out_of_the_way(int folder, const char *name, GError **error)
{
	int err = EEXIST;

	for (guint i = 1; err == EEXIST && i < 100; i++) {
		g_autofree char *other = g_strdup_printf("%s.not-ours-%u", name, i);

		if (renameat2(folder, name, folder, other, RENAME_NOREPLACE) == 0)
			return TRUE;
		err = errno;
	}
	return procdb_io_fail(error, err, "move out of the way", name);
}

static gboolean remove_if_there(int folder, const char *name, GError **error)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	if (errno == EISDIR)
		return move_out_of_the_way(folder, name, error);
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
static gboolean restore_prev(ProcdbFiles *files, int folder, GError **error)
{
	struct stat st = {0};

	if (!remove_if_there(folder, files->temp_name, error))
		return FALSE;
	if (linkat(folder, files->prev_name, folder, files->temp_name, 0) < 0 ||
	    fstatat(folder, files->temp_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    renameat(folder, files->temp_name, folder, files->name) < 0)
		return procdb_io_fail(error, errno, "restore the previous version of", files->path);
	set_known_whole(files, &st);
	return TRUE;
}

char *procdb_files_set_aside(ProcdbFiles *files, gboolean restore, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	g_auto(ProcdbFd) folder = procdb_folder_open(files->folder, error);
	g_autofree char *name = NULL;

	if (folder < 0)
		return NULL;
	name = set_aside(files, folder, error);
	if (!name || (restore && !restore_prev(files, folder, error)))
		return NULL;
	if (fsync(folder) < 0) {
		procdb_io_fail(error, errno, "sync the folder", files->folder);
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
static gboolean write_temp(ProcdbFiles *files, int folder, GBytes *bytes, struct stat *st,
			   GError **error)
{
	g_auto(ProcdbFd) fd = -1;
	const guint8 *data;
	gsize len;

	data = g_bytes_get_data(bytes, &len);
	/* What an interrupted save left, or whatever else took the name. */
	if (!remove_if_there(folder, files->temp_name, error))
		return FALSE;
	fd = openat(folder, files->temp_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return procdb_io_fail(error, errno, "create a file in", files->folder);
	if (!write_all(fd, data, len) || fsync(fd) < 0 || fstat(fd, st) < 0)
		return procdb_io_fail(error, errno, "write a new version of", files->path);
	return TRUE;
}

/* Sets NAME aside if it is bad; somebody else may have written it. */
static gboolean check_newest(ProcdbFiles *files, int folder, gboolean *good, GError **error)
{
	/* Only whether it is whole is of interest. */
	static const ProcdbLimit none = {0, 0};
	g_auto(ProcdbFile) file = {0};
	g_autofree char *aside = NULL;
	struct stat st = {0};

	*good = FALSE;
	if (fstatat(folder, files->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return TRUE;
		return procdb_io_fail(error, errno, "examine", files->path);
	}
	*good = TRUE;
	if (is_known_whole(files, &st))
		return TRUE;
	read_named(files, files->name, &none, &file, &st);
	files->foreign = procdb_file_is_whole(&file) && !is_ours(&file);
	if (procdb_file_is_whole(&file))
		return TRUE;
	*good = FALSE;
	aside = set_aside(files, folder, error);
	return aside != NULL;
}

/*
 * Makes NAME the previous one too, but a foreign one only where there is none: it would take
 * the place of the last of ours. File systems without links do without.
 */
static gboolean keep_prev(ProcdbFiles *files, int folder, GError **error)
{
	struct stat st;

	if (files->foreign && fstatat(folder, files->prev_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return TRUE;
	if (!remove_if_there(folder, files->prev_name, error))
		return FALSE;
	if (linkat(folder, files->name, folder, files->prev_name, 0) == 0 || errno == EPERM ||
	    errno == EOPNOTSUPP)
		return TRUE;
	if (errno == EXDEV)
		return fail_on_mount(files, error);
	return procdb_io_fail(error, errno, "keep the previous version of", files->path);
}

static gboolean replace(ProcdbFiles *files, int folder, GBytes *bytes, gboolean forget,
			GError **error)
{
	gboolean good;
	struct stat st = {0};

	if (!write_temp(files, folder, bytes, &st, error) ||
	    !check_newest(files, folder, &good, error) ||
	    (good && !forget && !keep_prev(files, folder, error)))
		return FALSE;
	if (renameat(folder, files->temp_name, folder, files->name) < 0)
		return errno == EBUSY ? fail_on_mount(files, error)
				      : procdb_io_fail(error, errno, "replace", files->path);
	set_known_whole(files, &st);
	files->foreign = FALSE;
	return TRUE;
}

gboolean procdb_files_is_current(ProcdbFiles *files)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	struct stat st;

	return stat(files->path, &st) == 0 && is_known_whole(files, &st);
}

gboolean procdb_files_replace(ProcdbFiles *files, GBytes *bytes, guint64 serial, gboolean forget,
			      GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	g_auto(ProcdbFd) folder = -1;

	if (serial <= files->written)
		return TRUE;
	/* What could not be read again. */
	if (g_bytes_get_size(bytes) > PROCDB_MAX_FILE_SIZE) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
			    "Cannot write %s: it would be larger than %zu MiB", files->path,
			    PROCDB_MAX_FILE_SIZE >> 20);
		return FALSE;
	}
	/* What a link leads to may be a disk that is not mounted yet. */
	if (!files->through_link && !procdb_folder_make(files->folder, error))
		return FALSE;
	folder = procdb_folder_open(files->folder, error);
	if (folder < 0)
		return FALSE;
	if (!replace(files, folder, bytes, forget, error)) {
		/* The error that counts is set; the next save removes it otherwise. */
		(void)unlinkat(folder, files->temp_name, 0);
		return FALSE;
	}
	files->written = serial;
	if (forget && !remove_if_there(folder, files->prev_name, error))
		return FALSE;
	/* Without it a power cut brings the old file back. */
	if (fsync(folder) < 0)
		return procdb_io_fail(error, errno, "sync the folder", files->folder);
	return TRUE;
}
