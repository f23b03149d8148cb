/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The memory that a message takes; sd-bus has no function for it. */

#include <glib.h>
#include <systemd/sd-bus.h>

/*
 * Estimates the bytes of a message. Reads no further than max; a malformed message has more than
 * max. The message is rewound after that.
 */
gsize procdb_message_size(sd_bus_message *message, gsize max);
