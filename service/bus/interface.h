/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The contract, dbus/org.pandemonium.ProcDb1.xml, as the build embeds it. */

#include <gio/gio.h>

#include "contract.h"

/* All members of the interface, with types and annotations. Static. */
GDBusInterfaceInfo *procdb_interface(void);
