/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "doctor.h"

#include <stdio.h>

#include "json.h"
#include "output.h"

static const struct {
	const char *word;
	const char *colour;
} results[] = {
    [DOCTOR_OK] = {"ok", "\033[32m"},
    [DOCTOR_NOTE] = {"note", "\033[33m"},
    [DOCTOR_PROBLEM] = {"problem", "\033[1;31m"},
};

static void collect(Doctor *doctor, const char *check, DoctorResult result, const char *text,
		    const char *remedy)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, "check", check);
	ctl_json_set_string(builder, "result", results[result].word);
	ctl_json_set_string(builder, "finding", text);
	if (remedy)
		ctl_json_set_string(builder, "remedy", remedy);
	json_array_add_element(doctor->findings, ctl_json_end(builder));
}

void doctor_say(Doctor *doctor, const char *check, DoctorResult result, const char *remedy,
		const char *format, ...)
{
	gboolean colour = out_colour(doctor->ctl);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (result == DOCTOR_PROBLEM)
		doctor->problems++;
	if (doctor->findings) {
		collect(doctor, check, result, text, remedy);
		return;
	}
	printf("%s%-8s%s %-10s %s\n", colour ? results[result].colour : "", results[result].word,
	       colour ? "\033[0m" : "", check, text);
	if (remedy)
		printf("%-19s %s\n", "", remedy);
}
