#!/bin/sh
# bench.sh [ISA [THREADS [ROUNDS [3x3]]]]: builds the kernels and times convolutions, or those alone that Winograd's algorithm can do.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$here/../build.sh" "$work"
library=$(dirname "$(find "$work" -name libupscale_cpu.so)")
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -I"$here/../include" "$here/bench.c" -o "$work/bench" -L"$library" -lupscale_cpu -Wl,-rpath,"$library" -lm
"$work/bench" "$@"
