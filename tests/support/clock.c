/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "clock.h"

#include <time.h>

static gint64 advanced_us;

gint64 test_clock_us(void)
{
	return G_GINT64_CONSTANT(1795000000) * G_USEC_PER_SEC + advanced_us;
}

void test_clock_advance(gint64 us)
{
	advanced_us += us;
}

gint64 g_get_monotonic_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + advanced_us;
}
