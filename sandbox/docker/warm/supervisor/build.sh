#!/bin/sh
# Builds the supervisor for each kind of processor: supervisor-x86_64 and supervisor-aarch64. The
# same compiler makes the same bytes (tests/sandbox/test_supervisor_build.py). On Debian 12:
#   apt-get install gcc-x86-64-linux-gnu gcc-aarch64-linux-gnu
set -eu
cd "$(dirname "$0")"
to=${1:-.}
for processor in ${2:-x86_64 aarch64}; do
  "$processor-linux-gnu-gcc" -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fno-pic \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
    -static -no-pie -nostdlib -s -Wl,--build-id=none -Wl,-z,noexecstack \
    -Wa,--noexecstack supervisor.c execution.c -o "$to/supervisor-$processor"
  chmod 755 "$to/supervisor-$processor"
done
