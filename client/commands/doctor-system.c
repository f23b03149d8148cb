/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#define BPFFS "/sys/fs/bpf"
#define PIN_DIR BPFFS "/pandemonium"
#define SCHED_EXT_DIR "/sys/kernel/sched_ext"

/* The oldest that the tests run on; older ones lack some of what the BPF programs call. */
#define KERNEL_NEEDED 6001
/* A slice for a single task (sched_setattr). */
#define KERNEL_SLICES 6012

static void check_kernel(Doctor *doctor)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	if (sscanf(name.release, "%d.%d", &major, &minor) != 2)
		doctor_say(doctor, "kernel", DOCTOR_NOTE, NULL, "Linux %s, of unknown age",
			   name.release);
	else if (major * 1000 + minor < KERNEL_NEEDED)
		doctor_say(doctor, "kernel", DOCTOR_PROBLEM, "Boot Linux 6.1 or newer.",
			   "Linux %s is too old to observe tasks", name.release);
	else if (major * 1000 + minor < KERNEL_SLICES)
		doctor_say(doctor, "kernel", DOCTOR_NOTE,
			   "To apply predictions without sched_ext, boot Linux 6.12 or newer.",
			   "Linux %s can observe, but has no slices for single tasks",
			   name.release);
	else
		doctor_say(doctor, "kernel", DOCTOR_OK, NULL, "Linux %s", name.release);
}

static void check_btf(Doctor *doctor)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		doctor_say(doctor, "btf", DOCTOR_OK, NULL, "the kernel describes its types");
	else
		doctor_say(doctor, "btf", DOCTOR_PROBLEM,
			   "Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y.",
			   "the kernel does not describe its types: /sys/kernel/btf/vmlinux: %s",
			   g_strerror(errno));
}

static gboolean locked_down(void)
{
	g_autofree char *lockdown = NULL;

	return g_file_get_contents("/sys/kernel/security/lockdown", &lockdown, NULL, NULL) &&
	       strstr(lockdown, "[confidentiality]");
}

static void check_bpf(Doctor *doctor)
{
	/* An empty request: a kernel that knows the call refuses it for another reason. */
	if (syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == ENOSYS)
		doctor_say(doctor, "bpf", DOCTOR_PROBLEM,
			   "Boot a kernel built with CONFIG_BPF_SYSCALL=y.",
			   "the kernel has no BPF");
	else if (locked_down())
		doctor_say(doctor, "bpf", DOCTOR_PROBLEM, "Boot without lockdown=confidentiality.",
			   "kernel lockdown keeps BPF from reading what tasks do");
	else
		doctor_say(doctor, "bpf", DOCTOR_OK, NULL, "the kernel has BPF");
}

static void check_bpffs(Doctor *doctor)
{
	struct statfs fs;
	struct stat st;

	if (statfs(BPFFS, &fs) < 0 || fs.f_type != BPF_FS_MAGIC) {
		doctor_say(doctor, "bpffs", DOCTOR_PROBLEM, "Run: mount -t bpf bpf " BPFFS,
			   "no BPF file system is mounted on " BPFFS);
		return;
	}
	if (stat(BPFFS, &st) == 0 && (st.st_mode & S_IWOTH) && access(PIN_DIR, F_OK) != 0)
		doctor_say(doctor, "bpffs", DOCTOR_NOTE,
			   "Any user could create the directory first; run: chmod 0700 " BPFFS,
			   BPFFS " is mounted, and every user can write to it");
	else
		doctor_say(doctor, "bpffs", DOCTOR_OK, NULL, BPFFS " is mounted");
}

static void check_sched_ext(Doctor *doctor)
{
	g_autofree char *state = NULL;
	g_autofree char *ops = NULL;

	if (!g_file_get_contents(SCHED_EXT_DIR "/state", &state, NULL, NULL)) {
		doctor_say(doctor, "sched_ext", DOCTOR_OK, NULL,
			   "this kernel does not have it; observing does not need it");
		return;
	}
	g_strstrip(state);
	if (g_str_equal(state, "enabled") &&
	    g_file_get_contents(SCHED_EXT_DIR "/root/ops", &ops, NULL, NULL))
		doctor_say(doctor, "sched_ext", DOCTOR_OK, NULL, "the scheduler %s is running",
			   g_strstrip(ops));
	else
		doctor_say(doctor, "sched_ext", DOCTOR_OK, NULL, "%s", state);
}

static void check_pins(Doctor *doctor)
{
	struct stat st;

	if (lstat(PIN_DIR, &st) < 0) {
		if (errno == EACCES)
			doctor_say(doctor, "pins", DOCTOR_NOTE, "Run this as root to see them.",
				   "only root may look at " PIN_DIR);
		else if (errno == ENOENT)
			doctor_say(doctor, "pins", DOCTOR_OK, NULL, "nothing is pinned");
		else
			doctor_say(doctor, "pins", DOCTOR_NOTE, NULL, PIN_DIR ": %s",
				   g_strerror(errno));
	} else if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		doctor_say(doctor, "pins", DOCTOR_PROBLEM,
			   "Another program or user made it. Remove it, and restart the service.",
			   PIN_DIR
			   " must be a directory that belongs to root and that only root can "
			   "write to");
	} else if (access(PIN_DIR, R_OK | X_OK) < 0) {
		doctor_say(doctor, "pins", DOCTOR_OK, NULL,
			   PIN_DIR " belongs to root; only root may look into it");
	} else if (access(PIN_DIR "/task_class_observe", F_OK) < 0 ||
		   access(PIN_DIR "/task_class_init", F_OK) < 0) {
		doctor_say(doctor, "pins", DOCTOR_NOTE, "Is the service, or a scheduler, running?",
			   "a map is missing in " PIN_DIR);
	} else {
		doctor_say(doctor, "pins", DOCTOR_OK, NULL, "both maps are in " PIN_DIR);
	}
}

void doctor_check_system(Doctor *doctor)
{
	check_kernel(doctor);
	check_btf(doctor);
	check_bpf(doctor);
	check_bpffs(doctor);
	check_sched_ext(doctor);
	check_pins(doctor);
}
