/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/*
 * Prints an a{sv} of GetProfile or Explain as a table. What this program does
 * not know is printed under the name that the service gives it.
 */
void profile_print(const Ctl *ctl, GVariant *profile);
