#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Programs that make proxies of the installed interface file can: Qt, C++, GLib and GJS."""

import os
import shutil
import subprocess
import tempfile
import unittest

from sync import INTERFACE, SOURCE

# Its proxies are made at run time, of the first interface: what such a one has, without a bus.
GJS = """
const {Gio, GLib} = imports.gi;
const xml = new TextDecoder().decode(GLib.file_get_contents(ARGV[0])[1]);
const bus = Gio.DBusConnection.new_sync(
    Gio.SimpleIOStream.new(Gio.MemoryInputStream.new(), Gio.MemoryOutputStream.new_resizable()),
    null, Gio.DBusConnectionFlags.NONE, null, null);
const Proxy = Gio.DBusProxy.makeProxyWrapper(xml);
const proxy = new Proxy(bus, null, '/');
print(proxy.g_interface_name);
for (const member of ['ListProfilesSync', 'GetConfidenceRemote', 'BackendStatus'])
    if (member in proxy)
        print(member);
"""
XML = os.path.join(SOURCE, "dbus", INTERFACE + ".xml")


class Generators(unittest.TestCase):
    def generate(self, program, *arguments):
        """What a program writes into the directory that {} in its arguments stands for."""
        if not shutil.which(program):
            self.skipTest(program + " is not installed")
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run([program, *(argument.format(directory) for argument in arguments), XML],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("unknown type", done.stderr)
            text = ""
            for name in os.listdir(directory):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    text += file.read()
            return text

    def test_qt(self):
        text = self.generate("qdbusxml2cpp", "-p", "{}/proxy")
        self.assertIn("QDBusPendingReply<ProcDbProfiles> ListProfiles()", text)
        self.assertIn("QDBusPendingReply<QVariantMap> GetProfile(", text)
        self.assertIn("ProcDbCounts applyStatistics() const", text)

    def test_sdbus_cpp(self):
        text = self.generate("sdbus-c++-xml2cpp", "--proxy={}/proxy.h")
        self.assertIn("ListProfiles()", text)
        self.assertIn("onProfilesChanged(", text)

    def test_glib(self):
        text = self.generate("gdbus-codegen", "--generate-c-code", "{}/proxy")
        self.assertIn("call_list_profiles_sync", text)

    def test_gjs(self):
        if not shutil.which("gjs"):
            self.skipTest("gjs is not installed")
        done = subprocess.run(["gjs", "-c", GJS, XML], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(),
                         [INTERFACE, "ListProfilesSync", "GetConfidenceRemote", "BackendStatus"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
