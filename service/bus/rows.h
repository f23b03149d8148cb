/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The one place that writes profiles and counts to messages, and reads them. Functions that write
 * return sd-bus' result: a negative errno on failure.
 */

#include <systemd/sd-bus.h>

#include "apply.h"
#include "contract.h"
#include "engine.h"

/* Appends an entry of an a{sv}, unless one before it failed. */
#define PROCDB_ADD(result, message, key, ...)                                                      \
	((result) < 0 ? (result) : sd_bus_message_append((message), "{sv}", (key), __VA_ARGS__))

/* The names of all profiles, escaped and sorted. */
typedef struct _ProcdbNames ProcdbNames;
ProcdbNames *procdb_names_new(ProcdbEngine *engine);
void procdb_names_free(ProcdbNames *names);

/* Appends an array of rows, one for each of these names that still has a profile. */
int procdb_rows_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names);
/* The same with an array of records. */
int procdb_records_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names);
/* The estimated bytes of such an array; whole: of records. */
gsize procdb_rows_size(const ProcdbEngine *engine, gboolean whole);
/*
 * The most bytes of an answer, with room for its header: dbus-daemon disconnects a service for a
 * message of 32 MiB.
 */
#define PROCDB_MAX_ANSWER ((gsize)30 << 20)
/* Whether such an array is no longer than an answer may be; else FALSE with error set. */
gboolean procdb_rows_fit(const ProcdbEngine *engine, gboolean whole, GError **error);

/*
 * Reads an array of rows (whole: of records) and appends a struct procdb_record for each to
 * records. FALSE with an error of PROCDB_BUS_ERROR, which names the row, when a row contradicts
 * itself; the content of records is undefined then.
 */
gboolean procdb_rows_read(sd_bus_message *message, gboolean whole, GArray *records, GError **error);

/*
 * Opens the a{sv} of GetProfile: the columns of a row by name, and what the engine has beside them.
 * The caller of this closes it.
 */
int procdb_profile_open(sd_bus_message *message, ProcdbEngine *engine,
			const struct procdb_entry *entry);
/* "override", "live" or "retained"; static. */
const char *procdb_profile_origin(const struct procdb_entry *entry);
/* Why new tasks of this name start as they do: "hold", "override", "learned" or "none"; static. */
const char *procdb_prediction_source(const ProcdbEngine *engine, const struct procdb_entry *entry);
/* The a{sv} of Explain: the inputs of the prediction, and the one that BPF has now. */
int procdb_explanation_append(sd_bus_message *message, ProcdbEngine *engine,
			      const struct procdb_entry *entry);

/*
 * The property ApplyStatistics, a{st}: the numbers of tasks that were set, restored, or refused by
 * each reason, the number of lost events, and the latency from exec in ns.
 */
int procdb_apply_statistics_append(sd_bus_message *message, const ProcdbApplyStatus *apply,
				   guint64 lost);

/*
 * The property PredictionOutcomes, a(sttt): for each predicted tier the numbers of tasks that
 * turned out to be batch, interactive and latency critical.
 */
int procdb_outcomes_append(sd_bus_message *message, const ProcdbEngineStatus *status);

/* The escaped names of an array of struct procdb_comm; the caller frees them. */
GStrv procdb_comms_escape(const GArray *comms);

/* What decided the override of an entry: the path of a file, or "administrator". */
const char *procdb_override_source(const ProcdbEngine *engine, const struct procdb_entry *entry);
