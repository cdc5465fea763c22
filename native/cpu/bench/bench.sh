#!/bin/sh
# bench.sh [ISA [THREADS [ROUNDS [TEXT]]]]: builds the kernels and times convolutions, or those alone whose names contain a text.
# bench.sh bf16 [THREADS [ROUNDS]]: times bf16 beside f32.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$here/../build.sh" "$work"
library=$(dirname "$(find "$work" -name libupscale_cpu.so)")
program=bench
if [ "${1:-}" = bf16 ]; then program=bench_bf16; shift; fi
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -I"$here/../include" "$here/$program.c" -o "$work/bench" -L"$library" -lupscale_cpu -Wl,-rpath,"$library" -lm
"$work/bench" "$@"
