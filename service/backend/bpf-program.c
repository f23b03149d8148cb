/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bpf-program.h"

#include "libbpf-log.h"
#include "pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

gboolean procdb_program_fail(GError **error, int err, const char *what)
{
	if (err == EPERM)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "%s: not permitted; the service needs CAP_BPF and CAP_PERFMON, or root",
			    what);
	else if (err == EACCES)
		/* The verifier says the same of a program that it does not understand. */
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "%s: not permitted, or this kernel's verifier refuses the program; the "
			    "service needs CAP_BPF and CAP_PERFMON, or root, and "
			    "G_MESSAGES_DEBUG=all logs the verifier's words",
			    what);
	else
		g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(err), "%s: %s", what,
			    g_strerror(err));
	return FALSE;
}

gboolean procdb_program_check(const ProcdbLedger *ledger, GError **error)
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
	/* The pins look like those that a crash of ours left, but the older service uses them. */
	if (ledger && procdb_ledger_is_second(ledger) && procdb_pins_owner() == PROCDB_PINS_OURS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			    "another service of this kind has pinned its maps in " PROCDB_PIN_DIR
			    "; stop one of the two");
		return FALSE;
	}
	procdb_libbpf_log_to_debug();
	return TRUE;
}

guint32 procdb_program_online_cpus(void)
{
	return (guint32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

void procdb_program_set_compositors(struct bpf_map *map, const char *const *names)
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
