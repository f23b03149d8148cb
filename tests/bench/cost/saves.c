/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "rig.h"

#define PROFILES 512
#define ROUNDS 200

static void require(gboolean ok, const char *what)
{
	if (ok)
		return;
	g_printerr("bench-cost: %s: %s\n", what, g_strerror(errno));
	exit(EXIT_FAILURE);
}

/* What no durable save can do without. */
static void save_bare(const char *directory, const char *bytes, gsize len)
{
	g_autofree char *temporary = g_build_filename(directory, "bare.tmp", NULL);
	g_autofree char *final = g_build_filename(directory, "bare.bin", NULL);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	require(fd >= 0 && dir >= 0, directory);
	require(write(fd, bytes, len) == (gssize)len, "write");
	require(fsync(fd) == 0, "fsync");
	close(fd);
	require(rename(temporary, final) == 0, "rename");
	require(fsync(dir) == 0, "fsync");
	close(dir);
}

static void save_ours(ProcdbStore *store, const GArray *records)
{
	g_autoptr(GError) error = NULL;

	if (procdb_store_save(store, (const struct procdb_record *)records->data, records->len,
			      &error))
		return;
	g_printerr("bench-cost: %s\n", error->message);
	exit(EXIT_FAILURE);
}

static void add_sample(GArray *samples, gint64 begin)
{
	double us = (double)(now_ns() - begin) / 1000;

	g_array_append_val(samples, us);
}

void measure_saves(Figures *figures, const char *directory)
{
	g_autofree char *path = g_build_filename(directory, "procdb.bin", NULL);
	g_autoptr(ProcdbStore) store = procdb_store_new(path);
	g_autoptr(GArray) records = confident_records(PROFILES);
	g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) bare = g_array_new(FALSE, FALSE, sizeof(double));
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	Summary floor, value;
	double size;
	gsize len;

	save_ours(store, records);
	if (!g_file_get_contents(path, &bytes, &len, &error)) {
		g_printerr("bench-cost: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
	for (guint i = 0; i < ROUNDS; i++) {
		gint64 begin = now_ns();

		save_bare(directory, bytes, len);
		add_sample(bare, begin);
		begin = now_ns();
		save_ours(store, records);
		add_sample(ours, begin);
	}
	floor = summarize(bare);
	value = summarize(ours);
	size = (double)len;
	figures_add(figures, &(Figure){.id = "save-bytes",
				       .what = "database of 512 profiles",
				       .unit = "bytes",
				       .value = {size, size, size, 1}});
	figures_add(figures, &(Figure){.id = "save-bare",
				       .what = "write, fsync, rename, fsync of its bytes",
				       .unit = "µs",
				       .value = floor});
	figures_add(figures, &(Figure){.id = "save",
				       .what = "save of 512 profiles",
				       .unit = "µs",
				       .value = value,
				       .against = "save-bare",
				       .ratio = value.median / floor.median,
				       .goal = 1.2,
				       .goal_is_ratio = TRUE});
}
