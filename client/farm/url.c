/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "url.h"

#include <string.h>

#define DEFAULT_PORT 6379
#define MAX_DATABASE 1023

/* clang-format takes the hyphens of an unquoted macro argument for minus signs. */
/* clang-format off */
G_DEFINE_QUARK(farm-url-error, farm_url_error)
/* clang-format on */

void farm_url_free(FarmUrl *url)
{
	g_free(url->host);
	g_free(url->path);
	g_free(url->user);
	g_free(url);
}

static FarmUrl *refuse(GError **error, const char *why)
{
	g_set_error(error, FARM_URL_ERROR, 0,
		    "%s; a store is redis://HOST, rediss://HOST (TLS) or unix:/PATH", why);
	return NULL;
}

static gboolean read_number(const char *text, guint64 least, guint64 most, guint64 *number)
{
	return g_ascii_string_to_unsigned(text, 10, least, most, number, NULL);
}

/* Nothing that a terminal, a bus or another protocol would take for more than a name. */
static gboolean is_plain(const char *text)
{
	for (; *text; text++)
		if (!g_ascii_isgraph(*text))
			return FALSE;
	return TRUE;
}

static FarmUrl *parse_socket(const char *path, GError **error)
{
	FarmUrl *url;

	if (g_str_has_prefix(path, "//"))
		path += 2;
	if (path[0] != '/' || !path[1])
		return refuse(error, "The path of a socket begins with a slash");
	url = g_new0(FarmUrl, 1);
	url->path = g_strdup(path);
	return url;
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT into url. */
static gboolean parse_place(FarmUrl *url, const char *place)
{
	const char *colon = strrchr(place, ':');
	const char *end = place[0] == '[' ? strchr(place, ']') : NULL;
	guint64 port = DEFAULT_PORT;
	gsize length;

	if (place[0] == '[' && (!end || (end[1] && end[1] != ':')))
		return FALSE;
	if (end) {
		colon = end[1] ? end + 1 : NULL;
		place++;
		length = (gsize)(end - place);
	} else {
		/* More than one colon is an address that lacks its brackets. */
		if (colon && memchr(place, ':', (gsize)(colon - place)))
			return FALSE;
		length = colon ? (gsize)(colon - place) : strlen(place);
	}
	if (colon && !read_number(colon + 1, 1, G_MAXUINT16, &port))
		return FALSE;
	if (length > 0) {
		g_free(url->host);
		url->host = g_strndup(place, length);
	}
	url->port = (guint16)port;
	return url->host != NULL;
}

FarmUrl *farm_url_parse(const char *text, GError **error)
{
	g_autoptr(FarmUrl) url = NULL;
	g_autofree char *rest = NULL;
	const char *place;
	char *slash, *at;
	guint64 database = 0;

	if (!is_plain(text))
		return refuse(error, "There is a space or a letter beyond ASCII in it");
	if (g_str_has_prefix(text, "unix:"))
		return parse_socket(text + strlen("unix:"), error);
	if (!g_str_has_prefix(text, "redis://") && !g_str_has_prefix(text, "rediss://"))
		return refuse(error, "It begins with none of redis://, rediss:// and unix:");
	url = g_new0(FarmUrl, 1);
	url->tls = g_str_has_prefix(text, "rediss://");
	rest = g_strdup(strstr(text, "//") + 2);
	slash = strchr(rest, '/');
	if (slash) {
		*slash = '\0';
		if (slash[1] && !read_number(slash + 1, 0, MAX_DATABASE, &database))
			return refuse(error, "Behind the host stands the number of a database");
	}
	url->database = (guint)database;
	place = rest;
	at = strrchr(rest, '@');
	if (at) {
		*at = '\0';
		if (strchr(rest, ':'))
			return refuse(error, "A password does not belong here, where all users of "
					     "the machine can read it: use --password-file");
		if (*rest)
			url->user = g_strdup(rest);
		place = at + 1;
	}
	if (!parse_place(url, place))
		return refuse(error, "It has no host, or a port that is none");
	return g_steal_pointer(&url);
}

FarmUrl *farm_url_at_node(const FarmUrl *url, const char *node, GError **error)
{
	g_autoptr(FarmUrl) other = g_new0(FarmUrl, 1);
	g_autofree char *place = NULL;
	const char *colon = strrchr(node, ':');
	guint64 port;

	other->host = g_strdup(url->host);
	other->user = g_strdup(url->user);
	other->tls = url->tls;
	/* Addresses of version 6 come without brackets. */
	if (colon && read_number(colon + 1, 1, G_MAXUINT16, &port) && is_plain(node)) {
		if (colon > node) {
			g_free(other->host);
			other->host = g_strndup(node, (gsize)(colon - node));
		}
		other->port = (guint16)port;
		if (other->host)
			return g_steal_pointer(&other);
	}
	g_set_error(error, FARM_URL_ERROR, 0, "The store names a node of its cluster that is none");
	return NULL;
}

char *farm_url_to_text(const FarmUrl *url)
{
	if (url->path)
		return g_strconcat("unix:", url->path, NULL);
	return g_strdup_printf(strchr(url->host, ':') ? "%s://[%s]:%u/%u" : "%s://%s:%u/%u",
			       url->tls ? "rediss" : "redis", url->host, url->port, url->database);
}
