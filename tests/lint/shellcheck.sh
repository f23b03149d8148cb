#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: shellcheck.sh SOURCE-DIRECTORY
# Every shell script of the tree, recognized by its first line or name.
set -eu

command -v shellcheck >/dev/null || {
	echo "SKIP: shellcheck is not installed"
	exit 77
}
cd "$1"
scripts=$(find . \( -name '.git' -o -name 'build*' -type d -o -name completions \) -prune -o -type f -print |
	while read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*) head -c 64 "$file" | head -n 1 | grep -aqE '^#! */[^ ]*(/| )(ba|da)?sh( |$)' && echo "$file" ;;
		esac || :
	done)
[ -n "$scripts" ]
echo "$scripts"
# shellcheck disable=SC2086 # a file a word: there are no blanks in our names
shellcheck -x --source-path=. $scripts
