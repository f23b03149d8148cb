/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "task-ledger.h"

#include "ledger.skel.h"
#include "libbpf-log.h"
#include "pins.h"
#include "survey-private.h"
#include "survey.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* include/linux/proc_ns.h: the inode number of the pid namespace that the kernel began with. */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU
#define CALLS_END_US 4000

typedef struct ledger Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, ledger__destroy)

struct _ProcdbLedger {
	Skeleton *skeleton; /* NULL when there is no record */
	struct procdb_guard *guard;
	int placeholder;    /* without a record: the map whose pin keeps the directory; -1: none */
	gboolean recovered; /* the record of an earlier service was read: its pin may be replaced */
	gboolean pinned;
	guint32 id;	/* of the program procdb_inherit, by which services compare their age */
	gboolean first; /* no older service runs; the pin is ours */
	ProcdbSurvey *services; /* to look for it each second; NULL while first */
	char *refusal;
};

static void refuse(ProcdbLedger *ledger, const char *reason)
{
	g_free(ledger->refusal);
	ledger->refusal = g_strdup(reason);
}

/* BPF sees pids of the initial namespace, system calls take those of ours: they must be the same.
 */
static gboolean in_initial_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == INITIAL_PID_NAMESPACE;
}

/* What the kernel lets BPF watch of the changes of others (struct procdb_guard), best first. */
enum watch { WATCH_FUNCTIONS, WATCH_QUEUES, WATCH_SWITCHES, WATCHES };

static Skeleton *load(enum watch watch)
{
	g_autoptr(Skeleton) skeleton = ledger__open();

	if (!skeleton)
		return NULL;
	bpf_program__set_autoload(skeleton->progs.procdb_nice, watch == WATCH_FUNCTIONS);
	bpf_program__set_autoload(skeleton->progs.procdb_setscheduler, watch == WATCH_FUNCTIONS);
	bpf_program__set_autoload(skeleton->progs.procdb_setscheduler_ends,
				  watch == WATCH_FUNCTIONS);
	bpf_program__set_autoload(skeleton->progs.procdb_queue, watch == WATCH_QUEUES);
	bpf_program__set_autoattach(skeleton->progs.procdb_list, false);
	if (ledger__load(skeleton) || ledger__attach(skeleton))
		return NULL;
	return g_steal_pointer(&skeleton);
}

static guint32 program_id(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) ? 0 : info.id;
}

/* Of two services the older one sets tasks: its record has them, ours has not. */
static void check_for_older_service(ProcdbLedger *ledger)
{
	g_autofree char *reason = NULL;
	guint32 oldest;

	if (!ledger->services)
		ledger->services = procdb_survey_new_of_services();
	oldest = procdb_survey_oldest_service(ledger->services);
	ledger->first = oldest == 0 || oldest >= ledger->id;
	if (ledger->first)
		g_clear_pointer(&ledger->services, procdb_survey_free);
	if (!ledger->first)
		reason = g_strdup_printf(
		    "another service of this kind runs on this kernel, perhaps in a "
		    "container (its BPF program has the id %u); this one observes "
		    "until that one ends",
		    oldest);
	refuse(ledger, reason);
}

static void make_placeholder(ProcdbLedger *ledger)
{
	ledger->placeholder = bpf_map_create(BPF_MAP_TYPE_ARRAY, "procdb_here", sizeof(guint32),
					     sizeof(guint32), 1, NULL);
}

ProcdbLedger *procdb_ledger_new(void)
{
	ProcdbLedger *ledger = g_new0(ProcdbLedger, 1);
	int fd;

	ledger->placeholder = -1;
	procdb_libbpf_log_to_debug();
	if (!in_initial_namespace()) {
		refuse(ledger,
		       "it runs in a pid namespace of its own, as in a container, where the "
		       "ids of tasks are not those of the kernel");
		make_placeholder(ledger);
		return ledger;
	}
	for (enum watch watch = 0; watch < WATCHES && !ledger->skeleton; watch++)
		ledger->skeleton = load(watch);
	if (!ledger->skeleton) {
		g_autofree char *reason = g_strdup_printf(
		    "the kernel keeps no record of what is given to tasks (%s)", g_strerror(errno));

		refuse(ledger, reason);
		make_placeholder(ledger);
		return ledger;
	}
	fd = bpf_map__fd(ledger->skeleton->maps.procdb_guards);
	ledger->guard =
	    mmap(NULL, sizeof(*ledger->guard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ledger->guard == MAP_FAILED)
		ledger->guard = NULL;
	else
		ledger->guard->service = (guint32)getpid();
	ledger->id = program_id(ledger->skeleton->progs.procdb_inherit);
	check_for_older_service(ledger);
	return ledger;
}

/* The map that is pinned as the record; -1: there is none. */
static int record_fd(const ProcdbLedger *ledger)
{
	return ledger->skeleton ? bpf_map__fd(ledger->skeleton->maps.procdb_given)
				: ledger->placeholder;
}

void procdb_ledger_free(ProcdbLedger *ledger)
{
	if (!ledger)
		return;
	if (ledger->guard)
		munmap(ledger->guard, sizeof(*ledger->guard));
	if (ledger->pinned)
		procdb_pins_remove_record(record_fd(ledger));
	if (ledger->placeholder >= 0)
		close(ledger->placeholder);
	g_clear_pointer(&ledger->services, procdb_survey_free);
	g_clear_pointer(&ledger->skeleton, ledger__destroy);
	g_free(ledger->refusal);
	g_free(ledger);
}

const char *procdb_ledger_refusal(const ProcdbLedger *ledger)
{
	return ledger->refusal;
}

gboolean procdb_ledger_is_second(const ProcdbLedger *ledger)
{
	return ledger->skeleton && !ledger->first;
}

gboolean procdb_ledger_refresh(ProcdbLedger *ledger)
{
	gboolean first = ledger->first;
	const int fd = record_fd(ledger);

	if (ledger->skeleton && !first)
		check_for_older_service(ledger);
	/* A record that cannot be pinned works, but ends with this service. */
	if (fd >= 0 && (ledger->recovered || !ledger->skeleton))
		ledger->pinned =
		    procdb_pins_ensure_record(fd, ledger->pinned, ledger->skeleton != NULL);
	return first != ledger->first;
}

void procdb_ledger_share(const ProcdbLedger *ledger, struct bpf_map *given, struct bpf_map *guards)
{
	if (!ledger || !ledger->skeleton)
		return;
	/* A failure is harmless: the object has a record of its own then, which stays empty. */
	(void)bpf_map__reuse_fd(given, bpf_map__fd(ledger->skeleton->maps.procdb_given));
	(void)bpf_map__reuse_fd(guards, bpf_map__fd(ledger->skeleton->maps.procdb_guards));
}

gboolean procdb_ledger_read(ProcdbLedger *ledger, int pidfd, struct procdb_given *given)
{
	memset(given, 0, sizeof(*given));
	if (!ledger->skeleton ||
	    bpf_map_lookup_elem(bpf_map__fd(ledger->skeleton->maps.procdb_given), &pidfd, given) ==
		0)
		return ledger->skeleton != NULL;
	memset(given, 0, sizeof(*given));
	return FALSE;
}

gboolean procdb_ledger_write(ProcdbLedger *ledger, int pidfd, const struct procdb_given *given)
{
	return ledger->skeleton &&
	       bpf_map_update_elem(bpf_map__fd(ledger->skeleton->maps.procdb_given), &pidfd, given,
				   BPF_ANY) == 0;
}

static gboolean append_tasks(GByteArray *found, GArray *tasks)
{
	if (!found)
		return FALSE;
	g_array_append_vals(tasks, found->data,
			    (guint)(found->len / sizeof(struct procdb_given_task)));
	g_byte_array_unref(found);
	return TRUE;
}

/* with_hints: also what only looks like ours. */
static gboolean list(const Skeleton *skeleton, gboolean with_hints, GArray *tasks)
{
	skeleton->bss->with_hints = with_hints;
	return append_tasks(procdb_survey_read(skeleton->progs.procdb_list), tasks);
}

gboolean procdb_ledger_list_given(ProcdbLedger *ledger, GArray *tasks)
{
	return ledger->skeleton &&
	       list(ledger->skeleton, ledger->skeleton->bss->unrecorded > 0, tasks);
}

void procdb_ledger_list_leftovers(ProcdbLedger *ledger, GArray *tasks)
{
	g_autoptr(Skeleton) skeleton = NULL;
	int fd;

	if (!ledger->skeleton || !ledger->first)
		return;
	ledger->recovered = TRUE;
	fd = procdb_pins_open_record(sizeof(struct procdb_given));
	/*
	 * Without a record of the service before, which was perhaps of another version, or whose
	 * pin is gone, only the mark of a slice tells.
	 */
	if (fd < 0) {
		(void)list(ledger->skeleton, TRUE, tasks);
		return;
	}
	skeleton = ledger__open();
	if (skeleton) {
		struct bpf_program *program = NULL;

		while ((program = bpf_object__next_program(skeleton->obj, program)))
			bpf_program__set_autoload(program, program == skeleton->progs.procdb_list);
		if (bpf_map__reuse_fd(skeleton->maps.procdb_given, fd) == 0 &&
		    ledger__load(skeleton) == 0)
			(void)list(skeleton, TRUE, tasks);
	}
	close(fd);
}

void procdb_ledger_guard_task(ProcdbLedger *ledger, guint pid)
{
	struct procdb_guard *guard = ledger ? ledger->guard : NULL;

	if (!guard)
		return;
	guard->expected = 0;
	guard->changes = 0;
	guard->entered = 0;
	guard->left = 0;
	__atomic_store_n(&guard->pid, pid, __ATOMIC_SEQ_CST);
}

void procdb_ledger_expect_values(ProcdbLedger *ledger, const gint32 nice[2],
				 const guint64 slice_ns[2])
{
	struct procdb_guard *guard = ledger ? ledger->guard : NULL;

	if (!guard)
		return;
	guard->set = PROCDB_GUARD_NICE(nice[1]);
	guard->slice[0] = slice_ns[0];
	guard->slice[1] = slice_ns[1];
	__atomic_store_n(&guard->expected, PROCDB_GUARD_NICE(nice[0]), __ATOMIC_SEQ_CST);
}

/*
 * Waits for calls that are under way: whether they count is known when they end, some µs later. Of
 * one that takes longer another program is to blame, which must not hold the service up.
 */
static void wait_for_calls(const struct procdb_guard *guard)
{
	const guint32 entered = __atomic_load_n(&guard->entered, __ATOMIC_SEQ_CST);
	const gint64 until = g_get_monotonic_time() + CALLS_END_US;

	while ((gint32)(entered - __atomic_load_n(&guard->left, __ATOMIC_SEQ_CST)) > 0 &&
	       g_get_monotonic_time() < until)
		sched_yield();
}

guint procdb_ledger_count_changes(ProcdbLedger *ledger, struct procdb_guard *last)
{
	struct procdb_guard *guard = ledger ? ledger->guard : NULL;
	guint changes;

	if (!guard)
		return 0;
	wait_for_calls(guard);
	changes = __atomic_load_n(&guard->changes, __ATOMIC_SEQ_CST);
	*last = *guard;
	return changes;
}
