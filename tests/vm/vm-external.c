/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Loads external.bpf.c, pins its maps, and ends at SIGTERM with the predictions that it found. */

#include "procdb-abi.h"

#include "external.skel.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	struct external *skeleton = external__open();
	struct bpf_link *link;
	sigset_t term;
	int received, found;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (!skeleton)
		return 101;
	bpf_program__set_flags(skeleton->progs.external_init, BPF_F_SLEEPABLE);
	if (external__load(skeleton))
		return 102;
	/* As programs without a link do it: it stays until it is taken away. */
	link = bpf_map__attach_struct_ops(skeleton->maps.external_ops);
	if (!link)
		return 103;
	mkdir(PROCDB_PIN_DIR, 0700);
	unlink(PROCDB_PIN_OBSERVE);
	unlink(PROCDB_PIN_INIT);
	if (bpf_map__pin(skeleton->maps.task_class_observe, PROCDB_PIN_OBSERVE) ||
	    bpf_map__pin(skeleton->maps.task_class_init, PROCDB_PIN_INIT))
		return 104;
	sigwait(&term, &received);
	found = (int)skeleton->bss->found;
	unlink(PROCDB_PIN_OBSERVE);
	unlink(PROCDB_PIN_INIT);
	rmdir(PROCDB_PIN_DIR);
	bpf_link__destroy(link);
	external__destroy(skeleton);
	return found > 100 ? 100 : found;
}
