/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* A proxy that sdbus-c++-xml2cpp makes; see ../proxies.py. */

#include <algorithm>
#include <iostream>

#include "proxy.h"

namespace
{

/* Version 2 of the library has types of its own for these, and needs no word that all is said. */
#if __has_include(<sdbus-c++/VTableItems.h>)
using sdbus::ObjectPath;
using sdbus::ServiceName;
void finish(sdbus::IProxy &)
{
}
#else
using ObjectPath = std::string;
using ServiceName = std::string;
void finish(sdbus::IProxy &proxy)
{
	proxy.finishRegistration();
}
#endif

const char *const NAME = "org.pandemonium.ProcDb";

class Follower : public sdbus::ProxyInterfaces<org::pandemonium::ProcDb1_proxy>
{
      public:
	explicit Follower(sdbus::IConnection &bus)
	    : ProxyInterfaces(bus, ServiceName(NAME), ObjectPath("/org/pandemonium/ProcDb"))
	{
		registerProxy();
	}

	~Follower()
	{
		unregisterProxy();
	}

	void list()
	{
		std::vector<std::string> names;

		for (const auto &row : ListProfiles())
			names.push_back(std::get<0>(row));
		std::sort(names.begin(), names.end());
		print("list", names);
	}

      private:
	static void print(const char *what, const std::vector<std::string> &names)
	{
		std::cout << what;
		for (const auto &name : names)
			std::cout << ' ' << name;
		std::cout << std::endl;
	}

	void onProfilesChanged(const uint64_t &, const std::vector<std::string> &changed,
			       const std::vector<std::string> &) override
	{
		print("changed", changed);
	}
};

} // namespace

int main()
{
	auto bus = sdbus::createSystemBusConnection();
	auto daemon = sdbus::createProxy(*bus, ServiceName("org.freedesktop.DBus"),
					 ObjectPath("/org/freedesktop/DBus"));
	Follower follower(*bus);

	daemon->uponSignal("NameOwnerChanged")
	    .onInterface("org.freedesktop.DBus")
	    .call([&](const std::string &name, const std::string &, const std::string &owner) {
		    if (name != NAME)
			    return;
		    if (owner.empty())
			    std::cout << "gone" << std::endl;
		    else
			    follower.list();
	    });
	finish(*daemon);
	follower.list();
	bus->enterEventLoop();
}
