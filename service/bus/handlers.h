/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The handlers of methods, by name. */

#include "object.h"

/* Answers a call. Its arguments have the types of the contract. A negative errno fails the call. */
typedef int (*ProcdbHandler)(ProcdbObject *object, sd_bus_message *call);

/* The handler of a method; NULL for none. *reads: whether it changes nothing, and only answers. */
ProcdbHandler procdb_handler_find(const char *method, gboolean *reads);

/*
 * Has a handler answer the call, without its arguments, when no save is under way; the main loop
 * goes on meanwhile. A negative errno fails the call. In savers.c.
 */
int procdb_handler_call_when_saved(ProcdbHandler handler, ProcdbObject *object,
				   sd_bus_message *call);
