#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# Under the systemd of package.sh: the package is installed, used, upgraded, downgraded, removed
# and purged. The last line of a good run is "all is well".
set -eu

unit=pandemonium-procdbd
database=/var/lib/pandemonium
export DEBIAN_FRONTEND=noninteractive

fail() {
	echo "FAILED: $1"
	systemctl status --no-pager $unit || :
	journalctl -q --no-pager -n 40 || :
	exit 1
}

apt() {
	apt-get -q -y --allow-downgrades -o Dpkg::Use-Pty=0 "$@" </dev/null >/tmp/apt.log 2>&1 || {
		cat /tmp/apt.log
		fail "apt-get $*"
	}
}

# What is ours anywhere that outlives a boot.
traces() {
	find /etc /usr /var /lib /sys/fs/bpf -xdev \( -iname '*procdb*' -o -iname '*pandemonium*' \) \
		! -path '/etc/systemd/system/procdb-package-test.service' ! -path '/var/tmp/*' ! -path '/var/log/*' | sort
}

# 300 profiles, 5 of them with an override.
known() {
	pandemoniumctl list --json | python3 -c '
import json, sys
rows = [row for row in json.load(sys.stdin) if row["name"].startswith("many")]
print(len(rows), sum(row["origin"] == "override" for row in rows))'
}
kept() {
	got=$(known)
	[ "$got" = '300 5' ] || fail "of 300 profiles and 5 overrides $got are left after $1"
	echo "300 profiles and 5 overrides are there after $1"
}

before=$(traces)
[ -z "$before" ] || fail "there are traces before: $before"
installed=$(echo /packages/procdb_[0-8]*.deb)
window=$(echo /packages/procdb-monitor_*.deb)

apt install "$installed"
echo 'first contact:'
pandemoniumctl status || fail 'the service cannot be reached'
busctl get-property org.pandemonium.ProcDb /org/pandemonium/ProcDb org.pandemonium.ProcDb1 BackendStatus |
	grep -q active || fail 'it does not observe'
/src/debian/tests/service || fail 'the test of the package'

python3 - >/tmp/many.json <<'END2'
import json
print(json.dumps({"format": "pandemonium-profiles", "version": 1, "profiles": [
    {"name": f"many{i}", "tier": "batch", "observations": 12,
     "votes": {"batch": 11, "interactive": 1, "lat-critical": 0},
     "avg_runtime_ns": 72000000, "runtime_dev_ns": 9000000, "wakeup_freq": 1, "csw_rate": 2,
     "last_seen_us": 1795000000000000} for i in range(300)]}))
END2
pandemoniumctl import /tmp/many.json
for i in 1 2 3 4 5; do
	pandemoniumctl override set many$i lat-critical
done
kept 'the import'
first=$(systemctl show -P MainPID $unit)

apt install /packages/procdb_9-1_all.deb
kept 'an upgrade'
[ "$(systemctl show -P MainPID $unit)" != "$first" ] || fail 'an upgrade does not restart the service'
apt install "$installed"
kept 'a downgrade'

# As version 0.1.0 left it.
systemctl stop $unit
mv $database/profiles.bin $database/procdb.bin
rm -f $database/profiles.bin.*
kept 'the upgrade from version 0.1.0'
[ -e $database/procdb.bin ] || fail 'the database of version 0.1.0 is gone'

mkdir -p /etc/pandemonium
echo '[Apply]
Mode=none' >/etc/pandemonium/procdb.conf

# A farm with one machine: the unit's user, its sandbox and its polkit rule.
! systemctl is-enabled --quiet pandemonium-farm.timer || fail 'a timer runs that no administrator enabled'
systemd-run -q --unit=store redis-server --bind 127.0.0.1 --save ''
echo 'STORE=redis://127.0.0.1' >/etc/pandemonium/farm.env
systemctl start pandemonium-farm.service || fail 'the farm cannot be reached'
pandemoniumctl farm audit --store=redis://127.0.0.1 --json | python3 -c '
import json, sys
sys.exit(sum(line["programs"] for line in json.load(sys.stdin)) < 300)' || fail 'the farm does not know the profiles'
echo 'the machine learns with a farm'
# Metrics: the same, and a file that any user may read.
! systemctl is-enabled --quiet pandemonium-metrics.timer || fail 'a timer runs that no administrator enabled'
systemctl start pandemonium-metrics.service || fail 'the metrics cannot be written'
runuser -u nobody -- grep -c '^pandemonium_' /run/pandemonium-metrics/pandemonium.prom || fail 'there are no metrics'

timers='pandemonium-farm.timer pandemonium-metrics.timer'
# shellcheck disable=SC2086 # a list
systemctl enable -q --now $timers
for package in /packages/procdb_9-1_all.deb "$installed"; do
	apt install "$package"
	for timer in $timers; do
		systemctl is-active --quiet "$timer" || fail "$package stops $timer"
		systemctl is-enabled --quiet "$timer" || fail "$package disables $timer"
	done
done
echo 'both timers run after an upgrade and a downgrade'

# The window: a program that finds its libraries, and goes with the service.
apt install "$window"
runuser -u nobody -- pandemonium-monitor --help >/dev/null || fail 'the window does not start'
[ -e /usr/share/applications/org.pandemonium.Monitor.desktop ] || fail 'no menu has the window'
echo 'the window is installed'

apt remove procdb
! command -v pandemonium-monitor || fail 'the window stays without the service'
for gone in $unit $timers; do
	! systemctl is-active --quiet "$gone" || fail "removed, $gone runs"
done
[ -e $database/profiles.bin ] || fail 'removing it deleted the database'
apt install "$installed"
kept 'removing and installing it again'
apt purge procdb
left=$(traces)
[ -z "$left" ] || fail "purging leaves $left"
echo 'purging leaves nothing'
echo 'all is well'
