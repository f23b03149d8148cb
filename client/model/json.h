/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <json-glib/json-glib.h>

#include "rows.h"

/*
 * A D-Bus value as JSON: a{sv} and its like as an object, other arrays and tuples as
 * arrays, (uuu) under the key "votes" as an object by tier. A number beyond
 * INT64_MAX is a marked text until ctl_json_to_text() makes a number of it.
 */
JsonNode *ctl_json_from_variant(GVariant *value);

/* The properties of the service, with their names in snake_case. */
JsonNode *ctl_json_from_properties(GVariant *properties);

/* A row as an object with the names that GetProfile has. */
JsonNode *ctl_json_from_row(const Row *row);

/* An array of such objects. */
JsonNode *ctl_json_from_rows(const Rows *rows);

/* An array of strings. */
JsonNode *ctl_json_from_strings(const char *const *strings);

/* A node as text, which the caller frees. */
char *ctl_json_to_text(JsonNode *node, gboolean pretty);

/* Prints a node over several lines, and frees it. */
void ctl_json_print(JsonNode *node);

/* Prints a node on one line, and frees it. */
void ctl_json_print_line(JsonNode *node);

/* A builder that is inside of an object; end it with ctl_json_end(). */
JsonBuilder *ctl_json_begin(void);

/* Adds a member to the object; takes the node over. */
void ctl_json_set(JsonBuilder *builder, const char *name, JsonNode *value);
void ctl_json_set_string(JsonBuilder *builder, const char *name, const char *value);
void ctl_json_set_uint(JsonBuilder *builder, const char *name, guint64 value);

/* Ends the object and frees the builder. */
JsonNode *ctl_json_end(JsonBuilder *builder);

/* Prints an object that says only of how many something was done. */
void ctl_json_print_count(const char *name, guint64 count);
