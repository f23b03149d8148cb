/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/* The members of profile, and those of more, which may be NULL, that it has not. Unref it. */
GVariant *profile_join(GVariant *profile, GVariant *more);

/* A member of a profile as people read it; the colour, of a table, may be NULL. */
typedef void (*ProfileField)(const char *label, const char *text, const char *colour,
			     gpointer user_data);

/* Calls field for each member of an a{sv} of GetProfile or Explain, in the order of printing. */
void profile_each(GVariant *profile, ProfileField field, gpointer user_data);

/*
 * Prints an a{sv} of GetProfile or Explain as a table. What this program does
 * not know is printed under the name that the service gives it.
 */
void profile_print(const Ctl *ctl, GVariant *profile);
