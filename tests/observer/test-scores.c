/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * An execution under a name that has a score throws out no score of another: the map is an LRU
 * hash, where an update takes room before it looks whether it needs any
 * (findings/lru-update-evicts-others.sh).
 */

#include "events.h"
#include "observing.h"
#include "procdb-abi.h"

#include "observer.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 4096
/* Other programs that start meanwhile take room, so that a round may tell nothing. */
#define ROUNDS 100

typedef struct {
	struct observer *observer; /* of which only the program that sees executions runs */
	int scores;
	guint names; /* made up so far */
} Fixture;

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	g_assert_no_errno(sched_setaffinity(0, sizeof(set), &set));
}

static struct procdb_comm comm_of(const char *name)
{
	struct procdb_comm comm = {0};

	memcpy(comm.bytes, name, MIN(strlen(name), sizeof(comm.bytes) - 1));
	return comm;
}

static void add(Fixture *f, const char *name)
{
	const struct procdb_comm comm = comm_of(name);
	const struct procdb_score none = {0};

	g_assert_no_errno(bpf_map_update_elem(f->scores, &comm, &none, BPF_ANY));
}

static void add_another(Fixture *f)
{
	g_autofree char *name = g_strdup_printf("name-%u", f->names++);

	add(f, name);
}

static guint count(Fixture *f)
{
	g_autofree struct procdb_comm *keys = g_new(struct procdb_comm, ENTRIES);
	g_autofree struct procdb_score *values = g_new(struct procdb_score, ENTRIES);
	guint total = 0;
	__u32 cursor = 0;
	void *in = NULL;
	int err = 0;

	while (!err) {
		__u32 n = ENTRIES;

		if (bpf_map_lookup_batch(f->scores, in, &cursor, keys, values, &n, NULL))
			err = errno;
		total += n;
		in = &cursor;
	}
	g_assert_cmpint(err, ==, ENOENT);
	return total;
}

/*
 * Leaves this CPU room for one. It has nothing in reserve when an update throws others out, and
 * then as much as is missing afterwards.
 */
static void leave_one(Fixture *f)
{
	guint before, now = count(f), left = 0;

	for (guint added = 0; added < ENTRIES && left == 0; added++) {
		before = now;
		add_another(f);
		now = count(f);
		left = now < before ? before - now : 0;
	}
	for (; left > 1; left--)
		add_another(f);
}

/* Starts a program that goes by this name, on the CPU where this one is. */
static void execute(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	pid_t child;
	int status;

	g_assert_no_errno(symlink("/bin/true", path));
	child = fork();
	g_assert_no_errno(child);
	if (child == 0) {
		execl(path, "true", NULL);
		_exit(127);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	g_assert_no_errno(unlink(path));
}

static void start(Fixture *f)
{
	struct bpf_program *program = NULL;

	f->observer = observer__open();
	if (!f->observer)
		g_error("The object of the observer cannot be opened");
	while ((program = bpf_object__next_program(f->observer->obj, program)))
		bpf_program__set_autoload(program, program == f->observer->progs.on_exec);
	g_assert_no_errno(observer__load(f->observer));
	g_assert_no_errno(observer__attach(f->observer));
	f->scores = bpf_map__fd(f->observer->maps.scores);
	g_assert_cmpuint(bpf_map__max_entries(f->observer->maps.scores), ==, ENTRIES);
	for (guint i = 0; i < ENTRIES; i++)
		add_another(f);
}

/* Whether an execution of a name in a full map lost a score; -1: the map was not full. */
static int round_loses(Fixture *f, const char *directory, const cpu_set_t *allowed, guint number)
{
	g_autofree char *known = g_strdup_printf("known-%u", number);
	const struct procdb_comm comm = comm_of(known);
	struct procdb_score score = {0};
	guint before, after, cpus = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed)) {
			if (cpus++ > 0)
				add_another(f);
			stay_on(cpu);
			leave_one(f);
		}
	add(f, known);
	before = count(f);
	execute(directory, known);
	after = count(f);
	if (before < ENTRIES)
		return -1;
	if (after < before)
		return 1;
	g_assert_no_errno(bpf_map_lookup_elem(f->scores, &comm, &score));
	g_assert_cmpuint(score.missed, ==, 1);
	return 0;
}

static void test_a_known_name_takes_no_room(void)
{
	g_autofree char *directory = NULL;
	guint full = 0, lost = 0;
	cpu_set_t allowed;
	Fixture f = {0};

	if (geteuid() != 0) {
		g_test_skip("loading BPF needs root");
		return;
	}
	directory = g_dir_make_tmp("procdb-scores-XXXXXX", NULL);
	g_assert_nonnull(directory);
	g_assert_no_errno(sched_getaffinity(0, sizeof(allowed), &allowed));
	start(&f);
	for (guint number = 0; number < ROUNDS && full == lost; number++) {
		const int loses = round_loses(&f, directory, &allowed, number);

		full += loses >= 0;
		lost += loses > 0;
	}
	observer__destroy(f.observer);
	g_assert_no_errno(g_rmdir(directory));
	g_test_message("scores were lost in %u of %u executions", lost, full);
	if (full == 0)
		g_test_skip("other programs started all the time");
	else
		g_assert_cmpuint(lost, <, full);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/scores/a-known-name-takes-no-room", test_a_known_name_takes_no_room);
	return g_test_run();
}
