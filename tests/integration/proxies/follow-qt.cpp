/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* A proxy that qdbusxml2cpp makes; see ../proxies.py. */

#include <QtCore/QCoreApplication>
#include <QtDBus/QDBusServiceWatcher>
#include <algorithm>
#include <iostream>

/* One unit: to read Qt's headers is most of what a compiler does here. */
#include "proxy.cpp"
#include "moc.cpp"

namespace
{

const char *const NAME = "org.pandemonium.ProcDb";

void print(const char *what, QStringList names)
{
	std::sort(names.begin(), names.end());
	std::cout << what;
	for (const auto &name : names)
		std::cout << ' ' << name.toStdString();
	std::cout << std::endl;
}

template <typename... T> auto first_of(QDBusPendingReply<T...> reply)
{
	reply.waitForFinished();
	if (reply.isError())
		qFatal("%s", qPrintable(reply.error().message()));
	return reply.template argumentAt<0>();
}

void list(ProcDb &proxy)
{
	const ProcDbProfiles rows = first_of(proxy.ListProfiles());
	const ProcDbRecords records = first_of(proxy.ExportProfiles());
	const ProcDbMaps maps = first_of(proxy.QueryProfiles({}, 0));
	QStringList names;

	for (const auto &row : rows)
		names << std::get<0>(row);
	if (proxy.profiles() != uint(rows.size()) || records.size() != rows.size() ||
	    maps.size() != rows.size())
		qFatal("other profiles are listed than there are");
	if (proxy.applyStatistics().isEmpty() || proxy.predictionOutcomes().isEmpty())
		qFatal("properties are empty: %s", qPrintable(proxy.lastError().message()));
	print("list", names);
}

} // namespace

int main(int argc, char **argv)
{
	QCoreApplication application(argc, argv);
	QDBusConnection bus = QDBusConnection::systemBus();

	register_types();

	ProcDb proxy(NAME, "/org/pandemonium/ProcDb", bus);
	QDBusServiceWatcher watcher(NAME, bus);

	QObject::connect(&proxy, &ProcDb::ProfilesChanged,
			 [](qulonglong, const QStringList &changed, const QStringList &) {
				 print("changed", changed);
			 });
	QObject::connect(&watcher, &QDBusServiceWatcher::serviceRegistered,
			 [&proxy] { list(proxy); });
	QObject::connect(&watcher, &QDBusServiceWatcher::serviceUnregistered,
			 [] { print("gone", {}); });
	list(proxy);
	return QCoreApplication::exec();
}
