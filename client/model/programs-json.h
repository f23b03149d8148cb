/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What an export file says of the programs of profiles, as members of these, and of overrides by
 * program and by unit, which older files do not have and older clients pass over.
 */

#include "json-value.h"
#include "json.h"
#include "rules.h"

/* The program of a profile while it is read; clear it with program_reading_clear(). */
typedef struct {
	char *texts[3]; /* program, unit and kind */
	guint64 runs;
	guint64 cpu_ns;
	guint32 uid;
	gboolean has_runs, has_cpu, has_uid;
} ProgramReading;

void program_reading_clear(ProgramReading *reading);

/* Reads a member if it is one of these: *is_one says so, and nothing is read of others. */
gboolean program_reading_member(ProgramReading *reading, JsonText *text, const char *key,
				gboolean *is_one, GError **error);

/* What was read as a row of ImportPrograms, floating; NULL if there was nothing. */
GVariant *program_reading_end(const ProgramReading *reading, const char *name);

/* Adds the members of a profile in an export, from its row of QueryProfiles. */
void program_to_json(JsonObject *profile, const Row *row);

/* Overrides by program and by unit, which no file of the configuration declares, as objects. */
JsonNode *rules_to_json(const Rules *rules);

/* Reads such an array and appends its elements, (sss) of kind, text and tier. */
gboolean rules_from_json(JsonText *text, GVariantBuilder *rules, GError **error);
