/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "commands.h"
#include "doctor.h"
#include "json.h"
#include "options.h"
#include "output.h"

int cmd_doctor(Ctl *ctl, const CtlCommand *command, char **argv)
{
	Doctor doctor = {.ctl = ctl};
	g_auto(GStrv) args = NULL;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	if (ctl->json)
		doctor.findings = json_array_new();
	doctor_check_system(&doctor);
	doctor_check_service(&doctor);
	if (ctl->json) {
		JsonNode *node = json_node_init_array(json_node_alloc(), doctor.findings);

		json_array_unref(doctor.findings);
		ctl_json_print(node);
	} else if (doctor.problems > 0) {
		g_autofree char *count = out_count(doctor.problems, "problem");

		printf("\n%s.\n", count);
	}
	return doctor.problems > 0 ? CTL_FAILED : CTL_OK;
}
