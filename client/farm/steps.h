/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Averages in steps of an eighth of a power of two: a machine counts in one step, and a median of
 * machines can be told from how many are in each. Numbers below 16 have a step of their own; above,
 * the value of a step is at most 1/16 off.
 */

#include <glib.h>

/* The greatest step. */
#define FARM_STEP_MAX 495

guint farm_step_of(guint64 value);
guint64 farm_step_value(guint step);

/* The step that the middle one of all machines is in; hosts is how many there are in each. */
guint farm_step_median(const guint32 hosts[FARM_STEP_MAX + 1], guint64 all);
