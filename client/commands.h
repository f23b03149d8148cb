/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/* What the rows of the command table run; see CtlCommand. */
int cmd_status(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_list(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_show(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_confidence(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_delete(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_save(Ctl *ctl, const CtlCommand *command, char **argv);
