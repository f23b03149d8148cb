/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "column-table.h"

#include "delay-stats.h"
#include "identity.h"
#include "name.h"
#include "rows.h"
#include "task-rows.h"

static void get_name(const struct source *of, gsize offset, struct value *value)
{
	value->made = procdb_name_escape(&of->entry->comm);
}

static void get_tier(const struct source *of, gsize offset, struct value *value)
{
	value->s = procdb_tier_name(procdb_entry_tier(of->entry));
}

static void get_confidence(const struct source *of, gsize offset, struct value *value)
{
	value->d = procdb_profile_confidence(&of->entry->profile, of->rules);
}

static void get_confident(const struct source *of, gsize offset, struct value *value)
{
	value->u = procdb_profile_is_confident(&of->entry->profile, of->rules) ? 1 : 0;
}

static void get_origin(const struct source *of, gsize offset, struct value *value)
{
	value->s = procdb_profile_origin(of->entry);
}

static void get_predicted(const struct source *of, gsize offset, struct value *value)
{
	value->u = of->entry->published ? 1 : 0;
}

static void get_prediction_source(const struct source *of, gsize offset, struct value *value)
{
	value->s = procdb_prediction_source(of->view->engine, of->entry);
}

/* The hold in force; NULL for none. */
static const ProcdbHold *hold_of(const struct source *of)
{
	return of->entry->held ? procdb_holds_find(of->view->holds, &of->entry->comm) : NULL;
}

static void get_held(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbHold *hold = hold_of(of);

	value->s = hold ? procdb_tier_name(hold->tier) : "";
}

static void get_kind(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	value->s = procdb_view_identity(of->view, of->entry, &identity)
		       ? procdb_kind_name(identity.kind)
		       : "";
}

static void get_user(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	value->s = procdb_view_identity(of->view, of->entry, &identity)
		       ? procdb_user_class_name(procdb_user_class(identity.uid))
		       : "";
}

/* What is told of a program only to its user and root. */
static gboolean find_told(const struct source *of, ProcdbIdentity *identity)
{
	return procdb_view_identity(of->view, of->entry, identity) &&
	       procdb_user_may_know(of->view->uid, identity->uid);
}

static void get_program(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_text(identity.path, PROCDB_PATH_LEN);
}

static void get_unit(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_text(identity.unit, PROCDB_UNIT_LEN);
}

static void get_application(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	if (find_told(of, &identity))
		value->made = procdb_identity_application(&identity);
}

static void get_script(const struct source *of, gsize offset, struct value *value)
{
	value->s = procdb_view_scripts(of->view, of->entry)->first;
}

static void get_scripts(const struct source *of, gsize offset, struct value *value)
{
	value->u = procdb_view_scripts(of->view, of->entry)->number;
}

static void get_runs(const struct source *of, gsize offset, struct value *value)
{
	struct procdb_identity known;

	procdb_engine_identity(of->view->engine, of->entry, &known);
	value->t = known.runs;
}

static const ProcdbProgram *program_of(const struct source *of)
{
	return procdb_engine_program(of->view->engine, &of->entry->comm);
}

static void get_cpu(const struct source *of, gsize offset, struct value *value)
{
	struct procdb_identity known;

	procdb_engine_identity(of->view->engine, of->entry, &known);
	value->t = known.cpu;
}

static void get_cpu_share(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? program->cpu_share : -1;
}

static void get_wakeups(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? procdb_program_rate(program, program->wakeups) : -1;
}

static void get_switches(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbProgram *program = program_of(of);

	value->d = program ? procdb_program_rate(program, program->switches) : -1;
}

static void get_teachers(const struct source *of, gsize offset, struct value *value)
{
	value->s = procdb_teachers_name(of->entry->profile.teachers);
}

static void get_override(const struct source *of, gsize offset, struct value *value)
{
	const guint8 tier = of->entry->profile.override;

	value->s = tier == PROCDB_NO_OVERRIDE ? "" : procdb_tier_name((enum procdb_tier)tier);
}

static void get_override_source(const struct source *of, gsize offset, struct value *value)
{
	value->s = of->entry->profile.override == PROCDB_NO_OVERRIDE
		       ? ""
		       : procdb_override_source(of->view->engine, of->entry);
}

static void get_predicted_tier(const struct source *of, gsize offset, struct value *value)
{
	const char *source = procdb_prediction_source(of->view->engine, of->entry);

	value->s =
	    g_str_equal(source, "none") ? "" : procdb_tier_name(procdb_entry_tier(of->entry));
}

static void get_held_by(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbHold *hold = hold_of(of);

	value->s = hold ? hold->caller->name : "";
}

static void get_held_uid(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbHold *hold = hold_of(of);

	value->x = hold ? (gint64)hold->caller->uid : -1;
}

static void get_held_reason(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbHold *hold = hold_of(of);

	value->s = hold ? hold->reason : "";
}

static void get_uid(const struct source *of, gsize offset, struct value *value)
{
	ProcdbIdentity identity;

	value->x = find_told(of, &identity) ? (gint64)identity.uid : -1;
}

static void get_cpu_known(const struct source *of, gsize offset, struct value *value)
{
	struct procdb_identity known;

	value->u = procdb_engine_identity(of->view->engine, of->entry, &known) ? 1 : 0;
}

/* How long tasks waited for a CPU: the number of waits, or a percentile of them, of a side. */
#define WAITS(side, percent) (((side) << 8) | (percent))

static void get_waits(const struct source *of, gsize offset, struct value *value)
{
	const ProcdbProgram *program = program_of(of);
	const gsize side = offset >> 8, percent = offset & 0xff;

	if (program)
		value->t = percent == 0 ? procdb_octaves_count(program->waits[side])
					: procdb_octaves_percentile(program->waits[side],
								    (double)percent / 100);
}

#define ENTRY(member) NULL, G_STRUCT_OFFSET(struct procdb_entry, member)
#define PROFILE(member) ENTRY(profile.member)
#define VOTES(tier) PROFILE(tier_votes[tier])
#define WITHOUT(percent) get_waits, WAITS(PROCDB_DELAY_PLAIN, percent)
#define WITH(percent) get_waits, WAITS(PROCDB_DELAY_APPLIED, percent)
#define TEXT_OF_USERS (COLUMN_OF_TASKS | COLUMN_OF_USERS)

const struct column procdb_columns[] = {
    {"name", 's', 0, get_name},
    {"tier", 's', 0, get_tier},
    {"confidence", 'd', 0, get_confidence},
    {"confident", 'b', 0, get_confident},
    {"observations", 'u', 0, PROFILE(observations)},
    {"votes_batch", 'u', 0, VOTES(PROCDB_TIER_BATCH)},
    {"votes_interactive", 'u', 0, VOTES(PROCDB_TIER_INTERACTIVE)},
    {"votes_lat_critical", 'u', 0, VOTES(PROCDB_TIER_LAT_CRITICAL)},
    {"avg_runtime_ns", 't', 0, PROFILE(avg_runtime_ns)},
    {"runtime_dev_ns", 't', 0, PROFILE(runtime_dev_ns)},
    {"wakeup_freq", 't', 0, PROFILE(wakeup_freq)},
    {"csw_rate", 't', 0, PROFILE(csw_rate)},
    {"first_seen_us", 'x', 0, PROFILE(first_seen_us)},
    {"last_seen_us", 'x', 0, PROFILE(last_seen_us)},
    {"origin", 's', 0, get_origin},
    {"predicted", 'b', 0, get_predicted},
    {"taught_by", 's', 0, get_teachers},
    {"found", 't', 0, ENTRY(found)},
    {"missed", 't', 0, ENTRY(missed)},
    {"right", 't', 0, PROFILE(right)},
    {"wrong", 't', 0, PROFILE(wrong)},
    {"withdrawals", 'u', 0, PROFILE(withdrawals)},
    {"override", 's', 0, get_override},
    {"override_source", 's', 0, get_override_source},
    {"prediction_source", 's', 0, get_prediction_source},
    {"predicted_tier", 's', 0, get_predicted_tier},
    {"held", 's', 0, get_held},
    {"held_by", 's', 0, get_held_by},
    {"held_uid", 'x', 0, get_held_uid},
    {"held_reason", 's', 0, get_held_reason},
    {"kind", 's', COLUMN_OF_TASKS, get_kind},
    {"user", 's', COLUMN_OF_TASKS, get_user},
    {"uid", 'x', COLUMN_OF_TASKS, get_uid},
    {"program", 's', TEXT_OF_USERS, get_program},
    {"unit", 's', TEXT_OF_USERS, get_unit},
    {"application", 's', TEXT_OF_USERS, get_application},
    {"script", 's', TEXT_OF_USERS | COLUMN_OF_SCRIPTS, get_script},
    {"scripts", 'u', COLUMN_OF_TASKS | COLUMN_OF_SCRIPTS, get_scripts},
    {"pids", PROCDB_COLUMN_PIDS, COLUMN_OF_TASKS, NULL},
    {"runs", 't', 0, get_runs},
    {"cpu_ns", 't', 0, get_cpu},
    {"cpu_known", 'b', 0, get_cpu_known},
    {"cpu_share", 'd', 0, get_cpu_share},
    {"wakeups_per_second", 'd', 0, get_wakeups},
    {"switches_per_second", 'd', 0, get_switches},
    {"waits_without", 't', 0, WITHOUT(0)},
    {"wait_p50_without", 't', 0, WITHOUT(50)},
    {"wait_p90_without", 't', 0, WITHOUT(90)},
    {"wait_p99_without", 't', 0, WITHOUT(99)},
    {"waits_with", 't', 0, WITH(0)},
    {"wait_p50_with", 't', 0, WITH(50)},
    {"wait_p90_with", 't', 0, WITH(90)},
    {"wait_p99_with", 't', 0, WITH(99)},
};
_Static_assert(G_N_ELEMENTS(procdb_columns) < 64,
	       "a bit of ProcdbColumns for each, and one for packed");
const guint procdb_columns_count = G_N_ELEMENTS(procdb_columns);
