/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The contract, dbus/org.pandemonium.ProcDb1.xml, as it was built in. */

#include <gio/gio.h>

#include "contract.h"

/* All of its members, with their types and annotations. Static. */
GDBusInterfaceInfo *procdb_interface(void);
