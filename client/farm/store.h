/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A connection to a Redis or Valkey, or to a cluster of them. hiredis writes and reads the
 * protocol; the connection is GIO's, whose TLS and time limits are there with any hiredis. All
 * that comes back is hostile: bounded in bytes, elements and time before it is looked at.
 */

#include <gio/gio.h>
#include <hiredis/hiredis.h>

#include "url.h"

typedef struct {
	const char *password; /* or NULL */
	const char *ca_file;  /* certificates to trust in place of the system's, or NULL */
	guint timeout_s;      /* without an answer */
} FarmAccess;

#define FARM_STORE_ERROR (farm_store_error_quark())
GQuark farm_store_error_quark(void);
typedef enum {
	FARM_STORE_UNREACHABLE, /* no connection, none any more, or no answer in time */
	FARM_STORE_BUSY,	/* it loads, or a part of its cluster is away: later */
	FARM_STORE_DENIED,	/* the password or the rights of the user */
	FARM_STORE_FULL,
	FARM_STORE_UNKNOWN_SCRIPT,
	FARM_STORE_MOVED,   /* another node has the keys; farm_store_call() follows */
	FARM_STORE_STRANGE, /* an answer that is none, or too much of it */
	FARM_STORE_FAILED,  /* any other refusal */
} FarmStoreError;

typedef struct _FarmStore FarmStore;

/* Connects, and logs in. url and access have to outlive it. */
FarmStore *farm_store_open(const FarmUrl *url, const FarmAccess *access, GError **error);
void farm_store_close(FarmStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmStore, farm_store_close)

typedef redisReply FarmReply;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmReply, freeReplyObject)

/*
 * Sends a command, its words in an array of char *, and reads the answer. Follows the
 * nodes of a cluster, and waits for what is over soon. An answer that is an error is NULL with
 * error set. Free the answer.
 */
FarmReply *farm_store_call(FarmStore *store, GPtrArray *words, GError **error);

/*
 * The same of a script by its digest, and by its text where the store does not know it yet. words
 * are EVALSHA, the digest, and what follows; they are as before when it returns.
 */
FarmReply *farm_store_run(FarmStore *store, GPtrArray *words, const char *script, GError **error);

/* A pipeline: commands go out together, and as many answers come in their order. */
gboolean farm_store_send(FarmStore *store, GPtrArray *const *commands, guint n, GError **error);
FarmReply *farm_store_receive(FarmStore *store, GError **error);

/* What an answer that is an error means; NULL for one that is none. For tests as well. */
GError *farm_store_error_of(const FarmReply *reply);
