/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/*
 * Prints to standard error, in a sentence and with what to do, why a call
 * failed, and returns the exit code for it. method is the bus method that was
 * called, and name the escaped task name, or the backend, that it was about;
 * either may be NULL.
 */
int failure_report(const char *method, const char *name, const GError *error);

/* The same of a call about one name, and which known names resemble one that is not known. */
int failure_unknown(Ctl *ctl, const char *method, const char *name, const GError *error);

/* Whether a call failed because the service has no profile of the name. */
gboolean failure_is_unknown(const GError *error);

/* The same when the bus was asked to start the service, and could not. */
int failure_to_start(const GError *error);

/* The same for a connection to the bus that could not be made. */
int failure_no_bus(const GError *error);
