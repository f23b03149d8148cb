/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What tests of the configuration share. They are built with directories below the
 * current one, a new one for each test, in place of /usr/lib, /run and /etc.
 */

#include "config.h"

typedef struct {
	char *directory; /* the current one while the test runs */
	char *before;
	ProcdbConfig config;
	ProcdbVerdict verdict;
} ConfigFixture;

void config_test_add(const char *path, gconstpointer data,
		     void (*test)(ConfigFixture *, gconstpointer));

/* Writes a file, and makes its directory. */
void config_write_bytes(const char *path, const void *bytes, gssize len);
void config_write(const char *path, const char *text);

/* Reads what the service would at its start. */
void config_read_system(ConfigFixture *f);
/* Reads one file with this text. */
void config_read_text(ConfigFixture *f, const char *text);

/* The only problem that was found. */
const char *config_the_problem(ConfigFixture *f);
void config_assert_no_problem(ConfigFixture *f);
void config_assert_mentions(const char *sentence, const char *part);
