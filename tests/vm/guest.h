/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the tests that run in the virtual machine share. */

#include "backends.h"

#include <sys/types.h>

#define GUEST_BATCH_NS (30 * 1000000ULL)
#define GUEST_MS 1000000LL

/* Sets up g_test and turns the log into messages. */
void guest_init(int *argc, char ***argv);

/* Seconds that a load lasts: seconds, or $PROCDB_VM_SECONDS in the long runs. */
guint guest_seconds(guint seconds);

gint64 guest_now_ns(void);
void guest_sleep_ms(guint ms);

/* The sched-ext backend, refreshed once and scheduling. */
ProcdbBackend *guest_schedule(void);
/* The same, with names that are always lat-critical. */
ProcdbBackend *guest_schedule_for(const char *const *compositors);

/* What the state of the backend is, after a refresh. */
const char *guest_state(ProcdbBackend *backend);
#define guest_assert_active(backend) g_assert_cmpstr(guest_state(backend), ==, "active")

void guest_predict(ProcdbBackend *backend, const char *name, guint8 tier);

/* Takes all that was observed until now. The number of entries for a name; the last in *seen. */
guint guest_observed(ProcdbBackend *backend, const char *name, struct procdb_class *seen);

/* The tier that the scheduler has a task in, from its task storage; -1 if it does not know it. */
int guest_tier(pid_t pid);

/* Forks; the child calls run(data), which may return, and ends. Dies with the test. */
pid_t guest_fork(void (*run)(gpointer data), gpointer data);

/* Forks and executes /tmp/NAME, made a link to vm-task; it does what action says. */
pid_t guest_exec(const char *name, const char *action);
/* Waits until the task sleeps. */
void guest_wait_asleep(pid_t pid);
/* Waits for the end of a child. */
void guest_reap(pid_t pid);
/* Ends a child; its CPU time in seconds. */
double guest_kill(pid_t pid);

/* This process, and what it forks, runs on one CPU only. */
void guest_pin(guint cpu);
/* Writes to a file, which must work. */
void guest_write(const char *path, const char *text);

/* Never returns. */
void guest_spin(gpointer unused);
