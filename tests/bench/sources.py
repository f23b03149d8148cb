# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Generates the source tree that the effect benchmark builds.

Plain C of the kinds that programs are made of (parsers, tables, state
machines, number crunching), in units of very different size, in libraries with
a makefile each: what a middling C project looks like to the scheduler. The
same seed gives the same tree, byte by byte.
"""

import random
from pathlib import Path

COMMON_H = """\
#ifndef COMMON_H
#define COMMON_H
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *next; uint64_t key; char name[32]; double weight; };
struct table { struct node **slots; size_t n_slots, used; };
static inline uint64_t mix(uint64_t x) { x ^= x >> 31; x *= 0x9e3779b97f4a7c15ULL; return x ^ (x >> 29); }
#endif
"""


def hash_table(rng, name):
    prime, shift = rng.choice([31, 131, 1313, 65599]), rng.randint(3, 17)
    return f"""
static uint64_t {name}_hash(const char *s) {{
	uint64_t h = {rng.randint(1, 1 << 30)};
	while (*s) {{ h = h * {prime} + (unsigned char)*s++; h ^= h >> {shift}; }}
	return mix(h);
}}
int {name}(struct table *t, const char *key, double weight) {{
	uint64_t h = {name}_hash(key);
	struct node **at, *n;
	if (t->used * 4 >= t->n_slots * 3) {{
		size_t want = t->n_slots ? t->n_slots * 2 : {1 << rng.randint(3, 8)};
		struct node **grown = calloc(want, sizeof(*grown));
		if (!grown) return -ENOMEM;
		for (size_t i = 0; i < t->n_slots; i++)
			for (n = t->slots[i]; n;) {{
				struct node *next = n->next;
				n->next = grown[n->key % want]; grown[n->key % want] = n; n = next;
			}}
		free(t->slots); t->slots = grown; t->n_slots = want;
	}}
	for (at = &t->slots[h % t->n_slots]; *at; at = &(*at)->next)
		if ((*at)->key == h && strcmp((*at)->name, key) == 0) {{ (*at)->weight += weight; return 0; }}
	n = calloc(1, sizeof(*n));
	if (!n) return -ENOMEM;
	n->key = h; n->weight = weight; snprintf(n->name, sizeof(n->name), "%s", key);
	*at = n; t->used++;
	return 1;
}}
"""


def parser(rng, name):
    cases = "".join(
        f"""
	case {state}:
		if (isdigit((unsigned char)c)) {{ value = value * 10 + (c - '0'); state = {rng.randrange(9)}; }}
		else if (c == '{rng.choice(",;:=|/")}') {{ out[n++ % size] = value ^ {rng.randrange(999)}; value = 0; state = {rng.randrange(9)}; }}
		else if (isalpha((unsigned char)c)) {{ value += tolower((unsigned char)c) * {rng.randrange(3, 99)}; state = {rng.randrange(9)}; }}
		else if (isspace((unsigned char)c)) state = {rng.randrange(9)};
		else return -{state + 1};
		break;"""
        for state in range(9))
    return f"""
long {name}(const char *text, long *out, size_t size) {{
	long value = 0, n = 0; int state = 0;
	for (const char *p = text; *p; p++) {{
		int c = *p;
		switch (state) {{{cases}
		default: return -EINVAL;
		}}
	}}
	out[n % (long)size] = value;
	return n;
}}
"""


def numeric(rng, name):
    n = rng.choice([3, 4, 5, 6, 8])
    return f"""
double {name}(const double *a, const double *b, double *c, int rounds) {{
	double m[{n}][{n}], trace = 0;
	for (int r = 0; r < rounds; r++) {{
		for (int i = 0; i < {n}; i++)
			for (int j = 0; j < {n}; j++) {{
				double s = {rng.random():.6f};
				for (int k = 0; k < {n}; k++) s += a[i * {n} + k] * b[k * {n} + j] - m[k % {n}][i] * {rng.random():.3f};
				m[i][j] = s > 1e6 ? s / {rng.randint(2, 9)} : s;
			}}
		for (int i = 0; i < {n * n}; i++) c[i] = c[i] * {rng.random():.4f} + ((double *)m)[i];
		trace += m[r % {n}][r % {n}];
	}}
	return trace;
}}
"""


def formatter(rng, name):
    lines = "".join(
        f"""
	if (v->key & {1 << bit}) used += (size_t)snprintf(buf + used, used < size ? size - used : 0, "{rng.choice(['flag', 'opt', 'mode', 'cap'])}{bit}=%0{rng.randint(2, 12)}llx%s", (unsigned long long)(v->key >> {bit}), used ? ", " : "");"""
        for bit in range(rng.randint(6, 20)))
    return f"""
size_t {name}(const struct node *v, char *buf, size_t size) {{
	size_t used = 0;{lines}
	return used;
}}
"""


def sorter(rng, name):
    return f"""
void {name}(struct node *v, size_t n) {{
	size_t gap = n;
	int again = 1;
	while (gap > 1 || again) {{
		gap = gap * 10 / {rng.randint(12, 14)}; if (!gap) gap = 1;
		again = 0;
		for (size_t i = 0; i + gap < n; i++)
			if (v[i].key > v[i + gap].key || (v[i].key == v[i + gap].key && v[i].weight * {rng.random():.3f} > v[i + gap].weight)) {{
				struct node t = v[i]; v[i] = v[i + gap]; v[i + gap] = t; again = 1;
			}}
	}}
}}
"""


KINDS = (hash_table, parser, numeric, formatter, sorter)


def unit(rng, prefix):
    """One compile unit: mostly small, a few large, as in real trees."""
    functions = min(50, max(1, int(rng.lognormvariate(1.3, 0.9))))
    body = "".join(rng.choice(KINDS)(rng, f"{prefix}_f{i}") for i in range(functions))
    return f'#include "common.h"\n#include "version.h"\n{body}\nconst char *{prefix}_version(void) {{ return VERSION; }}\n'


# A name of its own for each object rule: the shell, the compiler driver, cc1
# and as run for each unit, ar and ranlib for each library, ld for each program.
LIBRARY_MAKEFILE = """\
UNITS := {units}
all: lib{name}.a
%.o: %.c ../common.h ../version.h
	@echo "  CC {name}/$@" && $(CC) $(CFLAGS) -I.. -MMD -c -o $@ $<
lib{name}.a: $(UNITS:=.o)
	@rm -f $@ && ar rc $@ $^ && ranlib $@
.PHONY: all
"""

TOP_MAKEFILE = """\
CC = gcc
CFLAGS = -O2 -g -Wall -Wno-maybe-uninitialized
LIBRARIES := {libraries}
export CC CFLAGS
all: $(LIBRARIES:=.program)
version.h: version.in
	@sed -e 's/@VERSION@/1.0/' $< > $@.tmp && mv $@.tmp $@
$(LIBRARIES): version.h
	@$(MAKE) --no-print-directory -C $@
%.program: % main.c
	@$(CC) $(CFLAGS) -I. -DENTRY=$*_u0_version -o $@ main.c $*/lib$*.a && ./$@ > $@.out
clean:
	@rm -f version.h *.program *.out */*.o */*.d */*.a
.PHONY: all clean $(LIBRARIES)
"""


def generate(root, units=300, libraries=12, seed=4):
    """Writes the tree below root (a Path, made here); returns its facts."""
    rng = random.Random(seed)
    root = Path(root)
    root.mkdir(parents=True)
    names = [f"lib{i:02d}" for i in range(libraries)]
    (root / "common.h").write_text(COMMON_H)
    (root / "version.in").write_text('#define VERSION "@VERSION@"\n')
    (root / "main.c").write_text(
        "#include <stdio.h>\nconst char *ENTRY(void);\n"
        "int main(void) { return puts(ENTRY()) < 0; }\n")
    (root / "Makefile").write_text(TOP_MAKEFILE.format(libraries=" ".join(names)))
    lines = 0
    for i, name in enumerate(names):
        directory = root / name
        directory.mkdir()
        count = units // libraries + (i < units % libraries)
        for j in range(count):
            text = unit(rng, f"{name}_u{j}")
            lines += text.count("\n")
            (directory / f"u{j}.c").write_text(text)
        (directory / "Makefile").write_text(LIBRARY_MAKEFILE.format(
            name=name, units=" ".join(f"u{j}" for j in range(count))))
    return {"units": units, "libraries": libraries, "lines": lines, "seed": seed}
