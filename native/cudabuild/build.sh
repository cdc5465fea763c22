#!/bin/sh
# build.sh OUT_DIR: compiles the driver for building plans into OUT_DIR/dev/upscale/native/<os>-<arch>/libcuda.so.1
# The compiler is $CC, or the first of cc, gcc, clang. Exit code 3: there is none, or no CUDA for this system; 1: it failed; 2: wrong use.
set -u
[ $# -eq 1 ] || { echo "use: build.sh OUT_DIR" >&2; exit 2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
[ "$(uname -s)" = Linux ] || exit 3
if [ -z "${CC:-}" ]; then
    for CC in cc gcc clang none; do command -v "$CC" >/dev/null 2>&1 && break; done
fi
command -v "${CC%% *}" >/dev/null 2>&1 || { echo "no C compiler (set CC, or install gcc or clang): cuDNN's runtime engines cannot be built without a GPU's driver" >&2; exit 3; }
arch=$(uname -m)
case $arch in amd64) arch=x86_64 ;; aarch64) arch=arm64 ;; esac
target=$1/dev/upscale/native/linux-$arch
mkdir -p "$target" || exit 1
library=$target/libcuda.so.1
if [ -f "$library" ] && [ -z "$(find "$here" -type f -newer "$library")" ]; then
    exit 0
fi
$CC -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-soname,libcuda.so.1 -Wl,-z,noexecstack \
    -o "$library.new" "$here/libcuda.c" || exit 1
mv "$library.new" "$library"
