// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * procdb-attach [--load] OBJECT [NAME[.MEMBER]=NUMBER...]: sets constants of a BPF object,
 * attaches every program of it, says "ready", and stays until its standard input ends. Then
 * prints what the kernel counted, a line for each program: name, runs, ns. (It
 * counts while the sysctl kernel.bpf_stats_enabled is 1.)
 * With --load it attaches nothing, and prints the names of the programs that the kernel takes.
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

/* What a constant is: where in .rodata, and of how many bytes. */
struct place {
	__u32 offset;
	size_t size;
};

/* Narrows place, which is of a type, to the member of that name; -1 if there is none. */
static int find_member(const struct btf *btf, __u32 type_id, const char *name, size_t len,
		       struct place *place)
{
	const struct btf_type *type = btf__type_by_id(btf, type_id);
	const struct btf_member *members;

	while (btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	members = btf_is_struct(type) ? btf_members(type) : NULL;
	for (int i = 0; members && i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, members[i].name_off);

		if (strlen(member) == len && memcmp(member, name, len) == 0) {
			place->offset += members[i].offset / 8;
			place->size = (size_t)btf__resolve_size(btf, members[i].type);
			return 0;
		}
	}
	return -1;
}

/* Where the constant is that text begins with. */
static int find_constant(const struct btf *btf, const char *text, struct place *place)
{
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = btf__type_by_id(btf, (__u32)id);
	const struct btf_var_secinfo *infos = section ? btf_var_secinfos(section) : NULL;
	size_t len = strcspn(text, ".="), end = strcspn(text, "=");

	for (int i = 0; infos && i < btf_vlen(section); i++) {
		const struct btf_type *var = btf__type_by_id(btf, infos[i].type);
		const char *name = btf__name_by_offset(btf, var->name_off);

		if (strlen(name) != len || memcmp(name, text, len) != 0)
			continue;
		*place = (struct place){.offset = infos[i].offset, .size = infos[i].size};
		if (len == end ||
		    !find_member(btf, var->type, text + len + 1, end - len - 1, place))
			return 0;
	}
	errno = ENOENT;
	return -1;
}

static int put_number(void *to, size_t size, __u64 value)
{
	switch (size) {
	case 1:
		memcpy(to, &(__u8){(__u8)value}, size);
		return 0;
	case 4:
		memcpy(to, &(__u32){(__u32)value}, size);
		return 0;
	case 8:
		memcpy(to, &value, size);
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

/* Sets a constant, or a member of one: NAME[.MEMBER]=NUMBER. */
static int set_constant(struct bpf_object *object, const char *text)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	size_t size = map ? bpf_map__value_size(map) : 0;
	char *data = size > 0 ? malloc(size) : NULL;
	struct place place;
	int result = -1;

	if (data && map && strchr(text, '=') &&
	    !find_constant(bpf_object__btf(object), text, &place)) {
		__u64 value = strtoull(strchr(text, '=') + 1, NULL, 0);

		memcpy(data, bpf_map__initial_value(map, &size), size);
		if (!put_number(data + place.offset, place.size, value))
			result = bpf_map__set_initial_value(map, data, size);
	}
	free(data);
	return result ? fail(text) : 0;
}

/* Opens the object that the words begin with, and sets the constants that follow, or exits. */
static struct bpf_object *open_object(char **words)
{
	struct bpf_object *object = bpf_object__open_file(words[0], NULL);

	if (!object)
		exit(fail(words[0]));
	for (char **word = words + 1; *word; word++)
		if (set_constant(object, *word))
			exit(EXIT_FAILURE);
	return object;
}

static int ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* As the service does for its scheduler: libbpf 1.1 has no section name that says so. */
static void allow_sleeping(struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	if (bpf_program__type(program) == BPF_PROG_TYPE_STRUCT_OPS &&
	    (ends_with(name, "_init") || ends_with(name, "_init_task")))
		bpf_program__set_flags(program, BPF_F_SLEEPABLE);
}

/* Loads all programs, or only that of a number, and prints their names; counts all of them. */
static int load(char **words, int only, int *count)
{
	struct bpf_object *object = open_object(words);
	struct bpf_program *program;
	int result;

	*count = 0;
	bpf_object__for_each_program(program, object)
	{
		bpf_program__set_autoload(program, only < 0 || only == *count);
		allow_sleeping(program);
		++*count;
	}
	result = bpf_object__load(object);
	bpf_object__for_each_program(program, object)
	{
		if (result == 0 && bpf_program__autoload(program))
			puts(bpf_program__name(program));
	}
	bpf_object__close(object);
	return result;
}

/* All at once, which is quicker; where one is refused, each on its own. */
static int load_programs(char **words)
{
	int count;

	if (load(words, -1, &count))
		for (int only = 0; only < count; only++)
			load(words, only, &count);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	int only_load = argc > 1 && strcmp(argv[1], "--load") == 0;
	char **words = argv + 1 + only_load;
	char byte;

	if (!words[0]) {
		fprintf(stderr, "usage: procdb-attach [--load] OBJECT [NAME[.MEMBER]=NUMBER...]\n");
		return 2;
	}
	if (only_load)
		return load_programs(words);
	object = open_object(words);
	if (bpf_object__load(object))
		return fail(words[0]);
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
