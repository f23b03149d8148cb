/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/* Functions of the rows of the command table; see CtlCommand. */
int cmd_status(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_list(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_show(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_confidence(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_delete(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_save(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_explain(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_reset(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_override(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_load(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_reload(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_metrics(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_panel(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_monitor(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_top(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_export(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_import(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_farm(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_doctor(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_apply(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_trial(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_backend(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_ps(Ctl *ctl, const CtlCommand *command, char **argv);
int cmd_run(Ctl *ctl, const CtlCommand *command, char **argv);
