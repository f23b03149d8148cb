/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <stdint.h>
#include <time.h>

/* µs since the machine was started: unlike the monotonic clock it goes on while the machine sleeps.
 */
static inline int64_t procdb_boot_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}
