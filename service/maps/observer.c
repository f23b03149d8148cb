/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "observer.skel.h"
#include "pair.h"
#include "pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A failed start is tried again after this many refreshes, doubling up to the second. */
#define RETRY_FIRST 1
#define RETRY_LAST 64

/* Scores taken in one system call; their map holds four times as many. */
#define SCORES_BATCH 1024

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

typedef struct observer Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, observer__destroy)

typedef struct {
	ProcdbMaps base;
	ProcdbPair pair;
	Skeleton *skeleton; /* NULL while not observing */
	ProcdbPinsId pins;
	ProcdbObserverSettings settings; /* its compositors are ours */
	guint64 scores_taken; /* count of changes to the score map when it was last emptied */
	struct procdb_comm *score_keys; /* scratch for one batch */
	struct procdb_score *score_values;
	struct ring_buffer *requests; /* of the skeleton */
	GArray *taking;		      /* what on_request() appends to */
	gboolean watching;
	guint64 slices[PROCDB_TIERS];
	char *state;
	guint retry_in; /* refreshes until the next attempt */
	guint retry_pause;
	guint64 drained; /* of the entries that BPF counted */
	guint64 lost;
	gboolean leftovers; /* the observe map may hold entries that BPF has not counted */
} Observer;

static Observer *observer(ProcdbMaps *maps)
{
	return (Observer *)maps;
}

/* libbpf's own words, for those who debug: what an admin needs is in the state. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
    G_GNUC_PRINTF(2, 0);

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	g_autofree char *text = NULL;

	if (level == LIBBPF_DEBUG)
		return 0;
	text = g_strdup_vprintf(format, args);
	g_debug("libbpf: %s", g_strchomp(text));
	return 0;
}

static gboolean refuse(GError **error, int err, const char *what)
{
	if (err == EPERM || err == EACCES)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "%s: not permitted; the service needs CAP_BPF and CAP_PERFMON, or root",
			    what);
	else
		g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(err), "%s: %s", what,
			    g_strerror(err));
	return FALSE;
}

/* Lets the skeleton use the maps that a crashed service left, if they are as ours would be. */
static gboolean reuse_maps(Skeleton *skeleton)
{
	struct bpf_map *maps[] = {skeleton->maps.task_class_observe,
				  skeleton->maps.task_class_init};
	gboolean ok = TRUE;
	int fds[2];
	guint capacity;

	if (!procdb_pins_open(&fds[0], &fds[1], &capacity, NULL))
		return FALSE;
	for (int i = 0; i < 2; i++) {
		struct bpf_map_info info = {0};
		__u32 len = sizeof(info);

		ok = ok && bpf_obj_get_info_by_fd(fds[i], &info, &len) == 0 &&
		     info.max_entries == bpf_map__max_entries(maps[i]) &&
		     info.map_flags == bpf_map__map_flags(maps[i]);
	}
	ok = ok && bpf_map__reuse_fd(maps[0], fds[0]) == 0 &&
	     bpf_map__reuse_fd(maps[1], fds[1]) == 0;
	close(fds[0]);
	close(fds[1]);
	return ok;
}

static void fill_compositors(const Observer *self, Skeleton *skeleton)
{
	int fd = bpf_map__fd(skeleton->maps.compositors);
	const __u8 yes = 1;

	for (guint i = 0; self->settings.compositors[i]; i++) {
		struct procdb_comm comm = {0};
		size_t len = strlen(self->settings.compositors[i]);

		/* The kernel keeps 15 bytes of a name. */
		memcpy(comm.bytes, self->settings.compositors[i], MIN(len, PROCDB_COMM_LEN - 1));
		if (bpf_map_update_elem(fd, &comm, &yes, BPF_ANY))
			g_warning("Cannot list %s as a compositor: %s",
				  self->settings.compositors[i], g_strerror(errno));
	}
}

/* libbpf calls this for each event; context is the array that take_tasks() fills. */
static int on_request(void *context, void *event, size_t size)
{
	if (size >= sizeof(struct procdb_task_event))
		g_array_append_vals(*(GArray **)context, event, 1);
	return 0;
}

static void tell_wanted(const Observer *self)
{
	struct procdb_wanted *wanted = &self->skeleton->bss->wanted;

	for (guint i = 0; i < PROCDB_TIERS; i++)
		wanted->slice[i] = self->slices[i];
	/* Whoever waits has to come and look once, to arm it. */
	wanted->armed = 1;
	__atomic_store_n(&wanted->on, self->watching, __ATOMIC_RELEASE);
}

/* Loads, attaches and pins; on failure nothing is left. */
static gboolean start(Observer *self, GError **error)
{
	g_autoptr(Skeleton) skeleton = NULL;
	gboolean reused = FALSE;
	int observe_fd, init_fd;

	if (!procdb_pins_check_folder(error))
		return FALSE;
	if (access(KERNEL_BTF, R_OK)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "this kernel has no type information (" KERNEL_BTF
			    "); it needs CONFIG_DEBUG_INFO_BTF");
		return FALSE;
	}
	if (procdb_pins_owner() == PROCDB_PINS_FOREIGN) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			    "another program has pinned its maps in " PROCDB_PIN_DIR
			    "; use backend pinned or auto, or stop it and remove them");
		return FALSE;
	}

	libbpf_set_print(print_libbpf);
	skeleton = observer__open();
	if (!skeleton)
		return refuse(error, errno, "cannot open the BPF observer");
	skeleton->rodata->from_maturity = self->settings.from_maturity;
	skeleton->rodata->from_exit = self->settings.from_exit;
	skeleton->rodata->exit_min_ns = (guint64)self->settings.exit_min_us * 1000;
	skeleton->rodata->renew_ns =
	    (guint64)self->settings.renew_s * G_GUINT64_CONSTANT(1000000000);
	if (procdb_pins_owner() == PROCDB_PINS_OURS)
		reused = reuse_maps(skeleton);
	if (observer__load(skeleton))
		return refuse(error, errno, "cannot load the BPF observer");
	fill_compositors(self, skeleton);
	if (observer__attach(skeleton))
		return refuse(error, errno, "cannot attach the BPF observer to the scheduler");
	g_clear_pointer(&self->requests, ring_buffer__free);
	self->requests =
	    ring_buffer__new(bpf_map__fd(skeleton->maps.requests), on_request, &self->taking, NULL);
	if (!self->requests)
		return refuse(error, errno, "cannot map the ring buffer of the BPF observer");
	if (!reused && !procdb_pins_write(bpf_map__fd(skeleton->maps.task_class_observe),
					  bpf_map__fd(skeleton->maps.task_class_init), error))
		return FALSE;

	observe_fd = fcntl(bpf_map__fd(skeleton->maps.task_class_observe), F_DUPFD_CLOEXEC, 0);
	init_fd = fcntl(bpf_map__fd(skeleton->maps.task_class_init), F_DUPFD_CLOEXEC, 0);
	if (observe_fd < 0 || init_fd < 0)
		return refuse(error, errno, "cannot duplicate a file descriptor");
	procdb_pair_open(&self->pair, observe_fd, init_fd,
			 bpf_map__max_entries(skeleton->maps.task_class_init));
	self->skeleton = g_steal_pointer(&skeleton);
	tell_wanted(self);
	self->pins = procdb_pins_identify();
	self->drained = 0;
	self->leftovers = reused;
	return TRUE;
}

static void set_state(Observer *self, const GError *error)
{
	g_free(self->state);
	self->state = error ? g_strdup_printf("failed: %s", error->message) : g_strdup("active");
}

/* Somebody removed or replaced our pins. */
static void check_pins(Observer *self)
{
	g_autoptr(GError) error = NULL;

	if (!procdb_pins_moved(&self->pins))
		return;
	/* Another scheduler's pins are its own business; missing ones are put back. */
	if (procdb_pins_owner() == PROCDB_PINS_ABSENT) {
		if (!procdb_pins_write(self->pair.observe_fd, self->pair.init_fd, &error))
			g_warning("The pins of the maps are gone, and %s", error->message);
		self->pins = procdb_pins_identify();
	}
}

static gboolean observer_refresh(ProcdbMaps *maps)
{
	Observer *self = observer(maps);
	g_autoptr(GError) error = NULL;

	if (self->skeleton) {
		check_pins(self);
		return FALSE;
	}
	if (self->retry_in > 0) {
		self->retry_in--;
		return FALSE;
	}
	if (!start(self, &error)) {
		set_state(self, error);
		self->retry_pause = CLAMP(self->retry_pause * 2, RETRY_FIRST, RETRY_LAST);
		self->retry_in = self->retry_pause;
		return FALSE;
	}
	set_state(self, NULL);
	self->retry_pause = 0;
	return TRUE;
}

static gboolean observer_drain(ProcdbMaps *maps, GArray *seen, GError **error)
{
	Observer *self = observer(maps);
	guint before = seen->len;
	guint64 observed;
	gboolean ok;

	if (!self->skeleton)
		return TRUE;
	/* BPF counts an entry once it is in the map: same count, nothing to take, no system call.
	 */
	observed = __atomic_load_n(&self->skeleton->bss->observed, __ATOMIC_ACQUIRE);
	if (observed == self->drained + self->lost && !self->leftovers)
		return TRUE;
	ok = procdb_pair_drain(&self->pair, seen, error);
	if (!ok)
		return FALSE;
	if (self->leftovers) {
		/* What the last service left was not counted by these programs. */
		self->leftovers = FALSE;
		self->drained = __atomic_load_n(&self->skeleton->bss->observed, __ATOMIC_ACQUIRE);
		self->lost = 0;
		return TRUE;
	}
	self->drained += seen->len - before;
	/* All that was counted before is out; what did not come out gave way to newer ones. */
	if (observed > self->drained + self->lost)
		self->lost = observed - self->drained;
	return TRUE;
}

static gboolean observer_scores(ProcdbMaps *maps, GArray *scores, GError **error)
{
	Observer *self = observer(maps);
	__u32 cursor = 0;
	void *in = NULL;
	guint64 scored;
	int err = 0;

	if (!self->skeleton)
		return TRUE;
	scored = __atomic_load_n(&self->skeleton->bss->scored, __ATOMIC_ACQUIRE);
	if (scored == self->scores_taken)
		return TRUE;
	while (!err) {
		__u32 count = SCORES_BATCH;

		if (bpf_map_lookup_and_delete_batch(bpf_map__fd(self->skeleton->maps.scores), in,
						    &cursor, self->score_keys, self->score_values,
						    &count, NULL))
			err = errno;
		/* ENOENT is the end of the map; what came with it counts. */
		for (__u32 i = 0; (!err || err == ENOENT) && i < MIN(count, SCORES_BATCH); i++) {
			struct procdb_named_score score = {self->score_keys[i],
							   self->score_values[i]};

			g_array_append_val(scores, score);
		}
		in = &cursor;
	}
	if (err != ENOENT) {
		self->pair.errors++;
		return refuse(error, err, "cannot read how predictions fared");
	}
	self->scores_taken = scored;
	return TRUE;
}

static gboolean observer_publish(ProcdbMaps *maps, const struct procdb_comm *comms,
				 const struct procdb_class *classes, guint n, guint *done,
				 GError **error)
{
	return procdb_pair_publish(&observer(maps)->pair, comms, classes, n, done, error);
}

static gboolean observer_retract(ProcdbMaps *maps, const struct procdb_comm *comms, guint n,
				 GError **error)
{
	return procdb_pair_retract(&observer(maps)->pair, comms, n, error);
}

static gboolean observer_predictions(ProcdbMaps *maps, GArray *entries, GError **error)
{
	return procdb_pair_predictions(&observer(maps)->pair, entries, error);
}

static gboolean observer_lookup(ProcdbMaps *maps, const struct procdb_comm *comm,
				struct procdb_class *prediction)
{
	return procdb_pair_lookup(&observer(maps)->pair, comm, prediction);
}

static void observer_watch_tasks(ProcdbMaps *maps, const guint64 *slices)
{
	Observer *self = observer(maps);

	self->watching = slices != NULL;
	for (guint i = 0; slices && i < PROCDB_TIERS; i++)
		self->slices[i] = slices[i];
	if (self->skeleton)
		tell_wanted(self);
}

static int observer_tasks_fd(ProcdbMaps *maps)
{
	Observer *self = observer(maps);

	return self->skeleton && self->watching ? bpf_map__fd(self->skeleton->maps.requests) : -1;
}

static void observer_take_tasks(ProcdbMaps *maps, GArray *events, gboolean arm)
{
	Observer *self = observer(maps);

	if (!self->skeleton)
		return;
	self->taking = events;
	ring_buffer__consume(self->requests);
	if (arm) {
		__atomic_store_n(&self->skeleton->bss->wanted.armed, 1, __ATOMIC_SEQ_CST);
		/* What came in before BPF could see that it has to wake us. */
		ring_buffer__consume(self->requests);
	}
	self->taking = NULL;
}

static void observer_status(ProcdbMaps *maps, ProcdbMapsStatus *status)
{
	Observer *self = observer(maps);

	*status = (ProcdbMapsStatus){
	    .backend = "observer",
	    .state = self->state,
	    .errors = self->pair.errors,
	    .lost = self->lost,
	    .init_capacity = self->pair.init_capacity,
	};
	if (!self->skeleton)
		return;
	status->tasks_lost = __atomic_load_n(&self->skeleton->bss->requests_lost, __ATOMIC_RELAXED);
	status->lost += __atomic_load_n(&self->skeleton->bss->failed, __ATOMIC_RELAXED);
}

static void observer_close(ProcdbMaps *maps)
{
	Observer *self = observer(maps);

	g_clear_pointer(&self->requests, ring_buffer__free);
	if (self->skeleton) {
		observer__destroy(self->skeleton);
		procdb_pins_remove();
	}
	procdb_pair_clear(&self->pair);
	g_strfreev((GStrv)self->settings.compositors);
	g_free(self->score_keys);
	g_free(self->score_values);
	g_free(self->state);
	g_free(self);
}

const ProcdbPinsId *procdb_maps_observer_pins(ProcdbMaps *maps)
{
	return observer(maps)->skeleton ? &observer(maps)->pins : NULL;
}

ProcdbMaps *procdb_maps_observer_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbMapsOps ops = {
	    .refresh = observer_refresh,
	    .drain = observer_drain,
	    .scores = observer_scores,
	    .publish = observer_publish,
	    .retract = observer_retract,
	    .predictions = observer_predictions,
	    .lookup = observer_lookup,
	    .watch_tasks = observer_watch_tasks,
	    .tasks_fd = observer_tasks_fd,
	    .take_tasks = observer_take_tasks,
	    .status = observer_status,
	    .close = observer_close,
	};
	Observer *self = g_new0(Observer, 1);

	self->base.ops = &ops;
	self->settings = *settings;
	self->settings.compositors = (const char *const *)g_strdupv((GStrv)settings->compositors);
	self->score_keys = g_new(struct procdb_comm, SCORES_BATCH);
	self->score_values = g_new(struct procdb_score, SCORES_BATCH);
	self->state = g_strdup("waiting");
	procdb_pair_init(&self->pair);
	return &self->base;
}
