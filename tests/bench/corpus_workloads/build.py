# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Compilers, and what drives them."""

from .model import ANY, WAITS, WAITS_BRIEF, Label, Workload

COMPILES = "compiles: the result is wanted, not the progress"
DRIVES = "starts others and waits for them"
C_BUILD = (
    Label("cc1", WAITS, COMPILES),
    Label("as|collect2|ld|ar|ranlib", WAITS_BRIEF, "part of a build, done in a few ms"),
    Label("make|gcc|cc|sh|rm|mkdir", ANY, DRIVES),
)
C_TREE = 'test -d $DATA/tree || python3 -c "import sys; sys.path.insert(0, \'$BENCH\'); ' \
         'import sources; from pathlib import Path; sources.generate(Path(\'$DATA/tree\'))"'
# Builds a tree of its own for ever; $1 is make's -j.
MAKE = "cp -r $DATA/tree tree && while :; do make -s -C tree clean && make -s -C tree -j%s || exit 1; done >/dev/null"

CXX = r"""
for i in $(seq 12); do cat >u$i.cc <<X
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
template <int N> struct f { static std::map<int, std::string> m() { auto r = f<N-1>::m(); r[N + $i] = "x"; return r; } };
template <> struct f<0> { static std::map<int, std::string> m() { return {}; } };
int g$i(const std::string &s) { std::regex e("a+(b|c)*$i"); std::smatch h; return std::regex_search(s, h, e) + f<40>::m().size(); }
X
done
"""
RUST = r"""
mkdir -p src; for i in $(seq 40); do cat <<X
pub mod m$i {
    use std::collections::{BTreeMap, HashMap};
    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum E { A(u64), B(String), C(Vec<E2>) }
    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct E2 { pub x: u32, pub y: Option<String> }
    pub fn run(n: u64) -> (BTreeMap<E, u64>, HashMap<String, Vec<E>>) {
        let mut a = BTreeMap::new(); let mut b: HashMap<String, Vec<E>> = HashMap::new();
        for i in 0..n { let e = if i % 2 == 0 { E::A(i) } else { E::C(vec![E2 { x: i as u32, y: Some(format!("{i}")) }]) };
            b.entry(format!("{e:?}")).or_default().push(e.clone()); *a.entry(e).or_insert(0) += i; }
        (a, b)
    }
}
X
done >lib.rs
"""
JAVA = r"""
for i in $(seq 150); do cat >C$i.java <<X
import java.util.*; import java.util.function.*; import java.util.stream.*;
public class C$i<T extends Comparable<T>> {
  record P(int a, String b, List<Integer> c) {}
  public Map<String, List<P>> f(List<P> l) { return l.stream().filter(p -> p.a() > $i).sorted(Comparator.comparing(P::b)).collect(Collectors.groupingBy(P::b)); }
  public int g(Object o) { return switch (o.toString()) { case "a" -> 1; case "b" -> 2; default -> o.hashCode(); }; }
$(for j in $(seq 30); do echo "  public Function<T, Optional<T>> h$j(T t) { return x -> Stream.of(x, t).max(Comparator.naturalOrder()).map(y -> y); }"; done)
}
X
done
"""
FORTRAN = r"""
for i in $(seq 8); do { echo "module m$i"; echo contains; for j in $(seq 60); do cat <<X
subroutine s$j(a, b, c, n)
  integer, intent(in) :: n
  real(8), intent(inout) :: a(n,n), b(n,n), c(n,n)
  integer :: i, k
  do i = 1, n
    do k = 1, n
      a(i,k) = sum(b(i,:) * c(:,k)) + sqrt(abs(a(i,k))) * $j
    end do
  end do
  c = matmul(a, transpose(b)) + spread(a(1,:), 1, n)
end subroutine
X
done; echo "end module"; } >m$i.f90; done
"""
CMAKE = r"""
test -d units || { mkdir units; for i in $(seq 300); do cat >units/u$i.c <<X
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
$(for j in $(seq 40); do echo "static int f$j(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) { a[i] = a[i] * $j + s; s ^= a[i] >> ($j % 7); if (s & 64) s = abs(s - (int)strlen(\"u$i\")); } return s; }"; done)
int u$i(int *a, int n) { return 0$(for j in $(seq 40); do printf ' + f%d(a, n)' $j; done); }
X
done
printf 'cmake_minimum_required(VERSION 3.18)\nproject(u C)\nfile(GLOB s units/*.c)\nset(CMAKE_BUILD_TYPE Release)\nadd_library(u STATIC ${s})\n' >CMakeLists.txt; }
"""

JVM = (
    Label("java|javac", WAITS, "computes until it is done"),
    Label(r"C[12] CompilerThre.*|GC Thread.*|G1 .*|VM Thread|Common-Cleaner|Sweeper thread|.*", WAITS_BRIEF,
          "a helper of the same computation"),
)

WORKLOADS = (
    Workload("make-gcc", "make gcc", MAKE % "4", C_BUILD, C_TREE),
    Workload("make-gcc-j1", "make gcc", MAKE % "1", C_BUILD, C_TREE),
    Workload("cmake-ninja", "cmake ninja cc", "while rm -rf b && cmake -G Ninja -B b . && ninja -C b; do :; done >/dev/null",
             (*C_BUILD, Label("ninja|cmake|c\\+\\+", ANY, DRIVES)), CMAKE),
    Workload("g++", "g++", "while ls *.cc | xargs -P$J -n1 -I@ g++ -O2 -c @ -o @.o; do :; done",
             (Label("cc1plus", WAITS, COMPILES), *C_BUILD[1:],
              Label("g\\+\\+|xargs|ls", ANY, DRIVES)), CXX),
    Workload("clang", "clang", "while ls units/*.c | xargs -P$J -n1 -I@ clang -O2 -c @ -o @.o; do :; done",
             (Label("clang.*", WAITS, COMPILES), Label("xargs|ls", ANY, DRIVES)), CMAKE),
    Workload("rustc", "rustc", "while rustc -O --crate-type=rlib lib.rs; do :; done",
             (Label(r"rustc|opt .*|cgu.*|lto .*|LLVM.*|coordinator", WAITS, COMPILES),
              *C_BUILD[1:]), RUST),
    Workload("go-build", "go", "export HOME=$PWD GOFLAGS=-mod=mod GO111MODULE=off; "
             "while GOCACHE=$PWD/cache$((n=n+1)) go build std; do rm -rf cache$n; done",
             (Label("compile|asm|link|vet", WAITS, COMPILES), Label("go|cgo|gcc|cc1|as|collect2|ld|buildid|pack", ANY, DRIVES))),
    Workload("javac", "javac", "while javac -d out *.java; do :; done", JVM, JAVA),
    Workload("gfortran", "gfortran", "while ls *.f90 | xargs -P$J -n1 -I@ gfortran -O2 -c @ -o @.o; do :; done",
             (Label("f951", WAITS, COMPILES), *C_BUILD[1:],
              Label("gfortran.*|xargs|ls", ANY, DRIVES)), FORTRAN),
    Workload("cppcheck", "cppcheck", "while cppcheck -q -j$J --enable=all units 2>/dev/null; do :; done",
             (Label("cppcheck", WAITS, "analyses sources; the result is wanted"),), CMAKE),
    Workload("shellcheck", "shellcheck", "while :; do shellcheck big.sh >/dev/null; done",
             (Label("shellcheck.*", WAITS, "analyses sources; the result is wanted"),),
             "for i in $(seq 400); do cat $BENCH/../packages/install.sh; done | sed '/^#!/d' | head -n 3000 >big.sh"),
)
