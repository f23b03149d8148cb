/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The kinds of events in the journal: each has a MESSAGE_ID to search for,
 * documented in pandemonium-procdbd(8). Only transitions are logged.
 */

#include <glib.h>

/* The backend became active, began to wait, or failed. */
#define PROCDB_MESSAGE_BACKEND "2a6f0d7d3c0b4a8f9d3e5b1c7a904e11"
/* The database was read, or could not be. */
#define PROCDB_MESSAGE_LOADED "2a6f0d7d3c0b4a8f9d3e5b1c7a904e12"
/* A save failed for the first time, or worked again. */
#define PROCDB_MESSAGE_SAVE "2a6f0d7d3c0b4a8f9d3e5b1c7a904e13"
/* The configuration was reloaded, or holds something that is not allowed. */
#define PROCDB_MESSAGE_CONFIGURATION "2a6f0d7d3c0b4a8f9d3e5b1c7a904e14"
/* The connection to the bus is lost, or there again, or tells less; or the service ends. */
#define PROCDB_MESSAGE_BUS "2a6f0d7d3c0b4a8f9d3e5b1c7a904e15"
/* An operation on the maps failed for the first time. */
#define PROCDB_MESSAGE_MAPS "2a6f0d7d3c0b4a8f9d3e5b1c7a904e16"
/* Tasks were restored that an earlier service had changed and did not restore itself. */
#define PROCDB_MESSAGE_TASKS "2a6f0d7d3c0b4a8f9d3e5b1c7a904e17"
/* Many profiles were forgotten, or left out; or a clock that was set ahead could have done it. */
#define PROCDB_MESSAGE_FORGOTTEN "2a6f0d7d3c0b4a8f9d3e5b1c7a904e18"

/* A call was dropped: it wanted no answer, or its caller reads no answers. */
#define PROCDB_MESSAGE_CALLS "2a6f0d7d3c0b4a8f9d3e5b1c7a904e1a"

/* Applying is paused, since it harms; or it goes on. */
#define PROCDB_MESSAGE_GUARD "2a6f0d7d3c0b4a8f9d3e5b1c7a904e1b"

/* Logs a printf-like message of one of these kinds. */
#define procdb_log(level, id, ...)                                                                 \
	g_log_structured(G_LOG_DOMAIN, (level), "MESSAGE_ID", (id), "MESSAGE", __VA_ARGS__)
