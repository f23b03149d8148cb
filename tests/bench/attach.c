// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * procdb-attach OBJECT [NAME.MEMBER=NUMBER...]: sets constants of a BPF object, attaches
 * every program of it, says "ready", and stays until its standard input ends. Then
 * prints what the kernel counted, a line for each program: name, runs, ns. (It
 * counts while the sysctl kernel.bpf_stats_enabled is 1.)
 */

#include <bpf/bpf.h>
#include <bpf/btf.h>
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

/* The offset of a member of a constant struct, of 8 bytes; -1 if there is no such member. */
static long find_member(const struct btf *btf, const struct btf_type *type, const char *name,
			size_t len)
{
	const struct btf_member *members;

	while (btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	members = btf_is_struct(type) ? btf_members(type) : NULL;
	for (int i = 0; members && i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, members[i].name_off);

		if (strlen(member) == len && memcmp(member, name, len) == 0 &&
		    btf__resolve_size(btf, members[i].type) == sizeof(__u64))
			return members[i].offset / 8;
	}
	return -1;
}

/* Where in .rodata the member is that text begins with, and what the text sets it to. */
static int find_constant(const struct btf *btf, const char *text, __u32 *offset, __u64 *value)
{
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = btf__type_by_id(btf, (__u32)id);
	const struct btf_var_secinfo *place = section ? btf_var_secinfos(section) : NULL;
	size_t len = strcspn(text, "."), end = strcspn(text, "=");

	for (int i = 0; place && i < btf_vlen(section); i++) {
		const struct btf_type *var = btf__type_by_id(btf, place[i].type);
		const char *name = btf__name_by_offset(btf, var->name_off);
		long at;

		if (len >= end || strlen(name) != len || memcmp(name, text, len) != 0)
			continue;
		at = find_member(btf, btf__type_by_id(btf, var->type), text + len + 1,
				 end - len - 1);
		if (at < 0)
			break;
		*offset = place[i].offset + (__u32)at;
		*value = strtoull(text + end + 1, NULL, 0);
		return 0;
	}
	errno = ENOENT;
	return -1;
}

/* Sets a member of 8 bytes of a constant: NAME.MEMBER=NUMBER. */
static int set_constant(struct bpf_object *object, const char *text)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	size_t size = map ? bpf_map__value_size(map) : 0;
	char *data = size > 0 ? malloc(size) : NULL;
	__u32 offset;
	__u64 value;
	int result = -1;

	if (data && map && strchr(text, '=') &&
	    !find_constant(bpf_object__btf(object), text, &offset, &value)) {
		memcpy(data, bpf_map__initial_value(map, &size), size);
		memcpy(data + offset, &value, sizeof(value));
		result = bpf_map__set_initial_value(map, data, size);
	}
	free(data);
	return result ? fail(text) : 0;
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	char byte;

	if (argc < 2) {
		fprintf(stderr, "usage: procdb-attach OBJECT [NAME.MEMBER=NUMBER...]\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		return fail(argv[1]);
	for (int i = 2; i < argc; i++)
		if (set_constant(object, argv[i]))
			return EXIT_FAILURE;
	if (bpf_object__load(object))
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
