#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# package.sh
# In the chroot of run.sh: builds the Debian packages of the tree at /src from the archive of
# meson dist, twice, which has to make the same; has lintian look at them, and runs package-test.sh
# on them with systemd as PID 1.
set -eu

work=/var/tmp/package
rm -rf $work
mkdir -p $work/result
cd $work
git config --global --replace-all safe.directory /src

# What is committed; meson dist takes no more.
{ meson setup -Dtests=false build /src && meson dist -C build --no-tests --formats xztar; } >log 2>&1 || {
	tail -n 30 log
	exit 1
}
archive=$(echo build/meson-dist/procdb-*.tar.xz)
version=$(basename "$archive" .tar.xz)
version=${version#procdb-}
cp "$archive" "procdb_$version.orig.tar.xz"
tar -xf "$archive"
cp -r /src/debian "procdb-$version/debian"
built() { # DIRECTORY ARGUMENT...
	directory=$1
	shift
	(cd "$directory" && dpkg-buildpackage -us -uc "$@") >>log 2>&1 || {
		tail -n 40 log
		exit 1
	}
}
built "procdb-$version"
# Debian 12 builds it as well, and its debhelper and dpkg want what newer ones find old or needless;
# there is no address yet that upstream's metadata could name. Older lintians do not know each tag.
suppressed=
for tag in package-uses-old-debhelper-compat-version redundant-priority-optional-field \
	redundant-rules-requires-root-no-field upstream-metadata-file-is-missing newer-standards-version; do
	! lintian-explain-tags --list-tags | grep -qx $tag || suppressed=$suppressed,$tag
done
lintian --suppress-tags "${suppressed#,}" --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic ./*.changes && echo 'lintian: nothing'
lintian=$?

# Elsewhere, later, in another time zone and with another umask: the same packages bit for bit.
mkdir -p again/and/deeper
(umask 077 && tar -xf "$archive" -C again/and/deeper && cp -r /src/debian "again/and/deeper/procdb-$version/debian")
TZ=Asia/Kathmandu built "again/and/deeper/procdb-$version" -b
for package in ./*.deb; do
	cmp "$package" "again/and/deeper/$package" || exit 1
done
echo "packages that two builds make alike: $(echo ./*.deb)"

# A package of the next version, for the upgrade; its content is the same.
deb=$(echo procdb_"$version"-*.deb)
dpkg-deb -R "$deb" next
sed -i 's/^Version: .*/Version: 9-1/' next/DEBIAN/control
dpkg-deb -b next procdb_9-1_all.deb >>log

# systemd in namespaces of its own, over a copy of this chroot in which all that it writes is lost.
mkdir root
cat >test.service <<-'END2'
	[Unit]
	SuccessAction=exit-force
	FailureAction=exit-force
	Wants=dbus.socket basic.target
	After=dbus.socket basic.target
	[Service]
	Type=oneshot
	ExecStart=/src/tests/distros/package-test.sh
	StandardOutput=file:/result/output
	StandardError=inherit
END2
# shellcheck disable=SC2016 # the shell inside reads it
timeout 300 unshare --mount --pid --fork --kill-child=KILL --cgroup --uts --ipc --net --propagation private sh -euc '
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/up /mnt/work
	mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work overlay root
	mkdir -p root/result root/packages root/src
	mount --bind result root/result
	mount --rbind /src root/src
	cp ./*.deb root/packages/
	cp test.service root/etc/systemd/system/procdb-package-test.service
	rm -f root/usr/sbin/policy-rc.d
	echo procdb-package >root/etc/hostname
	: >root/etc/machine-id
	mount -t proc proc root/proc
	mount --bind /proc/sys root/proc/sys && mount -o remount,bind,ro root/proc/sys
	mount --rbind /sys root/sys
	mount -t cgroup2 cgroup2 root/sys/fs/cgroup
	umount -l root/sys/fs/bpf 2>/dev/null || :
	mount -t bpf -o mode=700 bpf root/sys/fs/bpf
	# What systemd makes in /dev is not for the machine.
	mount -t tmpfs -o mode=755 tmpfs root/dev
	for device in null zero full random urandom tty; do
		: >root/dev/$device
		mount --bind /dev/$device root/dev/$device
	done
	mkdir root/dev/pts root/dev/shm root/dev/mqueue root/dev/hugepages
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts root/dev/pts
	mount -t tmpfs -o mode=1777 tmpfs root/dev/shm
	ln -s pts/ptmx root/dev/ptmx
	ln -s /proc/self/fd root/dev/fd
	mount -t tmpfs -o mode=755 tmpfs root/run
	mount -t tmpfs -o mode=1777 tmpfs root/tmp
	exec chroot root env -i container=procdb PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=procdb-package-test.service' >systemd.log 2>&1 || :
cat result/output
grep -q '^all is well$' result/output || {
	tail -n 30 systemd.log
	exit 1
}
exit $lintian
