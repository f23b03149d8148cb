#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A stand-in for pandemonium-procdbd, for tests of its clients.

Serves the interface of dbus/org.pandemonium.ProcDb1.xml from a table in
memory. It learns nothing and authorizes nothing: --fail METHOD=ERROR:MESSAGE
makes a method fail the way that a test wants to see, --hang METHOD prints
whether the call may ask for a password and never answers, --no-database lets
LoadDatabase find none, --many N adds so many profiles, --leave NAME lets a profile
leave without a word just before others are deleted, --set PROPERTY=TEXT changes a property,
--tell METHOD prints how many rows an answer of it has.
Prints "ready" when it owns its name.
"""

import argparse
import copy
import fnmatch
import sys
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib

from fake_columns import FIELDS, as_columns, as_map
from fake_tasks import DECLARED, IDENTITY, TASKS, named, override_of

NAME = "org.pandemonium.ProcDb"
PATH = "/org/pandemonium/ProcDb"
INTERFACE = "org.pandemonium.ProcDb1"
ERROR = INTERFACE + ".Error."
COLUMNS = ("name", "tier", "confidence", "confident", "observations", "votes", "avg_runtime_ns",
           "runtime_dev_ns", "wakeup_freq", "csw_rate", "last_seen_us", "origin")
TYPES = dict(zip(COLUMNS, ("s", "s", "d", "b", "u", "(uuu)", "t", "t", "t", "t", "x", "s")))
ROWS = "a(" + "".join(TYPES.values()) + ")"
MOST_ROWS = 20000
# What a record has beside its row.
REST = {"first_seen_us": 0, "right": 0, "wrong": 0, "withdrawals": 0, "taught_by": "unknown", "owner": 0}
RECORDS = "a(" + "".join(TYPES.values()) + "xttusu)"
DEFAULTS = {"s": "", "u": 0, "t": 0, "x": 0, "d": 0.0, "b": False, "a{st}": {}, "a(sttt)": [], "as": []}
MAX_NAMES = 4096
TIERS = ("batch", "interactive", "lat-critical")


def profile(name, tier, confidence, observations, votes, runtime, deviation, wakeups, switches,
            age_s, origin="live"):
    seen = 0 if age_s is None else int((time.time() - age_s) * 1e6)
    return dict(zip(COLUMNS, (name, tier, confidence, confidence >= 0.6, observations, votes,
                              runtime, deviation, wakeups, switches, seen, origin)))


PROFILES = [
    profile("cc1", "batch", 0.9123, 42, (41, 1, 0), 72_000_000, 13_000_000, 1, 0, 4),
    profile("as", "batch", 0.71, 40, (39, 1, 0), 5_100_000, 2_900_000, 2, 1, 5),
    profile("firefox", "interactive", 0.66, 17, (2, 15, 0), 850_000, 400_000, 40, 12, 70),
    profile("pipewire", "lat-critical", 0.95, 300, (0, 0, 300), 90_000, 9_000, 64, 120, 2),
    profile("make", "interactive", 0.45, 5, (2, 3, 0), 900, 800, 3, 2, 7200),
    profile("new", "interactive", 0.0, 2, (0, 2, 0), 1_500_000_000, 10, 3, 2, 1),
    profile("sshd\\xff\\xfe\\x0a%n", "batch", 0.0, 1, (1, 0, 0), 2**64 - 1, 2**63, 0, 0, None,
            "retained"),
    profile("a b'\"\\\\c", "batch", 0.8, 9, (9, 0, 0), 1_000, 100, 5, 5, 300000, "retained"),
    profile("größe", "batch", 0.8, 9, (9, 0, 0), 1_000, 100, 5, 5, 300000),
    profile("wine", "lat-critical", 0.2, 4, (2, 1, 1), 4_000_000, 4_000_000, 9, 9, 9, "override"),
]

PROPERTIES = {
    "Version": GLib.Variant("s", "0.1.0"),
    "ApiVersion": GLib.Variant("u", 4),
    "Backend": GLib.Variant("s", "observer"),
    "BackendState": GLib.Variant("s", "active"),
    "BackendStatus": GLib.Variant("s", "active"),
    "BackendReason": GLib.Variant("s", ""),
    "BackendInUse": GLib.Variant("s", "observer"),
    "Tick": GLib.Variant("t", 754),
    "Observations": GLib.Variant("t", 12345),
    "ObservationsLost": GLib.Variant("t", 0),
    "MapErrors": GLib.Variant("t", 0),
    "PredictionsRight": GLib.Variant("t", 97), "PredictionsWrong": GLib.Variant("t", 3),
    "PredictionOutcomes": GLib.Variant("a(sttt)", [("batch", 79, 1, 0), ("interactive", 0, 15, 0),
                                                   ("lat-critical", 0, 2, 3)]),
    "ApplyStatistics": GLib.Variant("a{st}", {"set": 7, "lost": 0}),
    "DatabasePath": GLib.Variant("s", "/var/lib/pandemonium/procdb.bin"),
    "LastSaveError": GLib.Variant("s", ""), "DatabaseProblem": GLib.Variant("s", ""),
    "Dirty": GLib.Variant("b", True),
    "MinObservations": GLib.Variant("u", 3),
    "MinConfidence": GLib.Variant("d", 0.6),
    "MaxProfiles": GLib.Variant("u", 512),
    "TrialState": GLib.Variant("s", "none"), "TrialProgress": GLib.Variant("u", 0),
    "StaleTicks": GLib.Variant("t", 60),
    "RetentionDays": GLib.Variant("u", 30),
}


class Refused(Exception):
    def __init__(self, name, message):
        super().__init__(message)
        self.name = name if "." in name else ERROR + name


def add(row, known):
    """What the service makes of two profiles of one name, as far as tests of the client ask."""
    if "override" == row["origin"] == known["origin"] and row["tier"] != known["tier"]:
        raise Refused("InvalidProfile", "The profile of '%s' has an override to %s, and here is one "
                      "to %s: clear one of them" % (row["name"], row["tier"], known["tier"]))
    votes = tuple(map(sum, zip(row["votes"], known["votes"])))
    observations = row["observations"] + known["observations"]
    return dict(row, votes=votes, observations=observations, confident=observations >= 3)


class Fake:
    def __init__(self, bus, xml, arguments):
        self.bus = bus
        self.table = {row["name"]: row for row in copy.deepcopy(PROFILES)}
        for i in range(arguments.many):
            name = "many%d" % i
            self.table[name] = profile(name, "batch", 0.5, 3, (3, 0, 0), 1000, 10, 1, 1, 5)
        saved = int((time.time() - 200) * 1e6)
        self.properties = dict(PROPERTIES, LastSave=GLib.Variant("x", saved))
        self.failures = dict(text.split("=", 1) for text in arguments.fail)
        self.hang = arguments.hang
        self.tell = arguments.tell
        self.leaving = arguments.leave
        self.no_database = arguments.no_database
        self.serial = 0
        self.changed_at = {}
        self.holds, self.cookies, self.rules, self.programs = {}, [], {}, copy.copy(IDENTITY)
        self.callers = set()
        interface = Gio.DBusNodeInfo.new_for_xml(xml).lookup_interface(INTERFACE)
        for known in interface.properties:
            self.properties.setdefault(known.name, GLib.Variant(known.signature,
                                                                DEFAULTS[known.signature]))
        for text in arguments.set:
            key, value = text.split("=", 1)
            kind = self.properties[key].get_type_string()
            self.properties[key] = GLib.Variant.parse(GLib.VariantType(kind), value, None, None)
        bus.register_object(PATH, interface, self.on_call, self.on_get, None)

    def on_get(self, _bus, sender, _path, _interface, name):
        self.callers.add(sender)
        counts = {
            "Profiles": len(self.table),
            "Confident": sum(row["confident"] for row in self.table.values()),
            "Overrides": sum(row["origin"] == "override" for row in self.table.values()),
        }
        return GLib.Variant("u", counts[name]) if name in counts else self.properties[name]

    def on_call(self, _bus, sender, _path, _interface, method, parameters, invocation):
        self.callers.add(sender)
        if method in self.hang:
            flags = invocation.get_message().get_flags()
            asks = flags & Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION
            print(method, "may ask" if asks else "may not ask", flush=True)
            return
        try:
            if method in self.failures:
                raise Refused(*self.failures[method].split(":", 1))
            answer = getattr(self, method)(*parameters.unpack())
            if method in self.tell:
                rows = answer.unpack()[0]
                names = rows["name"] if isinstance(rows, dict) else rows
                print(method, names.count(0) if names and isinstance(names[0], int) else len(names), flush=True)
            invocation.return_value(answer)
        except Refused as refused:
            invocation.return_dbus_error(refused.name, str(refused))

    def changed(self, names, removed):
        self.serial += 1
        self.changed_at.update((name, self.serial) for name in names)
        for caller in self.callers:
            self.bus.emit_signal(caller, PATH, INTERFACE, "ProfilesChanged",
                                 GLib.Variant("(tasas)", (self.serial, names, removed)))

    def find(self, name):
        if len(name) > 64:
            raise Refused("InvalidName", "'%s': Not a valid task name: the kernel keeps 15 bytes" % name)
        if name not in self.table:
            raise Refused("NoSuchProfile", "'%s': There is no profile of this name" % name)
        return self.table[name]

    def ListProfiles(self):
        rows = [tuple(self.table[name][key] for key in COLUMNS) for name in sorted(self.table)]
        return GLib.Variant("(%s)" % ROWS, (rows,))

    def known(self, name):
        """All that is known of a name."""
        row, source = self.table[name], self.source(name)
        known = {"found": 0, "missed": 0, "runs": 0, **REST, **row, "predicted": row["confident"],
                 "prediction_source": source}
        if source != "none":
            known["predicted_tier"] = self.holds.get(name, row["tier"])
        if row["origin"] == "override":
            known.update(override=row["tier"], override_source="administrator")
        if name in self.holds:
            known.update(held=self.holds[name], held_by=":1.7", held_uid=0, held_reason="")
        return {**known, **{key: value.unpack() for key, value in self.programs.get(name, {}).items()}}

    def source(self, name):
        row = self.table[name]
        return "hold" if name in self.holds else "override" if row["origin"] == "override" else \
            "learned" if row["confident"] else "none"

    def has_title(self, name, titles):
        known = self.known(name)
        texts = [name, *(known[key].rsplit("/", 1)[-1] for key in ("program", "script") if key in known)]
        return any(fnmatch.fnmatchcase(text, title.replace("[", "[[]")) for text in texts for title in titles)

    def matching(self, query, limit):
        """Names in the order of an answer."""
        self.check(query, ("pattern", "titles", "tier", "confident", "applied", "kinds", "users", "changed_since",
                           "sort", "after"))
        names = [name for name in sorted(self.table)
                 if ("pattern" not in query or fnmatch.fnmatchcase(name, query["pattern"])) and
                 self.has_title(name, query.get("titles", ["*"])) and
                 self.table[name]["confident"] >= query.get("confident", False) and
                 ("kinds" not in query or self.known(name).get("kind", "") in ("", *query["kinds"])) and
                 name > query.get("after", "")]
        since = query.get("changed_since", 0)
        names = [name for name in names
                 if self.changed_at.get(name, 0) > since or "changed_since" not in query][:limit or None]
        if len(names) > MOST_ROWS:
            raise Refused("LimitExceeded", "%d profiles match, and one answer has room for %d" %
                          (len(names), MOST_ROWS))
        return names

    def QueryProfiles(self, query, limit):
        rows = [as_map(self.known(name)) for name in self.matching(query, limit)]
        return GLib.Variant("(aa{sv}t)", (rows, self.serial))

    def QueryColumns(self, query, fields, limit):
        unknown = [field for field in fields if field not in (*FIELDS, "packed")]
        if unknown:
            raise Refused("InvalidFilter", "There is no column '%s'" % unknown[0])
        rows = [self.known(name) for name in self.matching(query, limit)]
        return GLib.Variant("(a{sv}t)", (as_columns(rows, fields), self.serial))

    def ListTasks(self, query, limit):
        self.check(query, ("pattern", "pid", "uid", "tier", "applied", "kinds"))
        tasks = [task for task in TASKS
                 if fnmatch.fnmatchcase(task["name"].get_string(), query.get("pattern", "*")) and
                 task["pid"].get_uint32() == query.get("pid", task["pid"].get_uint32()) and
                 ("tier" not in query or "predicted" in task and
                  task["predicted"].get_string() == query["tier"])]
        return GLib.Variant("(aa{sv})", ([self.predicted(task) for task in tasks][:limit or None],))

    def predicted(self, task):
        """With the prediction of its name now."""
        name = task["name"].get_string()
        row = self.table.get(name)
        if ("program", name) in self.rules:
            task = {**task, "override_by": GLib.Variant("s", "program"), "set_by": GLib.Variant("s", "procdb"),
                    "override": GLib.Variant("s", self.rules["program", name])}
        return {**task, "predicted": GLib.Variant("s", row["tier"])} if row and "predicted" in task else task

    def Hold(self, name, tier, reason):
        if tier not in TIERS:
            raise Refused("InvalidTier", "There is no tier '%s'" % tier)
        print("held", name, tier, reason, flush=True)
        self.holds[name] = tier
        self.cookies.append(name)
        self.changed([name], [])
        return GLib.Variant("(u)", (len(self.cookies),))

    def ReleaseHold(self, cookie):
        print("released", cookie, flush=True)
        self.holds.pop(self.cookies[cookie - 1], None)
        self.changed([self.cookies[cookie - 1]], [])

    @staticmethod
    def check(query, known):
        for key in query:
            if key not in known:
                raise Refused("InvalidFilter", "There is no filter '%s'" % key)

    def GetProfile(self, name):
        self.find(name)
        values = as_map(self.known(name))
        values.update(override_of(self.table[name]), right=GLib.Variant("t", 7))
        values["from_the_future"] = GLib.Variant("as", ["x"])
        return GLib.Variant("(a{sv})", (values,))

    def GetConfidence(self, name):
        return GLib.Variant("(d)", (self.find(name)["confidence"],))

    def Explain(self, name):
        row = self.find(name)
        values = {key: GLib.Variant(TYPES[key], row[key]) for key in COLUMNS}
        source = "learned" if row["confident"] else "none"
        held = self.holds.get(name)
        if held:
            source = "hold"
            values["tier"] = GLib.Variant("s", held)
        elif row["origin"] == "override":
            source = "override"
            values["override"] = GLib.Variant("s", row["tier"])
        elif row["confident"]:
            values["in_kernel"] = GLib.Variant("(stttt)", (row["tier"], 1, 2, 3, 4))
        votes = row["votes"]
        spread = row["runtime_dev_ns"] / max(1, row["avg_runtime_ns"])
        values.update({
            "learned_tier": GLib.Variant("s", TIERS[votes.index(max(votes))]),
            "agreement": GLib.Variant("d", max(votes) / max(1, sum(votes))),
            "stability": GLib.Variant("d", 1 - min(1, spread)),
            "min_observations": GLib.Variant("u", 3),
            "min_confidence": GLib.Variant("d", 0.6),
            "missing_observations": GLib.Variant("u", max(0, 3 - row["observations"])),
            "missing_confidence": GLib.Variant("d", max(0, 0.6 - row["confidence"])),
            "prediction_source": GLib.Variant("s", source),
        })
        return GLib.Variant("(a{sv})", (values,))

    def DeleteProfile(self, name):
        self.find(name)
        del self.table[name]
        self.changed([], [name])

    def DeleteProfiles(self, names):
        if len(names) > MAX_NAMES:
            raise Refused("LimitExceeded", "At most %d names can be deleted in one call" % MAX_NAMES)
        names = set(names)
        for name in self.leaving:
            self.serial += self.table.pop(name, None) is not None
        for name in names:
            self.find(name)
        for name in names:
            del self.table[name]
        self.changed([], sorted(names)[:256])
        return GLib.Variant("(u)", (len(names),))

    def Reset(self):
        gone = [name for name, row in self.table.items() if row["origin"] != "override"]
        for name in gone:
            del self.table[name]
            self.programs[name] = {key: value for key, value in self.programs.get(name, {}).items()
                                   if key not in ("program", "unit", "kind", "uid", "runs", "cpu_ns")}
        self.changed([], [])
        return GLib.Variant("(u)", (len(gone),))

    def Save(self):
        return GLib.Variant("(u)", (sum(row["confident"] for row in self.table.values()),))

    def Reload(self):
        return GLib.Variant("(u)", (len(self.table),))

    def LoadDatabase(self):
        if self.no_database:
            return GLib.Variant("(u)", (0,))
        return GLib.Variant("(u)", (len(self.table),))

    def SetBackend(self, backend):
        if backend not in ("auto", "observer", "sched-ext", "pinned", "none"):
            raise Refused("NoBackend", "There is no backend '%s'" % backend)
        if backend == "sched-ext":
            self.properties["BackendState"] = GLib.Variant(
                "s", "failed: no sched_ext; observing instead")
            self.properties["BackendStatus"] = GLib.Variant("s", "failed")
            self.properties["BackendReason"] = GLib.Variant("s", "no sched_ext")
        self.properties["Backend"] = GLib.Variant("s", backend)
        self.properties["BackendInUse"] = GLib.Variant(
            "s", "observer" if backend in ("auto", "sched-ext") else backend)
        self.bus.emit_signal(None, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                             GLib.Variant("(sa{sv}as)", (INTERFACE, {
                                 "Backend": self.properties["Backend"]}, [])))

    def GetDelays(self):
        def row(applied, p90, buckets):
            return {"tier": GLib.Variant("s", "lat-critical"), "applied": GLib.Variant("b", applied),
                    "count": GLib.Variant("t", sum(count for _, count in buckets)),
                    "p90": GLib.Variant("t", p90), "buckets": GLib.Variant("a(tt)", buckets)}
        return GLib.Variant("(aa{sv})", ([row(False, 2_100_000, [(2_097_152, 2000)]),
                                          row(True, 300_000, [(262_144, 5000), (327_680, 4000)])],))

    def GetTrial(self):
        ratio = {"p90_ratio": 0.4, "p90_ratio_low": 0.31, "p90_ratio_high": 0.52}
        values = {"state": GLib.Variant("s", self.properties["TrialState"].get_string()),
                  "reason": GLib.Variant("s", "the service was given other settings"),
                  "verdict": GLib.Variant("s", "helps"),
                  "because": GLib.Variant("s", "latency-critical tasks wait less with applying"),
                  "pairs": GLib.Variant("u", 25), "waits": GLib.Variant("t", 8312),
                  "p90_with": GLib.Variant("t", 860_000), "p90_without": GLib.Variant("t", 2_880_000)}
        values.update({key: GLib.Variant("d", value) for key, value in ratio.items()})
        return GLib.Variant("(a{sv})", (values,))

    def trial_is(self, state, percent):
        self.properties["TrialState"] = GLib.Variant("s", state)
        self.properties["TrialProgress"] = GLib.Variant("u", percent)
        self.bus.emit_signal(None, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                             GLib.Variant("(sa{sv}as)", (INTERFACE, {
                                 "TrialState": self.properties["TrialState"],
                                 "TrialProgress": self.properties["TrialProgress"]}, [])))
        return False

    def StartTrial(self, seconds):
        """61 end early, 63 are forgotten, and 600 never end; others are over at once, 62 after the end of another."""
        if seconds == 62:
            self.trial_is("ended", 100)
        self.trial_is("running", 0)
        if seconds < 600:
            GLib.timeout_add(50, self.trial_is, {61: "ended", 63: "none"}.get(seconds, "done"), 100)

    def StopTrial(self):
        print("StopTrial", flush=True)
        self.trial_is("ended", 50)

    def SetApply(self, mode):
        self.properties["Apply"] = GLib.Variant("s", mode)

    def Import(self, rows, replace):
        rows = [dict(zip(COLUMNS, row)) for row in rows]
        if len({row["name"] for row in rows}) < len(rows):
            raise Refused("InvalidProfile", "A name is given twice")
        if replace:
            self.table = {name: row for name, row in self.table.items()
                          if row["origin"] == "override"}
        self.table.update((row["name"], row) for row in rows)
        self.changed([], [])
        return GLib.Variant("(u)", (len(rows),))

    def ExportProfiles(self):
        rows = [tuple({**REST, **self.table[name]}[key] for key in (*COLUMNS, *REST))
                for name in sorted(self.table)]
        return GLib.Variant("(%s)" % RECORDS, (rows,))

    def ImportProfiles(self, rows, replace, merge):
        rows = [dict(zip((*COLUMNS, *REST), row)) for row in rows]
        if merge and not replace:
            rows = [add(row, self.table[row["name"]]) if row["name"] in self.table else row
                    for row in rows]
        rest = [{key: row.pop(key) for key in REST} for row in rows]
        result = self.Import([tuple(row[key] for key in COLUMNS) for row in rows], replace)
        for row, values in zip(rows, rest):
            self.table[row["name"]].update(values)
        return result

    def ImportPrograms(self, rows, add):
        rows = {row.pop("name"): row for row in rows}
        rows = {name: row for name, row in rows.items() if name in self.table}
        for name, row in rows.items():
            known = self.programs.get(name, {})
            for key in row.keys() & known.keys() & {"runs", "cpu_ns"}:
                row[key] += known[key].unpack() if add else 0
            self.programs[name] = {**known, **named(**row)}
        return GLib.Variant("(u)", (len(rows),))

    def SetOverride(self, name, tier):
        if tier not in TIERS:
            raise Refused("InvalidTier", "There is no tier '%s'" % tier)
        row = self.table.setdefault(name, profile(name, tier, 0.0, 0, (0, 0, 0), 0, 0, 0, 0, None))
        row.update(tier=tier, origin="override")
        self.changed([name], [])

    def ClearOverride(self, name):
        self.find(name).update(cleared=True, origin="override" if name in DECLARED else "live")
        self.changed([name], [])

    def SetOverrideFor(self, what, tier):
        self.rules[tuple(what.items())[0]] = tier

    def ClearOverrideFor(self, what):
        if self.rules.pop(tuple(what.items())[0], None) is None:
            raise Refused("NoSuchProfile", "There is no override of this program or unit")

    def ListOverrides(self):
        rows = [*(rule + (tier,) for rule, tier in self.rules.items()),
                *(("name", name, row["tier"]) for name, row in self.table.items() if row["origin"] == "override")]
        return GLib.Variant("(aa{sv})", ([{key: GLib.Variant("s", value) for key, value in (
            (kind, text), ("tier", tier), ("source", "administrator"))} for kind, text, tier in rows],))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("xml")
    parser.add_argument("--fail", action="append", default=[], metavar="METHOD=ERROR:MESSAGE")
    parser.add_argument("--hang", action="append", default=[], metavar="METHOD")
    parser.add_argument("--tell", action="append", default=[], metavar="METHOD")
    parser.add_argument("--no-database", action="store_true")
    parser.add_argument("--many", type=int, default=0, metavar="N")
    parser.add_argument("--leave", action="append", default=[], metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="PROPERTY=VALUE")
    arguments = parser.parse_args()
    loop = GLib.MainLoop()
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    with open(arguments.xml, encoding="utf-8") as file:
        Fake(bus, file.read(), arguments)
    Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.DO_NOT_QUEUE,
                                   lambda *_: print("ready", flush=True),
                                   lambda *_: sys.exit("the name is taken"))
    loop.run()


if __name__ == "__main__":
    main()
