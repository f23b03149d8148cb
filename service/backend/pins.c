/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "pins.h"

#include "ledger.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BPFFS "/sys/fs/bpf"
#define PIN_MARKER PROCDB_PIN_DIR "/procdb_owner"
#define PIN_RECORD PROCDB_PIN_DIR "/procdb_given"
/* More than the time between two timer interrupts, by which the kernel stamps files. */
#define DIRECTORY_SETTLES_US 100000

/* The content of the marker: the ids of the maps that we pinned. */
struct marker {
	__u32 observe_id;
	__u32 init_id;
};

static gboolean refuse(GError **error, GIOErrorEnum code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean refuse(GError **error, GIOErrorEnum code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error)
		*error = g_error_new_valist(G_IO_ERROR, (gint)code, format, args);
	va_end(args);
	return FALSE;
}

static gint64 time_us(const struct timespec *t)
{
	return (gint64)t->tv_sec * G_USEC_PER_SEC + t->tv_nsec / 1000;
}

static gboolean same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Notes inode and timestamp of the directory. The timestamp is that of the last timer interrupt:
 * of two changes right after each other both may have the same.
 */
static void stat_directory(ProcdbPinsId *id)
{
	gint64 now_us = g_get_real_time();
	struct stat directory;

	memset(&id->directory, 0, sizeof(id->directory));
	if (stat(PROCDB_PIN_DIR, &directory)) {
		id->directory.settled = TRUE;
		return;
	}
	id->directory.device = directory.st_dev;
	id->directory.inode = directory.st_ino;
	id->directory.changed = directory.st_mtim;
	id->directory.settled = ABS(now_us - time_us(&directory.st_mtim)) > DIRECTORY_SETTLES_US;
}

ProcdbPinsId procdb_pins_identify(void)
{
	struct stat observe, init;
	ProcdbPinsId id = {0};

	/* The directory first: the next call finds what changes after this. */
	stat_directory(&id);
	if (stat(PROCDB_PIN_OBSERVE, &observe) || stat(PROCDB_PIN_INIT, &init))
		return id;
	id.device = observe.st_dev;
	id.observe = observe.st_ino;
	id.init = init.st_ino;
	return id;
}

gboolean procdb_pins_changed(ProcdbPinsId *id)
{
	ProcdbPinsId before = *id;

	stat_directory(id);
	if (before.directory.settled && id->directory.inode == before.directory.inode &&
	    id->directory.device == before.directory.device &&
	    same_time(&id->directory.changed, &before.directory.changed))
		return FALSE;
	*id = procdb_pins_identify();
	return !procdb_pins_equal(id, &before);
}

gboolean procdb_pins_present(const ProcdbPinsId *id)
{
	return id->observe != 0;
}

gboolean procdb_pins_equal(const ProcdbPinsId *a, const ProcdbPinsId *b)
{
	return a->device == b->device && a->observe == b->observe && a->init == b->init;
}

static gboolean check_owner(const char *path, const struct stat *st, GError **error)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return refuse(error, G_IO_ERROR_PERMISSION_DENIED,
			      "%s belongs to user %u, expected root; remove it", path, st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return refuse(
		    error, G_IO_ERROR_PERMISSION_DENIED,
		    "%s can be written by others (mode %04o); remove it or run chmod go-w", path,
		    st->st_mode & 07777);
	return TRUE;
}

gboolean procdb_pins_check_directory(GError **error)
{
	struct statfs fs;
	struct stat st;

	if (statfs(BPFFS, &fs) || fs.f_type != BPF_FS_MAGIC)
		return refuse(error, G_IO_ERROR_NOT_FOUND,
			      "no BPF file system at " BPFFS "; run: mount -t bpf bpf " BPFFS);
	if (lstat(PROCDB_PIN_DIR, &st)) {
		if (errno == ENOENT)
			return TRUE;
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno), "%s: %s",
			      PROCDB_PIN_DIR, g_strerror(errno));
	}
	if (!S_ISDIR(st.st_mode))
		return refuse(error, G_IO_ERROR_NOT_DIRECTORY, "%s is not a directory; remove it",
			      PROCDB_PIN_DIR);
	return check_owner(PROCDB_PIN_DIR, &st, error);
}

gboolean procdb_pins_make_directory(GError **error)
{
	if (!procdb_pins_check_directory(error))
		return FALSE;
	if (mkdir(PROCDB_PIN_DIR, 0700) && errno != EEXIST)
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno),
			      "cannot make %s: %s", PROCDB_PIN_DIR, g_strerror(errno));
	/* Checked again: another program may have made the directory first. */
	return procdb_pins_check_directory(error);
}

static int open_pin(const char *path, __u32 type, const char *type_name, struct bpf_map_info *info,
		    GError **error)
{
	__u32 len = sizeof(*info);
	struct stat st;
	int fd;

	if (lstat(path, &st)) {
		refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno), "%s: %s", path,
		       g_strerror(errno));
		return -1;
	}
	if (!check_owner(path, &st, error))
		return -1;
	fd = bpf_obj_get(path);
	if (fd < 0) {
		refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno), "cannot open %s: %s",
		       path, g_strerror(errno));
		return -1;
	}
	/* Checked before the first lookup: the kernel writes value_size bytes, whatever we expect.
	 */
	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &len))
		refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno), "%s: %s", path,
		       g_strerror(errno));
	else if (info->type != type)
		refuse(error, G_IO_ERROR_INVALID_DATA, "%s has map type %u, expected %u (%s)", path,
		       info->type, type, type_name);
	else if (info->key_size != sizeof(struct procdb_comm))
		refuse(error, G_IO_ERROR_INVALID_DATA, "%s has keys of %u bytes, expected %zu",
		       path, info->key_size, sizeof(struct procdb_comm));
	else if (info->value_size != sizeof(struct procdb_class))
		refuse(error, G_IO_ERROR_INVALID_DATA, "%s has values of %u bytes, expected %zu",
		       path, info->value_size, sizeof(struct procdb_class));
	else
		return fd;
	close(fd);
	return -1;
}

gboolean procdb_pins_open(int *observe_fd, int *init_fd, guint *init_capacity, GError **error)
{
	struct bpf_map_info info;

	if (!procdb_pins_check_directory(error))
		return FALSE;
	*observe_fd = open_pin(PROCDB_PIN_OBSERVE, BPF_MAP_TYPE_LRU_HASH, "LRU hash", &info, error);
	if (*observe_fd < 0)
		return FALSE;
	*init_fd = open_pin(PROCDB_PIN_INIT, BPF_MAP_TYPE_HASH, "hash", &info, error);
	if (*init_fd < 0) {
		close(*observe_fd);
		return FALSE;
	}
	*init_capacity = info.max_entries;
	return TRUE;
}

/* The id of a map; 0 on an error. */
static __u32 map_id(int fd)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

guint32 procdb_pins_map_id(const char *path)
{
	int fd = bpf_obj_get(path);
	__u32 id;

	if (fd < 0)
		return 0;
	id = map_id(fd);
	close(fd);
	return id;
}

static gboolean read_marker(struct marker *marker)
{
	int fd = bpf_obj_get(PIN_MARKER);
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info), key = 0;
	gboolean ok;

	if (fd < 0)
		return FALSE;
	ok = bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.type == BPF_MAP_TYPE_ARRAY &&
	     info.key_size == sizeof(key) && info.value_size == sizeof(*marker) &&
	     bpf_map_lookup_elem(fd, &key, marker) == 0;
	close(fd);
	return ok;
}

ProcdbPinsOwner procdb_pins_owner(void)
{
	ProcdbPinsId id = procdb_pins_identify();
	struct marker marker;

	if (!procdb_pins_present(&id))
		return PROCDB_PINS_ABSENT;
	if (!procdb_pins_check_directory(NULL) || !read_marker(&marker))
		return PROCDB_PINS_FOREIGN;
	return marker.observe_id == procdb_pins_map_id(PROCDB_PIN_OBSERVE) &&
		       marker.init_id == procdb_pins_map_id(PROCDB_PIN_INIT)
		   ? PROCDB_PINS_OURS
		   : PROCDB_PINS_FOREIGN;
}

/* Whether a pinned map has no users but its pin and our descriptors. */
static gboolean is_abandoned(ProcdbSurvey *survey, const char *path, guint own)
{
	struct procdb_map_users users;
	guint32 id = procdb_pins_map_id(path);

	return id != 0 && procdb_survey_map(survey, id, &users) && users.programs == 0 &&
	       users.handles <= own + 1;
}

gboolean procdb_pins_are_abandoned(ProcdbSurvey **survey, guint own)
{
	if (procdb_pins_owner() != PROCDB_PINS_FOREIGN || !procdb_pins_check_directory(NULL))
		return FALSE;
	if (!*survey)
		*survey = procdb_survey_new();
	return is_abandoned(*survey, PROCDB_PIN_OBSERVE, own) &&
	       is_abandoned(*survey, PROCDB_PIN_INIT, own);
}

/*
 * Refuses to take the place of a map that another program has pinned there and uses: a scheduler
 * pins one after the other. before: what we pinned last.
 */
static gboolean check_free(const char *path, int fd, const struct marker *before, GError **error)
{
	g_autoptr(ProcdbSurvey) survey = NULL;
	const guint32 id = procdb_pins_map_id(path);

	/* Nothing is there, or no map. */
	if (id == 0 || id == before->observe_id || id == before->init_id || id == map_id(fd))
		return TRUE;
	survey = procdb_survey_new();
	if (is_abandoned(survey, path, 0))
		return TRUE;
	return refuse(error, G_IO_ERROR_EXISTS,
		      "another program has pinned its map at %s; stop that one, or remove the pin",
		      path);
}

static gboolean pin(int fd, const char *path, GError **error)
{
	if (unlink(path) && errno != ENOENT)
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno),
			      "cannot remove %s: %s", path, g_strerror(errno));
	if (bpf_obj_pin(fd, path))
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno),
			      "cannot pin a map at %s: %s", path, g_strerror(errno));
	return TRUE;
}

gboolean procdb_pins_write(int observe_fd, int init_fd, GError **error)
{
	struct marker marker = {map_id(observe_fd), map_id(init_fd)};
	struct marker before = {0};
	/* The marker first: whenever both maps are pinned, it names their owner. */
	const char *const paths[] = {PIN_MARKER, PROCDB_PIN_OBSERVE, PROCDB_PIN_INIT};
	int fds[] = {-1, observe_fd, init_fd};
	guint done = 0;
	__u32 key = 0;
	gboolean ok;
	int fd;

	/* By a marker without ids our own pins would be taken for another program's. */
	if (!marker.observe_id || !marker.init_id)
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno),
			      "cannot identify a map: %s", g_strerror(errno));
	(void)read_marker(&before);
	if (!check_free(PROCDB_PIN_OBSERVE, observe_fd, &before, error) ||
	    !check_free(PROCDB_PIN_INIT, init_fd, &before, error) ||
	    !procdb_pins_make_directory(error))
		return FALSE;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "procdb_owner", sizeof(key), sizeof(marker), 1,
			    NULL);
	if (fd < 0)
		return refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno),
			      "cannot create a map: %s", g_strerror(errno));
	fds[0] = fd;
	ok = bpf_map_update_elem(fd, &key, &marker, BPF_ANY) == 0 ||
	     refuse(error, (GIOErrorEnum)g_io_error_from_errno(errno), "cannot write a map: %s",
		    g_strerror(errno));
	for (; ok && done < G_N_ELEMENTS(paths); done += ok)
		ok = pin(fds[done], paths[done], error);
	close(fd);
	/* All pins or none. */
	while (!ok && done > 0)
		unlink(paths[--done]);
	if (!ok)
		rmdir(PROCDB_PIN_DIR);
	return ok;
}

void procdb_pins_remove(void)
{
	if (!procdb_pins_check_directory(NULL))
		return;
	if (procdb_pins_owner() == PROCDB_PINS_OURS) {
		unlink(PROCDB_PIN_OBSERVE);
		unlink(PROCDB_PIN_INIT);
	}
	unlink(PIN_MARKER);
	rmdir(PROCDB_PIN_DIR);
}

int procdb_pins_open_record(guint32 value_size)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	struct stat st;
	int fd;

	if (!procdb_pins_check_directory(NULL) || lstat(PIN_RECORD, &st) ||
	    !check_owner(PIN_RECORD, &st, NULL))
		return -1;
	fd = bpf_obj_get(PIN_RECORD);
	if (fd < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
	    info.type == BPF_MAP_TYPE_TASK_STORAGE && info.value_size == value_size)
		return fd;
	close(fd);
	return -1;
}

static gboolean has_record(guint32 value_size)
{
	int fd = procdb_pins_open_record(value_size);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

gboolean procdb_pins_ensure_record(int fd, gboolean pinned, gboolean own)
{
	gboolean there = access(PIN_RECORD, F_OK) == 0;

	if (there && pinned)
		return TRUE;
	/* A placeholder replaces the placeholder that a crash left, but no real record. */
	if (there && !own && has_record(sizeof(struct procdb_given)))
		return FALSE;
	if (!own && access(PROCDB_PIN_DIR, F_OK))
		return FALSE;
	return procdb_pins_make_directory(NULL) && pin(fd, PIN_RECORD, NULL);
}

void procdb_pins_remove_record(int fd)
{
	const __u32 id = map_id(fd);

	if (!procdb_pins_check_directory(NULL))
		return;
	/* The record of a service that came later is not ours to remove. */
	if (id != 0 && procdb_pins_map_id(PIN_RECORD) == id)
		unlink(PIN_RECORD);
	rmdir(PROCDB_PIN_DIR);
}
