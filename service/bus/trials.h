/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The methods about how long tasks wait, and about trials. As ProcdbHandler (handlers.h). */

#include "object.h"

int procdb_handle_get_delays(ProcdbObject *object, sd_bus_message *call);
int procdb_handle_get_history(ProcdbObject *object, sd_bus_message *call);
int procdb_handle_get_trial(ProcdbObject *object, sd_bus_message *call);
int procdb_handle_start_trial(ProcdbObject *object, sd_bus_message *call);
int procdb_handle_stop_trial(ProcdbObject *object, sd_bus_message *call);
