/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "store.h"

#include <string.h>

#include "escape.h"
#include "reader.h"

/* Nodes that one command is sent to on its way. */
#define MAX_REDIRECTS 8
/* A node that was killed is back, or replaced, after some seconds: 0.1, 0.2, 0.4 ... s. */
#define MAX_WAITS 6
#define FIRST_WAIT_US 100000
/* Of an error's text in a message. */
#define MAX_TEXT 200

struct _FarmStore {
	const FarmAccess *access;
	FarmUrl *url; /* of the node that is connected */
	GSocketConnection *connection;
	GIOStream *stream; /* the connection, or TLS over it */
	FarmReader *reader;
};

/* clang-format takes the hyphens of an unquoted macro argument for minus signs. */
/* clang-format off */
G_DEFINE_QUARK(farm-store-error, farm_store_error)
/* clang-format on */

GError *farm_store_error_of(const FarmReply *reply)
{
	static const struct {
		const char *word;
		FarmStoreError code;
	} words[] = {
	    {"NOAUTH", FARM_STORE_DENIED},    {"WRONGPASS", FARM_STORE_DENIED},
	    {"NOPERM", FARM_STORE_DENIED},    {"ERR invalid password", FARM_STORE_DENIED},
	    {"OOM", FARM_STORE_FULL},	      {"MISCONF", FARM_STORE_FULL},
	    {"LOADING", FARM_STORE_BUSY},     {"BUSY", FARM_STORE_BUSY},
	    {"CLUSTERDOWN", FARM_STORE_BUSY}, {"TRYAGAIN", FARM_STORE_BUSY},
	    {"MASTERDOWN", FARM_STORE_BUSY},  {"NOSCRIPT", FARM_STORE_UNKNOWN_SCRIPT},
	    {"READONLY", FARM_STORE_BUSY},    {"MOVED", FARM_STORE_MOVED},
	    {"ASK", FARM_STORE_MOVED},
	};
	g_autofree char *bytes = NULL;
	g_autofree char *text = NULL;

	if (reply->type != REDIS_REPLY_ERROR)
		return NULL;
	bytes = escape_raw(reply->str, MIN(reply->len, MAX_TEXT));
	text = escape_plain(bytes);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(reply->str, words[i].word))
			return g_error_new_literal(FARM_STORE_ERROR, (gint)words[i].code, text);
	/* A script stops with the error of the command in it. */
	if (strstr(reply->str, "OOM command not allowed"))
		return g_error_new_literal(FARM_STORE_ERROR, FARM_STORE_FULL, text);
	return g_error_new_literal(FARM_STORE_ERROR, FARM_STORE_FAILED, text);
}

static gboolean fail(GError **error, FarmStoreError code, const char *text)
{
	g_set_error_literal(error, FARM_STORE_ERROR, (gint)code, text);
	return FALSE;
}

/* The connection is of no use any more: the next command begins with a new one. */
static void hang_up(FarmStore *store)
{
	g_clear_object(&store->stream);
	g_clear_object(&store->connection);
	g_clear_pointer(&store->reader, farm_reader_free);
}

/* Takes the place of an error of GIO, which says what happened. */
static gboolean unreachable(FarmStore *store, GError *cause, GError **error)
{
	if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		g_set_error(error, FARM_STORE_ERROR, FARM_STORE_UNREACHABLE,
			    "it did not answer within %u s", store->access->timeout_s);
	else
		fail(error, FARM_STORE_UNREACHABLE, cause->message);
	g_error_free(cause);
	hang_up(store);
	return FALSE;
}

static gboolean start_tls(FarmStore *store, GSocketConnectable *place, GError **error)
{
	g_autoptr(GTlsDatabase) trusted = NULL;
	GError *cause = NULL;

	if (!g_tls_backend_supports_tls(g_tls_backend_get_default()))
		return fail(error, FARM_STORE_UNREACHABLE,
			    "TLS needs glib-networking, which is not installed");
	store->stream = g_tls_client_connection_new(G_IO_STREAM(store->connection), place, &cause);
	if (!store->stream)
		return unreachable(store, cause, error);
	if (store->access->ca_file) {
		trusted = g_tls_file_database_new(store->access->ca_file, &cause);
		if (!trusted)
			return unreachable(store, cause, error);
		g_tls_connection_set_database(G_TLS_CONNECTION(store->stream), trusted);
	}
	return g_tls_connection_handshake(G_TLS_CONNECTION(store->stream), NULL, &cause) ||
	       unreachable(store, cause, error);
}

static gboolean dial(FarmStore *store, GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnectable) place = NULL;
	GError *cause = NULL;

	place = store->url->path ? G_SOCKET_CONNECTABLE(g_unix_socket_address_new(store->url->path))
				 : g_network_address_new(store->url->host, store->url->port);
	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, store->access->timeout_s);
	store->connection = g_socket_client_connect(client, place, NULL, &cause);
	if (!store->connection)
		return unreachable(store, cause, error);
	store->reader = farm_reader_new();
	if (store->url->tls)
		return start_tls(store, place, error);
	store->stream = G_IO_STREAM(g_object_ref(store->connection));
	return TRUE;
}

static void append(GByteArray *bytes, const GPtrArray *words)
{
	g_autofree size_t *lengths = g_new(size_t, words->len);
	char *command = NULL;
	long long length;

	for (guint i = 0; i < words->len; i++)
		lengths[i] = strlen(words->pdata[i]);
	length =
	    redisFormatCommandArgv(&command, (int)words->len, (const char **)words->pdata, lengths);
	if (length < 0)
		g_error("Out of memory");
	g_byte_array_append(bytes, (const guint8 *)command, (guint)length);
	redisFreeCommand(command);
}

static gboolean write_all(FarmStore *store, const GByteArray *bytes, GError **error)
{
	GError *cause = NULL;

	return g_output_stream_write_all(g_io_stream_get_output_stream(store->stream), bytes->data,
					 bytes->len, NULL, NULL, &cause) ||
	       unreachable(store, cause, error);
}

static gboolean strange(FarmStore *store, GError **error)
{
	hang_up(store);
	return fail(error, FARM_STORE_STRANGE, "its answer is none, or far too large");
}

/* The next answer, also one that is an error. */
static FarmReply *read_one(FarmStore *store, GError **error)
{
	/* A store that drips has no more time than one that hangs. */
	const gint64 until =
	    g_get_monotonic_time() + 2 * (gint64)store->access->timeout_s * G_USEC_PER_SEC;
	g_autofree char *buffer = g_malloc(65536);
	FarmReply *reply = NULL;
	GError *cause = NULL;

	while (TRUE) {
		gssize got;

		if (!farm_reader_next(store->reader, &reply)) {
			strange(store, error);
			return NULL;
		}
		if (reply)
			return reply;
		if (g_get_monotonic_time() > until) {
			unreachable(store,
				    g_error_new_literal(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, ""),
				    error);
			return NULL;
		}
		got = g_input_stream_read(g_io_stream_get_input_stream(store->stream), buffer,
					  65536, NULL, &cause);
		if (got == 0)
			cause = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED,
						    "it closed the connection");
		if (got <= 0) {
			unreachable(store, cause, error);
			return NULL;
		}
		if (!farm_reader_feed(store->reader, buffer, (gsize)got)) {
			strange(store, error);
			return NULL;
		}
	}
}

FarmReply *farm_store_receive(FarmStore *store, GError **error)
{
	g_autoptr(FarmReply) reply = NULL;
	GError *refusal;

	if (!store->stream) {
		fail(error, FARM_STORE_UNREACHABLE, "it closed the connection");
		return NULL;
	}
	reply = read_one(store, error);
	if (!reply)
		return NULL;
	refusal = farm_store_error_of(reply);
	if (!refusal)
		return g_steal_pointer(&reply);
	g_propagate_error(error, refusal);
	return NULL;
}

gboolean farm_store_send(FarmStore *store, GPtrArray *const *commands, guint n, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (guint i = 0; i < n; i++)
		append(bytes, commands[i]);
	if (!store->stream)
		return fail(error, FARM_STORE_UNREACHABLE, "it closed the connection");
	return write_all(store, bytes, error);
}

static FarmReply *exchange(FarmStore *store, GPtrArray *words, GError **error)
{
	return farm_store_send(store, &words, 1, error) ? farm_store_receive(store, error) : NULL;
}

/* A command of a few words, NULL at the end, whose answer is only whether it is done. */
static gboolean say(FarmStore *store, const char *const *words, GError **error)
{
	g_autoptr(GPtrArray) command = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;

	for (; *words; words++)
		g_ptr_array_add(command, (gpointer)*words);
	reply = exchange(store, command, error);
	return reply != NULL;
}

static gboolean log_in(FarmStore *store, GError **error)
{
	const char *const ping[] = {"PING", NULL};
	const char *const alone[] = {"AUTH", store->access->password, NULL};
	const char *const as_user[] = {"AUTH", store->url->user, store->access->password, NULL};

	/* Whether it is a store at all, and lets us in, is asked before anything large is sent. */
	if (!store->access->password)
		return say(store, ping, error);
	return say(store, store->url->user ? as_user : alone, error);
}

static gboolean connect_node(FarmStore *store, GError **error)
{
	char number[16];
	const char *const select[] = {"SELECT", number, NULL};

	hang_up(store);
	if (!dial(store, error))
		return FALSE;
	g_snprintf(number, sizeof(number), "%u", store->url->database);
	if (log_in(store, error) && (store->url->database == 0 || say(store, select, error)))
		return TRUE;
	hang_up(store);
	return FALSE;
}

FarmStore *farm_store_open(const FarmUrl *url, const FarmAccess *access, GError **error)
{
	g_autoptr(FarmStore) store = g_new0(FarmStore, 1);

	store->access = access;
	store->url = g_new0(FarmUrl, 1);
	*store->url = *url;
	store->url->host = g_strdup(url->host);
	store->url->path = g_strdup(url->path);
	store->url->user = g_strdup(url->user);
	return connect_node(store, error) ? g_steal_pointer(&store) : NULL;
}

void farm_store_close(FarmStore *store)
{
	hang_up(store);
	farm_url_free(store->url);
	g_free(store);
}

/* "MOVED SLOT HOST:PORT" or "ASK SLOT HOST:PORT": connects there. */
static gboolean follow(FarmStore *store, const char *message, GError **error)
{
	static const char *const asking[] = {"ASKING", NULL};
	g_auto(GStrv) words = g_strsplit(message, " ", 4);
	FarmUrl *url;

	if (g_strv_length(words) < 3)
		return strange(store, error);
	url = farm_url_at_node(store->url, words[2], error);
	if (!url)
		return FALSE;
	farm_url_free(store->url);
	store->url = url;
	return connect_node(store, error) &&
	       (!g_str_equal(words[0], "ASK") || say(store, asking, error));
}

FarmReply *farm_store_call(FarmStore *store, GPtrArray *words, GError **error)
{
	guint redirects = 0, waits = 0;

	while (TRUE) {
		g_autoptr(GError) reason = NULL;
		FarmReply *reply = NULL;

		if (store->stream || connect_node(store, &reason))
			reply = exchange(store, words, &reason);
		if (reply)
			return reply;
		while (g_error_matches(reason, FARM_STORE_ERROR, FARM_STORE_MOVED) &&
		       redirects++ < MAX_REDIRECTS) {
			g_autoptr(GError) moved = g_steal_pointer(&reason);

			if (follow(store, moved->message, &reason))
				reply = exchange(store, words, &reason);
			if (reply)
				return reply;
		}
		if (!g_error_matches(reason, FARM_STORE_ERROR, FARM_STORE_BUSY) ||
		    waits == MAX_WAITS) {
			g_propagate_error(error, g_steal_pointer(&reason));
			return NULL;
		}
		g_usleep(FIRST_WAIT_US << waits++);
	}
}

FarmReply *farm_store_run(FarmStore *store, GPtrArray *words, const char *script, GError **error)
{
	g_autoptr(GError) reason = NULL;
	FarmReply *reply = farm_store_call(store, words, &reason);
	gpointer digest = words->pdata[1];

	if (reply || !g_error_matches(reason, FARM_STORE_ERROR, FARM_STORE_UNKNOWN_SCRIPT)) {
		if (reason)
			g_propagate_error(error, g_steal_pointer(&reason));
		return reply;
	}
	words->pdata[1] = (gpointer)script;
	{
		gpointer command = words->pdata[0];

		words->pdata[0] = (gpointer) "EVAL";
		reply = farm_store_call(store, words, error);
		words->pdata[0] = command;
	}
	words->pdata[1] = digest;
	return reply;
}
