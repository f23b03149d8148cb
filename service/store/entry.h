/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* One version 2 entry, which the extension uses as well. */

#include "migrate.h"

/* As it lies in the file, little endian. */
struct procdb_entry_v2 {
	struct procdb_comm comm;
	guint8 tier;
	guint8 pad[7];
	guint64 avg_runtime;
	guint64 runtime_dev;
	guint64 wakeup_freq;
	guint64 csw_rate;
	guint32 observations;
	guint32 votes;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct procdb_entry_v2) == 64);
G_STATIC_ASSERT(offsetof(struct procdb_entry_v2, avg_runtime) == 24);
G_STATIC_ASSERT(offsetof(struct procdb_entry_v2, observations) == 56);

/* Writes what an entry holds of a record to the 64 bytes at data. */
void procdb_entry_v2_write(const struct procdb_record *record, guint8 *data);

/* Reads the 64 bytes at data. */
struct procdb_record procdb_entry_v2_read(const guint8 *data);

/* The sum of the votes as an entry can hold it. */
guint32 procdb_entry_votes(const struct procdb_profile *profile);
