#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A polkit rule that asks an array whether it includes() an action takes all actions from all users.
#
# Seen on:   polkitd 122-3, libduktape207 2.7.0-2, dbus-daemon 1.14.10-1~deb12u1 (Debian 12), x86-64; the
#            same with polkitd 126-2 (Debian 13) and 128-1
# Guess:     a rule that polkitd can't run is left out, with a line in the log, and the other rules
#            and the action's own defaults go on: so it is with a file that has a word that it does
#            not know, as "let".
# Behaviour: includes() and find() of an array are not in the JavaScript of Debian's polkitd, Duktape (a
#            string has includes()). The file is taken, as nothing in it is wrong to read. The call throws when
#            the rule is run, which is for each action of each program, and an exception in one rule is a
#            "no" to the whole question: no rule after it is run, and neither the defaults nor a
#            password come into it. A rule for one action so takes away all others, also those that anybody
#            may do, from all but root. The same is true of all that throws in one case only, as the
#            details of an action that has none. indexOf() works, and a rule in a try harms only itself.
# Output:    no rule:         allowed
#            let:             allowed
#            indexOf():       allowed
#            includes():      Not authorized.
#            includes() first, then a rule that says yes: Not authorized.
#            includes() in a try: allowed
#
# Fails unless includes() outside of a try, and nothing else, takes away an action that anybody may do.
# Needs root, polkitd, pkcheck, setpriv, busctl and dbus-daemon.
set -eu

if [ "${1-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside
fi
work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
chmod 755 "$work"
mkdir "$work/actions" "$work/none" "$work/rules"
cat >"$work/actions/org.example.policy" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">
<policyconfig>
  <action id="org.example.look">
    <description>Look</description>
    <message>Look</message>
    <defaults>
      <allow_any>yes</allow_any>
      <allow_inactive>yes</allow_inactive>
      <allow_active>yes</allow_active>
    </defaults>
  </action>
</policyconfig>
END
cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$work/bus</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
END
# Only here: the rules and actions of polkitd are those of this directory.
mount --bind "$work/rules" /etc/polkit-1/rules.d
mount --bind "$work/none" /usr/share/polkit-1/rules.d
mount --bind "$work/actions" /usr/share/polkit-1/actions
for polkitd in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd; do
	[ ! -x $polkitd ] || break
done
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done

# What nobody gets with the rules that are there, each in a file.
try() {
	local number=10 rule said
	rm -f "$work/rules"/*
	for rule; do
		printf 'polkit.addRule(function(action, subject) {\n\t%s\n});\n' "$rule" >"$work/rules/$number-finding.rules"
		number=$((number + 10))
	done
	$polkitd --no-debug >"$work/log.polkitd" 2>&1 &
	until busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.freedesktop.DBus / org.freedesktop.DBus \
		GetNameOwner s org.freedesktop.PolicyKit1 >"$work/owner" 2>&1; do
		kill -0 $! || return 1
		sleep 0.05
	done
	# shellcheck disable=SC2016 # its own shell expands it
	if said=$(setpriv --reuid nobody --regid nogroup --clear-groups \
		sh -c 'pkcheck --action-id org.example.look --process $$' 2>&1); then
		said=allowed
	fi
	kill $!
	wait $! || :
	echo "$said"
}
includes='if (["org.example.other"].includes(action.id)) return polkit.Result.AUTH_ADMIN;'
none=$(try)
let=$(try 'let id = action.id; return polkit.Result.NO;')
index=$(try 'if (["org.example.other"].indexOf(action.id) >= 0) return polkit.Result.AUTH_ADMIN;')
alone=$(try "$includes")
first=$(try "$includes" 'return polkit.Result.YES;')
caught=$(try "try { $includes } catch (e) { }")
echo "no rule:         $none"
echo "let:             $let"
echo "indexOf():       $index"
echo "includes():      $alone"
echo "includes() first, then a rule that says yes: $first"
echo "includes() in a try: $caught"
[ "$none $let $index $caught" = "allowed allowed allowed allowed" ]
[ "$alone $first" = "Not authorized. Not authorized." ]
