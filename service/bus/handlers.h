/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What each method does. */

#include "object.h"

/* Answers a call whose arguments are of the types that the contract has; a negative errno fails it.
 */
typedef int (*ProcdbHandler)(ProcdbObject *object, sd_bus_message *call);

/* The handler of a method; NULL for none. */
ProcdbHandler procdb_handler_find(const char *method);
