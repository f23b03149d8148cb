# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What runs on a desktop: a display server of its own, browsers, terminals, a sound server, a bundler."""

from .media import WAVE
from .model import ANY, PROMPT, PROMPT_BUSY, WAITS, Label, Workload

SEEN = "a person looks at it: late is seen"
HEARD = "late is heard"
# A page that moves at the display's rate, with 2 ms of script for each frame.
PAGE = r"""cat >page.html <<'END'
<!doctype html><title>moves</title><canvas id=c width=800 height=500></canvas><div id=d></div><script>
const g = document.getElementById('c').getContext('2d'); let n = 0;
function frame() {
  const end = performance.now() + 2; n += 1;
  while (performance.now() < end) { g.fillStyle = `hsl(${n % 360},80%,50%)`; g.fillRect(n % 700, (n * 7) % 400, 90, 90); }
  document.getElementById('d').textContent = 'frame ' + n; requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
</script>
END"""
# A thousand modules that use each other, as bundlers meet them.
MODULES = r"""mkdir -p src; for i in $(seq 1000); do
  echo "import { f$((i / 2)) } from './m$((i / 2)).js'; export function f$i(x) { return x < 1 ? x : f$((i / 2))(x - 1) + $i; }"
done | awk '{ file = "src/m" NR ".js"; print >file; close(file) }'; echo 'export function f0(x) { return x; }' >src/m0.js
for i in $(seq 1000); do echo "import { f$i } from './m$i.js'; console.log(f$i(7));"; done >src/index.js"""
CHROMIUM = "chromium --no-sandbox --no-first-run --disable-gpu --disable-dev-shm-usage --user-data-dir=$PWD/profile"
BROWSER = (Label("Xvfb|Xvfb.*|InputThread", PROMPT_BUSY, "draws the display that a person looks at"),
           Label("chrom.*|Chrom.*|.*", PROMPT_BUSY, SEEN))


def on_display(command):
    """Runs a command on a display of its own, once that answers: sockets of killed ones stay behind."""
    return ("rm -f display; Xvfb -displayfd 3 -screen 0 1280x720x24 -nolisten tcp 3>display >/dev/null 2>&1 & "
            f"while ! test -s display; do sleep 0.05; done; export DISPLAY=:$(cat display); {command}")


WORKLOADS = (
    Workload("browser-moves", "chromium Xvfb", on_display(f"exec {CHROMIUM} file://$PWD/page.html >/dev/null 2>&1"),
             BROWSER, PAGE),
    Workload("browser-loads", "chromium", f"while {CHROMIUM} --headless --dump-dom file://$PWD/page.html "
             ">/dev/null 2>&1; do :; done", BROWSER[1:], PAGE),
    Workload("xterm-typed", "xterm Xvfb xdotool", on_display("xterm -e bash --norc & sleep 1; "
             "while xdotool type --delay 250 'echo hello; '; do xdotool key Return; done"),
             (Label("Xvfb|InputThread", PROMPT_BUSY, "draws the display that a person looks at"),
              Label("xterm", PROMPT, "shows each key that a person types"), Label("bash", PROMPT, "typed into"),
              Label("xdotool", ANY, "is the person"))),
    Workload("xterm-scrolls", "xterm Xvfb", on_display("exec xterm -e sh -c "
             "'while :; do head -n 3000 /usr/share/common-licenses/GPL-3; sleep 0.5; done'"),
             (Label("Xvfb|InputThread", PROMPT_BUSY, "draws the display that a person looks at"),
              Label("xterm", PROMPT_BUSY, SEEN), Label("head", ANY, "feeds the terminal"))),
    Workload("sound-server", "pulseaudio paplay",
             "export XDG_RUNTIME_DIR=$PWD; pulseaudio -n --daemonize=no --exit-idle-time=-1 -L module-null-sink "
             "-L module-native-protocol-unix >/dev/null 2>&1 & sleep 0.5; while paplay $DATA/long.wav; do :; done",
             (Label("pulseaudio|null-sink|threaded-ml|paplay|.*", PROMPT, HEARD),),
             WAVE),
    Workload("rollup", "rollup node", "while rollup --silent src/index.js -f es -o out.js; do :; done",
             (Label("node|rollup|libuv-worker|.*", WAITS, "bundles: the result is wanted, not the progress"),), MODULES),
)
