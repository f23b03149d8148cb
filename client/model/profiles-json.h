/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "json.h"

#define PROFILES_JSON_ERROR (profiles_json_error_quark())
GQuark profiles_json_error_quark(void);

/* The head of an export file; the version goes up when old readers would misread it. */
#define PROFILES_JSON_FORMAT "pandemonium-profiles"
#define PROFILES_JSON_VERSION 1

/* No export of a service is as large. */
#define PROFILES_JSON_MAX_BYTES ((gsize)64 * 1024 * 1024)

/* An export file's content. */
JsonNode *profiles_to_json(const Rows *rows);

/*
 * Reads an export file's content, any bytes, and checks every value. What can be worked out
 * from the rest may be left out (confidence, confident, tier and origin), and so may what
 * older exports do not have: first_seen_us, right, wrong, withdrawals, taught_by and owner.
 * Returns a floating array of PROCDB_RECORD, or NULL and an error that says which
 * profile and which value of it is wrong.
 */
GVariant *profiles_from_json(const char *data, gsize length, GError **error);
