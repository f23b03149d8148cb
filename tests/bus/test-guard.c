/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is kept from GDBus, and what comes of it. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"
#include "object.h"
#include "turns.h"
#include "wire.h"

#define OK_LINE "OK 0123456789abcdef0123456789abcdef\r\n"
/* What GDBus misreads. */
#define POISON "([(@g 'sssss',), (@g 'y',)], @g '')"

static GDBusMessage *call_of(GVariant *body)
{
	GDBusMessage *message = g_dbus_message_new_method_call(PROCDB_BUS_NAME, PROCDB_BUS_PATH,
							       "org.pandemonium.ProcDb1", "Method");

	/* Only of this one they may be large. */
	if (body && g_variant_is_of_type(body, G_VARIANT_TYPE("(as)")))
		g_dbus_message_set_member(message, "DeleteProfiles");

	g_dbus_message_set_sender(message, ":1.7");
	g_dbus_message_set_serial(message, 77);
	if (body)
		g_dbus_message_set_body(message, body);
	return message;
}

static GBytes *bytes_of(GDBusMessage *message)
{
	g_autoptr(GError) error = NULL;
	gsize len;
	guint8 *blob = g_dbus_message_to_blob(message, &len, G_DBUS_CAPABILITY_FLAGS_NONE, &error);

	g_assert_no_error(error);
	return g_bytes_new_take(blob, len);
}

static ProcdbWireVerdict judge_bytes(GBytes *bytes)
{
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	ProcdbWireSize size = procdb_wire_size(data);
	ProcdbWireVerdict verdict;

	g_assert_cmpuint(size.header + size.body, ==, len);
	verdict = procdb_wire_judge_header(data, size.header, size);
	return verdict == PROCDB_WIRE_PASS ? procdb_wire_judge_body(data, size) : verdict;
}

static void assert_judged(GDBusMessage *message, ProcdbWireVerdict verdict)
{
	static const GDBusMessageByteOrder orders[] = {G_DBUS_MESSAGE_BYTE_ORDER_LITTLE_ENDIAN,
						       G_DBUS_MESSAGE_BYTE_ORDER_BIG_ENDIAN};

	for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
		g_autoptr(GBytes) bytes = NULL;

		g_dbus_message_set_byte_order(message, orders[i]);
		bytes = bytes_of(message);
		g_assert_cmpint(judge_bytes(bytes), ==, verdict);
	}
}

static void assert_call(GVariant *body, ProcdbWireVerdict verdict)
{
	g_autoptr(GDBusMessage) message = call_of(body);

	assert_judged(message, verdict);
}

static GVariant *text_of(gsize len)
{
	return g_variant_new_take_string(g_strnfill(len, 'x'));
}

static GVariant *names_of(gsize len)
{
	GVariant *name = text_of(len);

	return g_variant_new_array(G_VARIANT_TYPE_STRING, &name, 1);
}

static void test_gdbus_misreads(void)
{
	g_autoptr(GDBusMessage) message = call_of(g_variant_new_parsed(POISON));
	g_autoptr(GDBusMessage) read = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;

	bytes = bytes_of(message);
	read = g_dbus_message_new_from_blob((guchar *)g_bytes_get_data(bytes, NULL),
					    g_bytes_get_size(bytes), G_DBUS_CAPABILITY_FLAGS_NONE,
					    &error);
	if (read)
		g_test_message("this GLib reads it: the guard may go one day");
	g_assert_cmpint(judge_bytes(bytes), ==, PROCDB_WIRE_UNKNOWN);
}

static void test_passes_what_methods_take(void)
{
	GDBusMethodInfo **methods = procdb_dbus_proc_db1_interface_info()->methods;

	for (; *methods; methods++) {
		g_auto(GVariantBuilder) body;

		g_variant_builder_init(&body, G_VARIANT_TYPE_TUPLE);
		for (GDBusArgInfo **in = (*methods)->in_args; in && *in; in++) {
			const GVariantType *type = G_VARIANT_TYPE((*in)->signature);

			if (g_variant_type_is_array(type))
				g_variant_builder_add_value(
				    &body,
				    g_variant_new_array(g_variant_type_element(type), NULL, 0));
			else if (g_variant_type_equal(type, G_VARIANT_TYPE_BOOLEAN))
				g_variant_builder_add(&body, "b", TRUE);
			else
				g_variant_builder_add(&body, (*in)->signature, "cc1");
		}
		assert_call(g_variant_builder_end(&body), PROCDB_WIRE_PASS);
	}
	assert_call(NULL, PROCDB_WIRE_PASS);
	assert_call(g_variant_new("(ss)", "org.pandemonium.ProcDb1", "Tick"), PROCDB_WIRE_PASS);
}

static void test_passes_what_is_plain(void)
{
	assert_call(g_variant_new("(ybnqiuxtdsog)", 1, TRUE, 2, 3, 4, 5, G_GINT64_CONSTANT(6),
				  G_GUINT64_CONSTANT(7), 8.0, "", "/", "a(g)g"),
		    PROCDB_WIRE_PASS);
	assert_call(g_variant_new("(y)", 3), PROCDB_WIRE_PASS);
}

static void test_knows_no_other_structures(void)
{
	assert_call(g_variant_new_parsed("({'a': 1},)"), PROCDB_WIRE_UNKNOWN);
	assert_call(g_variant_new_parsed("(<1>,)"), PROCDB_WIRE_UNKNOWN);
	assert_call(g_variant_new_parsed("((1, 2),)"), PROCDB_WIRE_UNKNOWN);
	assert_call(g_variant_new_parsed("('a', ['b'])"), PROCDB_WIRE_UNKNOWN);
}

static void test_looks_into_properties(void)
{
	static const char *const bad[] = {"<<1>>", "<['a']>", "<(1, 2)>", "<@a{st} {}>"};

	assert_call(g_variant_new_parsed("('i', 'Tick', <@t 5>)"), PROCDB_WIRE_PASS);
	assert_call(g_variant_new_parsed("('', '', <''>)"), PROCDB_WIRE_PASS);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strdup_printf("('interface', 'Tick', %s)", bad[i]);

		assert_call(g_variant_parse(G_VARIANT_TYPE("(ssv)"), text, NULL, NULL, NULL),
			    PROCDB_WIRE_UNKNOWN);
	}
}

static void test_bounds_sizes(void)
{
	GVariant *text = text_of(5000), *names = names_of(5000), *many = names_of(600000);

	assert_call(g_variant_new_tuple(&text, 1), PROCDB_WIRE_REFUSE_LARGE);
	assert_call(g_variant_new_tuple(&names, 1), PROCDB_WIRE_PASS_LARGE);
	assert_call(g_variant_new_tuple(&many, 1), PROCDB_WIRE_REFUSE_LARGE);
}

static void test_refuses_large_headers(void)
{
	g_autoptr(GDBusMessage) message = call_of(NULL);
	g_autofree char *path = g_strnfill(5000, 'x');

	path[0] = '/';
	g_dbus_message_set_path(message, path);
	assert_judged(message, PROCDB_WIRE_REFUSE_LARGE);
	g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
	assert_judged(message, PROCDB_WIRE_DROP);
}

static void test_drops_huge_headers(void)
{
	g_autoptr(GDBusMessage) message = call_of(NULL);
	g_autofree char *path = g_strnfill(70000, 'x');
	g_autoptr(GBytes) bytes = NULL;
	const guint8 *data;
	ProcdbWireSize size;

	path[0] = '/';
	g_dbus_message_set_path(message, path);
	bytes = bytes_of(message);
	data = g_bytes_get_data(bytes, NULL);
	size = procdb_wire_size(data);
	g_assert_cmpuint(procdb_wire_needed(data, size), ==, PROCDB_WIRE_MAX_HEADER);
	g_assert_cmpint(procdb_wire_judge_header(data, PROCDB_WIRE_MAX_HEADER, size), ==,
			PROCDB_WIRE_DROP);
}

static void test_drops_large_calls_without_an_answer(void)
{
	GVariant *names = names_of(5000);
	g_autoptr(GDBusMessage) message = call_of(g_variant_new_tuple(&names, 1));

	g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
	assert_judged(message, PROCDB_WIRE_DROP);
}

static void test_drops_other_signals(void)
{
	g_autoptr(GDBusMessage) message =
	    g_dbus_message_new_signal("/", "org.freedesktop.DBus", "NameOwnerChanged");

	g_dbus_message_set_serial(message, 1);
	g_dbus_message_set_body(message, g_variant_new("(sss)", ":1.7", ":1.7", ""));
	assert_judged(message, PROCDB_WIRE_PASS);
	g_dbus_message_set_body(message, g_variant_new_parsed("([(1,)],)"));
	assert_judged(message, PROCDB_WIRE_DROP);
}

static void test_passes_answers(void)
{
	g_autoptr(GDBusMessage) call = call_of(NULL);
	g_autoptr(GDBusMessage) message = g_dbus_message_new_method_reply(call);
	GVariant *text = text_of(100000);

	g_dbus_message_set_serial(message, 1);
	g_dbus_message_set_body(message, g_variant_new_parsed("((true, false, {'a': 'b'}),)"));
	assert_judged(message, PROCDB_WIRE_PASS);
	g_dbus_message_set_body(message, g_variant_new_tuple(&text, 1));
	assert_judged(message, PROCDB_WIRE_PASS);
}

static void test_a_header_that_is_none_is_dropped(void)
{
	g_autoptr(GDBusMessage) message = call_of(NULL);
	g_autoptr(GBytes) bytes = bytes_of(message);
	gsize len = g_bytes_get_size(bytes);

	for (guint i = 0; i < 100000; i++) {
		/* Of its own size, so that reading behind it is seen. */
		g_autofree guint8 *data = g_memdup2(g_bytes_get_data(bytes, NULL), len);
		g_autoptr(GByteArray) out = g_byte_array_new();
		ProcdbWireSize size;

		for (guint n = g_test_rand_int_range(1, 4); n > 0; n--)
			data[g_test_rand_int_range(0, (gint)len)] =
			    (guint8)g_test_rand_int_range(0, 256);
		size = procdb_wire_size(data);
		if (size.header > len)
			continue;
		if (procdb_wire_judge_header(data, size.header, size) == PROCDB_WIRE_UNKNOWN)
			procdb_wire_replace(data, size, PROCDB_WIRE_UNKNOWN, out);
		else if (size.header + size.body == len)
			(void)procdb_wire_judge_body(data, size);
	}
}

/* Both ends of a guarded stream. */
typedef struct {
	int bus;
	GIOStream *stream;
} Guarded;

static void set_up(Guarded *g, gconstpointer data)
{
	static const char hello[] = "\0AUTH EXTERNAL ";
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocket) socket = NULL;
	g_autoptr(GSocketConnection) connection = NULL;
	char said[100];
	int fds[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
	g->bus = fds[0];
	socket = g_socket_new_from_fd(fds[1], &error);
	g_assert_no_error(error);
	connection = g_socket_connection_factory_create_connection(socket);
	g->stream = procdb_guard_new(connection, &error);
	g_assert_no_error(error);
	g_assert_cmpint(read(g->bus, said, sizeof(said)), >, (gint)sizeof(hello));
	g_assert_cmpint(memcmp(said, hello, sizeof(hello) - 1), ==, 0);
}

/* A bus that is gone before anything was said to it, as while it is restarted. */
static void test_a_bus_that_is_gone(void)
{
	g_autoptr(GSocketConnection) connection = NULL;
	g_autoptr(GSocket) socket = NULL;
	g_autoptr(GError) error = NULL;
	int fds[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
	close(fds[0]);
	socket = g_socket_new_from_fd(fds[1], &error);
	g_assert_no_error(error);
	connection = g_socket_connection_factory_create_connection(socket);
	g_assert_null(procdb_guard_new(connection, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

static void tear_down(Guarded *g, gconstpointer data)
{
	g_object_unref(g->stream);
	close(g->bus);
}

static void say(Guarded *g, gconstpointer data, gsize len)
{
	g_assert_cmpint(write(g->bus, data, len), ==, (gssize)len);
}

/* Reads all that comes until the bus ends the connection, len bytes at a time. */
static GByteArray *read_all(Guarded *g, gsize len)
{
	GByteArray *all = g_byte_array_new();
	g_autofree guint8 *buffer = g_malloc(len);
	gssize n;

	shutdown(g->bus, SHUT_WR);
	while ((n = g_input_stream_read(g_io_stream_get_input_stream(g->stream), buffer, len, NULL,
					NULL)) > 0)
		g_byte_array_append(all, buffer, (guint)n);
	g_assert_cmpint(n, ==, 0);
	return all;
}

static GDBusMessage *next_message(GByteArray *bytes)
{
	g_autoptr(GError) error = NULL;
	gssize len = g_dbus_message_bytes_needed(bytes->data, bytes->len, &error);
	GDBusMessage *message;

	g_assert_no_error(error);
	g_assert_cmpint(len, <=, bytes->len);
	message = g_dbus_message_new_from_blob(bytes->data, (gsize)len,
					       G_DBUS_CAPABILITY_FLAGS_NONE, &error);
	g_assert_no_error(error);
	g_byte_array_remove_range(bytes, 0, (guint)len);
	return message;
}

static void send_message(Guarded *g, GVariant *body)
{
	g_autoptr(GDBusMessage) message = call_of(body);
	g_autoptr(GBytes) bytes = bytes_of(message);

	say(g, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void assert_next(GByteArray *all, const char *body)
{
	g_autoptr(GDBusMessage) message = next_message(all);
	GVariant *value = g_dbus_message_get_body(message);
	g_autofree char *text = value ? g_variant_print(value, FALSE) : g_strdup("");

	g_assert_cmpstr(g_dbus_message_get_sender(message), ==, ":1.7");
	g_assert_cmpstr(g_dbus_message_get_member(message), ==, "Method");
	g_assert_cmpstr(g_dbus_message_get_path(message), ==, PROCDB_BUS_PATH);
	g_assert_cmpuint(g_dbus_message_get_serial(message), ==, 77);
	g_assert_cmpstr(text, ==, body);
}

static void send_long_path(Guarded *g, gsize len)
{
	g_autoptr(GDBusMessage) message = call_of(NULL);
	g_autofree char *path = g_strnfill(len, 'x');
	g_autoptr(GBytes) bytes = NULL;

	path[0] = '/';
	g_dbus_message_set_path(message, path);
	bytes = bytes_of(message);
	say(g, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void test_hands_on_in_order(Guarded *g, gconstpointer data)
{
	g_autoptr(GDBusMessage) message = NULL;
	g_autoptr(GByteArray) all = NULL;
	GVariant *large = text_of(50000);

	say(g, OK_LINE, strlen(OK_LINE));
	send_message(g, g_variant_new("(s)", "first"));
	send_message(g, g_variant_new_parsed("({'a': 1},)"));
	send_message(g, NULL);
	send_message(g, g_variant_new_tuple(&large, 1));
	send_long_path(g, 5000);
	send_message(g, g_variant_new("(s)", "last"));
	all = read_all(g, GPOINTER_TO_SIZE(data));
	assert_next(all, "('first',)");
	assert_next(all, "(0x02,)");
	assert_next(all, "");
	assert_next(all, "(0x03,)");
	message = next_message(all);
	g_assert_cmpuint(strlen(g_dbus_message_get_path(message)), ==, 5000);
	g_assert_cmpstr(g_dbus_message_get_signature(message), ==, "y");
	assert_next(all, "('last',)");
	g_assert_cmpuint(all->len, ==, 0);
}

static void test_one_large_call_at_once(Guarded *g, gconstpointer data)
{
	g_autoptr(GByteArray) all = NULL;
	GVariant *one = names_of(5000), *other = names_of(6000);
	g_autoptr(GDBusMessage) first = NULL, second = NULL;

	say(g, OK_LINE, strlen(OK_LINE));
	send_message(g, g_variant_new_tuple(&one, 1));
	send_message(g, g_variant_new_tuple(&other, 1));
	all = read_all(g, 4096);
	first = next_message(all);
	second = next_message(all);
	g_assert_true(g_variant_is_of_type(g_dbus_message_get_body(first), G_VARIANT_TYPE("(as)")));
	g_assert_true(g_variant_is_of_type(g_dbus_message_get_body(second), G_VARIANT_TYPE("(y)")));
	g_assert_cmpuint(all->len, ==, 0);
}

/* Many messages at once, as the bus hands them out. */
static void send_many(Guarded *g, const char *sender, GDBusMessageFlags flags, guint n)
{
	g_autoptr(GDBusMessage) message = call_of(NULL);
	g_autoptr(GByteArray) all = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL;

	g_dbus_message_set_sender(message, sender);
	g_dbus_message_set_flags(message, flags);
	bytes = bytes_of(message);
	/* In one: the socket has no room for many small pieces. */
	for (guint i = 0; i < n; i++)
		g_byte_array_append(all, g_bytes_get_data(bytes, NULL),
				    (guint)g_bytes_get_size(bytes));
	say(g, all->data, all->len);
}

/* How many messages of a sender come without waiting; all: whose they may be else. */
static guint read_now(Guarded *g, const char *sender, guint *all)
{
	GPollableInputStream *input =
	    G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(g->stream));
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	guint8 buffer[4096];
	guint n = 0;
	gssize len;

	while ((len = g_pollable_input_stream_read_nonblocking(input, buffer, sizeof(buffer), NULL,
							       &error)) > 0)
		g_byte_array_append(bytes, buffer, (guint)len);
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
	for (*all = 0; bytes->len > 0; (*all)++) {
		g_autoptr(GDBusMessage) message = next_message(bytes);

		n += g_str_equal(g_dbus_message_get_sender(message), sender);
	}
	return n;
}

static void test_waits_for_the_main_loop(Guarded *g, gconstpointer data)
{
	guint total = 0, n;

	say(g, OK_LINE, strlen(OK_LINE));
	send_many(g, ":1.7", G_DBUS_MESSAGE_FLAGS_NONE, 200);
	read_now(g, ":1.7", &total);
	g_assert_cmpuint(total, ==, 64);
	read_now(g, ":1.7", &n);
	g_assert_cmpuint(n, ==, 0);
	while (g_main_context_iteration(NULL, FALSE)) {
		read_now(g, ":1.7", &n);
		g_assert_cmpuint(n, <=, 64);
		total += n;
	}
	g_assert_cmpuint(total, ==, 200);
}

static void test_each_sender_has_its_turn(Guarded *g, gconstpointer data)
{
	guint all;

	say(g, OK_LINE, strlen(OK_LINE));
	send_many(g, ":1.7", G_DBUS_MESSAGE_FLAGS_NONE, 500);
	send_many(g, ":1.8", G_DBUS_MESSAGE_FLAGS_NONE, 1);
	g_assert_cmpuint(read_now(g, ":1.8", &all), ==, 1);
	g_assert_cmpuint(all, ==, 64);
}

static void test_what_is_expected_does_not_wait(Guarded *g, gconstpointer data)
{
	g_autoptr(GDBusMessage) call = call_of(NULL);
	g_autoptr(GDBusMessage) answer = g_dbus_message_new_method_reply(call);
	g_autoptr(GBytes) bytes = NULL;
	guint all;

	say(g, OK_LINE, strlen(OK_LINE));
	send_many(g, ":1.7", G_DBUS_MESSAGE_FLAGS_NONE, 200);
	read_now(g, ":1.7", &all);
	g_dbus_message_set_sender(answer, ":1.9");
	g_dbus_message_set_serial(answer, 1);
	bytes = bytes_of(answer);
	say(g, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	send_many(g, "org.freedesktop.DBus", G_DBUS_MESSAGE_FLAGS_NONE, 1);
	g_assert_cmpuint(read_now(g, ":1.9", &all), ==, 1);
	g_assert_cmpuint(all, ==, 2);
}

static void test_few_wait_that_want_no_answer(Guarded *g, gconstpointer data)
{
	guint all, total = 0;

	say(g, OK_LINE, strlen(OK_LINE));
	send_many(g, ":1.7", G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED, 500);
	send_many(g, ":1.8", G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED, 10);
	g_assert_cmpuint(read_now(g, ":1.8", &all), ==, 10);
	do {
		total += all;
		read_now(g, ":1.7", &all);
	} while (g_main_context_iteration(NULL, FALSE) || all > 0);
	g_assert_cmpuint(total, ==, 10 + 32);
	/* There is room again. */
	send_many(g, ":1.7", G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED, 20);
	g_assert_cmpuint(read_now(g, ":1.7", &all), ==, 20);
}

static void test_who_has_plenty_waiting_is_refused(void)
{
	g_autoptr(ProcdbTurns) turns = procdb_turns_new();
	guint n;

	for (n = 0; procdb_turns_accepts(turns, ":1.7", 4096, FALSE); n++)
		procdb_turns_add(turns, ":1.7", g_byte_array_new_take(g_malloc0(4096), 4096),
				 FALSE);
	g_assert_cmpuint(n, >, 1000);
	g_assert_false(procdb_turns_is_full(turns));
	for (guint i = 0; i < 4; i++) {
		g_assert_true(procdb_turns_accepts(turns, ":1.8", 4096, FALSE));
		procdb_turns_add(turns, ":1.8", g_byte_array_new_take(g_malloc0(4096), 4096),
				 FALSE);
	}
	g_assert_false(procdb_turns_accepts(turns, ":1.8", 4096, FALSE));
}

static void test_a_bus_that_refuses_is_the_end(Guarded *g, gconstpointer data)
{
	g_autoptr(GByteArray) all = NULL;
	static const char line[] = "REJECTED EXTERNAL\r\n";

	say(g, line, sizeof(line) - 1);
	send_message(g, NULL);
	all = read_all(g, 4096);
	g_assert_cmpuint(all->len, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wire/gdbus-misreads", test_gdbus_misreads);
	g_test_add_func("/wire/passes-what-methods-take", test_passes_what_methods_take);
	g_test_add_func("/wire/passes-what-is-plain", test_passes_what_is_plain);
	g_test_add_func("/wire/knows-no-other-structures", test_knows_no_other_structures);
	g_test_add_func("/wire/looks-into-properties", test_looks_into_properties);
	g_test_add_func("/wire/bounds-sizes", test_bounds_sizes);
	g_test_add_func("/wire/refuses-large-headers", test_refuses_large_headers);
	g_test_add_func("/wire/drops-huge-headers", test_drops_huge_headers);
	g_test_add_func("/wire/drops-large-calls-without-an-answer",
			test_drops_large_calls_without_an_answer);
	g_test_add_func("/wire/drops-other-signals", test_drops_other_signals);
	g_test_add_func("/wire/passes-answers", test_passes_answers);
	g_test_add_func("/wire/a-header-that-is-none-is-dropped",
			test_a_header_that_is_none_is_dropped);
	g_test_add("/guard/hands-on-in-order", Guarded, GSIZE_TO_POINTER(65536), set_up,
		   test_hands_on_in_order, tear_down);
	g_test_add("/guard/byte-by-byte", Guarded, GSIZE_TO_POINTER(1), set_up,
		   test_hands_on_in_order, tear_down);
	g_test_add("/guard/one-large-call-at-once", Guarded, NULL, set_up,
		   test_one_large_call_at_once, tear_down);
	g_test_add("/guard/waits-for-the-main-loop", Guarded, NULL, set_up,
		   test_waits_for_the_main_loop, tear_down);
	g_test_add("/guard/each-sender-has-its-turn", Guarded, NULL, set_up,
		   test_each_sender_has_its_turn, tear_down);
	g_test_add("/guard/what-is-expected-does-not-wait", Guarded, NULL, set_up,
		   test_what_is_expected_does_not_wait, tear_down);
	g_test_add("/guard/few-wait-that-want-no-answer", Guarded, NULL, set_up,
		   test_few_wait_that_want_no_answer, tear_down);
	g_test_add_func("/guard/who-has-plenty-waiting-is-refused",
			test_who_has_plenty_waiting_is_refused);
	g_test_add("/guard/a-bus-that-refuses-is-the-end", Guarded, NULL, set_up,
		   test_a_bus_that_refuses_is_the_end, tear_down);
	g_test_add_func("/guard/a-bus-that-is-gone", test_a_bus_that_is_gone);
	return g_test_run();
}
