/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Where a farm's store is: redis://HOST, rediss://HOST with TLS, unix:/PATH. */

#include <glib.h>

typedef struct {
	char *host; /* NULL for a socket of this machine */
	guint16 port;
	char *path; /* of that socket, or NULL */
	char *user; /* NULL: that of the store */
	guint database;
	gboolean tls;
} FarmUrl;

#define FARM_URL_ERROR (farm_url_error_quark())
GQuark farm_url_error_quark(void);

/*
 * redis[s]://[USER@]HOST[:PORT][/DATABASE] or unix:/PATH. NULL with error set for anything else,
 * also for one with a password in it: arguments are read by any user of the machine.
 */
FarmUrl *farm_url_parse(const char *text, GError **error);
void farm_url_free(FarmUrl *url);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmUrl, farm_url_free)

/* The same place with another node of a cluster, as "HOST:PORT" or, of the same host, ":PORT". */
FarmUrl *farm_url_at_node(const FarmUrl *url, const char *node, GError **error);

/* For messages, and as the name of the store in the state: without a user. Free it. */
char *farm_url_to_text(const FarmUrl *url);
