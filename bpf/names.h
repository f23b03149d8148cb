/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Names that count tasks. Of "iou-wrk-9261", "pool-12" and "conn-4711" each task would teach a name
 * of its own, which no other task ever has: they are learned under one name for all, in which each
 * such number is a '#'. Numbers that are part of a name (cc1, x264, gcc-12, python3.11) are not
 * told from counters by their form alone, so a number is one only where
 * - a thread has the name, by its own choice or the kernel's, and not that of its process: no
 *   program was executed under it. The number stands alone, with no letter or digit beside it: the
 *   kernel names the workers of io_uring by the pid of the thread that submits (io_uring/io-wq.c,
 *   io_wq_worker()), Java pool-1-thread-2, QEMU "CPU 0/KVM"; a thread "h264" is a decoder's.
 * - it has four digits or more and is the name's end, after another sign than a letter or digit:
 *   versions have fewer.
 * - it has four digits or more and is the task's own pid or that of its process. With fewer it
 *   would be the pid of any program with a version, in a container with few processes.
 * Pure functions of integers. They have no branches that depend on the name, since the verifier
 * would follow each combination of them.
 */

#include "classify.h"

/* Of a name: its digits and its letters, each a bit. What is not ASCII counts as a letter. */
struct procdb_name_signs {
	__u32 digits;
	__u32 letters;
	__u32 zeros;
};

/* Whether a name has a digit, found eight bytes at a time: most have none. */
static inline int procdb_name_has_digit(const struct procdb_comm *comm)
{
	const __u64 all = 0x0101010101010101ULL;
	int found = 0;

	for (int i = 0; i < PROCDB_COMM_LEN; i += 8) {
		__u64 word, beyond;

		__builtin_memcpy(&word, &comm->bytes[i], sizeof(word));
		/* Bytes that are '0' to '9' become 0 to 9, to which 0x76 may be added. */
		word ^= '0' * all;
		beyond = ((word & 0x7f * all) + 0x76 * all) | word;
		found |= (~beyond & 0x80 * all) != 0;
	}
	return found;
}

#define PROCDB_NAME_PIDS 4

/* The task of a name. */
struct procdb_name_task {
	__u32 pids[PROCDB_NAME_PIDS]; /* of it and its process, in any pid namespace; 0: none */
	__u32 is_thread;	      /* it has another name than its process */
};

#define PROCDB_NAME_FEW 999 /* the last number of three digits */

/* 1 if c is one of n signs from first on, else 0. The compiler would make a branch of it. */
static inline __u32 procdb_sign_is(__u8 c, __u8 first, __u32 n)
{
	__u32 distance = (__u8)(c - first);

	asm volatile("" : "+r"(distance));
	return (distance - n) >> 31;
}

/* The digits of a name that begin with one of first (bits of digits), each to the end of its run.
 */
static inline __u32 procdb_runs_from(__u32 digits, __u32 first)
{
	/* The sum carries through each of these runs. */
	return digits & ~(digits + first);
}

/* The same by their last digits, in steps that double. */
static inline __u32 procdb_runs_to(__u32 digits, __u32 last)
{
	last |= last >> 1 & digits;
	digits &= digits >> 1;
	last |= last >> 2 & digits;
	digits &= digits >> 2;
	last |= last >> 4 & digits;
	digits &= digits >> 4;
	return last | (last >> 8 & digits);
}

/* The first digits of runs of four or more. */
static inline __u32 procdb_runs_of_four(__u32 digits)
{
	return digits & ~(digits << 1) & digits >> 1 & digits >> 2 & digits >> 3;
}

/* What each byte of a name is. Always 0: the verifier of Linux 6.1 wants a value. */
PROCDB_ONCE int procdb_name_signs(const struct procdb_comm *comm, struct procdb_name_signs *signs)
{
	struct procdb_name_signs of = {0};

	if (!comm || !signs)
		return 0;
	for (int i = 0; i < PROCDB_COMM_LEN; i++) {
		const __u8 c = comm->bytes[i];

		of.digits |= procdb_sign_is(c, '0', 10) << i;
		of.letters |= (procdb_sign_is(c | 0x20, 'a', 26) | c >> 7) << i;
		of.zeros |= procdb_sign_is(c, 0, 1) << i;
	}
	*signs = of;
	return 0;
}

/* The last digits of numbers of four digits or more that are a pid of the task. */
PROCDB_ONCE int procdb_name_pids(const struct procdb_comm *comm,
				 const struct procdb_name_task *task, __u32 digits)
{
	__u64 value = 0;
	__u32 pids = 0;

	if (!comm || !task)
		return 0;
	for (int i = 0; i < PROCDB_COMM_LEN; i++) {
		__u64 digit = digits >> i & 1, equal = 0;

		asm volatile("" : "+r"(digit));
		value = (value * 10 + (comm->bytes[i] & 0xf)) * digit;
		for (int n = 0; n < PROCDB_NAME_PIDS; n++)
			equal |= ((value ^ task->pids[n]) - 1) >> 63;
		pids |= (__u32)(equal & (PROCDB_NAME_FEW - value) >> 63) << i;
	}
	return (int)(pids & digits & ~(digits >> 1));
}

/* The name with a '#' in place of each number of which these are the digits. */
PROCDB_ONCE int procdb_name_without(const struct procdb_comm *comm, __u32 numbers,
				    struct procdb_comm *key)
{
	struct procdb_comm made = {0};
	__u32 len = 0;

	if (!comm || !key)
		return 0;
	for (int i = 0; i < PROCDB_COMM_LEN; i++) {
		__u32 number = numbers >> i & 1, again = (numbers & numbers << 1) >> i & 1;
		__u8 c = comm->bytes[i];

		asm volatile("" : "+r"(number), "+r"(again));
		c ^= (__u8)((c ^ '#') & -number);
		/* What is left out is overwritten by what follows, at last by zeros. */
		made.bytes[len & (PROCDB_COMM_LEN - 1)] = c & (__u8)(again - 1);
		len += 1 - again;
	}
	*key = made;
	return 0;
}

/* Writes the name under which a task of this name, which has these signs, is learned. */
static inline void procdb_name_key(const struct procdb_comm *comm,
				   const struct procdb_name_signs *signs,
				   const struct procdb_name_task *task, struct procdb_comm *key)
{
	const __u32 digits = signs->digits, letters = signs->letters;
	const __u32 first = digits & ~(digits << 1), last = digits & ~(digits >> 1);
	__u32 numbers = procdb_runs_to(digits, (__u32)procdb_name_pids(comm, task, digits));

	/* After a sign, not at the name's beginning: there is a game "2048". */
	numbers |= procdb_runs_from(digits, procdb_runs_of_four(digits) & ~(letters << 1) & ~1U) &
		   procdb_runs_to(digits, last & signs->zeros >> 1);
	if (task->is_thread)
		numbers |= procdb_runs_from(digits, first & ~(letters << 1)) &
			   procdb_runs_to(digits, last & ~(letters >> 1));
	(void)procdb_name_without(comm, numbers, key);
}
