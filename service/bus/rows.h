/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The one place that writes profiles and counts into messages, and reads them from there.
 * Functions that write return what sd-bus does: a negative errno when it failed.
 */

#include <systemd/sd-bus.h>

#include "apply.h"
#include "contract.h"
#include "engine.h"

/* The names of all profiles, escaped and sorted. */
typedef struct _ProcdbNames ProcdbNames;
ProcdbNames *procdb_names_new(ProcdbEngine *engine);
void procdb_names_free(ProcdbNames *names);

/* Appends an array of rows, of the profiles among these names that still are there. */
int procdb_rows_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names);
/* The same with an array of records. */
int procdb_records_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names);
/* The bytes of one of these, more or less; whole of records. */
gsize procdb_rows_size(const ProcdbEngine *engine, gboolean whole);

/*
 * Reads an array of rows, or whole of records, and appends a struct procdb_record for each to
 * records. FALSE with an error of PROCDB_BUS_ERROR, which names the row, and records in any state,
 * when one does not hold together.
 */
gboolean procdb_rows_read(sd_bus_message *message, gboolean whole, GArray *records, GError **error);

/* The a{sv} of GetProfile: the columns of a row by name, and what came later. */
int procdb_profile_append(sd_bus_message *message, ProcdbEngine *engine,
			  const struct procdb_entry *entry);
/* The a{sv} of Explain: how the prediction comes about, and what BPF has now. */
int procdb_explanation_append(sd_bus_message *message, ProcdbEngine *engine,
			      const struct procdb_entry *entry);

/*
 * The property ApplyStatistics, a{st}: how many tasks were set, put back or refused by
 * what reason, how many events were lost, and the latency from exec in ns.
 */
int procdb_apply_statistics_append(sd_bus_message *message, const ProcdbApplyStatus *apply,
				   guint64 lost);

/*
 * Appends the property PredictionOutcomes, a(sttt): for each tier that was predicted, how many
 * tasks turned out to be batch, interactive and latency critical. Negative errno.
 */
int procdb_outcomes_append(sd_bus_message *message, const ProcdbEngineStatus *status);

/* The escaped names of an array of struct procdb_comm; the caller frees them. */
GStrv procdb_comms_escape(const GArray *comms);
