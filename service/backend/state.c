/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "state.h"

void procdb_backend_state_clear(ProcdbBackendState *state)
{
	g_clear_pointer(&state->reason, g_free);
	g_clear_pointer(&state->text, g_free);
}

void procdb_backend_state_set(ProcdbBackendState *state, const char *token, const char *reason,
			      const char *consequence)
{
	procdb_backend_state_clear(state);
	state->token = token;
	state->reason = g_strdup(reason ? reason : "");
	state->text = g_strconcat(token, reason ? ": " : "", state->reason, consequence ? "; " : "",
				  consequence, NULL);
}

void procdb_backend_state_report(const ProcdbBackendState *state, ProcdbBackendStatus *status)
{
	status->state = state->text;
	status->token = state->token;
	status->reason = state->reason;
}
