/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "reader.h"

/* hiredis 1.0 counts elements wider. */
#if HIREDIS_MAJOR >= 1
typedef size_t Count;
#else
typedef int Count;
#endif

struct _FarmReader {
	redisReader *reader;
	redisReplyObjectFunctions functions; /* those of hiredis, but for arrays */
	void *(*create_array)(const redisReadTask *task, Count elements);
	gsize pending; /* bytes since the last whole answer */
};

/*
 * An array of as many elements as its head claims, before one of them is there: the memory of
 * the client for seven bytes of a hostile store. And hiredis 1.1 and later nests arrays without
 * an end, which freeReplyObject() then takes apart by recursion: the stack of the client.
 */
static void *create_array(const redisReadTask *task, Count elements)
{
	const FarmReader *reader = task->privdata;
	guint depth = 1;

	for (const redisReadTask *outer = task->parent; outer; outer = outer->parent)
		depth++;
	if (elements > FARM_READER_MAX_ELEMENTS || depth > FARM_READER_MAX_DEPTH)
		return NULL;
	return reader->create_array(task, elements);
}

FarmReader *farm_reader_new(void)
{
	FarmReader *reader = g_new0(FarmReader, 1);

	reader->reader = redisReaderCreate();
	if (!reader->reader)
		g_error("Out of memory");
	reader->functions = *reader->reader->fn;
	reader->create_array = reader->functions.createArray;
	reader->functions.createArray = create_array;
	reader->reader->fn = &reader->functions;
	reader->reader->privdata = reader;
	return reader;
}

void farm_reader_free(FarmReader *reader)
{
	redisReaderFree(reader->reader);
	g_free(reader);
}

gboolean farm_reader_feed(FarmReader *reader, const char *bytes, gsize length)
{
	reader->pending += length;
	return reader->pending <= FARM_READER_MAX_BYTES &&
	       redisReaderFeed(reader->reader, bytes, length) == REDIS_OK;
}

gboolean farm_reader_next(FarmReader *reader, redisReply **reply)
{
	void *whole = NULL;

	*reply = NULL;
	if (redisReaderGetReply(reader->reader, &whole) != REDIS_OK)
		return FALSE;
	if (whole)
		reader->pending = reader->reader->len - reader->reader->pos;
	*reply = whole;
	return TRUE;
}
