# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Databases, caches, web servers with their load; interpreters; version control."""

from .model import ANY, PROMPT_BUSY, STOCK, WAITS, WAITS_BRIEF, Label, Workload

SERVES = "answers others: a long slice would make them wait, and it is no person's"
LOADS = "makes the load"
COMPUTES = "computes: the result is wanted, not the progress"

# A server of an unprivileged user on a socket in its own directory.
POSTGRES = """
PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n1):$PATH
as="setpriv --reuid=postgres --regid=postgres --clear-groups"
start() { $as postgres -D $PWD/db -k $PWD -c listen_addresses= -p $PORT >log 2>&1 & server=$!
  for i in $(seq 100); do $as pg_isready -q -h $PWD -p $PORT && return; sleep 0.1; done; cat log; exit 1; }
finish() { kill -INT $server; wait $server; }
"""
POSTGRES_FILLED = POSTGRES + """
chown postgres .
test -d db || { $as initdb -D $PWD/db -A trust >/dev/null && start && $as createdb -h $PWD -p $PORT bench &&
  $as pgbench -i -q -s 10 -h $PWD -p $PORT bench >/dev/null 2>&1; finish; }
"""
POSTGRES_LABELS = (Label("postgres|pg_ctl", STOCK, SERVES), Label("pgbench|pg_isready", ANY, LOADS))


def pgbench(name, options):
    return Workload(name, "pgbench setpriv", POSTGRES + f"start; $as pgbench -n {options} -T $S -h $PWD -p $PORT bench >out || exit 1; finish",
                    POSTGRES_LABELS, POSTGRES_FILLED, endless=False)


REDIS = """
redis-server --port $PORT --bind 127.0.0.1 --save '' --appendonly no --dir $PWD >log & server=$!
for i in $(seq 100); do redis-cli -p $PORT ping >/dev/null 2>&1 && break; sleep 0.1; done
timeout $S redis-benchmark -q -p $PORT -n 100000000 -t get,set {options} >/dev/null; kill $server; wait $server; true
"""
WAIT_FOR_PORT = "for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:$PORT/ && break; sleep 0.1; done; "
SITE = "mkdir -p site; for i in $(seq 50); do head -c $((i * 700)) /usr/share/common-licenses/GPL-3 >site/$i.html; done; cp site/9.html site/index.html"
NGINX = """
cat >nginx.conf <<X
worker_processes 2; daemon off; pid $PWD/pid; error_log $PWD/error.log;
events {} http { access_log $PWD/access.log; server { listen 127.0.0.1:$PORT; root $PWD/site; } }
X
nginx -c $PWD/nginx.conf & server=$!
""" + WAIT_FOR_PORT + "wrk -t1 -c10 -d${S}s http://127.0.0.1:$PORT/9.html >out || exit 1; kill $server; wait $server; true"
LIGHTTPD = """
printf 'server.document-root = "%s"\\nserver.bind = "127.0.0.1"\\nserver.port = %s\\nindex-file.names = ("index.html")\\n' $PWD/site $PORT >conf
lighttpd -D -f conf & server=$!
""" + WAIT_FOR_PORT + "timeout $((S + 5)) ab -q -t $S -n 10000000 -c 8 http://127.0.0.1:$PORT/9.html >out || exit 1; kill $server; wait $server; true"
PYTHON_SERVER = "python3 -m http.server -b 127.0.0.1 -d site $PORT >/dev/null 2>&1 & server=$!; " + WAIT_FOR_PORT + \
    "end=$(($(date +%s) + S)); while [ $(date +%s) -lt $end ]; do curl -s -o /dev/null http://127.0.0.1:$PORT/9.html || exit 1; done; kill $server; wait $server; true"

CRUNCH = """
cat >crunch.py <<X
n = 0
while True:
    n = (n * 1103515245 + 12345) % 2**31
X
cat >matrices.py <<X
import numpy
a = numpy.random.rand(400, 400)
while True:
    a = a @ a.T; a /= numpy.linalg.norm(a); numpy.linalg.svd(a[:100, :100]); numpy.fft.fft2(a)
X
cat >crunch.js <<X
let n = 0, m = new Map(); for (;;) { n = (n * 16807 + 1) % 2147483647; m.set('k' + n % 50000, {n, s: [n]}); }
X
"""
# A repository with a history: 40 commits over a copy of the system's C headers.
REPOSITORY = """
test -d $DATA/repository || { mkdir $DATA/repository && cd $DATA/repository && git init -q . && cp -r /usr/include . &&
  git config user.name bench && git config user.email bench@localhost && git config gc.auto 0 && git add . && git commit -qm 0 &&
  for i in $(seq 40); do for f in $(find include -name '*.h' | head -n $((i * 30)) | tail -n 30); do echo "/* $i */" >>$f; done; git commit -qam $i; done; }
"""

WORKLOADS = (
    pgbench("pgbench-select", "-S -c 4 -j 1"),
    pgbench("pgbench-tpcb", "-c 4 -j 1"),
    Workload("redis-50", "redis-server redis-benchmark redis-cli", REDIS.format(options="-c 50"),
             (Label("redis-server|bio_.*|io_thd.*|jemalloc.*", STOCK, SERVES), Label("redis-.*", ANY, LOADS)), endless=False),
    Workload("redis-1", "redis-server redis-benchmark redis-cli", REDIS.format(options="-c 1"),
             (Label("redis-server|bio_.*|io_thd.*|jemalloc.*", STOCK, SERVES), Label("redis-.*", ANY, LOADS)), endless=False),
    Workload("memcached", "memcached python3",
             "memcached -u nobody -l 127.0.0.1 -p $PORT -t 2 & server=$!; $BENCH/corpus-memcache $PORT $S || exit 1; kill $server; wait $server; true",
             (Label("memcached|mc-.*", STOCK, SERVES),), endless=False),
    Workload("sqlite-queries", "sqlite3",
             "while echo \"select k, sum(v), count(distinct w) from t group by k % 1000 order by 2; select count(*) from t a join t b on a.k = b.v where a.v > 900000;\""
             " | sqlite3 db >/dev/null; do :; done", (Label("sqlite3", WAITS, COMPUTES),),
             "test -s db || sqlite3 db \"create table t(k, v, w); with recursive n(i) as (select 1 union all select i + 1 from n where i < 500000) "
             "insert into t select i * 7919 % 1000003, i * 104729 % 1000003, 'w' || (i % 5000) from n; create index x on t(k)\""),
    Workload("nginx-wrk", "nginx wrk curl", NGINX, (Label("nginx", STOCK, SERVES), Label("wrk|curl", ANY, LOADS)), SITE, endless=False),
    Workload("lighttpd-ab", "lighttpd ab curl", LIGHTTPD, (Label("lighttpd", STOCK, SERVES), Label("ab|curl", ANY, LOADS)), SITE, endless=False),
    Workload("python-http", "python3 curl", PYTHON_SERVER,
             (Label("python3", STOCK, SERVES), Label("curl|date", ANY, LOADS)), SITE, endless=False),
    Workload("python-numbers", "python3", "exec python3 crunch.py", (Label("python3", WAITS, COMPUTES),), CRUNCH),
    Workload("python-numpy", "python3", "exec python3 matrices.py", (Label("python3", WAITS, COMPUTES),), CRUNCH),
    Workload("perl-numbers", "perl", "exec perl -e 'my %h; my $n = 1; while (1) { $n = ($n * 16807 + 1) % 2147483647; $h{$n % 50000} .= \"x\" if length($h{$n % 50000} // \"\") < 100 }'",
             (Label("perl", WAITS, COMPUTES),)),
    Workload("ruby-numbers", "ruby", "exec ruby -e 'h = {}; n = 1; loop { n = (n * 16807 + 1) % 2147483647; h[n % 50000] = \"k#{n}\" }'",
             (Label("ruby.*|.*rb.*", WAITS, COMPUTES),)),
    Workload("node-numbers", "node", "exec node crunch.js",
             (Label("node", WAITS, COMPUTES),), CRUNCH),
    Workload("git-repack", "git", "while git -C r repack -adfq --depth=50; do :; done",
             (Label("git", WAITS, COMPUTES),), f"({REPOSITORY})" + "; test -d r || cp -r $DATA/repository r"),
    Workload("git-clone", "git", "rm -rf c; while git clone -q --no-local file://$DATA/repository c; do rm -rf c; done",
             (Label("git", WAITS, COMPUTES), Label("rm|git-.*", WAITS_BRIEF, "cleans up")), REPOSITORY),
    Workload("git-status", "git", "while git -C $DATA/repository status --short >/dev/null; do sleep 0.3; done",
             (Label("git", PROMPT_BUSY, "a prompt that shows the state: a person waits for it"),), REPOSITORY),
)
