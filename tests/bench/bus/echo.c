/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * bench-echo PROFILES: what sd-bus alone costs. Answers what bench-bus calls with constants of the
 * same size, at once, and asks no authority whether it may.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "contract.h"

#define ROW "(" PROCDB_ROW ")"

static int get_confidence(sd_bus_message *call, void *data, sd_bus_error *error)
{
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	return result < 0 ? result : sd_bus_reply_method_return(call, "d", 1.0);
}

static int append_rows(sd_bus_message *reply, int profiles)
{
	int result = sd_bus_message_open_container(reply, 'a', ROW);

	for (int i = 0; result >= 0 && i < profiles; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "program-%d", i);
		result = sd_bus_message_append(reply, ROW, name, "batch", 1.0, 1, (uint32_t)10,
					       (uint32_t)10, (uint32_t)0, (uint32_t)0,
					       (uint64_t)1000000 + (uint64_t)i, (uint64_t)1000,
					       (uint64_t)20, (uint64_t)30, (int64_t)0, "live");
	}
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

static int list_profiles(sd_bus_message *call, void *data, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	int result = sd_bus_message_new_method_return(call, &reply);

	if (result >= 0)
		result = append_rows(reply, *(const int *)data);
	if (result >= 0)
		result = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return result;
}

static int import(sd_bus_message *call, void *data, sd_bus_error *error)
{
	return sd_bus_reply_method_return(call, "u", (uint32_t)0);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("GetConfidence", "s", "d", get_confidence, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ListProfiles", "", "a" ROW, list_profiles, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Import", "a" ROW "b", "u", import, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int serve(sd_bus *bus, int *profiles)
{
	int result = sd_bus_add_object_vtable(bus, NULL, PROCDB_BUS_PATH, PROCDB_BUS_INTERFACE,
					      vtable, profiles);

	if (result >= 0)
		result = sd_bus_request_name(bus, PROCDB_BUS_NAME, 0);
	while (result >= 0) {
		result = sd_bus_process(bus, NULL);
		if (result == 0)
			result = sd_bus_wait(bus, UINT64_MAX);
	}
	return result;
}

int main(int argc, char **argv)
{
	int profiles = argc == 2 ? atoi(argv[1]) : 0;
	sd_bus *bus = NULL;
	int result;

	if (profiles <= 0) {
		(void)fprintf(stderr, "usage: bench-echo PROFILES\n");
		return 2;
	}
	result = sd_bus_open_system(&bus);
	if (result >= 0)
		result = serve(bus, &profiles);
	(void)fprintf(stderr, "bench-echo: %s\n", strerror(-result));
	sd_bus_unref(bus);
	return EXIT_FAILURE;
}
