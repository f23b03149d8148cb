#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A struct_ops that a process attached stays when the process has ended.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 and bpftool 7.1 of Debian 12
# Guess:     bpf_map__attach_struct_ops() returns a struct bpf_link, and a BPF link goes with the
#            last file descriptor: at the end of the process, also by SIGKILL. A congestion
#            control or a scheduler that crashes leaves the kernel's own in its place.
# Behaviour: the bpf_link is libbpf's, not the kernel's. The map of a section ".struct_ops" is
#            registered by an update of its only element, and the registration holds the map
#            until the element is deleted. So the TCP congestion control of a process that was
#            killed is there for every other process, and a scheduler would go on
#            scheduling. Only bpf_link__destroy(), or bpftool struct_ops unregister, ends it;
#            a link of the kernel's needs the section ".struct_ops.link" of libbpf 1.2, which
#            libbpf 1.1 skips.
# Output:    while the process lives: reno bbr cubic finding
#            after SIGKILL: reno bbr cubic finding
#            after bpftool struct_ops unregister: reno bbr cubic
#
# Fails if the kill alone takes the congestion control away.
set -eu

work=$(mktemp -d)
end() {
	bpftool struct_ops unregister name finding >/dev/null 2>&1 || :
	rm -rf "$work"
}
trap end EXIT

cat >"$work/control.bpf.c" <<'END'
#define SEC(name) __attribute__((section(name), used))

struct sock {
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	unsigned int (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
	unsigned int (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops/finding_ssthresh")
unsigned int finding_ssthresh(unsigned long long *context)
{
	return 10;
}

SEC("struct_ops/finding_cong_avoid")
void finding_cong_avoid(unsigned long long *context)
{
}

SEC("struct_ops/finding_undo_cwnd")
unsigned int finding_undo_cwnd(unsigned long long *context)
{
	return 10;
}

SEC(".struct_ops")
struct tcp_congestion_ops finding = {
	.ssthresh = (void *)finding_ssthresh,
	.cong_avoid = (void *)finding_cong_avoid,
	.undo_cwnd = (void *)finding_undo_cwnd,
	.name = "finding",
};

char LICENSE[] SEC("license") = "GPL";
END
cat >"$work/attach.c" <<'END'
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;

	if (!object || bpf_object__load(object) ||
	    !bpf_map__attach_struct_ops(bpf_object__find_map_by_name(object, "finding")))
		return 1;
	puts(libbpf_version_string());
	fflush(stdout);
	for (;;)
		pause();
}
END
clang -g -O2 -target bpf -c "$work/control.bpf.c" -o "$work/control.bpf.o"
gcc -o "$work/attach" "$work/attach.c" -lbpf

available() {
	cat /proc/sys/net/ipv4/tcp_available_congestion_control
}

mkfifo "$work/ready"
"$work/attach" "$work/control.bpf.o" >"$work/ready" &
process=$!
read -r version <"$work/ready"
echo "Linux $(uname -r), libbpf $version"
echo "while the process lives: $(available)"
kill -KILL $process
wait $process 2>/dev/null || :
sleep 2
left=$(available)
echo "after SIGKILL: $left"
bpftool struct_ops unregister name finding >/dev/null 2>&1
echo "after bpftool struct_ops unregister: $(available)"
case " $left " in
*" finding "*) ;;
*)
	echo "The congestion control went with its process." >&2
	exit 1
	;;
esac
