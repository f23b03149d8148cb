#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: format.sh SOURCE-DIRECTORY
# Every C file of the tree is laid out as .clang-format says.
set -eu

# Every version lays out a little otherwise.
program=clang-format-14
command -v $program >/dev/null || program=clang-format
$program --version 2>/dev/null | grep -q ' version 14\.' || {
	echo "SKIP: clang-format 14 is not installed"
	exit 77
}
cd "$1"
# A build directory of any name holds files that are not ours.
files=$(git ls-files '*.[ch]' 2>/dev/null) || files=$(find . \( -name '.git' -o -name 'build*' \) -type d -prune -o -type f -name '*.[ch]' -print)
[ -n "$files" ]
# shellcheck disable=SC2086 # a file a word: there are no blanks in our names
$program --dry-run --Werror $files || {
	echo "To mend it: $program -i FILE"
	exit 1
}
