/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "survey.h"

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
	return procdb_survey_read_some(program, G_MAXUINT / 2);
}

GByteArray *procdb_survey_read_some(struct bpf_program *program, gsize most)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	GByteArray *all = g_byte_array_new();
	guint8 part[4096];
	ssize_t n = -1;
	int fd = -1;

	if (link)
		fd = bpf_iter_create(bpf_link__fd(link));
	/* A record is never split: the kernel's buffer is larger than one. */
	while (fd >= 0 && all->len < most &&
	       ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EAGAIN)))
		if (n > 0)
			g_byte_array_append(all, part, (guint)n);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	if (n < 0)
		g_clear_pointer(&all, g_byte_array_unref);
	return all;
}

/* Loads one of the iterator programs; NULL when the kernel refuses. */
static Survey *load(const char *name)
{
	g_autoptr(Survey) survey = survey__open();
	struct bpf_program *program = NULL;

	if (!survey)
		return NULL;
	while ((program = bpf_object__next_program(survey->obj, program)))
		bpf_program__set_autoload(program, g_str_equal(bpf_program__name(program), name));
	return survey__load(survey) ? NULL : g_steal_pointer(&survey);
}

ProcdbSurvey *procdb_survey_new_of_services(void)
{
	return load("list_services");
}

guint32 procdb_survey_oldest_service(ProcdbSurvey *survey)
{
	g_autoptr(GByteArray) found =
	    survey ? procdb_survey_read(survey->progs.list_services) : NULL;
	guint32 oldest = 0;

	for (gsize at = 0; found && at + sizeof(guint32) <= found->len; at += sizeof(guint32)) {
		guint32 id;

		memcpy(&id, found->data + at, sizeof(id));
		oldest = oldest == 0 ? id : MIN(oldest, id);
	}
	return oldest;
}

ProcdbSurvey *procdb_survey_new(void)
{
	return load("list_maps");
}

void procdb_survey_free(ProcdbSurvey *survey)
{
	survey__destroy(survey);
}

gboolean procdb_survey_map(ProcdbSurvey *survey, guint32 id, struct procdb_map_users *users)
{
	g_autoptr(GByteArray) found = survey ? procdb_survey_read(survey->progs.list_maps) : NULL;

	for (gsize at = 0; found && at + sizeof(*users) <= found->len; at += sizeof(*users)) {
		memcpy(users, found->data + at, sizeof(*users));
		if (users->id == id)
			return TRUE;
	}
	return FALSE;
}
