/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <time.h>

#include "figures.h"

/*
 * What one step of the engine costs, against the reference's way in the same
 * run; only of cases whose id begins with only, if that is not NULL.
 */
void measure_steps(Figures *figures, const char *only);

/* Counts the system calls of a step, as TAP. FALSE when one takes more than it may. */
gboolean guard_steps(void);

/* A save of 512 profiles against the bare minimum of system calls for the same bytes. */
void measure_saves(Figures *figures, const char *directory);

/*
 * The installed service on the system bus: start, memory, what it costs while nothing happens, for
 * so many seconds, and lists by the client, if that is not NULL.
 */
void measure_service(Figures *figures, const char *program, const char *client,
		     const char *directory, guint idle_s);

/* Monotonic, ns. */
static inline gint64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (gint64)t.tv_sec * 1000000000 + t.tv_nsec;
}
