#!/bin/sh
# test.sh [LIBRARY_DIR]: builds the kernels (or takes those in LIBRARY_DIR) and runs their tests. CFLAGS=-fsanitize=address works.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
CC=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if [ $# -ge 1 ]; then library=$1; else
    "$here/../build.sh" "$work"
    library=$(dirname "$(find "$work" -name libupscale_cpu.so)")
fi
$CC -std=gnu11 -O2 -g -Wall -Wextra -ffp-contract=off -I"$here/../include" ${CFLAGS:-} "$here"/*.c -o "$work/test" \
    -L"$library" -lupscale_cpu -Wl,-rpath,"$library" -lm -pthread
"$work/test"
