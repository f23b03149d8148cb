/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "farm-known.h"
#include "scripts.h"

#define FORMAT 1
#define MAX_WORD 64
#define MAX_PASSWORD 4096
#define CREDENTIAL "farm-password"
#define DAY_S ((gint64)24 * 60 * 60)
/* Names that one run of a script takes out: a millisecond or two. */
#define DROP_NAMES 128

gboolean farm_is_word(const char *text)
{
	if (!*text || strlen(text) > MAX_WORD)
		return FALSE;
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr("._-", *text))
			return FALSE;
	return TRUE;
}

const char *farm_directory(const FarmOptions *options)
{
	return options->directory && *options->directory ? options->directory
							 : farm_known_directory();
}

/* Ticks of the kernel in a second: tasks are measured, and preempted, by them. */
static long kernel_hz(void)
{
	struct timespec tick;

	/* The coarse clock moves once a tick; clock_getres(2). */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_nsec <= 0)
		return 0;
	return (1000000000L + tick.tv_nsec / 2) / tick.tv_nsec;
}

static char *make_fingerprint(const char *label)
{
	struct utsname kernel;

	if (uname(&kernel) != 0)
		g_error("uname() failed");
	return g_strdup_printf("%s-%ld-%d-%s", kernel.machine, kernel_hz(), FORMAT, label);
}

/* The name of this machine, and a part of what its ID is for us: many are called "builder". */
static char *make_host(void)
{
	char name[HOST_NAME_MAX + 1] = "";
	g_autofree char *id = NULL;
	g_autofree char *ours = NULL;
	g_autofree char *host = NULL;

	if (gethostname(name, sizeof(name) - 1) != 0 || !*name)
		g_strlcpy(name, "host", sizeof(name));
	g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '-');
	name[MIN(strlen(name), MAX_WORD - 9)] = '\0';
	if (!g_file_get_contents("/etc/machine-id", &id, NULL, NULL))
		return g_strdup(name);
	g_strstrip(id);
	ours = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)id, strlen(id),
					 "pandemonium-farm", -1);
	host = g_strdup_printf("%s-%.8s", name, ours);
	return g_steal_pointer(&host);
}

/* NULL without an error: none is given. */
static char *read_password(const FarmOptions *options, GError **error)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	gsize length;

	if (options->password_file && *options->password_file)
		path = g_strdup(options->password_file);
	else if (credentials)
		path = g_build_filename(credentials, CREDENTIAL, NULL);
	if (!path || (!options->password_file && !g_file_test(path, G_FILE_TEST_EXISTS)))
		return NULL;
	if (!g_file_get_contents(path, &text, &length, error))
		return NULL;
	if (strlen(text) == length && length <= MAX_PASSWORD) {
		g_strchomp(text);
		if (*text && !strpbrk(text, "\r\n"))
			return g_steal_pointer(&text);
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		    "%s does not hold one line with a password", path);
	return NULL;
}

static FarmSession *refuse(int *status, const char *text)
{
	g_printerr("pandemoniumctl farm: %s.\n", text);
	*status = CTL_USAGE;
	return NULL;
}

static gboolean is_given(const char *text)
{
	return text && *text;
}

FarmSession *farm_session_open(const FarmOptions *options, gboolean pushes, int *status)
{
	g_autoptr(FarmSession) session = g_new0(FarmSession, 1);
	const char *label = is_given(options->label) ? options->label : "default";
	g_autoptr(GError) error = NULL;

	if (!is_given(options->store))
		return refuse(status, "--store is missing: where the farm's store is, as in "
				      "redis://HOST");
	if (!farm_is_word(label))
		return refuse(status, "a label is letters, digits, '.', '_' and '-', 64 at most");
	if (is_given(options->host) && !farm_is_word(options->host))
		return refuse(status, "the name of a machine is letters, digits, '.', '_' and '-', "
				      "64 at most");
	session->pushes = pushes;
	session->url = farm_url_parse(options->store, &error);
	if (!session->url)
		return refuse(status, error->message);
	session->password = read_password(options, &error);
	if (error)
		return refuse(status, error->message);
	session->access = (FarmAccess){
	    .password = session->password,
	    .ca_file = is_given(options->ca_file) ? options->ca_file : NULL,
	    .timeout_s = (guint)CLAMP(options->timeout_s, 1, 600),
	};
	session->place = farm_url_to_text(session->url);
	session->fingerprint = make_fingerprint(label);
	session->host = is_given(options->host) ? g_strdup(options->host) : make_host();
	session->store = farm_store_open(session->url, &session->access, &error);
	if (session->store)
		return g_steal_pointer(&session);
	*status = farm_session_report(session, error);
	return NULL;
}

void farm_session_close(FarmSession *session)
{
	g_clear_pointer(&session->store, farm_store_close);
	g_clear_pointer(&session->url, farm_url_free);
	g_free(session->password);
	g_free(session->place);
	g_free(session->fingerprint);
	g_free(session->host);
	g_free(session);
}

char *farm_session_key(const FarmSession *session, const char *kind, const char *host)
{
	return g_strdup_printf("procdb:{%s}:%s%s%s", session->fingerprint, kind, host ? ":" : "",
			       host ? host : "");
}

int farm_session_report(const FarmSession *session, const GError *error)
{
	const char *text = error->message;
	const char *lost =
	    session->pushes ? "Nothing is lost: the next push takes up what this one could not.\n"
			    : "";

	if (error->domain != FARM_STORE_ERROR) {
		g_printerr("This was not completed: %s.\n", text);
		return CTL_FAILED;
	}
	switch ((FarmStoreError)error->code) {
	case FARM_STORE_UNREACHABLE:
		g_printerr("The farm's store %s cannot be reached: %s.\n%s", session->place, text,
			   lost);
		return CTL_UNREACHABLE;
	case FARM_STORE_BUSY:
		g_printerr("The farm's store %s cannot answer now: %s.\n%s", session->place, text,
			   lost);
		return CTL_UNREACHABLE;
	case FARM_STORE_DENIED:
		g_printerr("The farm's store %s refused: %s.\n"
			   "The password is that of --password-file, or the credential " CREDENTIAL
			   "; the user stands in the address, as in redis://USER@HOST.\n",
			   session->place, text);
		return CTL_DENIED;
	case FARM_STORE_FULL:
		g_printerr("The farm's store %s takes nothing more: %s.\n%s"
			   "Give it more memory, or an address of its own.\n",
			   session->place, text, lost);
		return CTL_FAILED;
	case FARM_STORE_STRANGE:
		g_printerr("%s does not answer as a Redis or Valkey does: %s.\n", session->place,
			   text);
		return CTL_FAILED;
	default:
		g_printerr("The farm's store %s failed: %s.\n"
			   "It has to be a Redis of version 5 or newer, or a Valkey.\n",
			   session->place, text);
		return CTL_FAILED;
	}
}

gint64 farm_retention_s(Ctl *ctl)
{
	/* Asked for: the proxy keeps no properties. */
	g_autoptr(GVariant) properties = bus_properties(ctl, NULL);
	guint32 days = 0;

	if (properties)
		g_variant_lookup(properties, "RetentionDays", "u", &days);
	return (days > 0 ? days : FARM_DEFAULT_DAYS) * DAY_S;
}

static gboolean drop_some(FarmSession *session, GPtrArray *words, GError **error)
{
	g_autoptr(FarmReply) reply = farm_store_run(session->store, words, farm_script_drop, error);

	return reply != NULL;
}

gboolean farm_session_drop(FarmSession *session, const char *host, const GPtrArray *names,
			   GError **error)
{
	g_autofree char *digest =
	    g_compute_checksum_for_string(G_CHECKSUM_SHA1, farm_script_drop, -1);
	g_autofree char *parts = farm_session_key(session, "host", host);
	g_autofree char *sums = farm_session_key(session, "sums", NULL);
	g_autofree char *seen = farm_session_key(session, "seen", NULL);
	g_autofree char *overrides = farm_session_key(session, "overrides", NULL);
	guint at = 0;

	/* Once without a name as well: a machine that gave nothing is taken out, too. */
	do {
		g_autoptr(GPtrArray) words = g_ptr_array_new();
		const char *const first[] = {"EVALSHA", digest, "4",	   parts,
					     sums,	seen,	overrides, host};

		for (guint i = 0; i < G_N_ELEMENTS(first); i++)
			g_ptr_array_add(words, (gpointer)first[i]);
		for (guint i = 0; i < DROP_NAMES && at < names->len; i++)
			g_ptr_array_add(words, names->pdata[at++]);
		if (!drop_some(session, words, error))
			return FALSE;
	} while (at < names->len);
	return TRUE;
}

GPtrArray *farm_session_names(FarmSession *session, const char *host, GError **error)
{
	g_autofree char *parts = farm_session_key(session, "host", host);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	GPtrArray *names;

	g_ptr_array_add(words, (gpointer) "HKEYS");
	g_ptr_array_add(words, parts);
	reply = farm_store_call(session->store, words, error);
	if (!reply)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	for (gsize i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			g_ptr_array_add(names, g_strdup(reply->element[i]->str));
	return names;
}

gboolean farm_session_check_pairs(const FarmReply *reply, GError **error)
{
	gboolean good = reply->type == REDIS_REPLY_ARRAY && reply->elements % 2 == 0;

	for (gsize i = 0; good && i < reply->elements; i++)
		good = reply->element[i]->type == REDIS_REPLY_STRING &&
		       strlen(reply->element[i]->str) == (gsize)reply->element[i]->len;
	if (!good)
		g_set_error_literal(error, FARM_STORE_ERROR, FARM_STORE_STRANGE,
				    "what stands there is not what this program writes");
	return good;
}

GHashTable *farm_session_hosts(FarmSession *session, GError **error)
{
	g_autofree char *seen = farm_session_key(session, "seen", NULL);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	GHashTable *hosts;
	const char *const all[] = {"ZRANGE", seen, "0", "-1", "WITHSCORES"};

	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		g_ptr_array_add(words, (gpointer)all[i]);
	reply = farm_store_call(session->store, words, error);
	if (!reply || !farm_session_check_pairs(reply, error))
		return NULL;
	hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (gsize i = 0; i < reply->elements; i += 2) {
		const char *host = reply->element[i]->str;
		gint64 seen_s = g_ascii_strtoll(reply->element[i + 1]->str, NULL, 10);

		/* Others are not ours. */
		if (farm_is_word(host))
			g_hash_table_insert(hosts, g_strdup(host),
					    g_memdup2(&seen_s, sizeof(seen_s)));
	}
	return hosts;
}
