# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# Copyright (C) 2026 The ProcDb developers
#
# What the tests in the systemd image share. TAP on the port "result".

port() {
	for file in /sys/class/virtio-ports/*/name; do
		if [ "$(cat "$file")" = "$1" ]; then
			echo "/dev/$(basename "${file%/name}")"
		fi
	done
}

exec >"$(port result)"

# shellcheck disable=SC2034 # for those that read this
unit=pandemonium-procdbd.service
name=org.pandemonium.ProcDb
n=0
failed=0

note() {
	printf '%s\n' "$1" | sed 's/^/# /'
}

# check WHAT COMMAND...: one test point, with the output of a failure.
check() {
	what=$1
	shift
	n=$((n + 1))
	if output=$("$@" 2>&1); then
		echo "ok $n $what"
	else
		failed=1
		echo "not ok $n $what"
		note "$output"
	fi
}

call() {
	busctl --timeout=20 call "$name" /org/pandemonium/ProcDb org.pandemonium.ProcDb1 "$@"
}

property() {
	busctl get-property "$name" /org/pandemonium/ProcDb org.pandemonium.ProcDb1 "$1" |
		sed 's/^s "\(.*\)"$/\1/'
}

# is VALUE COMMAND...: the command prints that.
is() {
	wanted=$1
	shift
	got=$("$@" 2>&1)
	[ "$got" = "$wanted" ] || {
		echo "'$*' says '$got', expected '$wanted'"
		return 1
	}
}

# says PATTERN COMMAND...: what the command says, in whatever way it ends, matches.
says() {
	wanted=$1
	shift
	got=$("$@" 2>&1)
	case $got in
	*$wanted*) ;;
	*)
		echo "'$*' says '$got', expected '$wanted' in it"
		return 1
		;;
	esac
}

# soon COMMAND...: within 15 s.
soon() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || {
			"$@"
			return 1
		}
		sleep 0.25
	done
}

# The end: what the test points say is what the machine ends with.
finish() {
	echo "1..$n"
	[ "$failed" = 0 ] || journalctl -b --no-pager -n 150 >/dev/ttyS0
	sync
	echo "$failed" >"$(port status)"
	systemctl poweroff --force --force
}
