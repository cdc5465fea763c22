#!/bin/sh
# bench.sh [ISA [THREADS [ROUNDS [TEXT]]]]: builds the kernels and times convolutions, or those alone whose names contain a text.
# bench.sh bf16 [THREADS [ROUNDS]]: times bf16 beside f32.
# bench.sh compare [bf16] LIBRARY... [-- ISA [THREADS [ROUNDS [TEXT]]]]: times builds of the kernels in turns.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
build() {
    program=$1; shift
    ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -I"$here/../include" "$here/$program.c" -o "$work/bench" "$@" -lm
}
if [ "${1:-}" = compare ]; then
    shift
    build compare -ldl
    "$work/bench" "$@"
    exit
fi
"$here/../build.sh" "$work"
library=$(dirname "$(find "$work" -name libupscale_cpu.so)")
program=bench
if [ "${1:-}" = bf16 ]; then program=bench_bf16; shift; fi
build "$program" -L"$library" -lupscale_cpu -Wl,-rpath,"$library"
"$work/bench" "$@"
