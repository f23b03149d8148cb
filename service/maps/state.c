/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "state.h"

void procdb_maps_state_clear(ProcdbMapsState *state)
{
	g_clear_pointer(&state->reason, g_free);
	g_clear_pointer(&state->text, g_free);
}

void procdb_maps_state_set(ProcdbMapsState *state, const char *token, const char *reason,
			   const char *consequence)
{
	procdb_maps_state_clear(state);
	state->token = token;
	state->reason = g_strdup(reason ? reason : "");
	state->text = g_strconcat(token, reason ? ": " : "", state->reason, consequence ? "; " : "",
				  consequence, NULL);
}

void procdb_maps_state_report(const ProcdbMapsState *state, ProcdbMapsStatus *status)
{
	status->state = state->text;
	status->token = state->token;
	status->reason = state->reason;
}
