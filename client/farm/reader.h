/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Answers of a store, bounded: what hiredis makes of bytes that may be anything. */

#include <glib.h>
#include <hiredis/hiredis.h>

/* Bytes and elements of one answer; that of 16,384 names has a tenth of it. */
#define FARM_READER_MAX_BYTES ((gsize)64 * 1024 * 1024)
#define FARM_READER_MAX_ELEMENTS 262144
/* Arrays in arrays; those of a scan are two. */
#define FARM_READER_MAX_DEPTH 4

typedef struct _FarmReader FarmReader;

FarmReader *farm_reader_new(void);
void farm_reader_free(FarmReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmReader, farm_reader_free)

/* Takes bytes in. FALSE when one answer has become too large. */
gboolean farm_reader_feed(FarmReader *reader, const char *bytes, gsize length);

/* The next whole answer in *reply, or NULL there if it is not complete. FALSE: it is none. */
gboolean farm_reader_next(FarmReader *reader, redisReply **reply);
