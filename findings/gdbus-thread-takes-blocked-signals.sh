#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A signal that a program has blocked ends it all the same, once it has a connection of GDBus.
#
# Seen on:   GLib 2.74.6-2+deb12u9, libsystemd 252.39-1~deb12u2, dbus-daemon 1.14.10-1~deb12u1
#            (Debian 12), x86-64
# Guess:     GLib's own threads block all signals, as g_get_worker_context() does for "gmain"
#            (glib/gmain.c), so that signals are a matter of the program's own threads: a program
#            with one of these blocks SIGTERM for a moment, or for good and reads it from
#            signalfd(2).
# Behaviour: the thread "gdbus" (gio/gdbusprivate.c) is started with the mask of the thread that
#            connects first, and so has none if the program blocks later. A signal of the process
#            goes to any thread that does not block it (signal(7)): this one takes it, by its
#            default action. What forks a child, and blocks signals until it knows the child's ID,
#            dies in between and leaves the child alone. Blocked before the connection is made,
#            it is blocked in that thread, too. sd-bus has no thread.
# Output:    gdbus, blocked after: killed by 15
#            gdbus, blocked before: read from signalfd
#            sd-bus, blocked after: read from signalfd
#
# Fails unless only the first is killed. Needs gcc, libglib2.0-dev, libsystemd-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $bus 2>/dev/null || :; rm -rf "$work"' EXIT
bus=
cat >"$work/take.c" <<'C'
#include <gio/gio.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static int take(void)
{
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &only, NULL) < 0)
		g_error("blocking");
	return signalfd(-1, &only, SFD_CLOEXEC);
}

static void connect_with(gboolean gdbus, const char *address)
{
	g_autoptr(GError) error = NULL;
	sd_bus *bus;

	if (gdbus) {
		/* Never freed: it lives as long as the program. */
		if (!g_dbus_connection_new_for_address_sync(
			address,
			G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
			    G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
			NULL, NULL, &error))
			g_error("%s", error->message);
	} else if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 ||
		   sd_bus_set_bus_client(bus, 1) < 0 || sd_bus_start(bus) < 0) {
		g_error("sd-bus");
	}
}

/* take ADDRESS gdbus|sd-bus before|after */
int main(int argc, char **argv)
{
	const gboolean before = argv[3][0] == 'b';
	struct signalfd_siginfo taken;
	int fd = before ? take() : -1;

	connect_with(argv[2][0] == 'g', argv[1]);
	if (!before)
		fd = take();
	kill(getpid(), SIGTERM);
	return read(fd, &taken, sizeof(taken)) == sizeof(taken) && taken.ssi_signo == SIGTERM ? 0 : 2;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/take" "$work/take.c" $(pkg-config --cflags --libs gio-2.0 libsystemd)
dbus-daemon --session --address="unix:path=$work/bus" --nofork --nopidfile --nosyslog 2>"$work/log" &
bus=$!
until [ -S "$work/bus" ]; do
	kill -0 "$bus"
	sleep 0.05
done

# Prints what became of it.
take() {
	local status=0

	"$work/take" "unix:path=$work/bus" "$@" 2>/dev/null || status=$?
	case $status in
	0) echo "read from signalfd" ;;
	1[2-9]?) echo "killed by $((status - 128))" ;;
	*) echo "failed with $status" ;;
	esac
}
after=$(take gdbus after)
before=$(take gdbus before)
other=$(take sd-bus after)
printf 'gdbus, blocked after: %s\ngdbus, blocked before: %s\nsd-bus, blocked after: %s\n' "$after" "$before" "$other"
[ "$after" = 'killed by 15' ] && [ "$before" = 'read from signalfd' ] && [ "$other" = 'read from signalfd' ]
