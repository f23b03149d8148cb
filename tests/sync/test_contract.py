#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Introspection XML, polkit actions, bus policy, client and manual agree."""

import os
import re
import unittest
import xml.etree.ElementTree as ET

from sync import ACTION, INTERFACE, SOURCE, contract, methods, text


ANNOTATION = INTERFACE + ".Action"


def annotations(method):
    """Name -> value, of the annotations of a method."""
    return {note.get("name"): note.get("value") for note in method.findall("annotation")}


def authorizer():
    """Method -> action, as the contract says, of which the service's authorizer is made."""
    return {method.get("name"): annotations(method)[ANNOTATION].removeprefix(ACTION)
            for method in contract().iter("method")}


def special():
    """(method, action, argument) of calls that need another action than their method's."""
    return {(method.get("name"), value.removeprefix(ACTION),
             name.removeprefix(ANNOTATION + ".With."))
            for method in contract().iter("method")
            for name, value in annotations(method).items()
            if name.startswith(ANNOTATION + ".With.")}


def client():
    """Method -> action, from the table that names missing actions to people."""
    table = text("client", "failure.c").split("actions[] = {")[1].split("};")[0]
    return dict(re.findall(r'\{"(\w+)", "([\w-]+)"\}', table))


def client_special():
    """The same for arguments that need another action."""
    return set(re.findall(r'\{"(\w+)", "([\w-]+)", "([\w-]+)"\}',
                          text("client", "failure.c")))


def profile_members():
    """The members that the service sends of a profile."""
    return {name for file in ("profile-rows.c", "rows.c", "identity.c", "task-rows.c")
            for name in re.findall(r'(?:PROCDB_ADD|add_text|append)\((?:result, )?message, (?:"s", )?"(\w+)"[,)]',
                                   text("service", "bus", file).split("static int append_told")[0])}


def labels():
    """The members that the client has a label for."""
    return set(re.findall(r'^    \{"(\w+)", "', text("client", "view", "profile.c"), re.MULTILINE))


def manual():
    """Method -> action, from the manual page of the interface."""
    return dict(re.findall(r"^\.It Fn (\w+) Ta ([\w-]+) Ta",
                           text("data", "man", "org.pandemonium.ProcDb.5.in"), re.MULTILINE))


def policy():
    """The ids of the polkit actions, without their prefix, and each one's element."""
    root = ET.fromstring(text("polkit", "org.pandemonium.procdb.policy"))
    return {action.get("id").removeprefix(ACTION): action for action in root.iter("action")}


class Contract(unittest.TestCase):
    maxDiff = None

    def test_every_method_has_an_action_and_nothing_else_has(self):
        self.assertEqual(set(authorizer()), methods())

    def test_the_client_names_the_action_that_the_service_asks_for(self):
        self.assertEqual(client(), authorizer())
        self.assertEqual(client_special(), special())

    def test_the_manual_names_the_action_that_the_service_asks_for(self):
        self.assertEqual(manual(), authorizer())
        page = text("data", "man", "org.pandemonium.ProcDb.5.in")
        for method, action, argument in special():
            self.assertIn(".It Fn %s \\(dq%s\\(dq Ta %s Ta" % (method, argument, action), page)

    def test_every_member_of_a_profile_has_a_label(self):
        self.assertGreaterEqual(profile_members(), {"name", "predicted_tier", "program", "agreement"})
        self.assertEqual(profile_members() - labels(), set())

    def test_everybody_names_the_seconds_of_a_trial(self):
        least, most = (re.search(r"SECONDS_%s (\d+)" % end, text("service", "trial", "trial.h"))[1]
                       for end in ("MIN", "MAX"))
        code = text("client", "commands", "cmd-trial.c")
        self.assertIn("SECONDS_MIN %s\n#define SECONDS_MAX %s\n" % (least, most), code)
        for said in (text("client", "commands", "commands.c"), text("data", "man", "pandemoniumctl.1"),
                     text("dbus", "org.pandemonium.ProcDb1.xml")):
            self.assertIn("%s to %s" % (least, most), said)

    def test_every_action_is_known_to_polkit_and_used(self):
        self.assertEqual(set(policy()), set(authorizer().values()) | {action for _, action, _ in special()})

    def test_every_action_is_complete(self):
        for name, action in policy().items():
            with self.subTest(action=name):
                self.assertEqual({child.tag for child in action.find("defaults")},
                                 {"allow_any", "allow_inactive", "allow_active"})
                for tag in ("description", "message"):
                    self.assertTrue(action.findtext(tag))
                self.assertEqual(action.findtext("annotate"), "unix-user:root")

    def test_only_reading_is_free_for_everybody(self):
        free = {name for name, action in policy().items()
                if action.findtext("defaults/allow_any") == "yes"}
        self.assertEqual(free, {"list-profiles", "get-confidence"})

    def test_the_bus_lets_everybody_knock_at_our_interface_and_root_own_the_name(self):
        root = ET.fromstring(text("dbus", "org.pandemonium.ProcDb.conf"))
        rules = {(rule.get("user") or rule.get("context")): [allow.attrib for allow in rule]
                 for rule in root.iter("policy")}
        self.assertEqual(rules["root"], [{"own": "org.pandemonium.ProcDb"}])
        self.assertEqual({rule["send_interface"] for rule in rules["default"]},
                         {INTERFACE, *("org.freedesktop.DBus." + name for name in
                                       ("Properties", "Introspectable", "Peer"))})
        self.assertEqual({rule["send_destination"] for rule in rules["default"]},
                         {"org.pandemonium.ProcDb"})
        self.assertEqual(list(root.iter("deny")), [])

    def test_the_service_has_the_actions_from_the_contract_alone(self):
        for directory, _, names in os.walk(os.path.join(SOURCE, "service")):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(directory, name)
                    self.assertNotIn(ACTION, text(path), path)

    def test_error_domains_have_names_without_spaces(self):
        """clang-format takes the hyphens in them for minus signs."""
        found = []
        for top in ("service", "client", "common"):
            for directory, _, names in os.walk(os.path.join(SOURCE, top)):
                for name in names:
                    if name.endswith(".c"):
                        found += re.findall(r"G_DEFINE_QUARK\((.*?),", text(directory, name))
        self.assertGreaterEqual(len(found), 3)
        self.assertEqual([name for name in found if " " in name], [])

    def test_every_error_of_the_service_is_in_the_manual(self):
        errors = set(re.findall(r'PREFIX "(\w+)"', text("service", "bus", "errors.c")))
        page = text("data", "man", "org.pandemonium.ProcDb.5.in")
        listed = set(re.findall(r"^\.It Sy (\w+)$", page.split(".Ss Errors")[1].split(".Sh")[0], re.MULTILINE))
        self.assertGreaterEqual(listed, errors)

    def test_everybody_names_the_limit_of_names(self):
        limit = re.search(r"#define PROCDB_MAX_NAMES_IN (\d+)", text("common", "contract.h"))[1]
        for path in (("dbus", "org.pandemonium.ProcDb1.xml"),
                     ("data", "man", "org.pandemonium.ProcDb.5.in"),
                     ("data", "man", "pandemoniumctl.1"), ("tests", "client", "fake.py")):
            self.assertRegex(text(*path), r"(at|At) most %s|%s names|= %s\n" % (limit, limit, limit))

    def test_the_interface_has_the_rows_of_the_code(self):
        row = re.search(r'#define PROCDB_ROW "(.*)"', text("common", "contract.h"))[1]
        more = re.search(r'#define PROCDB_RECORD PROCDB_ROW "(.*)"', text("common", "contract.h"))[1]
        types = {arg.get("type") for arg in contract().iter("arg")
                 if arg.get("name") == "profiles" and arg.get("type") != "u"}
        self.assertEqual(types, {"a(%s)" % row, "a(%s%s)" % (row, more)})

    def test_the_client_has_a_label_for_every_member_of_a_profile(self):
        members = set(re.findall(r'ADD\(result, message, "(\w+)"', text("service", "bus", "rows.c")))
        self.assertGreaterEqual(len(members), 25)
        self.assertEqual(members - set(re.findall(r'\{"(\w+)", "', text("client", "view", "profile.c"))), set())

    def test_every_error_of_the_service_is_a_sentence_in_the_client(self):
        errors = set(re.findall(r'PREFIX "(\w+)"', text("service", "bus", "errors.c")))
        known = set(re.findall(r'g_str_equal\(code, "(\w+)"\)', text("client", "failure.c")))
        self.assertGreaterEqual(known, errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
