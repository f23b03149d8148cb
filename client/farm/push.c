/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the machine has learned since its last push goes to the store, each of it once. */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "failure.h"
#include "json.h"
#include "output.h"
#include "overrides.h"
#include "scripts.h"
#include "session.h"
#include "state.h"

/* Names of one run of the script, which is atomic: a millisecond or two of the store. */
#define CHUNK_NAMES 64
/* Chunks that are sent before the first answer is read. */
#define PIPELINE 16

typedef enum {
	COUNTED,       /* now, or when an answer was lost before */
	FAILED,	       /* the store; the state is as before */
	STORE_FORGOT,  /* all of this machine */
	STORE_LOST,    /* some of what it acknowledged */
	MEMORY_IS_OLD, /* the store knows more pushes of this memory than it does */
} Outcome;

typedef struct {
	FarmSession *session;
	FarmState *state;
	char *digest;
	char *keys[4];
	gint64 retention_s;
	guint64 left_out; /* names for which the machine has no room in the store */
} Push;

static void push_clear(Push *push)
{
	for (guint i = 0; i < G_N_ELEMENTS(push->keys); i++)
		g_free(push->keys[i]);
	g_free(push->digest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Push, push_clear)

static void push_init(Push *push, FarmSession *session, FarmState *state, gint64 retention_s)
{
	*push = (Push){.session = session, .state = state, .retention_s = retention_s};
	push->digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, farm_script_push, -1);
	push->keys[0] = farm_session_key(session, "serials", session->host);
	push->keys[1] = farm_session_key(session, "host", session->host);
	push->keys[2] = farm_session_key(session, "sums", NULL);
	push->keys[3] = farm_session_key(session, "seen", NULL);
}

static void add_number(GPtrArray *words, guint64 number)
{
	g_ptr_array_add(words, g_strdup_printf("%" G_GUINT64_FORMAT, number));
}

static void add_word(GPtrArray *words, const char *word)
{
	g_ptr_array_add(words, g_strdup(word));
}

static void add_increment(GPtrArray *words, const FarmIncrement *one)
{
	add_word(words, one->name);
	for (guint i = 0; i < PROCDB_TIERS; i++)
		add_number(words, one->votes[i]);
	add_number(words, one->runs);
	add_number(words, one->right);
	add_number(words, one->wrong);
	add_number(words, (guint64)one->first_s);
	add_number(words, (guint64)one->last_s);
	for (guint i = 0; i < PROCDB_AVERAGES; i++)
		add_number(words, one->steps[i]);
}

static guint chunks_of(const FarmState *state)
{
	return (state->increments->len + CHUNK_NAMES - 1) / CHUNK_NAMES;
}

/* The command of a chunk; the same each time, or a retry would be another push. */
static GPtrArray *chunk_command(const Push *push, guint chunk)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	const GArray *increments = push->state->increments;
	const guint end = MIN((chunk + 1) * CHUNK_NAMES, increments->len);

	add_word(words, "EVALSHA");
	add_word(words, push->digest);
	add_word(words, "4");
	for (guint i = 0; i < G_N_ELEMENTS(push->keys); i++)
		add_word(words, push->keys[i]);
	add_word(words, push->session->host);
	add_word(words, push->state->incarnation);
	add_number(words, push->state->serial + chunk + 1);
	add_number(words, (guint64)push->retention_s);
	for (guint i = chunk * CHUNK_NAMES; i < end; i++)
		add_increment(words, &g_array_index(increments, FarmIncrement, i));
	return words;
}

static Outcome not_understood(GError **error)
{
	g_set_error_literal(error, FARM_STORE_ERROR, FARM_STORE_STRANGE,
			    "it answered a push with something else");
	return FAILED;
}

/* What the script says of a chunk; see scripts.c. */
static Outcome read_answer(Push *push, const FarmReply *reply, GError **error)
{
	const guint64 last = push->state->serial + chunks_of(push->state);
	const char *word;
	guint64 known;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER || reply->element[1]->integer < 0)
		return not_understood(error);
	word = reply->element[0]->str;
	known = (guint64)reply->element[1]->integer;
	if (g_str_equal(word, "again"))
		return known > last ? MEMORY_IS_OLD : COUNTED;
	if (reply->elements < 3 || reply->element[2]->type != REDIS_REPLY_INTEGER)
		return not_understood(error);
	if (g_str_equal(word, "gap"))
		return reply->element[2]->integer ? STORE_LOST : STORE_FORGOT;
	if (!g_str_equal(word, "ok"))
		return not_understood(error);
	push->left_out += (guint64)MAX(reply->element[2]->integer, 0);
	return COUNTED;
}

/* One chunk by itself: finds the node and teaches it the script. */
static Outcome push_chunk(Push *push, guint chunk, GError **error)
{
	g_autoptr(GPtrArray) words = chunk_command(push, chunk);
	g_autoptr(FarmReply) reply =
	    farm_store_run(push->session->store, words, farm_script_push, error);

	return reply ? read_answer(push, reply, error) : FAILED;
}

/*
 * Sends chunks together; returns how many of them, from the first on, are counted. Whatever
 * is wrong with the next one shows when it is sent by itself.
 */
static guint push_together(Push *push, guint chunk, guint n)
{
	g_autoptr(GPtrArray) commands =
	    g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	gboolean good = TRUE;
	guint counted = 0;

	for (guint i = 0; i < n; i++)
		g_ptr_array_add(commands, chunk_command(push, chunk + i));
	if (!farm_store_send(push->session->store, (GPtrArray *const *)commands->pdata, n, NULL))
		return 0;
	for (guint i = 0; i < n; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(FarmReply) reply = farm_store_receive(push->session->store, &error);

		if (g_error_matches(error, FARM_STORE_ERROR, FARM_STORE_UNREACHABLE))
			break;
		good = good && reply && read_answer(push, reply, NULL) == COUNTED;
		counted += good;
	}
	return counted;
}

/* Sends what is under way. */
static Outcome send_all(Push *push, GError **error)
{
	const guint chunks = chunks_of(push->state);
	guint next = 0;

	while (next < chunks) {
		const Outcome outcome = push_chunk(push, next, error);

		if (outcome != COUNTED)
			return outcome;
		next++;
		next += push_together(push, next, MIN(PIPELINE, chunks - next));
	}
	return farm_state_end(push->state, chunks, error) ? COUNTED : FAILED;
}

/* Says what became of the memory, and makes the best of it. */
static gboolean start_over(Push *push, Outcome outcome, GError **error)
{
	const char *place = push->session->place;

	if (outcome == STORE_FORGOT) {
		if (push->state->serial > 0)
			g_printerr("The farm's store %s knows nothing of this machine any more: "
				   "all that it has learned is pushed again.\n",
				   place);
	} else if (outcome == STORE_LOST) {
		g_printerr("The farm's store %s has lost pushes of this machine that it had "
			   "acknowledged, as after a failure of a node: it goes on with what is "
			   "new.\n",
			   place);
	} else {
		g_printerr("The farm's store %s knows newer pushes of this machine than it does "
			   "itself, as after the return to an older image: it goes on with what "
			   "is new.\n",
			   place);
	}
	return farm_state_restart(push->state, outcome == STORE_FORGOT, error);
}

typedef struct {
	guint64 names;
	guint64 runs;
} Pushed;

/* What is under way from before, and then what is new in rows. */
static gboolean push_rows(Push *push, const Rows *rows, Pushed *pushed, GError **error)
{
	guint restarts = 0;

	while (TRUE) {
		g_autoptr(GHashTable) next = NULL;
		g_autoptr(GArray) increments = NULL;
		Outcome outcome;
		Pushed these;

		if (!push->state->increments) {
			increments = farm_increments(push->state->marks, rows, &next);
			if (increments->len == 0)
				return TRUE;
			if (!farm_state_begin(push->state, g_steal_pointer(&increments),
					      g_steal_pointer(&next), error))
				return FALSE;
		}
		g_assert(push->state->increments);
		these = (Pushed){push->state->increments->len,
				 farm_increments_runs(push->state->increments)};
		outcome = send_all(push, error);
		if (outcome == FAILED)
			return FALSE;
		if (outcome == COUNTED) {
			pushed->names += these.names;
			pushed->runs += these.runs;
			continue;
		}
		/* A store that forgets each time is none. */
		if (restarts++ > 1)
			return not_understood(error) != FAILED;
		if (!start_over(push, outcome, error))
			return FALSE;
	}
}

/* Machines that nothing was heard of for as long as the service remembers leave the farm. */
static gboolean expire(FarmSession *session, gint64 retention_s, GError **error)
{
	g_autofree char *seen = farm_session_key(session, "seen", NULL);
	g_autofree char *until =
	    g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time() / G_USEC_PER_SEC - retention_s);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	/* Some at a time: each push takes out as many. */
	const char *const all[] = {"ZRANGEBYSCORE", seen, "-inf", until, "LIMIT", "0", "4"};

	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		g_ptr_array_add(words, (gpointer)all[i]);
	reply = farm_store_call(session->store, words, error);
	if (!reply)
		return FALSE;
	for (gsize i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		const FarmReply *host = reply->element[i];
		g_autoptr(GPtrArray) names = NULL;

		if (host->type != REDIS_REPLY_STRING || !farm_is_word(host->str))
			continue;
		names = farm_session_names(session, host->str, error);
		if (!names || !farm_session_drop(session, host->str, names, error))
			return FALSE;
	}
	return TRUE;
}

/* overrides is NULL if they were not asked for. */
static void report(const Ctl *ctl, const Push *push, const Pushed *pushed, const guint *overrides)
{
	g_autofree char *names = out_count(pushed->names, "program");
	g_autofree char *runs = out_count(pushed->runs, "run");

	if (push->left_out > 0)
		g_printerr("The farm has no room for %" G_GUINT64_FORMAT
			   " more names of this machine.\n",
			   push->left_out);
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_uint(builder, "pushed", pushed->names);
		ctl_json_set_uint(builder, "runs", pushed->runs);
		if (overrides)
			ctl_json_set_uint(builder, "overrides", *overrides);
		ctl_json_print(ctl_json_end(builder));
	} else if (pushed->names == 0) {
		printf("Nothing was learned since the last push to %s.\n", push->session->place);
	} else {
		printf("Pushed what was learned of %s, %s, to %s as %s.\n", names, runs,
		       push->session->place, push->session->host);
	}
	if (overrides && !ctl->json)
		printf("The farm knows %u overrides of this machine.\n", *overrides);
}

int farm_push(Ctl *ctl, const FarmOptions *options)
{
	g_autoptr(FarmSession) session = NULL;
	g_autoptr(FarmState) state = NULL;
	g_auto(Push) push = {0};
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	Pushed pushed = {0};
	guint overrides = 0;
	int status = bus_connect(ctl);

	if (status != CTL_OK)
		return status;
	session = farm_session_open(options, TRUE, &status);
	if (!session)
		return status;
	state = farm_state_open(farm_directory(options), session->place, session->fingerprint,
				session->host, &error);
	if (!state) {
		g_printerr("Nothing was pushed: %s.\n", error->message);
		return CTL_FAILED;
	}
	rows = rows_fetch_whole(ctl, &error);
	if (!rows)
		return failure_report("ExportProfiles", NULL, error);
	push_init(&push, session, state, farm_retention_s(ctl));
	if (!push_rows(&push, rows, &pushed, &error))
		return farm_session_report(session, error);
	if (options->overrides) {
		status = farm_overrides_push(ctl, session, farm_directory(options), &overrides);
		if (status != CTL_OK)
			return status;
	}
	report(ctl, &push, &pushed, options->overrides ? &overrides : NULL);
	return expire(session, push.retention_s, &error) ? CTL_OK
							 : farm_session_report(session, error);
}
