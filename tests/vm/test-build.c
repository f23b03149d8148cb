/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* A real compiler, built with twice: what the first build teaches, the second one finds. */

#include "engine.h"
#include "guest.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* s00.c to s07.c and s10.c to s17.c */
#define SOURCES 16

static void write_sources(void)
{
	for (guint i = 0; i < SOURCES; i++) {
		g_autofree char *path = g_strdup_printf("/tmp/s%u%u.c", i / 8, i % 8);
		g_autoptr(GString) text = g_string_new(NULL);
		g_autoptr(GError) error = NULL;

		for (guint f = 0; f < 40; f++)
			g_string_append_printf(text,
					       "int f%u_%u(int x)\n{\n\tint s = 0;\n\n"
					       "\tfor (int i = 0; i < x; i++)\n"
					       "\t\ts += (i * %u) ^ (s >> 3);\n\treturn s;\n}\n",
					       i, f, f + 3);
		g_file_set_contents(path, text->str, -1, &error);
		g_assert_no_error(error);
	}
}

static void run_build(gpointer unused)
{
	/* Not busybox, whose programs go by the name of exe. */
	execl("/bin/dash", "dash", "-ec",
	      "cd /tmp; for i in 0 1 2 3 4 5 6 7; do"
	      " gcc -O1 -c s0$i.c -o a$i.o & dash -c \"gcc -O1 -c s1$i.c -o b$i.o\";"
	      " wait $!; done; ld -r -o all.o a?.o b?.o",
	      NULL);
	_exit(127);
}

/* Builds all sources; engine, which may be NULL, learns from it once a second. */
static void build(ProcdbEngine *engine)
{
	gint64 began = guest_now_ns();
	pid_t pid = guest_fork(run_build, NULL);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		guest_sleep_ms(1000);
		if (engine)
			procdb_engine_step(engine);
	}
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	g_test_message("build: %.1f s", (double)(guest_now_ns() - began) / 1e9);
}

static void second_build_is_predicted(void)
{
	ProcdbBackend *backend = guest_schedule();
	g_autoptr(ProcdbEngine) engine = procdb_engine_new(
	    &procdb_engine_default_settings, procdb_store_new("/tmp/procdb.bin"), backend);
	g_autoptr(GArray) scores = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_score));
	g_autoptr(GError) error = NULL;
	guint found = 0, missed = 0, right = 0, wrong = 0;

	write_sources();
	build(engine);
	procdb_engine_step(engine);
	g_test_message("%u confident profiles", procdb_engine_confident(engine));
	/* What was counted until now is not of the build that counts. */
	procdb_backend_scores(backend, scores, &error);
	g_assert_no_error(error);
	g_array_set_size(scores, 0);

	build(NULL);
	procdb_backend_scores(backend, scores, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < scores->len; i++) {
		const struct procdb_named_score *s =
		    &g_array_index(scores, struct procdb_named_score, i);

		g_test_message("%-15.16s found %3u, missed %3u, right %3u, wrong %3u",
			       (const char *)s->comm.bytes, s->score.found, s->score.missed,
			       s->score.right, s->score.wrong);
		if (s->score.found + s->score.missed < 3)
			continue;
		found += s->score.found;
		missed += s->score.missed;
		right += s->score.right;
		wrong += s->score.wrong;
	}
	g_test_message("found %u of %u, right %u of %u", found, found + missed, right,
		       right + wrong);
	g_assert_cmpuint(found, >=, 3 * SOURCES);
	g_assert_cmpfloat(found / (double)(found + missed), >=, 0.95);
	guest_assert_active(backend);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/build/second-build-is-predicted", second_build_is_predicted);
	return g_test_run();
}
