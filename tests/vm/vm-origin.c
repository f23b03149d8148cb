/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * What the process of scx_pandemonium does with the pinned maps and its file, so that it can
 * stand beside the service where that one cannot be had; its rules are the reference rules of
 * the core, which the golden vectors hold to.
 *   vm-origin adaptive FILE  reads FILE; each second drains what was observed, writes every
 *                            confident prediction and deletes what it evicts; saves at SIGTERM
 *   vm-origin fixed FILE     (its --no-adaptive) writes what FILE says once
 *   vm-origin look NAME      prints the tier that the map predicts for NAME, or none
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "entry.h"
#include "table.h"

typedef struct {
	int observe, init;
	struct procdb_table *table;
	uint64_t tick;
} Origin;

static int pin(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(3);
	}
	return fd;
}

static void load(Origin *origin, const char *path)
{
	g_autofree char *data = NULL;
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	gsize len;

	if (!g_file_get_contents(path, &data, &len, NULL))
		return;
	procdb_codec_decode((const guint8 *)data, len, records, NULL);
	for (guint i = 0; i < records->len; i++) {
		struct procdb_record *record = &g_array_index(records, struct procdb_record, i);
		struct procdb_entry *entry;

		procdb_record_to_reference(record);
		entry = procdb_table_ensure(origin->table, &record->comm, NULL);
		entry->profile = record->profile;
		procdb_table_aged(origin->table, entry);
	}
}

static bool is_confident(const struct procdb_entry *entry)
{
	return procdb_profile_is_confident(&entry->profile, &procdb_reference_rules);
}

static void save(const Origin *origin, const char *path)
{
	g_autofree char *temporary = g_strconcat(path, ".tmp", NULL);
	g_autoptr(GByteArray) file = g_byte_array_new();
	guint32 header[3] = {0, GUINT32_TO_LE(2), 0};
	bool written;
	FILE *out;

	memcpy(&header[0], "PDDB", 4);
	g_byte_array_append(file, (const guint8 *)header, sizeof(header));
	for (size_t i = 0; i < procdb_table_size(origin->table); i++) {
		const struct procdb_entry *entry = procdb_table_at(origin->table, i);
		struct procdb_record record = {entry->comm, entry->profile, .hidden = false};
		guint8 bytes[sizeof(struct procdb_entry_v2)];

		if (!is_confident(entry))
			continue;
		procdb_entry_v2_write(&record, bytes);
		g_byte_array_append(file, bytes, sizeof(bytes));
		header[2]++;
	}
	header[2] = GUINT32_TO_LE(header[2]);
	memcpy(file->data, header, sizeof(header));
	/* Not synced. */
	out = fopen(temporary, "w");
	written = out && fwrite(file->data, 1, file->len, out) == file->len;
	if (out && fclose(out))
		written = false;
	if (!written || rename(temporary, path))
		perror(temporary);
	printf("saved %u of %zu\n", GUINT32_FROM_LE(header[2]), procdb_table_size(origin->table));
}

static void ingest(Origin *origin)
{
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	struct procdb_comm key, *before = NULL;

	while (keys->len < 100000 && bpf_map_get_next_key(origin->observe, before, &key) == 0) {
		g_array_append_val(keys, key);
		before = &key;
	}
	for (guint i = 0; i < keys->len; i++) {
		const struct procdb_comm *comm = &g_array_index(keys, struct procdb_comm, i);
		struct procdb_class seen;

		if (bpf_map_lookup_elem(origin->observe, comm, &seen) == 0) {
			struct procdb_entry *entry = procdb_table_ensure(origin->table, comm, NULL);

			procdb_profile_learn(&entry->profile, &seen, origin->tick);
			procdb_table_aged(origin->table, entry);
		}
		bpf_map_delete_elem(origin->observe, comm);
	}
}

static void write_predictions(Origin *origin)
{
	for (size_t i = 0; i < procdb_table_size(origin->table); i++) {
		struct procdb_entry *entry = procdb_table_at(origin->table, i);
		struct procdb_class value = procdb_profile_prediction(&entry->profile);

		memset(value.pad, 0, sizeof(value.pad));
		if (is_confident(entry))
			bpf_map_update_elem(origin->init, &entry->comm, &value, BPF_ANY);
	}
}

static void evict(Origin *origin)
{
	const struct procdb_rules *rules = &procdb_reference_rules;
	struct procdb_entry *oldest;

	origin->tick++;
	while ((oldest = procdb_table_oldest(origin->table, PROCDB_SET_LIVE)) &&
	       (origin->tick - oldest->profile.last_seen_tick > rules->stale_ticks ||
		procdb_table_size(origin->table) > rules->max_profiles)) {
		bpf_map_delete_elem(origin->init, &oldest->comm);
		procdb_table_remove(origin->table, oldest);
	}
}

static int run(const char *path, bool adaptive)
{
	Origin origin = {
	    .observe = pin(PROCDB_PIN_OBSERVE),
	    .init = pin(PROCDB_PIN_INIT),
	    .table = procdb_table_new(),
	};
	const struct timespec second = {.tv_sec = 1};
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	load(&origin, path);
	write_predictions(&origin);
	while (sigtimedwait(&term, NULL, &second) != SIGTERM) {
		if (!adaptive)
			continue;
		ingest(&origin);
		write_predictions(&origin);
		evict(&origin);
	}
	if (adaptive)
		save(&origin, path);
	procdb_table_free(origin.table);
	return 0;
}

static int look(const char *name)
{
	struct procdb_comm comm = {0};
	struct procdb_class value;

	memcpy(comm.bytes, name, MIN(strlen(name), sizeof(comm.bytes)));
	if (bpf_map_lookup_elem(pin(PROCDB_PIN_INIT), &comm, &value))
		puts("none");
	else
		printf("%u\n", value.tier);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "look") == 0)
		return look(argv[2]);
	if (argc == 3 && (strcmp(argv[1], "adaptive") == 0 || strcmp(argv[1], "fixed") == 0))
		return run(argv[2], strcmp(argv[1], "adaptive") == 0);
	return 2;
}
