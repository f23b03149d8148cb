/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "survey.h"

#include "ledger.h"
#include "survey-private.h"
#include "survey.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct survey Survey;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Survey, survey__destroy)

GByteArray *procdb_survey_read(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	GByteArray *all = g_byte_array_new();
	guint8 part[4096];
	ssize_t n = -1;
	int fd = -1;

	if (link)
		fd = bpf_iter_create(bpf_link__fd(link));
	/* A record is never split: the kernel's buffer is larger than one. */
	while (fd >= 0 && ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EAGAIN)))
		if (n > 0)
			g_byte_array_append(all, part, (guint)n);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	if (n < 0)
		g_clear_pointer(&all, g_byte_array_unref);
	return all;
}

/* Loads one of the programs, so that what one kernel lacks does not take the other away. */
static GByteArray *ask(gboolean maps)
{
	g_autoptr(Survey) survey = survey__open();

	if (!survey)
		return NULL;
	bpf_program__set_autoload(survey->progs.list_maps, maps);
	bpf_program__set_autoload(survey->progs.list_services, !maps);
	if (survey__load(survey))
		return NULL;
	return procdb_survey_read(maps ? survey->progs.list_maps : survey->progs.list_services);
}

ProcdbMapUse procdb_survey_map(guint32 id)
{
	g_autoptr(GByteArray) found = ask(TRUE);

	for (gsize at = 0; found && at + sizeof(struct procdb_map_use) <= found->len;
	     at += sizeof(struct procdb_map_use)) {
		struct procdb_map_use use;

		memcpy(&use, found->data + at, sizeof(use));
		if (use.id == id)
			return use.held ? PROCDB_MAP_HELD : PROCDB_MAP_ALONE;
	}
	return PROCDB_MAP_UNKNOWN;
}

guint32 procdb_survey_oldest_service(void)
{
	g_autoptr(GByteArray) found = ask(FALSE);
	guint32 oldest = 0;

	for (gsize at = 0; found && at + sizeof(guint32) <= found->len; at += sizeof(guint32)) {
		guint32 id;

		memcpy(&id, found->data + at, sizeof(id));
		oldest = oldest == 0 ? id : MIN(oldest, id);
	}
	return oldest;
}
