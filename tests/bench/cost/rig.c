/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rig.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends.h"
#include "observer.skel.h"

/* As large as the observer's, so that every way is measured on the same maps. */
#define OBSERVE_ENTRIES 4096
#define INIT_ENTRIES 32768
#define OBSERVER_BSS "observer.bss"

/* Its type has no name outside the skeleton. */
typedef __typeof__(*((struct observer *)NULL)->bss) ObserverCounters;

struct _Rig {
	ProcdbEngine *engine;
	int observe_fd;
	int stranger[2];	    /* what holds the pinned maps, as a scheduler that runs; -1 */
	ObserverCounters *counters; /* the observer's, mapped; NULL on other backends */
	struct procdb_comm *comms;
	struct procdb_class *classes;
	guint round;
};

struct _Reference {
	int observe_fd;
	int init_fd;
	guint n;
	struct procdb_comm *comms;
	struct procdb_class *classes;
	struct procdb_comm *keys;
	struct procdb_class *taken;
	guint round;
};

static void require(gboolean ok, const char *what)
{
	if (ok)
		return;
	g_printerr("bench-cost: %s: %s\n", what, g_strerror(errno));
	exit(EXIT_FAILURE);
}

static struct procdb_comm name_of(guint i)
{
	struct procdb_comm comm = {0};

	g_snprintf((char *)comm.bytes, sizeof(comm.bytes), "task-%u", i);
	return comm;
}

/* Runs that differ from round to round and stay regular enough to be confident. */
static struct procdb_class class_of(guint i, guint round)
{
	return (struct procdb_class){
	    .tier = (guint8)(i % PROCDB_TIERS),
	    .avg_runtime = 1000000 + 1000 * (guint64)i + 64 * round,
	    .runtime_dev = 100000,
	    .wakeup_freq = 20,
	    .csw_rate = 30,
	};
}

GArray *confident_records(guint n)
{
	GArray *records = g_array_sized_new(FALSE, TRUE, sizeof(struct procdb_record), n);

	for (guint i = 0; i < n; i++) {
		struct procdb_record record = {.comm = name_of(i)};
		struct procdb_class seen = class_of(i, 0);

		procdb_profile_init(&record.profile);
		for (guint k = 0; k < 5; k++)
			procdb_profile_learn(&record.profile, &seen, 0);
		record.profile.first_seen_us = record.profile.last_seen_us = g_get_real_time();
		g_array_append_val(records, record);
	}
	return records;
}

static int make_map(enum bpf_map_type type, const char *name, guint entries)
{
	/* The hash as the observer has it: only the service writes it. */
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0);
	int fd = bpf_map_create(type, name, sizeof(struct procdb_comm), sizeof(struct procdb_class),
				entries, &options);

	require(fd >= 0, "cannot create a BPF map");
	return fd;
}

static void pin_stranger(int held[2])
{
	int observe = make_map(BPF_MAP_TYPE_LRU_HASH, "bench_observe", OBSERVE_ENTRIES);
	int init = make_map(BPF_MAP_TYPE_HASH, "bench_init", INIT_ENTRIES);

	require(mkdir(PROCDB_PIN_DIR, 0700) == 0, PROCDB_PIN_DIR);
	require(bpf_obj_pin(observe, PROCDB_PIN_OBSERVE) == 0, PROCDB_PIN_OBSERVE);
	require(bpf_obj_pin(init, PROCDB_PIN_INIT) == 0, PROCDB_PIN_INIT);
	held[0] = observe;
	held[1] = init;
}

/* The counters of the observer in this process. */
static ObserverCounters *map_counters(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct bpf_map_info info = {0};
		__u32 len = sizeof(info);
		void *bss;

		if (bpf_obj_get_info_by_fd(fd, &info, &len) || strcmp(info.name, OBSERVER_BSS) != 0)
			continue;
		bss =
		    mmap(NULL, sizeof(ObserverCounters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		require(bss != MAP_FAILED, "cannot map the observer's counters");
		return bss;
	}
	errno = ENOENT;
	require(FALSE, "the observer's counters");
	return NULL;
}

static ProcdbBackend *open_maps(RigBackend backend, int held[2])
{
	const ProcdbObserverSettings silent = {0};

	if (backend == RIG_PINNED)
		pin_stranger(held);
	return procdb_backend_auto_new(&silent);
}

Rig *rig_new(RigBackend backend, guint remembered)
{
	ProcdbEngineSettings settings = procdb_engine_default_settings;
	g_autoptr(GArray) records = confident_records(remembered);
	ProcdbEngineStatus status;
	Rig *rig = g_new0(Rig, 1);

	rig->stranger[0] = rig->stranger[1] = -1;
	settings.max_retained = MAX(settings.max_retained, remembered);
	settings.save_interval_s = 0;
	rig->engine = procdb_engine_new(&settings, procdb_store_new("/nonexistent/procdb.bin"),
					open_maps(backend, rig->stranger));
	procdb_engine_replace(rig->engine, records);
	procdb_engine_step(rig->engine);
	procdb_engine_status(rig->engine, &status);
	if (!g_str_equal(status.backend.state, "active")) {
		g_printerr("bench-cost: %s is %s\n", status.backend.backend, status.backend.state);
		exit(EXIT_FAILURE);
	}
	if (backend == RIG_OBSERVER)
		rig->counters = map_counters();
	rig->observe_fd = bpf_obj_get(PROCDB_PIN_OBSERVE);
	require(rig->observe_fd >= 0, PROCDB_PIN_OBSERVE);
	rig->comms = g_new(struct procdb_comm, remembered);
	rig->classes = g_new(struct procdb_class, remembered);
	for (guint i = 0; i < remembered; i++)
		rig->comms[i] = name_of(i);
	return rig;
}

void rig_free(Rig *rig)
{
	procdb_engine_free(rig->engine);
	close(rig->observe_fd);
	for (guint i = 0; i < 2; i++)
		if (rig->stranger[i] >= 0)
			close(rig->stranger[i]);
	if (rig->counters)
		munmap(rig->counters, sizeof(*rig->counters));
	/* Those of the observer are gone by now. */
	unlink(PROCDB_PIN_OBSERVE);
	unlink(PROCDB_PIN_INIT);
	rmdir(PROCDB_PIN_DIR);
	g_free(rig->comms);
	g_free(rig->classes);
	g_free(rig);
}

ProcdbEngine *rig_engine(Rig *rig)
{
	return rig->engine;
}

/* What BPF does between two steps. */
static void observe(int fd, const struct procdb_comm *comms, struct procdb_class *classes, guint n,
		    guint round)
{
	__u32 count = n;

	for (guint i = 0; i < n; i++)
		classes[i] = class_of(i, round);
	require(bpf_map_update_batch(fd, comms, classes, &count, NULL) == 0,
		"cannot write observations");
}

void rig_observe(Rig *rig, guint n)
{
	observe(rig->observe_fd, rig->comms, rig->classes, n, ++rig->round);
	if (rig->counters)
		__atomic_fetch_add(&rig->counters->observed, n, __ATOMIC_RELEASE);
}

Reference *reference_new(guint profiles)
{
	Reference *reference = g_new0(Reference, 1);

	reference->observe_fd = make_map(BPF_MAP_TYPE_LRU_HASH, "ref_observe", OBSERVE_ENTRIES);
	reference->init_fd = make_map(BPF_MAP_TYPE_HASH, "ref_init", INIT_ENTRIES);
	reference->n = profiles;
	reference->comms = g_new(struct procdb_comm, profiles);
	reference->classes = g_new(struct procdb_class, profiles);
	reference->keys = g_new(struct procdb_comm, profiles);
	reference->taken = g_new(struct procdb_class, profiles);
	for (guint i = 0; i < profiles; i++)
		reference->comms[i] = name_of(i);
	return reference;
}

void reference_free(Reference *reference)
{
	close(reference->observe_fd);
	close(reference->init_fd);
	g_free(reference->comms);
	g_free(reference->classes);
	g_free(reference->keys);
	g_free(reference->taken);
	g_free(reference);
}

void reference_observe(Reference *reference)
{
	observe(reference->observe_fd, reference->comms, reference->classes, reference->n,
		++reference->round);
}

void reference_step(Reference *reference)
{
	struct procdb_comm *previous = NULL;
	guint n = 0;

	while (n < reference->n &&
	       bpf_map_get_next_key(reference->observe_fd, previous, &reference->keys[n]) == 0)
		previous = &reference->keys[n++];
	for (guint i = 0; i < n; i++) {
		struct procdb_class seen;

		if (bpf_map_lookup_elem(reference->observe_fd, &reference->keys[i], &seen) == 0)
			bpf_map_delete_elem(reference->observe_fd, &reference->keys[i]);
	}
	for (guint i = 0; i < reference->n; i++)
		bpf_map_update_elem(reference->init_fd, &reference->comms[i],
				    &reference->classes[i], BPF_ANY);
}

void reference_drain(Reference *reference)
{
	__u32 next, n = reference->n;
	int err = bpf_map_lookup_and_delete_batch(reference->observe_fd, NULL, &next,
						  reference->keys, reference->taken, &n, NULL);

	/* -ENOENT: that was all. */
	require((err == 0 || err == -ENOENT) && n == reference->n, "a drain in one call");
}
