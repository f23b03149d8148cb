/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Export files. */

#include "programs-json.h"

/* The head of an export file; the version goes up when old readers would misread it. */
#define PROFILES_JSON_FORMAT "pandemonium-profiles"
#define PROFILES_JSON_VERSION 1

/* No export of a service is as large. */
#define PROFILES_JSON_MAX_BYTES ((gsize)64 * 1024 * 1024)

/*
 * An export file's content: all records, what their programs are (rows of QueryProfiles, of any
 * names), and overrides by program and by unit.
 */
JsonNode *profiles_to_json(const Rows *records, const Rows *programs, const Rules *rules);

/* What an export file holds; free it with export_free(). */
typedef struct {
	GVariant *profiles; /* array of PROCDB_RECORD */
	GVariant *programs; /* aa{sv}, rows of ImportPrograms */
	GVariant *rules;    /* a(sss): program or unit, its text, and a tier */
} Export;

void export_free(Export *export);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Export, export_free)

/*
 * Reads an export file's content, any bytes, and checks every value. What can be worked out
 * from the rest may be left out (confidence, confident, tier and origin), and so may what
 * older exports do not have: first_seen_us, right, wrong, withdrawals, taught_by and owner,
 * the programs and the overrides. NULL and an error that says which profile and which value
 * of it is wrong.
 */
Export *profiles_from_json(const char *data, gsize length, GError **error);
