#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: foreign.sh SOURCE VERSION fedora|arch
# Builds the package of another distribution with that one's own tool, which Debian has, and
# looks into it. What the tool knows of its distribution, this brings along: fedora.macros, and
# appstream-util and arch-meson below. Names of packages that they depend on are not looked up.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$1 version=$2 distribution=$3
case $distribution in
fedora) recipe=procdb.spec tools='rpmbuild rpm2cpio cpio desktop-file-validate appstreamcli' ;;
arch) recipe=PKGBUILD tools='makepkg pacman fakeroot bsdtar' ;;
esac
for tool in $tools; do
	command -v "$tool" >/dev/null || {
		echo "SKIP: no $tool; tests/packages/check.txt has its package"
		exit 77
	}
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-foreign-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT
cd "$scratch"

fail() {
	[ ! -e log ] || tail -n 60 log
	echo "FAILED: $1"
	exit 1
}
grep -Eq "^(Version: +|pkgver=)$version\$" "$source/data/packaging/$recipe" ||
	fail "data/packaging/$recipe is not of version $version"

# As meson dist packs it, but with what is not committed yet.
mkdir "procdb-$version" work root
tar -C "$source" --exclude=.git --exclude='./build*' --exclude=./tests --exclude=./debian -cf - . |
	tar -C "procdb-$version" --no-same-owner -xf -
tar -cJf "work/procdb-$version.tar.xz" "procdb-$version"
cp "$source/data/packaging/$recipe" work/

fedora() {
	mkdir bin
	# Debian has the successor of it: that of AppStream itself.
	cat >bin/appstream-util <<-'END'
	#!/bin/sh
	for file; do :; done
	exec appstreamcli validate --no-net "$file"
	END
	chmod 755 bin/appstream-util
	PATH=$scratch/bin:$PATH rpmbuild -bb --nodeps --load "$here/fedora.macros" --define "_topdir $scratch/rpm" \
		--define "_sourcedir $scratch/work" --define "_dbpath $scratch/rpm/db" "work/$recipe" &&
		rpm2cpio "$scratch"/rpm/RPMS/*/procdb-"$version"-*.rpm >package &&
		cpio --quiet -idm -D root <package
}

# makepkg will not run as root.
arch() {
	mkdir bin
	cat >bin/arch-meson <<-'END'
	#!/bin/sh
	exec meson setup --prefix=/usr --libexecdir=lib --sbindir=bin --buildtype=plain \
		--auto-features=enabled --wrap-mode=nodownload -Db_pie=true "$@"
	END
	chmod 755 . bin bin/arch-meson
	as=
	if [ "$(id -u)" = 0 ]; then
		chown -R nobody work
		as='setpriv --reuid=nobody --clear-groups'
	fi
	(
		cd work
		# shellcheck disable=SC2086 # a list of words
		PATH=$scratch/bin:$PATH HOME=$scratch/work PKGEXT=.pkg.tar $as makepkg --nodeps --nocolor
	) && bsdtar -xf work/procdb-"$version"-*.pkg.tar -C root
}

$distribution </dev/null >log 2>&1 || fail "the package of $distribution"

# What is started is in the package where the files that start it say.
started=$(sed -n 's/^Exec[A-Za-z]*=[-+@:!]*\(\/usr\/[^ ]*\).*/\1/p' root/usr/lib/systemd/system/* \
	root/usr/share/dbus-1/system-services/* | sort -u)
[ "$(echo "$started" | wc -w)" -ge 2 ] || fail "only this is started by units and bus: $started"
for program in $started; do
	[ -x "root$program" ] || fail "$program is not in the package"
done
said=$(root/usr/bin/pandemoniumctl --version) || fail 'pandemoniumctl does not run'
case $said in
*"$version"*) ;;
*) fail "pandemoniumctl --version says $said" ;;
esac
# And all of what Debian's package has; where is each distribution's own.
for file in procdb.conf observe-only.conf org.pandemonium.ProcDb.conf org.pandemonium.procdb.policy \
	pandemonium-farm.rules pandemonium-farm.timer pandemonium-metrics.timer pandemoniumctl.1.gz \
	pandemonium-procdbd.8.gz _pandemoniumctl pandemoniumctl.fish README.md NEWS.md learning.md; do
	[ -n "$(find root -name "${file%.gz}" -o -name "$file")" ] || fail "$file is not in the package"
done
# What its documents link to; the tests and the licence are not beside them.
cd "$(dirname "$(find root/usr/share/doc -name README.md)")"
missing=$(sed -n 's/[^]]*](\([^):#]*\))[^]]*/\1\n/gp' README.md | grep -Ev '^(tests/.*|COPYING|)$' |
	while read -r target; do
		[ -e "$target" ] || echo "$target"
	done)
cd "$scratch"
[ -z "$missing" ] || fail "README.md links to what is not in the package: $missing"
echo "$distribution: $(find root/usr -type f | wc -l) files; $(echo "$started" | wc -w) programs are started"
