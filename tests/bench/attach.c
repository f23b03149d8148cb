// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * procdb-attach OBJECT: attaches every program of a BPF object, says "ready",
 * and stays until its standard input ends. Then prints what the kernel counted,
 * a line for each program: name, runs, ns. (It counts while the sysctl
 * kernel.bpf_stats_enabled is 1.)
 */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "procdb-attach: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	char byte;

	if (argc != 2) {
		fprintf(stderr, "usage: procdb-attach OBJECT\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		return fail(argv[1]);
	bpf_object__for_each_program(
	    program,
	    object) if (!bpf_program__attach(program)) return fail(bpf_program__name(program));
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			return fail(bpf_program__name(program));
		printf("%s %llu %llu\n", bpf_program__name(program),
		       (unsigned long long)info.run_cnt, (unsigned long long)info.run_time_ns);
	}
	/* The links and maps go with the process. */
	return EXIT_SUCCESS;
}
