/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * The engine on maps that cost nothing themselves, alone or with the object that announces what it
 * does, and what a step of it asks of the machine in numbers that are the same on every machine:
 * allocations and system calls here, instructions when guard.sh runs this under callgrind.
 */

#include <stdlib.h>

#include "backend-ops.h"
#include "calls.h"
#include "engine.h"
#include "object.h"

#define PROFILES 512
#define STEPS 100
/*
 * By then the profiles that are not seen any more have left the live table, and the small
 * changes of 8,192 that predict are in the map, 32 in each step.
 */
#define SETTLING_STEPS 400

/* Maps that hand out the same observations over and over, and keep nothing. */
typedef struct {
	ProcdbBackend base;
	ProcdbMapIo io;
	struct procdb_observation *seen;
	guint n; /* of seen, to be handed out at each drain */
	guint round;
} Idle;

typedef struct {
	ProcdbEngine *engine;
	Idle *backend;
	ProcdbObject *object; /* NULL: the engine alone */
} Guard;

static Idle *idle(ProcdbBackend *backend)
{
	return (Idle *)backend;
}

static gboolean idle_refresh(ProcdbBackend *backend)
{
	return FALSE;
}

static gboolean idle_drain(ProcdbMapIo *io, GArray *seen, GError **error)
{
	Idle *self = (Idle *)((char *)io - G_STRUCT_OFFSET(Idle, io));

	/* A little other each time, so that the predictions change. */
	self->round++;
	for (guint i = 0; i < self->n; i++) {
		struct procdb_observation o = self->seen[i];

		o.seen.avg_runtime += 128 * (self->round % 64);
		g_array_append_val(seen, o);
	}
	return TRUE;
}

static gboolean idle_publish(ProcdbMapIo *io, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error)
{
	*done = n;
	return TRUE;
}

static gboolean idle_retract(ProcdbMapIo *io, const struct procdb_comm *comms, guint n,
			     GError **error)
{
	return TRUE;
}

static gboolean idle_predictions(ProcdbMapIo *io, GArray *entries, GError **error)
{
	return TRUE;
}

static gboolean idle_lookup(ProcdbMapIo *io, const struct procdb_comm *comm,
			    struct procdb_class *prediction)
{
	return FALSE;
}

static void idle_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){
	    .backend = "idle",
	    .state = "active",
	    .token = "active",
	    .reason = "",
	    .in_use = "idle",
	    .init_capacity = 32768,
	};
}

static void idle_close(ProcdbBackend *backend)
{
	g_free(idle(backend)->seen);
	g_free(backend);
}

static Idle *idle_new(guint n)
{
	static const ProcdbBackendOps ops = {
	    .refresh = idle_refresh,
	    .status = idle_status,
	    .close = idle_close,
	};
	static const ProcdbMapIoOps io_ops = {
	    .drain = idle_drain,
	    .publish = idle_publish,
	    .retract = idle_retract,
	    .predictions = idle_predictions,
	    .lookup = idle_lookup,
	};
	Idle *self = g_new0(Idle, 1);

	self->base.ops = &ops;
	self->io.ops = &io_ops;
	self->base.io = &self->io;
	self->seen = g_new0(struct procdb_observation, n);
	for (guint i = 0; i < n; i++) {
		g_snprintf((char *)self->seen[i].comm.bytes, PROCDB_COMM_LEN, "task-%u", i);
		self->seen[i].seen = (struct procdb_class){
		    .tier = (guint8)(i % PROCDB_TIERS),
		    .avg_runtime = 1000000,
		    .runtime_dev = 100000,
		    .wakeup_freq = 20,
		    .csw_rate = 30,
		};
	}
	return self;
}

static gint64 no_time(void)
{
	return G_USEC_PER_SEC;
}

/* So many profiles known, all of them observed so often that what grows has grown. */
static Guard *guard_new(guint known, guint observed, guint steps)
{
	ProcdbEngineSettings settings = procdb_engine_default_settings;
	Guard *guard = g_new0(Guard, 1);

	settings.save_interval_s = 0;
	settings.max_retained = MAX(settings.max_retained, known);
	guard->backend = idle_new(known);
	guard->engine = procdb_engine_new(&settings, procdb_store_new("/nonexistent/procdb.bin"),
					  &guard->backend->base);
	procdb_engine_set_clock(guard->engine, no_time);
	guard->backend->n = known;
	for (guint i = 0; i < 10; i++)
		procdb_engine_step(guard->engine);
	guard->backend->n = observed;
	for (guint i = 0; i < steps; i++)
		procdb_engine_step(guard->engine);
	return guard;
}

/* The same, with what the service has beside it. */
static Guard *guard_new_with_object(guint known, guint observed, guint steps)
{
	static const ProcdbHost host = {NULL};
	Guard *guard = guard_new(known, observed, steps);

	guard->object = procdb_object_new(guard->engine, &host, NULL);
	procdb_engine_step(guard->engine);
	return guard;
}

static void guard_free(Guard *guard)
{
	procdb_object_free(guard->object);
	procdb_engine_free(guard->engine);
	g_free(guard);
}

/* Every allocation of this process passes here. */
static guint64 allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

static void test_no_allocation(gconstpointer observed)
{
	Guard *guard = guard_new(PROFILES, GPOINTER_TO_UINT(observed), STEPS);
	guint64 before = allocations;

	for (guint i = 0; i < STEPS; i++)
		procdb_engine_step(guard->engine);
	g_assert_cmpuint(allocations - before, ==, 0);
	guard_free(guard);
}

static void test_the_counter_counts(void)
{
	guint64 before = allocations;

	g_free(g_malloc(1));
	g_assert_cmpuint(allocations - before, ==, 1);
}

static gpointer prepare(gpointer observed)
{
	return guard_new(PROFILES, GPOINTER_TO_UINT(observed), STEPS);
}

static void step(gpointer guard)
{
	procdb_engine_step(((Guard *)guard)->engine);
}

static void finish(gpointer guard)
{
	guard_free(guard);
}

static void test_no_system_call(gconstpointer observed)
{
	const CountedWork work = {.prepare = prepare, .work = step, .finish = finish};
	guint most;

	g_assert_cmpuint(count_calls(&work, (gpointer)observed, STEPS, &most), ==, 0);
}

/*
 * For callgrind, which counts in here only: names hash otherwise in every run,
 * so what came before differs by more than an empty step takes.
 */
static __attribute__((noinline)) void counted_steps(Guard *guard, guint steps)
{
	for (guint i = 0; i < steps; i++)
		procdb_engine_step(guard->engine);
}

static int run_steps(Guard *guard, guint steps)
{
	counted_steps(guard, steps);
	guard_free(guard);
	return EXIT_SUCCESS;
}

static __attribute__((noinline)) void counted_import(Guard *guard, GArray *records)
{
	g_assert_true(procdb_engine_import(guard->engine, records, FALSE, TRUE, NULL));
}

/* Imports what a farm says of so many names, all of which are known better. */
static int run_import(guint known)
{
	Guard *guard = guard_new(known, 0, 0);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));

	for (guint i = 0; i < known; i++) {
		struct procdb_record record = {.comm = guard->backend->seen[i].comm};

		procdb_profile_init(&record.profile);
		procdb_profile_learn(&record.profile, &guard->backend->seen[i].seen, 0);
		procdb_profile_of_farm(&record.profile);
		g_array_append_val(records, record);
	}
	counted_import(guard, records);
	guard_free(guard);
	return EXIT_SUCCESS;
}

/* engine KNOWN OBSERVED STEPS, object KNOWN OBSERVED STEPS, or import KNOWN. */
static int run_case(int n, char **words)
{
	if (n == 2 && g_str_equal(words[0], "import"))
		return run_import((guint)atoi(words[1]));
	if (n != 4)
		return EXIT_FAILURE;
	return run_steps((g_str_equal(words[0], "object") ? guard_new_with_object : guard_new)(
			     (guint)atoi(words[1]), (guint)atoi(words[2]), SETTLING_STEPS),
			 (guint)atoi(words[3]));
}

int main(int argc, char **argv)
{
	if (argc > 3 && g_str_equal(argv[1], "run"))
		return run_case(argc - 2, argv + 2);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cost/the-counter-counts", test_the_counter_counts);
	g_test_add_data_func("/cost/no-allocation-when-all-are-observed",
			     GUINT_TO_POINTER(PROFILES), test_no_allocation);
	g_test_add_data_func("/cost/no-allocation-when-nothing-is", GUINT_TO_POINTER(0),
			     test_no_allocation);
	g_test_add_data_func("/cost/no-system-call-when-all-are-observed",
			     GUINT_TO_POINTER(PROFILES), test_no_system_call);
	g_test_add_data_func("/cost/no-system-call-when-nothing-is", GUINT_TO_POINTER(0),
			     test_no_system_call);
	return g_test_run();
}
