#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# image.sh IMAGE COMMAND [FILE...]
#
# Makes the minimal image: busybox, tests/vm/guest/init, the FILEs under /usr/bin
# (a FILE that begins with + keeps its place, and may be a directory) with the shared
# libraries that they need, and COMMAND, the line of shell that init runs.
set -eu

[ $# -ge 2 ] || { echo "usage: image.sh IMAGE COMMAND [FILE...]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
image=$1
command=$2
shift 2

root=$(mktemp -d "${TMPDIR:-/tmp}/procdb-image.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/proc" "$root/root" "$root/run" "$root/sbin" \
	"$root/sys" "$root/tmp" "$root/usr/bin" "$root/usr/sbin" "$root/var/lib"

cp /bin/busybox "$root/bin/busybox"
cp "$here/guest/init" "$root/init"
printf '#!/bin/sh\n%s\n' "$command" >"$root/command"
chmod 755 "$root/init" "$root/command"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"

for file in "$@"; do
	case $file in
	+*)
		file=${file#+}
		mkdir -p "$root$(dirname "$file")"
		cp -RL "$file" "$root$file"
		;;
	*) cp -L "$file" "$root/usr/bin/" ;;
	esac
	# Scripts have none.
	find -L "$file" -type f -perm -u+x ! -name '*.so*' -exec ldd {} + 2>/dev/null |
		sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p'
done | sort -u | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -Lu "$library" "$root$library"
done

(cd "$root" && find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet) >"$image"
