// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * procdb-corpus-record SECONDS OUTPUT COMMAND...: runs COMMAND in a session of its
 * own for at most SECONDS, follows all of its descendants (corpus-record.bpf.c),
 * and writes a line for each life of a thread to OUTPUT, tab-separated, after a line
 * of names. The last line begins with # and says what was lost and the kernel's own
 * slice. When COMMAND ends, or its time does, what is left of it is killed. Exits
 * with COMMAND's status; with 124 when its time ended, as timeout(1) does; with 125
 * on an error of its own.
 */

#include "corpus-record.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corpus-record.h"

enum { TIMED_OUT = 124, FAILED = 125 };
#define POLL_NS 20000000

/* As in the BPF object: the whole value of its task storage begins with a life. */
struct storage_head {
	struct corpus_life life;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signum)
{
	interrupted = signum;
}

static int fail(const char *what)
{
	fprintf(stderr, "procdb-corpus-record: %s: %s\n", what, strerror(errno));
	return FAILED;
}

static __u64 monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000000ull + (__u64)now.tv_nsec;
}

static void print_numbers(FILE *out, const __u64 *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "\t%llu", (unsigned long long)numbers[i]);
}

static int print_life(void *context, void *data, size_t size)
{
	const struct corpus_life *life = data;
	FILE *out = context;

	if (size < sizeof(*life))
		return 0;
	/* A name may hold anything but a zero. */
	for (size_t i = 0; i < sizeof(life->comm) && life->comm[i]; i++) {
		unsigned char c = (unsigned char)life->comm[i];

		fputc(c < ' ' || c >= 0x7f ? '?' : c, out);
	}
	fprintf(out, "\t%u\t%u\t%u\t%u\t%d\t%d", life->pid, life->tgid, life->parent, life->policy,
		life->nice, life->executed);
	print_numbers(out,
		      (__u64[]){life->born, life->ended, life->slept, life->waited, life->runs,
				life->voluntary, life->slice},
		      7);
	print_numbers(out, life->cpu_first, CORPUS_TREATMENTS);
	print_numbers(out, life->cpu_later, CORPUS_TREATMENTS);
	print_numbers(out, life->wakes, CORPUS_TREATMENTS);
	print_numbers(out, life->wakers, CORPUS_WAKERS);
	fputc('\n', out);
	return 0;
}

static void print_names(FILE *out)
{
	fputs("comm\tpid\ttgid\tparent\tpolicy\tnice\texecuted\tborn\tended\tslept\twaited\truns\tv"
	      "oluntary\tslice"
	      "\tfirst_default\tfirst_long\tfirst_short\tfirst_other"
	      "\tlater_default\tlater_long\tlater_short\tlater_other"
	      "\twakes_default\twakes_long\twakes_short\twakes_other"
	      "\tby_interrupt\tby_softirq\tby_kernel_thread\tby_own_process\tby_other_process\n",
	      out);
}

/* Starts the command, which waits for a byte on *go before it runs. */
static pid_t start(char **command, int *go)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		setsid();
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		if (read(ends[0], &byte, 1) != 1)
			_exit(FAILED);
		execvp(command[0], command);
		fail(command[0]);
		_exit(127);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

/* Has the programs follow a process that has not run yet. */
static int follow(struct corpus_record *record, pid_t pid)
{
	int map = bpf_map__fd(record->maps.watched), result = -1;
	size_t size = bpf_map__value_size(record->maps.watched);
	struct storage_head *head = calloc(1, size);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (head && fd >= 0) {
		head->life.born = monotonic();
		head->life.pid = head->life.tgid = (__u32)pid;
		strcpy(head->life.comm, "corpus-start");
		result = bpf_map_update_elem(map, &fd, head, BPF_NOEXIST);
	}
	if (!result)
		__atomic_fetch_add(&record->bss->living, 1, __ATOMIC_RELAXED);
	if (fd >= 0)
		close(fd);
	free(head);
	return result;
}

/* The parent of a process; 0 when it is gone. */
static pid_t parent_of(pid_t pid)
{
	char path[32], text[512];
	FILE *file;
	size_t n;
	char *end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool is_descendant(pid_t pid)
{
	for (int i = 0; i < 64 && pid > 1; i++) {
		pid = parent_of(pid);
		if (pid == getpid())
			return true;
	}
	return false;
}

/* Kills all descendants: we are the parent of those whose own has ended. */
static void kill_rest(void)
{
	for (int i = 0; i < 100; i++) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			pid_t pid = (pid_t)atoi(entry->d_name);

			if (pid > 1 && is_descendant(pid))
				kill(pid, SIGKILL);
		}
		if (proc)
			closedir(proc);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		usleep(20000);
	}
	fputs("procdb-corpus-record: some processes do not end\n", stderr);
}

/* Until the command ends or its time does; returns its status. */
static int attend(struct ring_buffer *ring, pid_t pid, double seconds)
{
	__u64 end = monotonic() + (__u64)(seconds * 1e9);

	while (!interrupted && monotonic() < end) {
		const struct timespec pause = {0, POLL_NS};
		int status;
		pid_t ended;

		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == pid)
				return WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
		ring_buffer__consume(ring);
		nanosleep(&pause, NULL);
	}
	return interrupted ? 128 + interrupted : TIMED_OUT;
}

static int run(struct corpus_record *record, double seconds, FILE *out, char **command)
{
	struct ring_buffer *ring;
	int status, go = -1;
	pid_t pid;

	ring = ring_buffer__new(bpf_map__fd(record->maps.lives), print_life, out, NULL);
	if (!ring)
		return fail("the ring buffer");
	print_names(out);
	pid = start(command, &go);
	if (pid < 0 || follow(record, pid) || write(go, "", 1) != 1) {
		fail(command[0]);
		status = FAILED;
	} else {
		status = attend(ring, pid, seconds);
	}
	record->bss->over = monotonic();
	kill_rest();
	for (int i = 0; i < 50 && __atomic_load_n(&record->bss->living, __ATOMIC_RELAXED); i++)
		usleep(20000);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	close(go);
	fprintf(out, "# lost %llu living %llu slice %llu status %d\n",
		(unsigned long long)record->bss->lost, (unsigned long long)record->bss->living,
		(unsigned long long)record->bss->default_slice, status);
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction stop = {.sa_handler = on_signal};
	struct corpus_record *record;
	double seconds;
	FILE *out;
	int status;

	if (argc < 4 || (seconds = strtod(argv[1], NULL)) <= 0) {
		fputs("usage: procdb-corpus-record SECONDS OUTPUT COMMAND...\n", stderr);
		return FAILED;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return fail("adopting orphans");
	out = fopen(argv[2], "we");
	if (!out)
		return fail(argv[2]);
	record = corpus_record__open_and_load();
	if (!record || corpus_record__attach(record)) {
		fclose(out);
		return fail("loading BPF programs");
	}
	status = run(record, seconds, out, argv + 3);
	corpus_record__destroy(record);
	if (fclose(out))
		return fail(argv[2]);
	return status;
}
