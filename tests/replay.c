/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * procdb-replay: runs a script of the golden vectors (tests/README.md) from
 * standard input on the real core, codec, store and engine in reference mode,
 * with maps in memory, and prints what the script asks for.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "backend-memory.h"

typedef struct {
	ProcdbBackend *backend; /* the engine's */
	ProcdbEngine *engine;
	guint line;
} Replay;

static void die(const Replay *replay, const char *what) G_GNUC_NORETURN;

static void die(const Replay *replay, const char *what)
{
	fprintf(stderr, "procdb-replay: line %u: %s\n", replay->line, what);
	exit(2);
}

static guint64 number(const Replay *replay, const char *word, guint64 max)
{
	guint64 value;

	if (!word || !g_ascii_string_to_unsigned(word, 10, 0, max, &value, NULL))
		die(replay, "expected a number");
	return value;
}

static struct procdb_comm comm(const Replay *replay, const char *word)
{
	struct procdb_comm result;

	if (!word || strlen(word) != 2 * PROCDB_COMM_LEN)
		die(replay, "expected 32 hexadecimal digits");
	for (guint i = 0; i < PROCDB_COMM_LEN; i++) {
		int high = g_ascii_xdigit_value(word[2 * i]);
		int low = g_ascii_xdigit_value(word[2 * i + 1]);

		if (high < 0 || low < 0)
			die(replay, "expected 32 hexadecimal digits");
		result.bytes[i] = (guint8)(high << 4 | low);
	}
	return result;
}

static void print_comm(char tag, const struct procdb_comm *name)
{
	printf("%c ", tag);
	for (guint i = 0; i < PROCDB_COMM_LEN; i++)
		printf("%02x", name->bytes[i]);
}

static void print_double(double value)
{
	guint64 bits;

	memcpy(&bits, &value, sizeof(bits));
	printf(" %016" PRIx64 " %.17g", (uint64_t)bits, value);
}

static void dump(Replay *replay)
{
	const struct procdb_table *table = procdb_engine_table(replay->engine);
	struct procdb_entry **sorted = procdb_table_sorted(table);

	printf("dump tick=%" G_GUINT64_FORMAT " profiles=%zu\n",
	       procdb_engine_get_tick(replay->engine), procdb_table_size(table));
	for (size_t i = 0; i < procdb_table_size(table); i++) {
		const struct procdb_profile *p = &sorted[i]->profile;

		print_comm('p', &sorted[i]->comm);
		printf(" %" PRIu32 " %" PRIu32 " %" PRIu32, p->tier_votes[0], p->tier_votes[1],
		       p->tier_votes[2]);
		printf(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, p->avg_runtime_ns,
		       p->runtime_dev_ns, p->wakeup_freq, p->csw_rate);
		printf(" %" PRIu32 " %" PRIu64, p->observations, p->last_seen_tick);
		print_double(procdb_profile_agreement(p));
		printf(" %d", (int)procdb_profile_dominant_tier(p));
		print_double(
		    procdb_profile_confidence(p, &procdb_engine_settings(replay->engine)->rules));
		putchar('\n');
	}
	free(sorted);
}

static int compare_observations(const void *a, const void *b)
{
	return memcmp(&((const struct procdb_observation *)a)->comm,
		      &((const struct procdb_observation *)b)->comm, sizeof(struct procdb_comm));
}

static void dump_init(Replay *replay)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));

	procdb_backend_predictions(replay->backend, entries, NULL);
	g_array_sort(entries, compare_observations);
	printf("init entries=%u\n", entries->len);
	for (guint i = 0; i < entries->len; i++) {
		const struct procdb_observation *o =
		    &g_array_index(entries, struct procdb_observation, i);

		print_comm('i', &o->comm);
		printf(" %u %llu %llu %llu %llu\n", o->seen.tier, o->seen.avg_runtime,
		       o->seen.runtime_dev, o->seen.wakeup_freq, o->seen.csw_rate);
	}
}

/* A script names a file with each operation; the engine has one. */
static void load(Replay *replay, const char *path)
{
	g_autoptr(ProcdbStore) store = procdb_store_new(path);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	ProcdbDiag diag = PROCDB_DIAG_NONE;
	guint loaded = 0;

	if (!procdb_store_load(store, records, &diag, NULL)) {
		g_array_set_size(records, 0);
		procdb_engine_replace(replay->engine, records);
		puts("load error");
		return;
	}
	loaded = procdb_engine_replace(replay->engine, records);
	printf("load ok profiles=%u diag=%s\n", loaded, procdb_diag_name(diag));
}

static void save(Replay *replay, const char *path)
{
	g_autoptr(ProcdbStore) store = procdb_store_new(path);
	g_autoptr(GArray) records = procdb_engine_records(replay->engine, NULL);

	puts(procdb_store_save(store, (const struct procdb_record *)records->data, records->len,
			       NULL)
		 ? "save ok"
		 : "save error");
}

static void run(Replay *replay, char **words)
{
	const char *operation = words[0];

	if (g_str_equal(operation, "observe")) {
		struct procdb_comm name = comm(replay, words[1]);
		struct procdb_class seen = {0};

		seen.tier = (guint8)number(replay, words[2], G_MAXUINT8);
		seen.avg_runtime = number(replay, words[3], G_MAXUINT64);
		seen.runtime_dev = number(replay, words[4], G_MAXUINT64);
		seen.wakeup_freq = number(replay, words[5], G_MAXUINT64);
		seen.csw_rate = number(replay, words[6], G_MAXUINT64);
		test_maps_observe(replay->backend, &name, &seen);
	} else if (g_str_equal(operation, "ingest")) {
		procdb_engine_ingest(replay->engine);
	} else if (g_str_equal(operation, "flush")) {
		procdb_engine_flush(replay->engine);
	} else if (g_str_equal(operation, "tick")) {
		procdb_engine_tick(replay->engine);
	} else if (g_str_equal(operation, "step")) {
		procdb_engine_ingest(replay->engine);
		procdb_engine_flush(replay->engine);
		procdb_engine_tick(replay->engine);
	} else if (g_str_equal(operation, "settick")) {
		procdb_engine_set_tick(replay->engine, number(replay, words[1], G_MAXUINT64));
	} else if (g_str_equal(operation, "save") && words[1]) {
		save(replay, words[1]);
	} else if (g_str_equal(operation, "load") && words[1]) {
		load(replay, words[1]);
	} else if (g_str_equal(operation, "dump")) {
		dump(replay);
	} else if (g_str_equal(operation, "dumpinit")) {
		dump_init(replay);
	} else if (g_str_equal(operation, "summary")) {
		printf("summary total=%zu confident=%u\n",
		       procdb_table_size(procdb_engine_table(replay->engine)),
		       procdb_engine_confident(replay->engine));
	} else {
		die(replay, "unknown operation");
	}
}

int main(void)
{
	ProcdbEngineSettings settings = procdb_engine_default_settings;
	g_autofree char *line = NULL;
	Replay replay = {.backend = test_maps_new(512)};
	size_t room = 0;

	settings.rules = procdb_reference_rules;
	settings.retention_days = 0;
	settings.save_interval_s = 0;
	replay.engine = procdb_engine_new(&settings, procdb_store_new("unused"), replay.backend);
	while (getline(&line, &room, stdin) > 0) {
		g_auto(GStrv) all = g_strsplit_set(line, " \t\r\n", -1);
		g_autoptr(GPtrArray) words = g_ptr_array_new();

		replay.line++;
		for (guint i = 0; all[i]; i++)
			if (*all[i])
				g_ptr_array_add(words, all[i]);
		/* Room for the operands of the longest operation, NULL where there are none. */
		g_ptr_array_set_size(words, (gint)MAX(words->len + 1, 8));
		if (words->pdata[0] && *(char *)words->pdata[0] != '#')
			run(&replay, (char **)words->pdata);
	}
	procdb_engine_free(replay.engine);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
