/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"
#include "sum.h"
#include "tiers.h"

/* One row of ListProfiles; the strings belong to the Rows. */
typedef struct {
	const char *name;
	const char *tier;
	double confidence;
	gboolean confident;
	guint32 observations;
	guint32 votes[PROCDB_TIERS];
	guint64 avg_runtime_ns;
	guint64 runtime_dev_ns;
	guint64 wakeup_freq;
	guint64 csw_rate;
	gint64 last_seen_us;
	const char *origin;
	/* Of a record; 0 in a row. */
	gint64 first_seen_us;
	guint64 right;
	guint64 wrong;
	guint32 withdrawals;
	const char *taught_by; /* NULL in a row */
	guint32 owner;
	/* Of QueryProfiles; NULL or negative where it is not known. */
	const char *prediction_source;
	const char *held; /* the tier of a hold */
	const char *kind;
	const char *program;	 /* its path */
	const char *application; /* of the desktop */
	const char *script;	 /* that a task of it runs now, of an interpreter */
	guint32 scripts;	 /* how many different ones */
	guint64 cpu_ns;		 /* of all its tasks; 0: not known */
	guint64 runs;		 /* starts; 0: not known */
	double cpu_share;	 /* of one CPU */
	double wakeups_per_second;
	GVariant *members; /* all of them, an a{sv} */
	GVariant *columns; /* of which it is a row, instead; an a{sv} */
	guint place;	   /* in each of these */
} Row;

/* The word that people see in place of a tier for what rows_is_brief(). */
#define ROWS_BRIEF "brief"

/* CPU time from start to end below which a life is brief to BPF as well (PROCDB_SHARE_BRIEF_NS). */
#define ROWS_BRIEF_LIFE_NS (G_GUINT64_CONSTANT(1) << 25)
/* Runs below this are over before the kernel's own slice is, on most machines. */
#define ROWS_BRIEF_NS 1500000

/* What follows changes asks for no more at once; of more, for those that use most CPU time. */
#define ROWS_MOST 2000
/* So many use CPU time that a person would see. */
#define ROWS_BUSY 100

typedef struct {
	GPtrArray *replies; /* of GVariant: what the rows point into */
	GArray *items;	    /* of Row */
	gboolean whole;	    /* they are records */
} Rows;

/* Every profile; NULL and error if the service does not say. */
Rows *rows_fetch(Ctl *ctl, GError **error);

/* The same with all that is known of each. */
Rows *rows_fetch_whole(Ctl *ctl, GError **error);

/*
 * Fields for rows_query(), packed: all that a row has but its votes and its application. Free the
 * array with g_free().
 */
const char **rows_fields(void);

/*
 * Adds patterns, of which one shall be that of name, program or script, to a filter, if it has room
 * for them. Rows that none is of may be found as well: an older service is asked without.
 */
void rows_filter_titles(GVariantDict *filter, const char *const *patterns);

/*
 * What the service answers to a filter, of which a floating reference is taken; NULL: to one
 * without entries. fields: what is needed of each, "name" among it; NULL: all that is known, as
 * members, which takes ten times as long. However many there are: it is asked for part by part. A
 * service that does not know such questions is asked for all rows. serial may be NULL, and gets 0
 * if the service does not say.
 */
Rows *rows_query(Ctl *ctl, GVariant *filter, const char *const *fields, guint64 *serial,
		 GError **error);

/* Whether a question failed because the service is older than a field or an entry of its filter. */
gboolean rows_is_unknown_field(const GError *error);

/* Whether a call failed because the service is older than the method. */
gboolean rows_is_unknown_method(const GError *error);

/* None yet. */
Rows *rows_new(void);

/* The rows of an array of PROCDB_ROW, PROCDB_RECORD or a{sv}. */
Rows *rows_from_variant(GVariant *profiles);

/* The rows of an a{sv} of arrays, as QueryColumns answers with. */
Rows *rows_from_columns(GVariant *columns);

/* The row that an a{sv} of GetProfile or its like is; it points into that. */
void rows_row_of_map(GVariant *map, Row *row);

/*
 * An array of PROCDB_RECORD that is being made. A member that is as in the record before is made
 * once: of thousands of priors most are, and making them is what a pull would spend its time on.
 */
typedef struct _Records Records;

Records *records_new(void);
void records_free(Records *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Records, records_free)

void records_add(Records *records, const Row *row);

/* The array, floating; nothing can be added any more. */
GVariant *records_end(Records *records);

void rows_free(Rows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_free)

static inline const Row *rows_get(const Rows *rows, guint index)
{
	return &g_array_index(rows->items, Row, index);
}

/* Drops every row that wanted() says FALSE of. */
void rows_keep(Rows *rows, gboolean (*wanted)(const Row *row, gpointer user_data),
	       gpointer user_data);

/* Whether a name matches a pattern with * and ?. A backslash stands for itself. */
gboolean rows_match(const char *pattern, const char *name);

/* Whether a name matches one of the patterns, or there are none; NULL is at their end. */
gboolean rows_match_any(char *const *patterns, const char *name);

/* Whether rows_match() would take a text for more than a name. */
gboolean rows_is_pattern(const char *text);

/*
 * The name with what runs under it, where that is another word: "python3 (train.py)", "Web Content
 * (firefox-esr)". Free with g_free().
 */
char *rows_title(const Row *row);

/*
 * Whether it is over before a slice matters: nothing was decided for it, it was found to be neither
 * latency critical nor batch, and it takes little CPU time from its start to its end; where that is
 * not known, its runs are shorter than the kernel's own slice.
 */
gboolean rows_is_brief(const Row *row);

/* The tier of a row as people see it: "brief" or a tier. Static or of the row. */
const char *rows_word(const Row *row);

/* Whether new tasks of the name start with a prediction: it is confident, or has an override. */
gboolean rows_predicts(const Row *row);

/* The words to choose rows by: the tiers and "brief"; NULL at the end. */
extern const char *const rows_words[];

/* Whether a row is of a tier, or, for "brief", of that word. */
gboolean rows_is_of(const Row *row, const char *word);

/*
 * Whether a name is one that kernel threads have. They are never given a slice. Any program may
 * take such a name.
 */
gboolean rows_is_kernel_thread(const Row *row);

/* The words for origins; NULL at the end. */
extern const char *const rows_origins[];

/* The index of a tier in procdb_tier_names, -1 for anything else, NULL as well. */
int rows_tier_rank(const char *tier);
