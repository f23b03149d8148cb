# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The workloads of the corpus, in the order in which they run."""

from . import build, data, desktop, media, people

WORKLOADS = {w.name: w for module in (build, media, data, desktop, people) for w in module.WORKLOADS}
