/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Puts together what asks whether applying helps: trials of callers, and the guard. */

#include "apply.h"
#include "guard.h"
#include "history.h"
#include "source.h"

typedef struct _ProcdbProof ProcdbProof;

/*
 * apply and source must outlive the object. changed is called with data when a trial or the guard
 * got on, trial: whether it was the former. The guard is off.
 */
ProcdbProof *procdb_proof_new(ProcdbApply *apply, ProcdbApplySource *source,
			      void (*changed)(gpointer data, gboolean trial), gpointer data);
/* Ends the windows that are taken. */
void procdb_proof_free(ProcdbProof *proof);

/* The backend that counts delays from now on; NULL: none. */
void procdb_proof_set_backend(ProcdbProof *proof, ProcdbBackend *backend);
/* Other settings are in force: the guard begins anew, on or off. */
void procdb_proof_set_guard(ProcdbProof *proof, gboolean on);

/* The service ends: the guard takes no windows any more, and a pause stays one. */
void procdb_proof_quit(ProcdbProof *proof);

/* As procdb_trial_start(), _stop() and _status(). The guard waits for the end of the trial. */
gboolean procdb_proof_start_trial(ProcdbProof *proof, guint seconds, GError **error);
void procdb_proof_stop_trial(ProcdbProof *proof, const char *reason);
void procdb_proof_trial_status(const ProcdbProof *proof, ProcdbTrialStatus *status);
void procdb_proof_guard_status(const ProcdbProof *proof, ProcdbGuardStatus *status);

/* The last hour; its times are µs since the epoch. */
const struct procdb_history *procdb_proof_history(const ProcdbProof *proof);

/* As procdb_backend_delays(). */
gboolean procdb_proof_delays(const ProcdbProof *proof, struct procdb_delays *sum, GError **error);
