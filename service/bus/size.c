/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "size.h"

#include <errno.h>
#include <string.h>

#include "gate.h"

/* The largest call: an ImportProfiles of some 30,000 records, more than there are by default. */
#define MAX_CALL ((gsize)6 << 20)
/* Of a user whose calls have taken far too much time already. */
#define MAX_CALL_BEHIND ((gsize)4 << 10)
/* The bytes of any message in sd-bus, with its header. */
#define OVERHEAD 1024

/* A number or a text. */
static int add_basic(sd_bus_message *message, char type, gsize *size)
{
	union {
		guint64 number;
		const char *text;
	} value;
	int result = sd_bus_message_read_basic(message, type, &value);

	*size += 8;
	if (result > 0 && strchr("sog", type))
		*size += strlen(value.text);
	return result;
}

static int add_container(sd_bus_message *message, char type, const char *contents, gsize *size,
			 gsize max);

/* Adds the rest of the container that is open; negative if it is malformed. */
static int add_rest(sd_bus_message *message, gsize *size, gsize max)
{
	const char *contents;
	char type;
	int result;

	while (*size <= max) {
		result = sd_bus_message_peek_type(message, &type, &contents);
		if (result <= 0)
			return result;
		result = strchr("arve", type) ? add_container(message, type, contents, size, max)
					      : add_basic(message, type, size);
		if (result < 0)
			return result;
	}
	return 0;
}

static int add_container(sd_bus_message *message, char type, const char *contents, gsize *size,
			 gsize max)
{
	const void *items;
	gsize length;
	int result;

	*size += 8;
	/* Its signature is in the message. */
	if (type == 'v')
		*size += strlen(contents) + 2;
	/* Of an array of numbers, without a look at each, but for one of the other byte order. */
	if (type == 'a' && contents[1] == '\0' && strchr("ynqiuxtd", contents[0])) {
		result = sd_bus_message_read_array(message, contents[0], &items, &length);
		*size += result > 0 ? length : 0;
		if (result != -EOPNOTSUPP)
			return result;
	}
	result = sd_bus_message_enter_container(message, type, contents);
	if (result >= 0)
		result = add_rest(message, size, max);
	/* A larger message is not read to its end. */
	if (result >= 0 && *size <= max)
		result = sd_bus_message_exit_container(message);
	return result;
}

/* The bytes of a message, as far as max; more than that where it is malformed. */
static gsize size_of(sd_bus_message *message, gsize max)
{
	gsize size = OVERHEAD;
	int result = add_rest(message, &size, max);

	(void)sd_bus_message_rewind(message, TRUE);
	return result < 0 ? max + 1 : size;
}

const char *procdb_message_refusal(sd_bus_message *call, gboolean behind, gsize *size)
{
	const gsize most = behind ? MAX_CALL_BEHIND : MAX_CALL;

	*size = size_of(call, most);
	if (*size > most)
		return behind ? "Calls of this user take too much time: large ones are refused for "
				"some seconds"
			      : "A call may have at most 6 MiB";
	/* A path may have any length, and sd-bus would say it in its error. */
	if (strlen(sd_bus_message_get_path(call)) > PROCDB_MAX_BUS_NAME)
		return "The path of an object has at most 255 bytes here";
	return NULL;
}
