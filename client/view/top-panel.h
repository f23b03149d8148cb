/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib.h>

/*
 * An a{sv} of Explain as lines of at most width columns of the terminal: the sentences, and then
 * each member. Free with g_ptr_array_unref().
 */
GPtrArray *top_panel_lines(GVariant *explanation, guint width);
