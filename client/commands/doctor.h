/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <json-glib/json-glib.h>

#include "ctl.h"

typedef enum {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* works, but something is worth knowing */
	DOCTOR_PROBLEM, /* does not work until an administrator does something */
} DoctorResult;

typedef struct {
	const Ctl *ctl;
	JsonArray *findings; /* with --json; else NULL, and they are printed */
	guint problems;
} Doctor;

/*
 * Prints a finding, or keeps it for --json: what was checked, what was found and, unless that is
 * fine, what to do. remedy may be NULL; format is for the finding.
 */
void doctor_say(Doctor *doctor, const char *check, DoctorResult result, const char *remedy,
		const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Kernel, BTF, BPF, bpffs, sched_ext and pins. */
void doctor_check_system(Doctor *doctor);

/* Bus, polkit, the service, its backend, database and sandbox. */
void doctor_check_service(Doctor *doctor);
