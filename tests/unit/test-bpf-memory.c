/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * What the kernel keeps for each task, and for each name, grows only on purpose: what needs more
 * raises the bound here, and says what for. What the kernel adds to each is not counted.
 */

#include "events.h"
#include "observing.h"
#include "scheduler-stats.h"

#include "observer.skel.h"
#include "scheduler.skel.h"

#include <bpf/libbpf.h>
#include <glib.h>

struct bytes {
	guint task; /* in the storage of a task */
	guint name; /* entries of the hashes that forget the oldest */
};

static struct bytes bytes_of(struct bpf_object *object)
{
	struct bytes sum = {0};
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const enum bpf_map_type type = bpf_map__type(map);
		const guint bytes = bpf_map__key_size(map) + bpf_map__value_size(map);

		if (type == BPF_MAP_TYPE_TASK_STORAGE)
			sum.task += bpf_map__value_size(map);
		else if (type == BPF_MAP_TYPE_LRU_HASH)
			sum.name += bytes;
		else
			continue;
		g_test_message("%s: %u", bpf_map__name(map), bytes);
	}
	return sum;
}

/* What an object keeps is something, and at most so many bytes. */
static void assert_bounds(struct bpf_object *object, guint task, guint name)
{
	const struct bytes bytes = bytes_of(object);

	g_assert_cmpuint(bytes.task, >, 0);
	g_assert_cmpuint(bytes.task, <=, task);
	g_assert_cmpuint(bytes.name, >, 0);
	g_assert_cmpuint(bytes.name, <=, name);
}

/*
 * Of a task: its state, 440, of which its names are 48; of its process, 32; what it was given, 24.
 * Of a name: the program, 576; scores, 68; what was observed, 56; of its crew, 36. Of a
 * group of tasks 20, which only the observer counts.
 */
static void test_observer(void)
{
	struct observer *observer = observer__open();

	if (!observer)
		g_error("The object of the observer cannot be opened");
	assert_bounds(observer->obj, 496, 736 + 20);
	observer__destroy(observer);
}

static void test_scheduler(void)
{
	struct scheduler *scheduler = scheduler__open();

	if (!scheduler)
		g_error("The object of the scheduler cannot be opened");
	assert_bounds(scheduler->obj, 504, 736);
	scheduler__destroy(scheduler);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bpf-memory/observer", test_observer);
	g_test_add_func("/bpf-memory/scheduler", test_scheduler);
	return g_test_run();
}
