/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The types that annotations of the interface file name, for the proxy of qdbusxml2cpp. */

#ifndef FOLLOW_QT_H
#define FOLLOW_QT_H

#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusMetaType>
#include <tuple>

/* Qt has no types for D-Bus structures: tuples are those here. */
template <typename... T>
QDBusArgument &operator<<(QDBusArgument &argument, const std::tuple<T...> &value)
{
	argument.beginStructure();
	std::apply([&](const auto &...member) { (argument << ... << member); }, value);
	argument.endStructure();
	return argument;
}

template <typename... T>
const QDBusArgument &operator>>(const QDBusArgument &argument, std::tuple<T...> &value)
{
	argument.beginStructure();
	std::apply([&](auto &...member) { (argument >> ... >> member); }, value);
	argument.endStructure();
	return argument;
}

using Votes = std::tuple<uint, uint, uint>;
using Row = std::tuple<QString, QString, double, bool, uint, Votes, qulonglong, qulonglong,
		       qulonglong, qulonglong, qlonglong, QString>;
using Record = std::tuple<QString, QString, double, bool, uint, Votes, qulonglong, qulonglong,
			  qulonglong, qulonglong, qlonglong, QString, qlonglong, qulonglong,
			  qulonglong, uint, QString, uint>;
using Minute = std::tuple<qlonglong, QString, bool, qulonglong, qulonglong, qulonglong, qulonglong>;
using Outcome = std::tuple<QString, qulonglong, qulonglong, qulonglong>;

using ProcDbProfiles = QList<Row>;
using ProcDbRecords = QList<Record>;
using ProcDbHistory = QList<Minute>;
using ProcDbOutcomes = QList<Outcome>;
using ProcDbMaps = QList<QVariantMap>;
using ProcDbCounts = QMap<QString, qulonglong>;

Q_DECLARE_METATYPE(Votes)
Q_DECLARE_METATYPE(Row)
Q_DECLARE_METATYPE(Record)
Q_DECLARE_METATYPE(Minute)
Q_DECLARE_METATYPE(Outcome)

/* Of a property, qdbusxml2cpp's proxy reads the type by the name in the annotation. */
template <typename T> void register_named(const char *name)
{
	qRegisterMetaType<T>(name);
	qDBusRegisterMetaType<T>();
}

inline void register_types()
{
	qDBusRegisterMetaType<Votes>();
	qDBusRegisterMetaType<Row>();
	qDBusRegisterMetaType<Record>();
	qDBusRegisterMetaType<Minute>();
	qDBusRegisterMetaType<Outcome>();
	register_named<ProcDbProfiles>("ProcDbProfiles");
	register_named<ProcDbRecords>("ProcDbRecords");
	register_named<ProcDbHistory>("ProcDbHistory");
	register_named<ProcDbOutcomes>("ProcDbOutcomes");
	register_named<ProcDbMaps>("ProcDbMaps");
	register_named<ProcDbCounts>("ProcDbCounts");
}

#endif
