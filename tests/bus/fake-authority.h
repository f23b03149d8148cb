/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* An authority that answers as a test wants, in place of polkit. */

#include <systemd/sd-bus.h>

#include "authority.h"

typedef enum {
	FAKE_ALLOW,
	FAKE_DENY,
	FAKE_CHALLENGE, /* denied unless it may prompt; then as after_prompt says */
	FAKE_FAIL,	/* there is no answer, as without polkit */
	FAKE_HOLD,	/* no answer until fake_authority_release(), or the end of patience */
} FakeAnswer;

typedef struct {
	sd_bus *bus;
	/* What it answers from now on. */
	FakeAnswer answer;
	FakeAnswer after_prompt;
	gboolean not_cacheable;
	gboolean deaf;		/* held checks go on when they are cancelled */
	guint32 uid;		/* of every caller that is asked about from now on */
	GPtrArray *identifying; /* GTask: if set, no caller is told apart yet */
	gboolean uid_is_unknown;
	/* What it was asked. */
	guint checks;
	guint prompts;
	char *last_action;
	char *last_sender;
	GPtrArray *held; /* GTask */
} FakeAuthority;

extern const ProcdbAuthority fake_authority;

void fake_authority_init(FakeAuthority *self, sd_bus *bus);
void fake_authority_clear(FakeAuthority *self);

/* Answers all held checks. */
void fake_authority_release(FakeAuthority *self, FakeAnswer answer);
