/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What is known of all profiles, to say what a change changed. */

#include "json.h"

/* What people see of a profile. */
typedef struct {
	char *tier; /* the word for it */
	double confidence;
	gboolean predicts;
	gboolean is_held;
	gboolean is_kernel_thread;
	guint32 observations;
	char *origin;
	JsonNode *json; /* the whole row; NULL without JSON */
	guint64 serial; /* of the answer that it was in */
} KnownProfile;

typedef struct {
	char *name;
	KnownProfile *before; /* NULL: it is new */
	KnownProfile *after;  /* NULL: it is gone */
} Change;

typedef struct Known Known;

/* All profiles, for change_json() or without; NULL and error if the service does not say. */
Known *known_new(Ctl *ctl, gboolean with_json, GError **error);

void known_free(Known *known);

/* The serial of the last answer; 0: the service does not say. */
guint64 known_serial(const Known *known);

/*
 * Asks for what a ProfilesChanged names, all of it if both lists are empty or signals were missed,
 * and returns the differences to what was known, which are those without the answer, and error, if
 * the service does not say. Free with g_ptr_array_unref().
 */
GPtrArray *known_update(Known *known, Ctl *ctl, guint64 serial, const char *const *changed,
			const char *const *removed, GError **error);

/* The same for all, of another service than before, which begins above the serials of that. */
GPtrArray *known_read_again(Known *known, Ctl *ctl, GError **error);

/* Whether a profile, which may be NULL, is of a tier or of the word "brief". */
gboolean known_is_of(const KnownProfile *profile, const char *word);

/*
 * The difference in words, to put behind the name. NULL if only figures moved, and all is not
 * wanted. Free with g_free().
 */
char *change_text(const Change *change, gboolean all);

/* An object with name, before and after, which are rows or null. Only of what was read with JSON.
 */
JsonNode *change_json(const Change *change);
