/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The memory that a message takes; sd-bus has no function for it. */

#include <glib.h>
#include <systemd/sd-bus.h>

/*
 * Why a call is refused unread, as a sentence; NULL: it is not, and *size is an estimate of its
 * bytes. No more of a call is read than it may have, which is less where its user is behind with
 * the time that its calls take. The call is rewound after that.
 */
const char *procdb_message_refusal(sd_bus_message *call, gboolean behind, gsize *size);
