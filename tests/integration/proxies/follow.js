// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers
// What a GNOME program makes of the interface file; see ../proxies.py.
const {Gio, GLib} = imports.gi;
const xml = new TextDecoder().decode(GLib.file_get_contents(ARGV[0])[1]);
const Proxy = Gio.DBusProxy.makeProxyWrapper(xml);
const proxy = new Proxy(Gio.DBus.system, 'org.pandemonium.ProcDb', '/org/pandemonium/ProcDb');

function list() {
    const [rows] = proxy.ListProfilesSync();
    if (proxy.Profiles !== rows.length)
        throw new Error(`${proxy.Profiles} profiles, of which ${rows.length} are listed`);
    print('list', ...rows.map(row => row[0]).sort());
}

proxy.connectSignal('ProfilesChanged', (_proxy, _sender, [, changed]) => print('changed', ...changed));
proxy.connect('notify::g-name-owner', () => proxy.g_name_owner ? list() : print('gone'));
list();
new GLib.MainLoop(null, false).run();
