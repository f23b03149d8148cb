/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "task-list.h"

#include "backend-ops.h"
#include "bpf-program.h"
#include "observing.h"
#include "survey-private.h"
#include "task_list.skel.h"

#include <bpf/bpf.h>
#include <errno.h>

typedef struct task_list Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, task_list__destroy)

struct _ProcdbTaskList {
	const ProcdbLedger *ledger;
	Skeleton *skeleton; /* NULL until it is needed */
	guint32 states;	    /* id of the backend's map that it reads; 0: none */
};

ProcdbTaskList *procdb_task_list_new(const ProcdbLedger *ledger)
{
	ProcdbTaskList *list = g_new0(ProcdbTaskList, 1);

	list->ledger = ledger;
	return list;
}

void procdb_task_list_free(ProcdbTaskList *list)
{
	if (!list)
		return;
	g_clear_pointer(&list->skeleton, task_list__destroy);
	g_free(list);
}

static guint32 id_of(int fd)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? info.id : 0;
}

/* The maps that the iterator reads; what it shares headers with has more. */
static void keep_own_maps(const Skeleton *skeleton)
{
	const struct bpf_map *const own[] = {
	    skeleton->maps.tasks,
	    skeleton->maps.procdb_given,
	    skeleton->maps.path_scratches,
	};
	struct bpf_map *map = NULL;

	while ((map = bpf_object__next_map(skeleton->obj, map))) {
		/* The skeleton maps those into its memory. */
		gboolean keep = bpf_map__is_internal(map);

		for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
			keep = keep || map == own[i];
		(void)bpf_map__set_autocreate(map, keep);
	}
}

static Skeleton *load(ProcdbTaskList *list, int states, GError **error)
{
	g_autoptr(Skeleton) skeleton = task_list__open();

	if (!skeleton) {
		procdb_program_fail(error, errno, "cannot open the list of tasks");
		return NULL;
	}
	keep_own_maps(skeleton);
	procdb_ledger_share(list->ledger, skeleton->maps.procdb_given,
			    skeleton->maps.procdb_guards);
	if (states >= 0 && bpf_map__reuse_fd(skeleton->maps.tasks, states)) {
		procdb_program_fail(error, errno, "cannot share the states of tasks");
		return NULL;
	}
	if (task_list__load(skeleton)) {
		procdb_program_fail(error, errno, "the kernel does not list tasks");
		return NULL;
	}
	return g_steal_pointer(&skeleton);
}

gboolean procdb_task_list_read(ProcdbTaskList *list, const ProcdbBackend *backend, GArray *tasks,
			       GError **error)
{
	const int states = procdb_backend_states(backend);
	const guint32 id = id_of(states);
	g_autoptr(GByteArray) found = NULL;

	if (list->skeleton && list->states != id)
		g_clear_pointer(&list->skeleton, task_list__destroy);
	if (!list->skeleton)
		list->skeleton = load(list, id ? states : -1, error);
	if (!list->skeleton)
		return FALSE;
	list->states = id;
	found = procdb_survey_read_some(list->skeleton->progs.procdb_list_tasks,
					PROCDB_MAX_TASKS * sizeof(struct procdb_task_row));
	if (!found)
		return procdb_program_fail(error, errno, "the kernel does not list tasks");
	g_array_append_vals(tasks, found->data,
			    (guint)(found->len / sizeof(struct procdb_task_row)));
	return TRUE;
}
