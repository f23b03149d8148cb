# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Encoders and archivers, which compute; players, frames and audio, which a person watches and hears."""

from .model import ANY, PROMPT, PROMPT_BUSY, WAITS, WAITS_BRIEF, Label, Workload

ENCODES = "encodes: the file is wanted, not the progress"
PACKS = "packs: the archive is wanted, not the progress"
VIDEO = "-f lavfi -i testsrc2=size=%s:rate=30:duration=600"
# 300 MB that pack like a source tree: real text and objects of this machine.
FILES = "test -s $DATA/files.tar || { tar -cf - /usr/include /usr/bin/[a-m]* /usr/share/perl 2>/dev/null | head -c 300000000 >$DATA/files.tar; }"
LINES = "test -s $DATA/lines || python3 -c \"import random; random.seed(1); " \
        "print(*(f'{random.random()} {random.randrange(10**6)} word{random.randrange(5000)}' for i in range(2000000)), sep='\\n')\" >$DATA/lines"
WAVE = "test -s $DATA/long.wav || ffmpeg -v error -y -f lavfi -i 'aevalsrc=0.3*sin(2*PI*220*t)+0.2*sin(2*PI*(440+20*sin(t))*t)+0.05*random(0):d=900:s=44100:c=stereo' $DATA/long.wav"
CLIP = "test -s $DATA/clip.mp4 || ffmpeg -v error -y -f lavfi -i testsrc2=size=1280x720:rate=30:duration=30 -f lavfi -i sine=440:duration=30 -c:v libx264 -preset veryfast -c:a aac $DATA/clip.mp4"
MOVES = "moves bytes between the others of a pipe"


def encoder(name, arguments, size="1280x720", needs="ffmpeg"):
    return Workload(name, needs, f"ffmpeg -v error -nostdin -y {VIDEO % size} {arguments} -f null -",
                    (Label("ffmpeg|x264.*|x265.*|enc.*|frame.*|lookahead.*|.*", WAITS, ENCODES),))


def audio_encoder(name, command, comm):
    return Workload(name, f"{comm} ffmpeg", f"while {command} >/dev/null 2>&1; do :; done",
                    (Label(comm, WAITS, ENCODES),), WAVE)


def packer(name, command, labels, needs=None, prepare=FILES):
    return Workload(name, needs or name.split("-")[0], f"while {command}; do :; done",
                    (*labels, Label("cat|tee|dd|head", ANY, MOVES)), prepare)


def loop(name, period, work, wish, why):
    """procdb-probe under a name of its own; period and work in µs."""
    return Workload(name, "", f"ln -sf $PROBE {name}; exec ./{name} {period} {work} >/dev/null",
                    (Label(name, wish, why),))


WORKLOADS = (
    encoder("x264", "-c:v libx264 -preset medium"),
    encoder("x264-single", "-c:v libx264 -threads 1 -filter_threads 1", "640x360"),
    encoder("x265", "-c:v libx265 -x265-params log-level=none", "640x360"),
    encoder("vp9", "-c:v libvpx-vp9 -row-mt 1 -threads 4 -cpu-used 4", "640x360"),
    encoder("av1", "-c:v libsvtav1 -preset 8", "640x360"),
    audio_encoder("lame", "lame --quiet $DATA/long.wav out.mp3", "lame"),
    audio_encoder("flac", "flac -s -f -8 $DATA/long.wav -o out.flac", "flac"),
    audio_encoder("opusenc", "opusenc --quiet $DATA/long.wav out.opus", "opusenc"),
    packer("gzip", "gzip -c $DATA/files.tar >out.gz", (Label("gzip", WAITS, PACKS),)),
    packer("bzip2", "bzip2 -c $DATA/files.tar >out.bz2", (Label("bzip2", WAITS, PACKS),)),
    packer("xz-T2", "xz -T2 -c $DATA/files.tar >out.xz", (Label("xz", WAITS, PACKS),)),
    packer("zstd-T2", "zstd -q -f -T2 -15 $DATA/files.tar -o out.zst", (Label("zstd", WAITS, PACKS),)),
    packer("7z", "rm -f out.7z; 7z a -bd -y -mmt=2 out.7z $DATA/files.tar >/dev/null && rm -f out.7z",
           (Label("7z.*", WAITS, PACKS),)),
    packer("tar-gzip", "tar -cf - -C / usr/include usr/share/perl 2>/dev/null | gzip >out.tgz",
           (Label("gzip", WAITS, PACKS), Label("tar", WAITS_BRIEF, "feeds the packer")), "tar gzip", ""),
    packer("tar-zstd", "tar -cf - -C / usr/include usr/share/perl usr/lib/python3 2>/dev/null | zstd -q -f -10 -o out.tzst",
           (Label("zstd", WAITS, PACKS), Label("tar", WAITS_BRIEF, "feeds the packer")), "tar zstd", ""),
    packer("gunzip-tar", "gzip -dc in.gz | tar -xf - -C out; rm -rf out; mkdir out",
           (Label("gzip", WAITS, PACKS), Label("tar|rm", WAITS_BRIEF, "writes what is unpacked")), "tar gzip",
           "mkdir -p out; tar -czf in.gz -C / usr/include usr/share/perl 2>/dev/null"),
    packer("sort", "sort -k2 -n --parallel=2 -S 200M $DATA/lines >out", (Label("sort", WAITS, "computes; its output is wanted"),),
           "sort", LINES),
    packer("sha256sum-pipe", "cat $DATA/files.tar | sha256sum >/dev/null", (Label("sha256sum", WAITS, "computes; its output is wanted"),),
           "sha256sum"),
    packer("text-pipe", "cat $DATA/lines | grep word1 | tr a-z A-Z | sort | uniq -c | wc -l >/dev/null",
           (Label("sort", WAITS, "computes; its output is wanted"),
            Label("grep|tr|uniq|wc", WAITS_BRIEF, "part of a pipe that computes")), "grep", LINES),
    packer("awk", "awk '{n[$3] += $1; s += length($0)} END {for (w in n) print w, n[w], s}' $DATA/lines >out",
           (Label("awk|mawk|gawk", WAITS, "computes; its output is wanted"),), "awk", LINES),
    loop("frame-16.7-3", 16667, 3000, PROMPT, "a light game at 60 frames a second"),
    loop("frame-16.7-8", 16667, 8000, PROMPT_BUSY, "a game at 60 frames a second"),
    loop("frame-33-8", 33333, 8000, PROMPT_BUSY, "a game at 30 frames a second"),
    loop("frame-6.9-2", 6900, 2000, PROMPT_BUSY, "a game at 144 frames a second"),
    loop("audio-5-0.5", 5000, 500, PROMPT, "an audio callback every 5 ms"),
    loop("audio-10-1", 10000, 1000, PROMPT, "an audio callback every 10 ms"),
    loop("audio-43-3", 43000, 3000, PROMPT, "an audio callback every 43 ms"),
    Workload("play-ffmpeg", "ffmpeg", "ffmpeg -v error -nostdin -re -i $DATA/clip.mp4 -f null -",
             (Label("ffmpeg|.*", PROMPT_BUSY, "plays: late is seen"),), CLIP),
    Workload("play-mpv", "mpv", "mpv --no-config --really-quiet --ao=null --vo=null --hwdec=no $DATA/clip.mp4",
             (Label("mpv/?(ao|vo|.*)|.*", PROMPT_BUSY, "plays: late is seen and heard"),), CLIP),
    Workload("play-mpv-audio", "mpv", "mpv --no-config --really-quiet --ao=null --no-video $DATA/long.wav",
             (Label("mpv/?.*|.*", PROMPT, "plays sound: late is heard"),), WAVE),
)
