/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Any bytes as a configuration: what is not allowed is told, and not in force. */

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_in_range(const ProcdbConfig *config)
{
	g_assert_cmpuint(config->engine.rules.min_observations, >=, 1);
	g_assert_cmpuint(config->engine.rules.min_observations, <=, 1000);
	g_assert_true(config->engine.rules.min_confidence >= 0 &&
		      config->engine.rules.min_confidence <= 1);
	g_assert_cmpuint(config->engine.rules.max_profiles, >=, 1);
	g_assert_cmpuint(config->engine.rules.max_profiles, <=, 65536);
	g_assert_cmpuint(config->engine.rules.stale_ticks, >=, 1);
	g_assert_cmpuint(config->engine.retention_days, <=, 36500);
	g_assert_cmpuint(config->engine.max_retained, <=, 1048576);
	g_assert_cmpuint(config->engine.save_interval_s, <=, 86400);
	g_assert_true(g_path_is_absolute(config->database));
	g_assert_true(g_utf8_validate(config->database, -1, NULL));
	g_assert_nonnull(config->backend);
	g_assert_nonnull(config->observer.compositors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_auto(ProcdbVerdict) verdict = {0};
	g_auto(ProcdbConfig) config = {0};
	g_auto(ProcdbConfig) copy = {0};
	int fd = memfd_create("fuzz-config", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	const char *files[] = {path, NULL};

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, data, size), ==, size);
	procdb_config_init(&config);
	procdb_verdict_init(&verdict);
	procdb_config_read(&config, NULL, files, &verdict);
	close(fd);
	check_in_range(&config);
	if (verdict.apply_unclear)
		g_assert_cmpstr(config.apply_mode, ==, "none");
	for (guint i = 0; i < verdict.problems->len; i++)
		g_assert_true(g_utf8_validate(verdict.problems->pdata[i], -1, NULL));
	procdb_config_copy(&copy, &config);
	g_assert_true(procdb_config_same_backend(&copy, &config));
	return 0;
}
