/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib.h>

/*
 * Why a program has the tier that it has, or none, as sentences that each end a line: of an a{sv}
 * of Explain. Free with g_free().
 */
char *explanation_text(GVariant *explanation);
