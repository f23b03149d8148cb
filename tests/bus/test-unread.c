/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What callers may be sent before they read it, on a bus of the test that says what it likes. */

#include "bus-fixture.h"

#include <sys/socket.h>

#include "loop.h"
#include "unread.h"

#define KIB ((gsize)1 << 10)
#define MIB ((gsize)1 << 20)
/* What a user gets in all where the bus says nothing. */
#define MOST (32 * MIB)
#define PASSES "org.freedesktop.DBus.Error.LimitsExceeded"
#define NO_METHOD "org.freedesktop.DBus.Error.UnknownMethod"
/* What dbus-broker says of one connection. */
#define FAILED "org.freedesktop.DBus.Error.Failed"
#define DENIED ACCESS_DENIED

typedef struct {
	sd_bus *service, *bus;
	GSource *sources[2];
	ProcdbCallers *callers;
	ProcdbUnread *unread;
	guint eased;
	/* What the bus says: an error, NULL for the figure. */
	const char *of_one, *of_all;
	guint32 kept;
	/* What it was asked. */
	guint asked_of_one, asked_of_all;
} Fixture;

#define must(call) g_assert_cmpint((call), >=, 0)

static void say_of_all(const Fixture *f, sd_bus_message *reply)
{
	g_autoptr(GPtrArray) callers = procdb_callers_list(f->callers);

	must(sd_bus_message_open_container(reply, 'a', "{sv}"));
	must(sd_bus_message_open_container(reply, 'e', "sv"));
	must(sd_bus_message_append(reply, "s", "org.bus1.DBus.Debug.Stats.PeerAccounting"));
	must(sd_bus_message_open_container(reply, 'v', "a(sa{sv}a{su})"));
	must(sd_bus_message_open_container(reply, 'a', "(sa{sv}a{su})"));
	for (guint i = 0; i < callers->len; i++)
		must(sd_bus_message_append(reply, "(sa{sv}a{su})",
					   ((ProcdbCaller *)callers->pdata[i])->name, 0, 1,
					   "OutgoingBytes", f->kept));
	for (guint i = 0; i < 4; i++)
		must(sd_bus_message_close_container(reply));
}

static int on_question(sd_bus_message *call, void *data, sd_bus_error *error)
{
	Fixture *f = data;
	const gboolean all = sd_bus_message_is_method_call(call, NULL, "GetStats") > 0;
	const char *refusal = all ? f->of_all : f->of_one;
	sd_bus_message *reply = NULL;

	(*(all ? &f->asked_of_all : &f->asked_of_one))++;
	if (refusal)
		return sd_bus_reply_method_errorf(call, refusal, "The test says so");
	must(sd_bus_message_new_method_return(call, &reply));
	if (all)
		say_of_all(f, reply);
	else
		must(sd_bus_message_append(reply, "a{sv}", 1, "OutgoingBytes", "u", f->kept));
	must(sd_bus_message_send(reply));
	sd_bus_message_unref(reply);
	return 1;
}

typedef struct {
	void (*gone)(gpointer data);
	gpointer data;
} Watch;

static gpointer watch_caller(gpointer self, const char *sender, void (*gone)(gpointer data),
			     gpointer data)
{
	Watch *watch = g_new(Watch, 1);

	*watch = (Watch){gone, data};
	return watch;
}

static void unwatch_caller(gpointer self, gpointer watch)
{
	g_free(watch);
}

static void identify(gpointer self, const char *sender, GCancellable *cancellable,
		     GAsyncReadyCallback callback, gpointer user_data)
{
	g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);

	/* Of ":UID.N". */
	g_task_return_int(task, (gssize)g_ascii_strtoull(sender + 1, NULL, 10));
}

static guint32 identify_finish(gpointer self, GAsyncResult *result, GError **error)
{
	return (guint32)g_task_propagate_int(G_TASK(result), error);
}

static void on_settled(ProcdbCaller *caller, const GError *error, gpointer data)
{
}

static void on_gone(ProcdbCaller *caller, gpointer data)
{
}

static void on_eased(gpointer data)
{
	((Fixture *)data)->eased++;
}

static void on_lost(int error, gpointer data)
{
	g_error("The bus of the test is lost: %s", g_strerror(-error));
}

static sd_bus *start(int fd, gboolean server)
{
	sd_bus *bus = NULL;

	must(sd_bus_new(&bus));
	must(sd_bus_set_fd(bus, fd, fd));
	if (server) {
		must(sd_bus_set_server(bus, TRUE, (sd_id128_t){.bytes = {1}}));
		must(sd_bus_set_anonymous(bus, TRUE));
	}
	must(sd_bus_start(bus));
	return bus;
}

static const ProcdbBusListener bus_listener = {.lost = on_lost};

static void set_up(Fixture *f, gconstpointer data)
{
	static const ProcdbAuthority authority = {
	    .watch = watch_caller,
	    .unwatch = unwatch_caller,
	    .identify = identify,
	    .identify_finish = identify_finish,
	};
	static const ProcdbCallerListener listener = {.settled = on_settled, .gone = on_gone};
	int fds[2];

	*f = (Fixture){0};
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==,
			0);
	f->bus = start(fds[0], TRUE);
	f->service = start(fds[1], FALSE);
	f->sources[0] = procdb_bus_source_new(f->bus, &bus_listener, NULL);
	f->sources[1] = procdb_bus_source_new(f->service, &bus_listener, NULL);
	while (sd_bus_is_ready(f->service) <= 0)
		g_main_context_iteration(NULL, TRUE);
	must(sd_bus_add_object(f->bus, NULL, "/org/freedesktop/DBus", on_question, f));
	f->callers = procdb_callers_new(&authority, NULL, &listener, NULL);
	f->unread = procdb_unread_new(f->service, f->callers, on_eased, f);
}

static void tear_down(Fixture *f, gconstpointer data)
{
	procdb_unread_free(f->unread);
	procdb_callers_free(f->callers);
	for (guint i = 0; i < G_N_ELEMENTS(f->sources); i++) {
		g_source_destroy(f->sources[i]);
		g_source_unref(f->sources[i]);
	}
	sd_bus_close_unref(f->service);
	sd_bus_close_unref(f->bus);
}

static ProcdbCaller *caller(Fixture *f, const char *name)
{
	return procdb_callers_get(f->callers, name);
}

static void leave(ProcdbCaller *caller)
{
	const Watch watch = *(Watch *)caller->watch;

	watch.gone(watch.data);
}

/* Waits until a counter has grown by so many. */
static void wait_more(const guint *counter, guint by)
{
	const guint value = *counter + by;

	while (*counter < value)
		g_main_context_iteration(NULL, TRUE);
}

/* Waits until there is room, as a call that waits does. */
static void wait_for_room(Fixture *f, ProcdbCaller *caller, gsize bytes)
{
	while (!procdb_unread_has_room(f->unread, caller, bytes))
		wait_more(&f->eased, 1);
}

/* As a call that waits and is tried so many times, in vain. */
static void wait_in_vain(Fixture *f, ProcdbCaller *caller, gsize bytes, guint times)
{
	for (guint i = 0; i < times; i++) {
		g_assert_false(procdb_unread_has_room(f->unread, caller, bytes));
		wait_more(&f->eased, 1);
	}
}

static void test_what_was_read_is_believed(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	f->of_one = data;
	procdb_unread_add(f->unread, one, 900 * KIB);
	f->kept = 900 * KIB;
	wait_in_vain(f, one, 500 * KIB, 4);
	g_assert_cmpuint(one->unread, ==, 900 * KIB);
	f->kept = 100 * KIB;
	wait_for_room(f, one, 500 * KIB);
	g_assert_cmpuint(one->unread, ==, 100 * KIB);
	g_assert_cmpuint(one->rationed, ==, 0);
}

/* Of a caller that was sent much the bus is asked soon, and not only when it calls again. */
static void test_what_was_read_is_noticed_without_a_call(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	procdb_unread_add(f->unread, one, 2 * MIB);
	wait_more(&f->asked_of_one, 1);
	while (one->unread > 0)
		g_main_context_iteration(NULL, TRUE);
	/* A signal has room. */
	g_assert_true(procdb_unread_has_room(f->unread, one, KIB));
}

/* One error for lack of memory, or of time, would end the bound for good. */
static void test_an_error_that_passes_is_no_answer(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	f->of_one = PASSES;
	f->of_all = DENIED;
	procdb_unread_add(f->unread, one, 900 * KIB);
	wait_in_vain(f, one, 500 * KIB, 3);
	f->of_one = NULL;
	f->kept = 900 * KIB;
	wait_in_vain(f, one, 500 * KIB, 3);
	g_assert_cmpuint(one->unread, ==, 900 * KIB);
	g_assert_cmpuint(f->asked_of_all, ==, 0);
	f->kept = 0;
	wait_for_room(f, one, 500 * KIB);
	g_assert_cmpuint(one->unread, ==, 0);
}

static void test_a_survey_that_fails_once_is_repeated(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	f->of_one = NO_METHOD;
	f->of_all = PASSES;
	procdb_unread_add(f->unread, one, 900 * KIB);
	wait_in_vain(f, one, 500 * KIB, 4);
	g_assert_cmpuint(f->asked_of_one, ==, 1);
	g_assert_cmpuint(f->asked_of_all, >, 0);
	g_assert_cmpuint(one->unread, ==, 900 * KIB);
	f->of_all = NULL;
	wait_for_room(f, one, 500 * KIB);
	g_assert_cmpuint(one->unread, ==, 0);
	g_assert_cmpuint(one->rationed, ==, 0);
}

/* Has a caller taken for one that got nearly all that a user gets. */
static void spend(Fixture *f, ProcdbCaller *one)
{
	f->of_one = NO_METHOD;
	f->of_all = DENIED;
	procdb_caller_set_rationed(one, MOST - 10 * KIB);
	procdb_unread_add(f->unread, one, MIB);
	while (one->rationed < MOST)
		wait_in_vain(f, one, 500 * KIB, 1);
}

/* dbus-daemon reads nothing from the service any more, for any caller, when it keeps 127 MiB. */
static void test_without_figures_there_is_a_total(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1"), *two = caller(f, ":1.2");

	spend(f, one);
	g_assert_cmpuint(one->rationed, ==, MOST);
	g_assert_cmpuint(one->unread, ==, MIB - 10 * KIB);
	wait_in_vain(f, one, 500 * KIB, 2);
	g_assert_cmpuint(one->unread, ==, MIB - 10 * KIB);
	/* Time does not show that anything was read. */
	test_clock_advance(24 * 3600 * (gint64)G_USEC_PER_SEC);
	wait_in_vain(f, one, 500 * KIB, 2);
	g_assert_cmpuint(one->unread, ==, MIB - 10 * KIB);
	/* Another connection of that user is answered, but gets no more than that. */
	g_assert_true(procdb_unread_has_room(f->unread, two, MIB));
	procdb_unread_add(f->unread, two, MIB);
	wait_in_vain(f, two, 500 * KIB, 2);
	/* What a connection had not read ends with it. */
	leave(one);
	wait_for_room(f, two, 100 * KIB);
	g_assert_cmpuint(two->rationed, ==, MIB - two->unread);
	leave(two);
	g_assert_cmpuint(caller(f, ":1.3")->user->rationed, ==, 0);
}

/* Else each new connection would give all others of the user their room again. */
static void test_a_caller_that_was_given_room_is_not_forgotten(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = procdb_caller_ref(caller(f, ":1.1"));

	procdb_caller_set_rationed(one, MIB);
	for (guint i = 0; i < 300; i++) {
		g_autofree char *name = g_strdup_printf(":2.%u", i);

		(void)caller(f, name);
	}
	g_assert_nonnull(one->callers);
	g_assert_null(procdb_callers_crowded(f->callers));
	procdb_caller_unref(one);
}

static void test_a_policy_that_is_mended_is_noticed(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	spend(f, one);
	f->of_one = NULL;
	wait_in_vain(f, one, 500 * KIB, 1);
	test_clock_advance(61 * G_USEC_PER_SEC);
	wait_for_room(f, one, 500 * KIB);
	g_assert_cmpuint(one->unread, ==, 0);
	g_assert_cmpuint(one->rationed, ==, 0);
}

/* Asked too early, the bus would say that it has nothing of an answer that is not sent yet. */
static void test_what_is_not_sent_yet_is_not_read(Fixture *f, gconstpointer data)
{
	ProcdbCaller *one = caller(f, ":1.1");

	f->of_one = data;
	procdb_unread_add(f->unread, one, 300 * KIB);
	procdb_unread_add(f->unread, one, 600 * KIB);
	one->unsent = 600 * KIB;
	wait_in_vain(f, one, 600 * KIB, 2);
	g_assert_cmpuint(one->unread, ==, 600 * KIB);
	one->unsent = 0;
	wait_for_room(f, one, 600 * KIB);
	g_assert_cmpuint(one->unread, ==, 0);
}

static ProcdbCaller *caller_of(Fixture *f, guint uid)
{
	g_autofree char *name = g_strdup_printf(":%u.1", uid);
	ProcdbCaller *one = caller(f, name);

	procdb_caller_identify(one);
	while (!one->identified)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(one->uid, ==, uid);
	return one;
}

/* At 127 MiB dbus-daemon reads nothing from the service any more, for any caller. */
static void test_all_users_together_leave_no_more_unread_than_that(Fixture *f, gconstpointer data)
{
	ProcdbCaller *last = NULL;

	f->kept = 25 * MIB;
	for (guint uid = 1001; uid <= 1003; uid++) {
		last = caller_of(f, uid);
		/* A single answer may be larger than a user's room. */
		g_assert_cmpint(procdb_unread_has_room(f->unread, last, 25 * MIB), ==, uid < 1003);
		if (uid < 1003)
			procdb_unread_add(f->unread, last, 25 * MIB);
	}
	g_assert_cmpuint(procdb_callers_unread(f->callers), ==, 50 * MIB);
	/* What the bus takes at once has room, and so has root. */
	g_assert_true(procdb_unread_has_room(f->unread, last, 10 * KIB));
	g_assert_true(procdb_unread_has_room(f->unread, caller_of(f, 0), 25 * MIB));
	leave(caller_of(f, 1001));
	g_assert_cmpuint(procdb_callers_unread(f->callers), ==, 25 * MIB);
	g_assert_true(procdb_unread_has_room(f->unread, last, 25 * MIB));
}

static void add(const char *path, const char *of_one, void (*test)(Fixture *, gconstpointer))
{
	g_test_add(path, Fixture, of_one, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/unread/what-was-read-is-believed/of-one", NULL, test_what_was_read_is_believed);
	add("/unread/what-was-read-is-believed/of-all", NO_METHOD, test_what_was_read_is_believed);
	add("/unread/what-was-read-is-believed/of-all-on-dbus-broker", FAILED,
	    test_what_was_read_is_believed);
	add("/unread/what-was-read-is-noticed-without-a-call", NULL,
	    test_what_was_read_is_noticed_without_a_call);
	add("/unread/an-error-that-passes-is-no-answer", NULL,
	    test_an_error_that_passes_is_no_answer);
	add("/unread/a-survey-that-fails-once-is-repeated", NULL,
	    test_a_survey_that_fails_once_is_repeated);
	add("/unread/without-figures-there-is-a-total", NULL,
	    test_without_figures_there_is_a_total);
	add("/unread/a-caller-that-was-given-room-is-not-forgotten", NULL,
	    test_a_caller_that_was_given_room_is_not_forgotten);
	add("/unread/a-policy-that-is-mended-is-noticed", NULL,
	    test_a_policy_that_is_mended_is_noticed);
	add("/unread/what-is-not-sent-yet-is-not-read/of-one", NULL,
	    test_what_is_not_sent_yet_is_not_read);
	add("/unread/what-is-not-sent-yet-is-not-read/of-all", NO_METHOD,
	    test_what_is_not_sent_yet_is_not_read);
	add("/unread/all-users-together-leave-no-more-unread-than-that", NULL,
	    test_all_users_together_leave_no_more_unread_than_that);
	return g_test_run();
}
