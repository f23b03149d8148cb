/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "wire.h"

#include <gio/gio.h>
#include <string.h>

/* D-Bus specification, message format */
enum { NO_REPLY_EXPECTED = 1, ALLOW_INTERACTIVE_AUTHORIZATION = 4 };
enum { FIELD_MEMBER = 3, FIELD_SENDER = 7, FIELD_SIGNATURE = 8, FIELD_UNIX_FDS = 9 };

#define KB ((gsize)1024)

/* The arguments of ours that are not plain, and how many bytes of them are read. */
static const struct {
	const char *signature;
	gsize max_body;
	const char *large; /* the one method that takes more than a small body of them */
} arguments[] = {
    {"as", 512 * KB, "DeleteProfiles"},
    {"a(ssdbu(uuu)ttttxs)b", 3072 * KB, "Import"},
    {"ssv", PROCDB_WIRE_SMALL, NULL}, /* Properties.Set, which answers that it is not for us */
};
/* GDBus reads these as they are. */
#define PLAIN_TYPES "ybnqiuxtdsogh"

static guint32 read_u32(const guint8 *data, const guint8 *at)
{
	guint32 value;

	memcpy(&value, at, sizeof(value));
	return data[0] == 'B' ? GUINT32_FROM_BE(value) : GUINT32_FROM_LE(value);
}

static void write_u32(guint8 *data, gsize at, guint32 value)
{
	value = data[0] == 'B' ? GUINT32_TO_BE(value) : GUINT32_TO_LE(value);
	memcpy(data + at, &value, sizeof(value));
}

static gsize align(gsize n, gsize to)
{
	return (n + to - 1) / to * to;
}

ProcdbWireSize procdb_wire_size(const guint8 *data)
{
	return (ProcdbWireSize){
	    .header = align(PROCDB_WIRE_PREFIX + (gsize)read_u32(data, data + 12), 8),
	    .body = read_u32(data, data + 4),
	};
}

/* A header field, which is a structure of a code and a variant. */
struct field {
	guint8 code;
	gsize start, end; /* where it is in the message */
	gsize value;
	char type; /* of the value, if that is a basic one */
};

/*
 * The field that begins at or after *at, and *at behind it. FALSE at the end of
 * the header, and when it is no header that the bus would let through.
 */
static gboolean next_field(const guint8 *data, gsize end, gsize *at, struct field *field)
{
	gsize start = align(*at, 8), value = start + 4;

	if (value >= end || data[start + 1] != 1 || data[start + 3] != '\0')
		return FALSE;
	*field = (struct field){.code = data[start], .start = start, .type = (char)data[start + 2]};
	switch (field->type) {
	case 'g':
		field->end = value + 1 + data[value] + 1;
		break;
	case 's':
	case 'o':
		if (value + 4 > end)
			return FALSE;
		field->end = value + 4 + (gsize)read_u32(data, data + value) + 1;
		break;
	case 'u':
		field->end = value + 4;
		break;
	default:
		return FALSE;
	}
	field->value = value;
	*at = field->end;
	return field->end <= end && (field->type == 'u' || data[field->end - 1] == '\0');
}

static gsize fields_end(const guint8 *data)
{
	return PROCDB_WIRE_PREFIX + (gsize)read_u32(data, data + 12);
}

/* The signature of the body, NULL for a header that does not hold together. */
static const char *signature_of(const guint8 *data)
{
	gsize end = fields_end(data), at = PROCDB_WIRE_PREFIX;
	const char *signature = "";
	struct field field;

	while (next_field(data, end, &at, &field))
		if (field.code == FIELD_SIGNATURE && field.type == 'g')
			signature = (const char *)data + field.value + 1;
	return at == end ? signature : NULL;
}

static gboolean is_plain(const char *signature)
{
	return signature[strspn(signature, PLAIN_TYPES)] == '\0';
}

/* How large the arguments may be; 0 if nothing takes them. */
static gsize max_body_of(const char *signature, const char *member)
{
	if (is_plain(signature))
		return PROCDB_WIRE_SMALL;
	for (gsize i = 0; i < G_N_ELEMENTS(arguments); i++)
		if (strcmp(arguments[i].signature, signature) == 0)
			return g_strcmp0(arguments[i].large, member) == 0 ? arguments[i].max_body
									  : PROCDB_WIRE_SMALL;
	return 0;
}

gboolean procdb_wire_is_unasked(const guint8 *data)
{
	return data[1] == G_DBUS_MESSAGE_TYPE_METHOD_CALL && (data[2] & NO_REPLY_EXPECTED) != 0;
}

static ProcdbWireVerdict judge_call(const guint8 *data, const char *signature, gsize body)
{
	gsize max = max_body_of(signature, procdb_wire_member(data));

	if (max == 0)
		return PROCDB_WIRE_UNKNOWN;
	if (body > max)
		return PROCDB_WIRE_REFUSE_LARGE;
	if (body <= PROCDB_WIRE_SMALL)
		return PROCDB_WIRE_PASS;
	/* Nobody would learn when it has ended. */
	return procdb_wire_is_unasked(data) ? PROCDB_WIRE_DROP : PROCDB_WIRE_PASS_LARGE;
}

/* Those that we listen to are all plain and small. */
static ProcdbWireVerdict judge_signal(const char *signature, gsize body)
{
	return is_plain(signature) && body <= PROCDB_WIRE_SMALL ? PROCDB_WIRE_PASS
								: PROCDB_WIRE_DROP;
}

static gboolean is_answered(const guint8 *data)
{
	return data[1] == G_DBUS_MESSAGE_TYPE_METHOD_CALL && !procdb_wire_is_unasked(data);
}

gsize procdb_wire_needed(const guint8 *data, ProcdbWireSize size)
{
	return MIN(size.header, is_answered(data) ? PROCDB_WIRE_MAX_HEADER : PROCDB_WIRE_SMALL);
}

ProcdbWireVerdict procdb_wire_judge_header(const guint8 *data, gsize len, ProcdbWireSize size)
{
	const char *signature;

	switch (data[1]) {
	case G_DBUS_MESSAGE_TYPE_METHOD_RETURN:
	case G_DBUS_MESSAGE_TYPE_ERROR:
		/* From those that we asked, bus and polkit: the bus sees to that. */
		return PROCDB_WIRE_PASS;
	case G_DBUS_MESSAGE_TYPE_METHOD_CALL:
	case G_DBUS_MESSAGE_TYPE_SIGNAL:
		break;
	default:
		return PROCDB_WIRE_DROP;
	}
	if (len < size.header)
		return PROCDB_WIRE_DROP;
	signature = signature_of(data);
	if (!signature)
		return PROCDB_WIRE_DROP;
	if (size.header > PROCDB_WIRE_SMALL)
		return is_answered(data) ? PROCDB_WIRE_REFUSE_LARGE : PROCDB_WIRE_DROP;
	return data[1] == G_DBUS_MESSAGE_TYPE_SIGNAL ? judge_signal(signature, size.body)
						     : judge_call(data, signature, size.body);
}

/* A header field that is a string, "" when there is none. */
static const char *string_of(const guint8 *data, guint8 code)
{
	gsize at = PROCDB_WIRE_PREFIX;
	const char *string = "";
	struct field field;

	while (next_field(data, fields_end(data), &at, &field))
		if (field.code == code && field.type == 's')
			string = (const char *)data + field.value + 4;
	return string;
}

const char *procdb_wire_sender(const guint8 *data)
{
	return string_of(data, FIELD_SENDER);
}

const char *procdb_wire_member(const guint8 *data)
{
	return string_of(data, FIELD_MEMBER);
}

guint32 procdb_wire_serial(const guint8 *data)
{
	return read_u32(data, data + 8);
}

gboolean procdb_wire_is_interactive(const guint8 *data)
{
	return (data[2] & ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

gboolean procdb_wire_is_expected(const guint8 *data)
{
	return data[1] == G_DBUS_MESSAGE_TYPE_METHOD_RETURN ||
	       data[1] == G_DBUS_MESSAGE_TYPE_ERROR ||
	       strcmp(procdb_wire_sender(data), "org.freedesktop.DBus") == 0;
}

/* Behind the string that begins at or after at; the size of the body if it does not fit. */
static gsize skip_string(const guint8 *data, const guint8 *body, gsize size, gsize at)
{
	at = align(at, 4);
	if (size < 4 || at > size - 4)
		return size;
	return MIN(at + 4 + (gsize)read_u32(data, body + at) + 1, size);
}

ProcdbWireVerdict procdb_wire_judge_body(const guint8 *data, ProcdbWireSize size)
{
	const guint8 *body = data + size.header;
	const char *signature;
	gsize at;

	if (data[1] != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
		return PROCDB_WIRE_PASS;
	signature = signature_of(data);
	if (!signature || strcmp(signature, "ssv") != 0)
		return PROCDB_WIRE_PASS;
	/* What is in the variant is the caller's choice: nothing but a basic type. */
	at = skip_string(data, body, size.body, skip_string(data, body, size.body, 0));
	if (at + 3 <= size.body && body[at] == 1 && body[at + 2] == '\0' &&
	    is_plain((const char *)body + at + 1))
		return PROCDB_WIRE_PASS;
	return PROCDB_WIRE_UNKNOWN;
}

static void append_padding(GByteArray *out, gsize start)
{
	static const guint8 zeros[8];
	gsize len = out->len - start;

	g_byte_array_append(out, zeros, (guint)(align(len, 8) - len));
}

void procdb_wire_replace(const guint8 *data, ProcdbWireSize size, ProcdbWireVerdict verdict,
			 GByteArray *out)
{
	const guint8 signature[] = {FIELD_SIGNATURE, 1, 'g', '\0', 1, 'y', '\0'};
	const guint8 body = (guint8)verdict;
	gsize start = out->len, at = PROCDB_WIRE_PREFIX;
	struct field field;

	g_byte_array_append(out, data, PROCDB_WIRE_PREFIX);
	while (next_field(data, fields_end(data), &at, &field)) {
		if (field.code == FIELD_SIGNATURE || field.code == FIELD_UNIX_FDS)
			continue;
		append_padding(out, start);
		g_byte_array_append(out, data + field.start, (guint)(field.end - field.start));
	}
	append_padding(out, start);
	g_byte_array_append(out, signature, sizeof(signature));
	write_u32(out->data + start, 12, (guint32)(out->len - start - PROCDB_WIRE_PREFIX));
	append_padding(out, start);
	g_byte_array_append(out, &body, sizeof(body));
	write_u32(out->data + start, 4, sizeof(body));
}
