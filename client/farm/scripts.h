/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the store runs, in Lua: each run is atomic, and touches the keys of one fingerprint only,
 * which are in one slot of a cluster.
 */

/* Votes that one machine has for one name, however many it gives: one machine, one voice. */
#define FARM_HOST_WEIGHT 8
/* Names of one machine. */
#define FARM_MAX_NAMES 32768

extern const char *const farm_script_push;
extern const char *const farm_script_drop;
extern const char *const farm_script_decide;
