/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "interface.h"

#include "procdb-interface.h"

GDBusInterfaceInfo *procdb_interface(void)
{
	return (GDBusInterfaceInfo *)&org_pandemonium_proc_db1_interface;
}
