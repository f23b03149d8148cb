/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "steps.h"

#define EXACT 16
#define PARTS 8
#define PART_BITS 3
/* 2^4 is the first power whose eighths are more than one. */
#define FIRST_POWER 4
#define MOST_SHIFT 60

guint farm_step_of(guint64 value)
{
	guint power;

	if (value < EXACT)
		return (guint)value;
	power = 63U - (guint)__builtin_clzll(value);
	return EXACT + (power - FIRST_POWER) * PARTS +
	       (guint)((value >> (power - PART_BITS)) & (PARTS - 1));
}

guint64 farm_step_value(guint step)
{
	guint shift;

	if (step < EXACT)
		return step;
	/* A greater step than there is counts as the greatest. */
	step = MIN(step, FARM_STEP_MAX);
	shift = MIN((step - EXACT) / PARTS, MOST_SHIFT - 1) + 1;
	/* The middle of the step. */
	return ((guint64)(PARTS + step % PARTS) << shift) + ((guint64)1 << (shift - 1));
}

guint farm_step_median(const guint32 hosts[FARM_STEP_MAX + 1], guint64 all)
{
	guint64 below = 0;
	guint step = 0;

	while (step < FARM_STEP_MAX && (below += hosts[step]) * 2 < all)
		step++;
	return step;
}
