/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * What the crash tests run, kill and inspect: the real store, with contents
 * that follow from a generation number.
 *
 *	save PATH GEN		saves; exit status 3 if that fails
 *	load-save PATH GEN	the same after a load, as the service does
 *	forget PATH GEN		the same without keeping the previous version
 *	load PATH		loads, and so recovers; says what from
 *	loop PATH GEN		saves GEN, GEN + 1, ... and prints each that is done; until one
 *				fails (exit status 3)
 *	check PATH FROM TO	the file has to hold a generation of that range, whole; prints it
 *	storm PATH ROUNDS	kills savers at random moments and checks each time
 *	shutdown FOLDER FLAG	FS_IOC_SHUTDOWN, a power cut for that file system
 *
 * A call of getppid() marks where the work begins.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records.h"
#include "store.h"

#define RECORDS 300
#define FS_IOC_SHUTDOWN _IOR('X', 125, guint32)

#define FAILED 1
#define USAGE 2
#define SAVE_FAILED 3

typedef gboolean (*save_fn)(ProcdbStore *store, const struct procdb_record *records, guint n,
			    GError **error);

static gboolean try_save(ProcdbStore *store, save_fn save, guint generation)
{
	g_autoptr(GArray) records = records_make(RECORDS, generation);
	g_autoptr(GError) error = NULL;

	(void)getppid();
	if (save(store, (const struct procdb_record *)records->data, records->len, &error))
		return TRUE;
	fprintf(stderr, "save of %u: %s\n", generation, error->message);
	return FALSE;
}

static int run_load(ProcdbStore *store)
{
	g_autoptr(GArray) records = records_new();
	g_autoptr(GError) error = NULL;
	ProcdbDiag diag;

	(void)getppid();
	if (!procdb_store_load(store, records, &diag, &error)) {
		fprintf(stderr, "load: %s\n", error->message);
		return FAILED;
	}
	printf("%u records from source %d\n", records->len, procdb_store_report(store)->source);
	return 0;
}

/* The generation that the file holds, or -1 and a word on standard error. */
static gint64 loaded_generation(ProcdbStore *store)
{
	g_autoptr(GArray) records = records_new();
	g_autoptr(GArray) expected = NULL;
	g_autoptr(GError) error = NULL;
	ProcdbDiag diag;
	guint32 first;

	if (!procdb_store_load(store, records, &diag, &error)) {
		fprintf(stderr, "load: %s\n", error->message);
		return -1;
	}
	if (procdb_store_report(store)->message)
		fprintf(stderr, "load: %s\n", procdb_store_report(store)->message);
	if (procdb_store_report(store)->source != PROCDB_SOURCE_NEWEST || records->len == 0) {
		fprintf(stderr, "%u records from source %d\n", records->len,
			procdb_store_report(store)->source);
		return -1;
	}
	memcpy(&first, records_at(records, 0)->comm.bytes, sizeof(first));
	expected = records_make(RECORDS, first / 1000);
	if (!records_equal(expected, records)) {
		fprintf(stderr, "not what generation %u is\n", first / 1000);
		return -1;
	}
	return first / 1000;
}

static int run_check(ProcdbStore *store, gint64 from, gint64 to)
{
	gint64 generation = loaded_generation(store);

	if (generation < 0)
		return FAILED;
	printf("%" G_GINT64_FORMAT "\n", generation);
	if (generation >= from && generation <= to)
		return 0;
	fprintf(stderr,
		"generation %" G_GINT64_FORMAT " is not in %" G_GINT64_FORMAT "...%" G_GINT64_FORMAT
		"\n",
		generation, from, to);
	return FAILED;
}

/* Reports each save that is done as four bytes, so that a kill cannot tear a line. */
static int save_on(ProcdbStore *store, guint generation, int fd)
{
	while (try_save(store, procdb_store_save, generation)) {
		if (write(fd, &generation, sizeof(generation)) != sizeof(generation))
			return FAILED;
		generation++;
	}
	return SAVE_FAILED;
}

/*
 * Whether the file system is still there. Amid a forced shutdown the fsync of a
 * folder on XFS can return 0 without anything on disk, since the aborted log
 * items look like written ones (xfs_log_force_inode); a power cut cannot do
 * that, so such a save does not count as reported. stat() syncs nothing.
 */
static gboolean is_alive(ProcdbStore *store)
{
	struct stat st;

	return stat(procdb_store_path(store), &st) == 0;
}

static int run_loop(ProcdbStore *store, guint generation)
{
	for (; try_save(store, procdb_store_save, generation) && is_alive(store); generation++) {
		printf("%u\n", generation);
		fflush(stdout);
	}
	return SAVE_FAILED;
}

static int run_storm(ProcdbStore *store, guint rounds)
{
	guint generation = 1;
	guint old = 0;
	guint inside = 0;

	if (!try_save(store, procdb_store_save, generation))
		return SAVE_FAILED;
	for (guint i = 0; i < rounds; i++) {
		guint done = generation;
		gint64 found;
		int status;
		int fds[2];
		pid_t pid;

		if (pipe(fds) < 0)
			g_error("pipe: %s", g_strerror(errno));
		pid = fork();
		if (pid < 0)
			g_error("fork: %s", g_strerror(errno));
		if (pid == 0)
			_exit(save_on(store, generation + 1, fds[1]));
		close(fds[1]);
		g_usleep((gulong)g_random_int_range(0, 8000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (read(fds[0], &done, sizeof(done)) == sizeof(done))
			;
		close(fds[0]);
		if (!WIFSIGNALED(status)) {
			fprintf(stderr, "round %u: the saver ended by itself\n", i);
			return FAILED;
		}
		found = loaded_generation(store);
		/* What was reported is there; the one after may be. */
		if (found != done && found != (gint64)done + 1) {
			fprintf(stderr,
				"round %u: %u was saved, but %" G_GINT64_FORMAT " is there\n", i,
				done, found);
			return FAILED;
		}
		old += done == generation;
		inside += found != done;
		/* Room for the next, below what a name can tell. */
		generation = (guint)found;
	}
	printf("%u kills, %u before the first save was done, %u between rename and report, "
	       "%u saves in all\n",
	       rounds, old, inside, generation);
	return 0;
}

static int run_shutdown(const char *folder, guint32 flag)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_SHUTDOWN, &flag) < 0) {
		fprintf(stderr, "shutdown of %s: %s\n", folder, g_strerror(errno));
		status = FAILED;
	}
	if (fd >= 0)
		close(fd);
	return status;
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[1] : "";
	g_autoptr(ProcdbStore) store = argc > 2 ? procdb_store_new(argv[2]) : NULL;
	guint number = argc > 3 ? (guint)strtoul(argv[3], NULL, 10) : 0;

	if (argc == 3 && g_str_equal(command, "load"))
		return run_load(store);
	if (argc == 5 && g_str_equal(command, "check"))
		return run_check(store, number, strtol(argv[4], NULL, 10));
	if (argc == 4) {
		if (g_str_equal(command, "save"))
			return try_save(store, procdb_store_save, number) ? 0 : SAVE_FAILED;
		if (g_str_equal(command, "load-save"))
			return run_load(store) == 0 && try_save(store, procdb_store_save, number)
				   ? 0
				   : SAVE_FAILED;
		if (g_str_equal(command, "forget"))
			return try_save(store, procdb_store_save_forgetting, number) ? 0
										     : SAVE_FAILED;
		if (g_str_equal(command, "loop"))
			return run_loop(store, number);
		if (g_str_equal(command, "storm"))
			return run_storm(store, number);
		if (g_str_equal(command, "shutdown"))
			return run_shutdown(argv[2], number);
	}
	fputs("usage: see the head of store-driver.c\n", stderr);
	return USAGE;
}
