/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "script.h"

#include <string.h>

/* Options that are words begin and end with a space. */
struct interpreter {
	const char *names;   /* each of these, with a version behind it or not */
	const char *valued;  /* options whose value is the next argument */
	const char *chosen;  /* ... of which that is the program */
	const char *code;    /* ... whose value is the program's text: nothing is known of that */
	const char *letters; /* the same as letters, also among others: -lc */
	const char *last;    /* letters whose value is the next argument, behind others: -euo */
};

static const struct interpreter interpreters[] = {
    {" python pypy ", " -W -X --check-hash-based-pycs ", " -m ", " -c ", "c"},
    {" sh bash dash ash ksh mksh zsh fish ", " -o +o -O +O --rcfile --init-file ", "",
     " --command ", "cs", "oO"},
    {" perl ", "", "", "", "eE"},
    {" ruby ", " -I -r ", "", "", "e"},
    {" node nodejs ",
     " -r --require --import --loader --experimental-loader -C --conditions --env-file ", "",
     " -e --eval -p --print ", "ep"},
    {" java ", " -cp -classpath --class-path -p --module-path --add-modules ", " -jar -m --module ",
     "", NULL},
    {" php ", " -c -d -z ", " -f ", " -r ", NULL},
    {" lua luajit ", " -l -e ", "", "", NULL},
    {" Rscript tclsh wish guile gjs mono wine wine-preloader wine64 wine64-preloader ", "", "",
     " -e -c ", NULL},
};

const char *procdb_script_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether one of some words, between spaces, is this one, of len bytes. */
static gboolean has_word(const char *words, const char *word, gsize len)
{
	for (const char *at = words; len > 0 && (at = strstr(at, " ")) && at[1]; at++)
		if (strncmp(at + 1, word, len) == 0 && at[1 + len] == ' ')
			return TRUE;
	return FALSE;
}

/* By the name of its file: python3.11 is a python. */
static const struct interpreter *interpreter_of(const char *path)
{
	const char *base = procdb_script_base(path);
	gsize len = strlen(base), bare = len;

	while (bare > 0 && (g_ascii_isdigit(base[bare - 1]) || strchr(".-", base[bare - 1])))
		bare--;
	for (gsize i = 0; i < G_N_ELEMENTS(interpreters); i++)
		if (has_word(interpreters[i].names, base, len) ||
		    has_word(interpreters[i].names, base, bare))
			return &interpreters[i];
	return NULL;
}

gboolean procdb_script_is_interpreter(const char *path)
{
	return interpreter_of(path) != NULL;
}

/* The argument behind one; NULL where there is none that ends with a zero. */
static const char *next_of(const char *arg, const char *end)
{
	const char *next = (const char *)memchr(arg, '\0', (gsize)(end - arg));

	next = next ? next + 1 : end;
	return next < end && memchr(next, '\0', (gsize)(end - next)) ? next : NULL;
}

/* NULL for one that is empty. */
static const char *unless_empty(const char *arg)
{
	return arg && *arg ? arg : NULL;
}

static gboolean has_value(const struct interpreter *interpreter, const char *option, gsize len)
{
	return has_word(interpreter->valued, option, len) ||
	       (interpreter->last && option[1] != '-' &&
		strchr(interpreter->last, option[len - 1]));
}

static gboolean has_code(const struct interpreter *interpreter, const char *option)
{
	return has_word(interpreter->code, option, strlen(option)) ||
	       (interpreter->letters && option[0] == '-' && option[1] != '-' &&
		strpbrk(option, interpreter->letters));
}

const char *procdb_script_find(const char *path, const char *args, gsize len)
{
	const struct interpreter *interpreter = interpreter_of(path);
	const char *end = args + len;
	/* The first is what it is called. */
	const char *arg = interpreter && len > 0 ? next_of(args, end) : NULL;

	for (; arg; arg = next_of(arg, end)) {
		const gsize length = strlen(arg);

		if (g_str_equal(arg, "--"))
			return unless_empty(next_of(arg, end));
		if (*arg != '-' && *arg != '+')
			return unless_empty(arg);
		if (length == 1 || has_code(interpreter, arg))
			return NULL;
		if (has_word(interpreter->chosen, arg, length))
			return unless_empty(next_of(arg, end));
		if (has_value(interpreter, arg, length))
			arg = next_of(arg, end);
		if (!arg)
			return NULL;
	}
	return NULL;
}

gboolean procdb_script_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return FALSE;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
