/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The kernel's side of the apply layer, made up: tasks whose slices can be set. */

#include <glib.h>

#include "apply.h"

/* The slice of a task that never asked for one, in ns. */
#define FAKE_DEFAULT_SLICE 1400000
#define FAKE_MAX_TASKS 8

/* A task of the machine that the layer believes in. */
typedef struct {
	guint pid; /* 0: none */
	guint64 start_time;
	ProcdbSchedAttr attr;
	struct procdb_given given;
} FakeTask;

typedef struct {
	FakeTask tasks[FAKE_MAX_TASKS];
	guint64 open_start[FAKE_MAX_TASKS]; /* by handle */
	gint64 clock;
	gboolean sched_ext;
	guint sets;	      /* calls of set_attr */
	int set_error;	      /* what set_attr returns */
	FakeTask *reuse_with; /* the task that has the pid when set_attr is called */
	gboolean unlisted;    /* the kernel lists no tasks */
	gboolean fork_once;   /* the next list leaves a child behind */
	guint open_handles;
	const ProcdbSchedAttr *others; /* what another program sets after the next look */
	guint changes;		       /* noted since the guard was set */
	struct procdb_guard change;
	const char *refusal;
} FakeMachine;

/* Their data is a FakeMachine. */
extern const ProcdbTaskOps fake_task_ops;
