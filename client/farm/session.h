/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the commands share: the store, its keys, and words for its failures. */

#include "farm.h"
#include "store.h"

/* Days that the farm remembers where the service does not say. */
#define FARM_DEFAULT_DAYS 30

typedef struct {
	FarmUrl *url;
	FarmAccess access;
	char *password;
	char *place;	   /* the url in messages */
	char *fingerprint; /* "x86_64-250-1-default": what may be shared */
	char *host;
	gboolean pushes; /* what it cannot do the next push takes up */
	FarmStore *store;
} FarmSession;

/*
 * Connects to the store; pushes: to push what was learned. NULL after a message, with an exit code
 * in *status.
 */
FarmSession *farm_session_open(const FarmOptions *options, gboolean pushes, int *status);
void farm_session_close(FarmSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmSession, farm_session_close)

/*
 * "procdb:{x86_64-250-1-default}:KIND[:HOST]": all keys of a fingerprint are in one slot of a
 * cluster, since a script has to change them together. host may be NULL. Free it.
 */
char *farm_session_key(const FarmSession *session, const char *kind, const char *host);

/* Prints why the store failed, and what to do; returns the exit code. */
int farm_session_report(const FarmSession *session, const GError *error);

/* The seconds that the farm remembers what it does not see: RetentionDays of the service. */
gint64 farm_retention_s(Ctl *ctl);

/* The directory for the memory of pushes. */
const char *farm_directory(const FarmOptions *options);

/* Whether a text may be the name of a machine, or a label. */
gboolean farm_is_word(const char *text);

/*
 * What the store runs to take names (an array of char *) out of what a machine gave; in pieces, so
 * that it holds up no other for long. FALSE with error set.
 */
gboolean farm_session_drop(FarmSession *session, const char *host, const GPtrArray *names,
			   GError **error);

/* The names that a machine gave; an array of char *. NULL with error set. */
GPtrArray *farm_session_names(FarmSession *session, const char *host, GError **error);

/* Machines with seconds of their last push; free with g_hash_table_unref(). NULL with error. */
GHashTable *farm_session_hosts(FarmSession *session, GError **error);

/* An answer of names and texts, one after the other; FALSE with error if it is none. */
gboolean farm_session_check_pairs(const FarmReply *reply, GError **error);
