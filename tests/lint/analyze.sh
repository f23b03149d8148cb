#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# usage: analyze.sh TOOL SOURCE-DIRECTORY BUILD-DIRECTORY DIRECTORY...
# Runs a static analyzer (gcc, clang-tidy or cppcheck) over what the build
# compiles from some directories of the tree. Any finding is a failure.
set -eu

tool=$1
source=$2
build=$3
shift 3
case $tool in
gcc) program=gcc ;;
clang-tidy)
	program=clang-tidy-14
	command -v $program >/dev/null || program=clang-tidy
	;;
cppcheck) program=cppcheck ;;
*)
	echo "unknown tool $tool" >&2
	exit 2
	;;
esac
command -v "$program" >/dev/null || {
	echo "SKIP: $program is not installed"
	exit 77
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/procdb-analyze-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' TERM INT

# gcc 14 and 16 take for possible what cannot be: that g_strdup(), which GLib inlines by now, was given
# nothing, and what bounds and lists of arguments exclude; and tests leave files open at their ends. gcc 12
# looks for NULL in the same code, the sanitizers for bounds.
newer=''
[ "$tool" != gcc ] || [ "$(gcc -dumpversion | cut -d. -f1)" -lt 13 ] ||
	newer='-Wno-analyzer-null-argument -Wno-analyzer-null-dereference -Wno-analyzer-jump-through-null
		-Wno-analyzer-out-of-bounds -Wno-analyzer-va-list-exhausted
		-Wno-analyzer-fd-leak -Wno-analyzer-fd-use-without-check'

# Compile commands of C files of these directories, each file once; generated code is
# not ours. What only clang knows is not for gcc, and the other way round.
NEWER=$newer /usr/bin/python3 -B - "$tool" "$source" "$build" "$scratch" "$@" <<'END'
import json, os, shlex, sys

tool, source, build, scratch, *directories = sys.argv[1:]
with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
    commands = json.load(file)
chosen = {}
for command in commands:
    path = os.path.relpath(os.path.realpath(os.path.join(command["directory"], command["file"])),
                           os.path.realpath(source))
    if path.endswith(".c") and any(path.startswith(directory + "/") for directory in directories):
        # cppcheck knows GLib by itself, and would take minutes for its headers.
        without = ("-fsanitize", "-Werror", "-flto") + ("-I/usr/",) * (tool == "cppcheck")
        words = [word for word in shlex.split(command["command"]) if not word.startswith(without)]
        chosen.setdefault(path, {"directory": command["directory"], "file": command["file"],
                                 "command": shlex.join(words)})
if not chosen:
    sys.exit(f"nothing is compiled from {directories}")
with open(f"{scratch}/compile_commands.json", "w", encoding="utf-8") as file:
    json.dump(list(chosen.values()), file)
with open(f"{scratch}/files", "w", encoding="utf-8") as file:
    file.writelines(os.path.join(entry["directory"], entry["file"]) + "\n"
                    for entry in chosen.values())
with open(f"{scratch}/gcc", "w", encoding="utf-8") as file:
    for path, entry in chosen.items():
        words = shlex.split(entry["command"])
        words[words.index("-o") + 1] = "/dev/null"
        words = [word for word in words[1:] if word not in ("-MD", "-g")]
        words = [word for i, word in enumerate(words)
                 if word not in ("-MQ", "-MF") and (i == 0 or words[i - 1] not in ("-MQ", "-MF"))]
        # gcc 12 loses the initial value of variables that a cleanup function takes (g_autofree);
        # clang-analyzer-core.uninitialized looks for real ones.
        more = os.environ["NEWER"].split()
        if path.startswith("tests/") and any(word.endswith("/glib-2.0") for word in words):
            more += ["-include", f"{source}/tests/lint/assertions.h"]
        file.write(shlex.join(["gcc", "-fanalyzer", "-Werror", *more,
                               "-Wno-analyzer-use-of-uninitialized-value", *words]) + "\n")
END

jobs=$(nproc)
cd "$build"
case $tool in
gcc)
	# One command a line; each quoted as a shell wants it.
	tr '\n' '\0' <"$scratch/gcc" | xargs -0 -n 1 -P "$jobs" sh -c >"$scratch/log" 2>&1 || failed=1
	;;
clang-tidy)
	xargs -n 1 -P "$jobs" "$program" --quiet -p "$scratch" \
		<"$scratch/files" >"$scratch/log" 2>&1 || failed=1
	# It counts what it leaves out.
	sed -i -E '/^[0-9]+ warnings? (generated|treated as errors?)\.?$/d' "$scratch/log"
	;;
cppcheck)
	cppcheck --project="$scratch/compile_commands.json" --enable=warning,performance,portability \
		--library=gtk '-DG_DEFINE_QUARK(a,b)=' '-DG_GNUC_PRINTF(a,b)=' \
		'-DG_GINT64_FORMAT="ld"' '-DG_GUINT64_FORMAT="lu"' '-DG_GSIZE_FORMAT="lu"' --inline-suppr --error-exitcode=1 --quiet -j "$jobs" \
		--suppressions-list="$source/tests/lint/cppcheck.txt" \
		--template='{file}:{line}: {id}: {message}' >"$scratch/log" 2>&1 || failed=1
	;;
esac
cat "$scratch/log"
[ -z "${failed:-}" ] || exit 1
echo "$tool: $(wc -l <"$scratch/files") files, nothing found"
