#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# inside.sh quick|short|whole|shell [TEST...]
# The half of run.sh that is in the chroot: builds the tree at /src and tests it.
set -eu

part=$1
shift
build=/var/tmp/build
[ "$part" = quick ] || git config --global --replace-all safe.directory /src

echo "Debian $(cat /etc/debian_version): building"
rm -rf $build $build.log
{ meson setup -Dwerror=true $build /src && ninja -C $build; } </dev/null >$build.log 2>&1 || {
	tail -n 60 $build.log
	echo "FAILED: the build on Debian $(cat /etc/debian_version)"
	exit 1
}
if [ "$part" = shell ]; then
	cd $build
	exec bash
fi

logs=''
run() { # NAME MESON-ARGUMENT...
	name=$1 status=0
	shift
	meson test -C $build --no-rebuild --print-errorlogs --logbase "$name" --timeout-multiplier 3 "$@" \
		</dev/null || status=$?
	logs="$logs $build/meson-logs/$name.json=$status"
}
if [ $# -gt 0 ]; then
	run chosen "$@"
elif [ "$part" = quick ]; then
	run quick --suite unit --suite golden
else
	run quick --suite unit --suite golden --suite bus --suite sync
	if [ "$part" = whole ]; then
		run whole --suite integration --suite crash --suite lint --no-suite long
		run loads 'vm-loads-*'
	else
		run short 'authorization *' 'matrix *' 'names *' 'connection *' 'persistence *' 'observer *'
	fi
fi
# shellcheck disable=SC2086 # a list
/src/tests/count.py $logs
