/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "failure.h"

#include <string.h>

#include "escape.h"
#include "name.h"

/* As the authorizer of the service has it; tests/sync compares the two. */
static const struct {
	const char *method;
	const char *action;
	const char *argument; /* only for this one; NULL: for all others */
} actions[] = {
    {"SetBackend", "replace-scheduler", "sched-ext"},
    {"ListProfiles", "list-profiles"},
    {"GetProfile", "list-profiles"},
    {"GetConfidence", "get-confidence"},
    {"Explain", "list-profiles"},
    {"DeleteProfile", "delete-entries"},
    {"DeleteProfiles", "delete-entries"},
    {"Reset", "delete-entries"},
    {"Save", "save"},
    {"Reload", "manage"},
    {"LoadDatabase", "manage"},
    {"Import", "manage"},
    {"ExportProfiles", "list-profiles"},
    {"ImportProfiles", "manage"},
    {"ImportPrior", "import-prior"},
    {"ImportPrograms", "manage"},
    {"SetBackend", "manage"},
    {"SetApply", "manage"},
    {"GetDelays", "list-profiles"},
    {"GetHistory", "list-profiles"},
    {"StartTrial", "manage"},
    {"StopTrial", "manage"},
    {"GetTrial", "list-profiles"},
    {"SetOverride", "set-override"},
    {"ClearOverride", "set-override"},
    {"SetOverrideFor", "set-override"},
    {"ClearOverrideFor", "set-override"},
    {"ListOverrides", "list-profiles"},
    {"QueryProfiles", "list-profiles"},
    {"QueryColumns", "list-profiles"},
    {"ListTasks", "list-profiles"},
    {"GetProfileOfPid", "list-profiles"},
    {"Hold", "set-override"},
    {"ReleaseHold", "set-override"},
};

/* The polkit action that guards a call, without its prefix; NULL if there is none. */
static const char *action_of(const char *method, const char *argument)
{
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		if (g_strcmp0(method, actions[i].method) == 0 &&
		    (!actions[i].argument || g_strcmp0(argument, actions[i].argument) == 0))
			return actions[i].action;
	}
	return NULL;
}

/* The action is what the client knows by what it called; NULL if it needs none. */
static int denied(const char *action, const char *message)
{
	g_printerr("Access denied: %s.\n", message);
	if (action)
		g_printerr("Run it as root, or have an administrator allow the "
			   "action " PROCDB_ACTION_PREFIX "%s in a polkit rule.\n",
			   action);
	else
		g_printerr("Run it as root.\n");
	return CTL_DENIED;
}

static int needs_password(const char *action)
{
	g_printerr("Access denied: the polkit action " PROCDB_ACTION_PREFIX
		   "%s asks for a password, and --no-ask-password says not to.\n"
		   "Run it without that, or as root.\n",
		   action ? action : "*");
	return CTL_DENIED;
}

/* All of several names are deleted, or none is. Only the message says then which one is wrong. */
static const char *none_deleted(const char *method)
{
	return g_strcmp0(method, "DeleteProfiles") == 0 ? "Nothing was deleted: " : "";
}

static int no_such_profile(const char *method, const char *name, const char *message)
{
	if (name && g_strcmp0(method, "ClearOverride") == 0) {
		g_printerr("There is no override of \"%s\".\n"
			   "\"pandemoniumctl override list\" shows those that there are.\n",
			   name);
		return CTL_NO_PROFILE;
	}
	if (name)
		g_printerr("There is no profile of \"%s\".\n", name);
	else
		g_printerr("%s%s.\n", none_deleted(method), message);
	g_printerr("\"pandemoniumctl list\" shows the names that there are.\n");
	return CTL_NO_PROFILE;
}

static int invalid_name(const char *method, const char *message)
{
	g_printerr("%s%s.\n", none_deleted(method), message);
	return CTL_USAGE;
}

static int unreachable(const char *why)
{
	g_printerr("%s\n"
		   "\"pandemoniumctl doctor\" says what is missing.\n",
		   why);
	return CTL_UNREACHABLE;
}

/* The change of a method holds even if it could not be saved. */
static int not_saved(const char *method, const char *message)
{
	if (g_strcmp0(method, "Save") == 0)
		g_printerr("The database was not saved: %s.\nWhat was saved before is still "
			   "there, and the service will try again.\n",
			   message);
	else
		g_printerr("The change is in effect, but not saved to disk yet: %s.\n"
			   "The service tries again by itself, at the latest when it stops, or on "
			   "\"pandemoniumctl save\".\n",
			   message);
	return CTL_FAILED;
}

static int report_ours(const char *code, const char *method, const char *name, const char *message)
{
	if (g_str_equal(code, "SaveFailed"))
		return not_saved(method, message);
	if (g_str_equal(code, "InvalidProfile") || g_strcmp0(method, "ImportProfiles") == 0 ||
	    g_strcmp0(method, "ImportPrior") == 0) {
		g_printerr("Nothing was imported: %s.\n", message);
		return CTL_FAILED;
	}
	if (g_str_equal(code, "NoSuchProfile"))
		return no_such_profile(method, name, message);
	if (g_str_equal(code, "InvalidName"))
		return invalid_name(method, message);
	if (g_str_equal(code, "InvalidTier")) {
		g_printerr("%s.\nTiers are batch, interactive and lat-critical.\n", message);
		return CTL_USAGE;
	}
	if (g_str_equal(code, "LimitExceeded") || g_str_equal(code, "Declared") ||
	    g_str_equal(code, "InvalidFilter") || g_str_equal(code, "NoSuchHold")) {
		g_printerr("The service refused: %s.\n", message);
		return CTL_FAILED;
	}
	if (g_str_equal(code, "NoSuchTask")) {
		g_printerr("%s.\n", message);
		return CTL_FAILED;
	}
	if (g_str_equal(code, "LoadFailed")) {
		g_printerr("Not loaded: %s.\nConfiguration and profiles stay as they were.\n",
			   message);
		return CTL_FAILED;
	}
	if (g_str_equal(code, "NoBackend")) {
		g_printerr(g_strcmp0(method, "StartTrial") == 0 ? "No trial was started. %s.\n"
								: "Nothing was changed: %s.\n",
			   message);
		return CTL_FAILED;
	}
	g_printerr("The service refused: %s (%s).\n", message, code);
	return CTL_FAILED;
}

static int not_started(const char *message)
{
	g_autofree char *why =
	    g_strdup_printf("The service pandemonium-procdbd could not be started: %s.\n"
			    "Its log (journalctl -u pandemonium-procdbd) says why.",
			    message);

	return unreachable(why);
}

static int report_bus(const char *remote, const char *method, const char *name, const char *message)
{
	if (g_str_equal(remote, "org.freedesktop.DBus.Error.AccessDenied"))
		return denied(action_of(method, name), message);
	if (g_str_equal(remote, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"))
		return needs_password(action_of(method, name));
	if (g_str_equal(remote, "org.freedesktop.DBus.Error.ServiceUnknown") ||
	    g_str_equal(remote, "org.freedesktop.DBus.Error.NameHasNoOwner"))
		return unreachable("The service pandemonium-procdbd is not running, and the bus "
				   "does not know how to start it.");
	if (g_str_has_prefix(remote, "org.freedesktop.DBus.Error.Spawn.") ||
	    g_str_has_prefix(remote, "org.freedesktop.systemd1."))
		return not_started(message);
	if (g_str_equal(remote, "org.freedesktop.DBus.Error.NoReply") ||
	    g_str_equal(remote, "org.freedesktop.DBus.Error.TimedOut") ||
	    g_str_equal(remote, "org.freedesktop.DBus.Error.Timeout"))
		return unreachable("The service did not answer; it may have stopped, or hang.");
	if (g_str_equal(remote, "org.freedesktop.DBus.Error.UnknownMethod") ||
	    g_str_equal(remote, "org.freedesktop.DBus.Error.UnknownInterface")) {
		g_printerr("The running service does not know %s; it is older than this "
			   "program.\nRestart it: systemctl restart pandemonium-procdbd.\n",
			   method ? method : "this");
		return CTL_FAILED;
	}
	g_printerr("The call failed: %s (%s).\n", message, remote);
	return CTL_FAILED;
}

/* Without what GDBus puts in front, a full stop, and what a terminal must not see. */
static char *message_of(const GError *error)
{
	g_autoptr(GError) plain = g_error_copy(error);

	g_dbus_error_strip_remote_error(plain);
	if (g_str_has_suffix(plain->message, "."))
		plain->message[strlen(plain->message) - 1] = '\0';
	return escape_plain(plain->message);
}

int failure_report(const char *method, const char *name, const GError *error)
{
	g_autofree char *remote = g_dbus_error_get_remote_error(error);
	g_autofree char *message = message_of(error);
	const char *ours = PROCDB_BUS_INTERFACE ".Error.";

	if (remote && g_str_has_prefix(remote, ours))
		return report_ours(remote + strlen(ours), method, name, message);
	if (remote)
		return report_bus(remote, method, name, message);
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		return unreachable("The service did not answer in time.");
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
		return unreachable("The connection to the system bus broke.");
	g_printerr("The call failed: %s.\n", message);
	return CTL_FAILED;
}

int failure_to_start(const GError *error)
{
	g_autofree char *message = message_of(error);

	/* Other errors are of the connection, or of a bus that is slow. */
	return g_dbus_error_is_remote_error(error) ? not_started(message)
						   : failure_report(NULL, NULL, error);
}

gboolean failure_is_unknown(const GError *error)
{
	g_autofree char *remote = error ? g_dbus_error_get_remote_error(error) : NULL;

	return g_strcmp0(remote, PROCDB_BUS_INTERFACE ".Error.NoSuchProfile") == 0;
}

int failure_unknown(Ctl *ctl, const char *method, const char *name, const GError *error)
{
	const int status = failure_report(method, name, error);

	if (status == CTL_NO_PROFILE)
		name_suggest(ctl, name);
	return status;
}

int failure_no_bus(const GError *error)
{
	g_autofree char *why =
	    g_strdup_printf("The system bus cannot be reached: %s.", error->message);

	return unreachable(why);
}
