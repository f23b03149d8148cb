/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The one place that turns profiles and counts into a GVariant. GVariant results are floating. */

#include <gio/gio.h>

#include "apply.h"
#include "engine.h"

/* The reply of ListProfiles, (a(ssdbu(uuu)ttttxs)): every profile, sorted by name. */
GVariant *procdb_variant_list(ProcdbEngine *engine);

/* The a{sv} of GetProfile: the columns of ListProfiles by name, and what came later. */
GVariant *procdb_variant_profile(ProcdbEngine *engine, const struct procdb_entry *entry);

/* The a{sv} of Explain: how the prediction comes about, and what BPF has now. */
GVariant *procdb_variant_explanation(ProcdbEngine *engine, const struct procdb_entry *entry);

/*
 * The property ApplyStatistics, a{st}: how many tasks were set, put back or refused by
 * what reason, how many events were lost, and the latency from exec in ns.
 */
GVariant *procdb_variant_apply_statistics(const ProcdbApplyStatus *apply, guint64 lost);

/*
 * The property PredictionOutcomes, a(sttt): for each tier that was predicted, how many tasks
 * turned out to be batch, interactive and latency critical.
 */
GVariant *procdb_variant_outcomes(const ProcdbEngineStatus *status);

/* The escaped names of an array of struct procdb_comm; the caller frees them. */
GStrv procdb_variant_names(const GArray *comms);
