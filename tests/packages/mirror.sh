#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: mirror.sh
# Prints the address of the Debian mirror that apt of this machine uses; fails if it knows none.
set -eu

# Of Debian itself: the archive of security updates has another label.
# shellcheck disable=SC2016 # apt-get replaces these, not the shell
apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
	awk '$2 == "Debian" && $3 == "Debian" && NF == 3 { print $1; found = 1; exit } END { exit !found }' || {
	echo "apt knows no Debian mirror; run apt-get update" >&2
	exit 1
}
