/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How much memory a message takes, which sd-bus does not say. */

#include <glib.h>
#include <systemd/sd-bus.h>

/*
 * The bytes of a message, more or less and without reading further than max; more than max
 * also for one that does not hold together. It is rewound then.
 */
gsize procdb_message_size(sd_bus_message *message, gsize max);
