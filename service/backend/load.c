/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "load.h"

#include "libbpf-log.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* Scores taken in one system call; their map holds four times as many. */
#define SCORES_BATCH 1024

gboolean procdb_load_refuse(GError **error, int err, const char *what)
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

gboolean procdb_load_ready(const ProcdbLedger *ledger, GError **error)
{
	g_autoptr(ProcdbSurvey) survey = NULL;

	if (!procdb_pins_check_directory(error))
		return FALSE;
	if (access(KERNEL_BTF, R_OK)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "this kernel has no type information (" KERNEL_BTF
			    "); it needs CONFIG_DEBUG_INFO_BTF");
		return FALSE;
	}
	if (procdb_pins_owner() == PROCDB_PINS_FOREIGN && !procdb_pins_are_abandoned(&survey, 0)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			    "another program has pinned its maps in " PROCDB_PIN_DIR
			    "; use backend pinned or auto, or stop it and remove them");
		return FALSE;
	}
	/* What looks like the leftovers of a crash is that one's. */
	if (ledger && procdb_ledger_is_second(ledger) && procdb_pins_owner() == PROCDB_PINS_OURS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			    "another service of this kind has pinned its maps in " PROCDB_PIN_DIR
			    "; stop one of the two");
		return FALSE;
	}
	procdb_libbpf_quiet();
	return TRUE;
}

gboolean procdb_load_reuse(struct bpf_map *observe, struct bpf_map *init)
{
	struct bpf_map *maps[] = {observe, init};
	gboolean ok = TRUE;
	int fds[2];
	guint capacity;

	if (procdb_pins_owner() != PROCDB_PINS_OURS ||
	    !procdb_pins_open(&fds[0], &fds[1], &capacity, NULL))
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

guint32 procdb_load_online_cpus(void)
{
	return (guint32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

void procdb_load_compositors(struct bpf_map *map, const char *const *names)
{
	const __u8 yes = 1;

	for (guint i = 0; names && names[i]; i++) {
		struct procdb_comm comm = {0};
		size_t len = strlen(names[i]);

		/* The kernel keeps 15 bytes of a name. */
		memcpy(comm.bytes, names[i], MIN(len, PROCDB_COMM_LEN - 1));
		if (bpf_map_update_elem(bpf_map__fd(map), &comm, &yes, BPF_ANY))
			g_warning("Cannot list %s as a compositor: %s", names[i],
				  g_strerror(errno));
	}
}

gboolean procdb_load_open(ProcdbBpfMaps *maps, struct bpf_map *observe, struct bpf_map *init,
			  gboolean reused, GError **error)
{
	gboolean wanted = !reused && procdb_pins_owner() != PROCDB_PINS_FOREIGN;
	int observe_fd, init_fd;

	observe_fd = fcntl(bpf_map__fd(observe), F_DUPFD_CLOEXEC, 0);
	if (observe_fd < 0)
		return procdb_load_refuse(error, errno, "cannot duplicate a file descriptor");
	init_fd = fcntl(bpf_map__fd(init), F_DUPFD_CLOEXEC, 0);
	if (init_fd < 0)
		procdb_load_refuse(error, errno, "cannot duplicate a file descriptor");
	/* The pins last: they would outlive a failure. */
	if (init_fd < 0 || (wanted && !procdb_pins_write(observe_fd, init_fd, error))) {
		if (init_fd >= 0)
			close(init_fd);
		close(observe_fd);
		return FALSE;
	}
	procdb_bpf_maps_open(maps, observe_fd, init_fd, bpf_map__max_entries(init));
	return TRUE;
}

void procdb_load_set_active(ProcdbBackendState *state)
{
	g_autoptr(ProcdbSurvey) survey = NULL;

	procdb_backend_state_set(
	    state, "active", procdb_pins_are_abandoned(&survey, 0) ? PROCDB_PINS_ABANDONED : NULL,
	    NULL);
}

gboolean procdb_load_check_pins(const ProcdbBpfMaps *maps, ProcdbPinsId *pins)
{
	g_autoptr(GError) error = NULL;
	gboolean moved = procdb_pins_moved(pins);

	if (!moved && procdb_pins_present(pins))
		return FALSE;
	/* Another scheduler's pins are its own business; missing ones are put back. */
	if (procdb_pins_owner() == PROCDB_PINS_ABSENT) {
		/* Again and again, but one word is enough. */
		if (!procdb_pins_write(maps->observe_fd, maps->init_fd, &error) && moved)
			g_warning(
			    "The pins of the maps are gone, and %s; trying again every second",
			    error->message);
		*pins = procdb_pins_identify();
	}
	return moved;
}

gboolean procdb_load_drain(ProcdbBpfMaps *maps, ProcdbDrainCount *count, const __u64 *observed,
			   GArray *seen, GError **error)
{
	guint before = seen->len;
	/* BPF counts an entry once it is in the map: the same count, nothing to take. */
	guint64 added = __atomic_load_n(observed, __ATOMIC_ACQUIRE);

	if (added == count->drained + count->lost && !count->leftovers)
		return TRUE;
	if (!procdb_bpf_maps_drain(maps, seen, error)) {
		/* What came out before it failed is not lost. */
		if (!count->leftovers)
			count->drained += seen->len - before;
		return FALSE;
	}
	if (count->leftovers) {
		/* What the last service left was not counted by these programs. */
		count->leftovers = FALSE;
		count->drained = __atomic_load_n(observed, __ATOMIC_ACQUIRE);
		count->lost = 0;
		return TRUE;
	}
	count->drained += seen->len - before;
	/* All that was counted before is out; what did not come out gave way to newer ones. */
	if (added > count->drained + count->lost)
		count->lost = added - count->drained;
	return TRUE;
}

gboolean procdb_load_scores(ProcdbBpfMaps *maps, ProcdbScoreCount *count, struct bpf_map *map,
			    const __u64 *scored, GArray *scores, GError **error)
{
	guint64 changes = __atomic_load_n(scored, __ATOMIC_ACQUIRE);
	__u32 cursor = 0;
	void *in = NULL;
	int err = 0;

	if (changes == count->taken)
		return TRUE;
	if (!count->keys) {
		count->keys = g_new(struct procdb_comm, SCORES_BATCH);
		count->values = g_new(struct procdb_score, SCORES_BATCH);
	}
	while (!err) {
		__u32 n = SCORES_BATCH;

		if (bpf_map_lookup_and_delete_batch(bpf_map__fd(map), in, &cursor, count->keys,
						    count->values, &n, NULL))
			err = errno;
		/* ENOENT is the end of the map; what came with it counts. */
		for (__u32 i = 0; (!err || err == ENOENT) && i < MIN(n, SCORES_BATCH); i++) {
			struct procdb_named_score score = {count->keys[i], count->values[i]};

			g_array_append_val(scores, score);
		}
		in = &cursor;
	}
	if (err != ENOENT) {
		maps->errors++;
		return procdb_load_refuse(error, err, "cannot read how predictions fared");
	}
	count->taken = changes;
	return TRUE;
}

void procdb_load_scores_clear(ProcdbScoreCount *count)
{
	g_clear_pointer(&count->keys, g_free);
	g_clear_pointer(&count->values, g_free);
}
