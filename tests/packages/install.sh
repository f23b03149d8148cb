#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: install.sh LIST...
# Installs those packages of the lists (a package a line, # begins a comment)
# that are missing, and writes which into the file INSTALLED, if that is set.
# Where there is no apt, it says what the lists name.
set -eu

packages=$(sed 's/#.*//' "$@")

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	system=$(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release 2>/dev/null) || :
	echo "Cannot install packages on ${system:-this system}: apt is missing. Under their Debian names, these are needed:"
	# shellcheck disable=SC2086 # one word a package
	printf '  %s\n' $packages
	for program in gcc python3 meson ninja pkg-config clang bpftool gdbus-codegen dbus-daemon busctl unshare setpriv; do
		PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || missing="${missing:-} $program"
	done
	if [ -n "${missing:-}" ]; then
		echo "Install them and start again; not found here:$missing" >&2
		exit 1
	fi
	echo "The programs among them are here: going on."
	exit 0
fi

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1) || :
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "These packages are missing, and only root can install them:$missing" >&2
	exit 1
fi

echo "Installing the missing packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 "$@" </dev/null >"$log" 2>&1
}
# shellcheck disable=SC2086 # one word a package
if ! apt install -y --no-install-recommends $missing; then
	echo "Fetching the package lists first: they are missing or old."
	if ! { apt update && apt install -y --no-install-recommends $missing; }; then
		cat "$log" >&2
		echo "apt-get could not install:$missing" >&2
		exit 1
	fi
fi
[ -z "${INSTALLED:-}" ] || echo "$missing" >"$INSTALLED"
