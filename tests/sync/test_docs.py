#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Documents that are cited exist, and the words that the glossary explains are in use."""

import os
import re
import subprocess
import unittest

from sync import SOURCE, text

DOCUMENTS = ("README.md", "HACKING.md", "SECURITY.md", "NEWS.md")


def tracked():
    """The files of the tree, in a clone and in an unpacked archive."""
    git = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True, check=False)
    if git.returncode == 0:
        return [name for name in git.stdout.split("\0") if name and os.path.isfile(os.path.join(SOURCE, name))]
    found = []
    for directory, directories, names in os.walk(SOURCE):
        directories[:] = [name for name in directories if not name.startswith((".", "build"))]
        found += [os.path.relpath(os.path.join(directory, name), SOURCE) for name in names]
    return found


def sources():
    """Path -> text, of all that people write and read."""
    found = {}
    for name in tracked():
        if name.startswith("tests/golden/") or not name.endswith(
                (".c", ".h", ".py", ".sh", ".md", ".build", ".in", ".xml", ".5", ".8", ".1", ".conf")):
            continue
        found[name] = text(name)
    return found


def anchors(document):
    """The anchors of a document's headings, as forges make them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", document, re.MULTILINE)}


def rows():
    """(term, code words, user words) of the glossary's tables."""
    found = []
    for line in text("docs", "glossary.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in ("term", "---"):
            found.append((cells[0], re.findall(r"`([^`]+)`", cells[2]), re.findall(r"`([^`]+)`", cells[3])))
    return found


class Documents(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.sources = sources()

    def test_the_ways_in_exist_and_the_readme_leads_to_them(self):
        readme = text("README.md")
        for name in ("HACKING.md", "SECURITY.md", "NEWS.md", "docs/architecture.md", "docs/glossary.md",
                     "docs/file-format.md", "docs/learning.md"):
            self.assertTrue(os.path.isfile(os.path.join(SOURCE, name)), name)
            self.assertIn("(%s)" % name, readme, "README.md does not lead to " + name)

    def test_the_news_are_of_this_version(self):
        version = os.environ["PROCDB_VERSION"]
        self.assertEqual(re.findall(r"^## (.*)$", text("NEWS.md"), re.MULTILINE)[0], version)
        self.assertIn("version: '%s'" % version, text("meson.build"))

    def test_every_document_that_is_cited_exists(self):
        for path, content in self.sources.items():
            for cited in re.findall(r"[\w./-]*\w\.md\b", content):
                with self.subTest(path=path, cited=cited):
                    directory = os.path.dirname(path)
                    self.assertTrue(any(os.path.isfile(os.path.join(SOURCE, base, cited))
                                        for base in (directory, "", "docs", "tests")))

    def test_no_comment_cites_a_section_of_a_document_elsewhere(self):
        for path, content in self.sources.items():
            self.assertNotRegex(content, r"(semantics|findings|architecture) §", path)

    def test_every_link_leads_somewhere(self):
        for path, content in self.sources.items():
            if not path.endswith(".md"):
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", content):
                name, _, anchor = target.partition("#")
                if re.match(r"\w+:", target):
                    continue
                file = os.path.join(SOURCE, os.path.dirname(path), name) if name else os.path.join(SOURCE, path)
                with self.subTest(path=path, target=target):
                    self.assertTrue(os.path.exists(file))
                    if anchor:
                        self.assertIn(anchor, anchors(text(file)))

    def test_every_path_that_a_document_names_exists(self):
        top = {name.split("/")[0] for name in self.sources if "/" in name}
        for path, content in self.sources.items():
            if path not in DOCUMENTS and not path.startswith("docs/"):
                continue
            for cited in re.findall(r"`([\w./*-]+/[\w./*-]*)`", content):
                if cited.split("/")[0] not in top or "*" in cited:
                    continue
                with self.subTest(path=path, cited=cited):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, cited)))


class Glossary(unittest.TestCase):
    def test_it_explains_what_people_ask_for(self):
        terms = {term for cell, _, _ in rows() for term in re.split(", ", cell)}
        self.assertGreaterEqual(terms, {
            "tier", "class", "profile", "entry", "record", "live", "retained", "predicted", "maturity",
            "renewal", "the reference", "look", "share", "pool", "override", "candidate"})

    def test_its_words_of_the_code_are_in_the_code(self):
        code = "".join(content for path, content in sources().items()
                       if path.startswith(("service/", "bpf/", "common/")))
        for term, words, _ in rows():
            for word in words:
                with self.subTest(term=term, word=word):
                    self.assertRegex(code, r"\b%s\b" % re.escape(word))

    def test_its_words_for_users_are_what_users_see(self):
        contract = text("dbus", "org.pandemonium.ProcDb1.xml")
        settings = re.findall(r"^#(\w+=)", text("data", "procdb.conf"), re.MULTILINE)
        seen = set(settings) | set(re.findall(r'name="(\w+)"', contract))
        seen |= set(re.findall(r'"([\w-]+)"', contract + text("service", "bus", "rows.c")))
        seen |= set(re.findall(r'PREFIX "(\w+)"', text("service", "bus", "errors.c")))
        seen |= set(re.findall(r'builder, "(\w+)"', text("client", "model", "json.c")))
        for term, _, words in rows():
            for word in words:
                with self.subTest(term=term, word=word):
                    self.assertIn(word, seen)

    def test_it_has_every_member_of_a_profile(self):
        """What list --json and GetProfile show is explained, or explains itself."""
        members = re.findall(r'ADD\(result, message, "(\w+)"', text("service", "bus", "rows.c").split("_explanation_append")[0])
        columns = re.findall(r'"(\w+)", row->|builder, "(\w+)"', text("client", "model", "json.c").split("void set_columns(")[1].split("\nJsonNode *ctl_json_from_rows")[0])
        shown = set(members) | {word for pair in columns for word in pair if word}
        self.assertGreaterEqual(len(shown), 18)
        explained = {word for _, _, words in rows() for word in words}
        self.assertEqual(shown - explained - {"tier", "origin"}, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
