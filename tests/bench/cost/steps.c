/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "measure.h"

#include <time.h>

#include "calls.h"
#include "rig.h"

#define PROFILES 512
#define MANY 65536
#define FEW_OBSERVED 100
/* Interleaved, so that whatever else the machine does hits each alike. */
#define ROUNDS 1500
#define COUNTED 50
#define FLAT_STEPS 3600
#define SETTLING_STEPS 30
#define PINS_SETTLE_US 200000
/*
 * On a stranger's pins a few steps do more: one in 15 looks whether a process still holds the
 * maps, one in 5 compares them. System calls, in such a step and on average.
 */
#define PINNED_STEP_CALLS 20
#define PINNED_MEAN_CALLS 2
/* Once in 60 steps the observer's totals of programs are read, by two calls. */
#define OWN_STEP_CALLS 2

typedef struct {
	const char *id;
	const char *what;
	RigBackend backend;
	guint remembered;
	guint observed;
	double goal_us;
	double goal_calls;
	double goal_ratio; /* of the reference's way, instead of µs */
} Case;

static const Case cases[] = {
    {"step-all", "step, 512 profiles, all observed", RIG_OBSERVER, PROFILES, PROFILES, 0, 4, 0.012},
    {"step-none", "step, 512 profiles, nothing observed", RIG_OBSERVER, PROFILES, 0, 5, 2},
    {"step-few", "step, 512 profiles, 100 observed", RIG_OBSERVER, PROFILES, FEW_OBSERVED, 0, 4},
    {"step-many", "step, 65,536 profiles, 100 observed", RIG_OBSERVER, MANY, FEW_OBSERVED, 0, 4},
    {"step-pinned-all", "the same on a stranger's pins, all observed", RIG_PINNED, PROFILES,
     PROFILES, 0, 4, 0.09},
    {"step-pinned-none", "the same on a stranger's pins, nothing", RIG_PINNED, PROFILES, 0, 5, 2},
};

static gpointer prepare_case(gpointer data)
{
	const Case *c = data;
	Rig *rig = rig_new(c->backend, c->remembered);

	/* Right after a change of the pins it looks twice. */
	g_usleep(PINS_SETTLE_US);
	/* What grows, grows now, and small changes are written by and by. */
	for (guint i = 0; i < 10; i++) {
		rig_observe(rig, c->remembered <= PROFILES ? c->remembered : c->observed);
		procdb_engine_step(rig_engine(rig));
	}
	for (guint i = 0; c->observed == 0 && i < SETTLING_STEPS; i++)
		procdb_engine_step(rig_engine(rig));
	return rig;
}

static void observe_all(gpointer rig)
{
	rig_observe(rig, PROFILES);
}

static void observe_few(gpointer rig)
{
	rig_observe(rig, FEW_OBSERVED);
}

static void step(gpointer rig)
{
	procdb_engine_step(rig_engine(rig));
}

static void free_rig(gpointer rig)
{
	rig_free(rig);
}

static void add_sample(GArray *samples, gint64 begin)
{
	double us = (double)(now_ns() - begin) / 1000;

	g_array_append_val(samples, us);
}

static GArray *new_samples(void)
{
	return g_array_new(FALSE, FALSE, sizeof(double));
}

/* The part of a step that is not ours: the kernel's own time to hand over what was observed. */
static void measure_drain(Figures *figures, const Summary *reference_us)
{
	g_autoptr(Reference) reference = reference_new(PROFILES);
	g_autoptr(GArray) samples = new_samples();
	Summary us;

	for (guint i = 0; i < ROUNDS; i++) {
		gint64 begin;

		reference_observe(reference);
		begin = now_ns();
		reference_drain(reference);
		add_sample(samples, begin);
	}
	us = summarize(samples);
	figures_add(figures, &(Figure){.id = "drain-alone",
				       .what = "  the kernel's part: 512 entries in one call",
				       .unit = "µs",
				       .value = us,
				       .against = "reference",
				       .ratio = us.median / reference_us->median});
}

/* One case beside the reference's way, in turns. */
static Summary measure_case(const Case *c, Summary *reference_us)
{
	Rig *rig = prepare_case((gpointer)c);
	g_autoptr(Reference) reference = reference_new(PROFILES);
	g_autoptr(GArray) ours = new_samples();
	g_autoptr(GArray) theirs = new_samples();

	for (guint i = 0; i < ROUNDS; i++) {
		gint64 begin;

		if (c->observed > 0)
			rig_observe(rig, c->observed);
		begin = now_ns();
		step(rig);
		add_sample(ours, begin);
		if (i % 10 != 0)
			continue;
		reference_observe(reference);
		begin = now_ns();
		reference_step(reference);
		add_sample(theirs, begin);
	}
	rig_free(rig);
	*reference_us = summarize(theirs);
	return summarize(ours);
}

static Summary count_case(const Case *c)
{
	const CountedWork work = {
	    .prepare = prepare_case,
	    .before = c->observed == 0		? NULL
		      : c->observed == PROFILES ? observe_all
						: observe_few,
	    .work = step,
	    .finish = free_rig,
	};
	guint most;
	double mean = (double)count_calls(&work, (gpointer)c, COUNTED, &most) / COUNTED;

	return (Summary){mean, mean, most, COUNTED};
}

gboolean guard_steps(void)
{
	gboolean ok = TRUE;

	g_print("1..%zu\n", G_N_ELEMENTS(cases));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Summary calls = count_case(&cases[i]);
		gboolean pinned = cases[i].backend == RIG_PINNED;
		double most = cases[i].goal_calls + (pinned ? PINNED_STEP_CALLS : OWN_STEP_CALLS);
		double mean = cases[i].goal_calls + (pinned ? PINNED_MEAN_CALLS : 0);
		gboolean kept = calls.high <= most && calls.median <= mean;

		g_print("%sok %u %s (%g system calls at most, bound %g; %g on average, bound %g)\n",
			kept ? "" : "not ", i + 1, cases[i].id, calls.high, most, calls.median,
			mean);
		ok = ok && kept;
	}
	return ok;
}

static gpointer prepare_reference(gpointer data)
{
	return reference_new(PROFILES);
}

static void before_reference(gpointer reference)
{
	reference_observe(reference);
}

static void work_reference(gpointer reference)
{
	reference_step(reference);
}

static void finish_reference(gpointer reference)
{
	reference_free(reference);
}

static guint64 resident_kib(void)
{
	g_autofree char *status = NULL;
	const char *line;

	if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL) ||
	    !(line = strstr(status, "VmRSS:")))
		g_error("cannot read /proc/self/status");
	return g_ascii_strtoull(line + strlen("VmRSS:"), NULL, 10);
}

/* An hour of seconds: memory has to stay as it is. */
static void measure_growth(Figures *figures)
{
	Rig *rig = prepare_case((gpointer)&cases[0]);
	guint64 before = resident_kib();
	double grown;

	for (guint i = 0; i < FLAT_STEPS; i++) {
		rig_observe(rig, PROFILES);
		step(rig);
	}
	grown = (double)resident_kib() - (double)before;
	rig_free(rig);
	figures_add(figures, &(Figure){.id = "growth",
				       .what = "memory grown in 3,600 steps, all observed",
				       .unit = "KiB",
				       .value = {grown, grown, grown, 1},
				       .goal = 64});
}

void measure_steps(Figures *figures, const char *only)
{
	const CountedWork reference_work = {prepare_reference, before_reference, work_reference,
					    finish_reference};
	guint most;
	double reference_calls = (double)count_calls(&reference_work, NULL, 10, &most) / 10;
	gboolean reference_told = FALSE;
	Summary reference_us, few = {0};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		g_autofree char *calls_id = g_strconcat(c->id, "-calls", NULL);
		gboolean many = c->remembered == MANY;
		Summary us, calls;

		if (only && !g_str_has_prefix(c->id, only))
			continue;
		us = measure_case(c, &reference_us);
		calls = count_case(c);

		if (!reference_told) {
			reference_told = TRUE;
			figures_add(figures, &(Figure){.id = "reference",
						       .what = "the reference's way, 512 profiles",
						       .unit = "µs",
						       .value = reference_us});
			figures_add(figures, &(Figure){.id = "reference-calls",
						       .what = "",
						       .unit = "calls",
						       .value = {reference_calls, reference_calls,
								 most, 10}});
		}
		if (c->remembered == PROFILES && c->observed == FEW_OBSERVED)
			few = us;
		figures_add(figures,
			    &(Figure){.id = c->id,
				      .what = c->what,
				      .unit = "µs",
				      .value = us,
				      .against = many ? "step-few" : "reference",
				      .ratio = us.median / (many ? few : reference_us).median,
				      .goal = many		  ? 2
					      : c->goal_ratio > 0 ? c->goal_ratio
								  : c->goal_us,
				      .goal_is_ratio = many || c->goal_ratio > 0});
		figures_add(figures, &(Figure){.id = calls_id,
					       .what = "",
					       .unit = "calls",
					       .value = calls,
					       .goal = c->goal_calls});
		if (i == 0)
			measure_drain(figures, &reference_us);
	}
	if (!only)
		measure_growth(figures);
}
