#!/bin/sh
# build.sh OUT_DIR: compiles the simulated device for tests: OUT_DIR/libcudasim.so, and links to it under the names of the libraries
# that it stands in for. The compiler is $CXX, or the first of c++, g++, clang++. Exit code 3: there is none; 1: it failed; 2: wrong use.
set -u
[ $# -eq 1 ] || { echo "use: build.sh OUT_DIR" >&2; exit 2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
if [ -z "${CXX:-}" ]; then
    for CXX in c++ g++ clang++ none; do command -v "$CXX" >/dev/null 2>&1 && break; done
fi
command -v "${CXX%% *}" >/dev/null 2>&1 || { echo "no C++ compiler (set CXX, or install g++ or clang++): the simulated device is not built" >&2; exit 3; }
[ "$(uname -s)" = Linux ] || { echo "the simulated device is built on Linux only" >&2; exit 3; }

mkdir -p "$1" || exit 1
library=$1/libcudasim.so
if [ -f "$library" ] && [ -z "$(find "$here/build.sh" "$here/src" "$here/../cuda/src" "$here/../cuda/include" -type f -newer "$library")" ]; then
    exit 0
fi
objects=$(mktemp -d) || exit 1
trap 'rm -rf "$objects"' EXIT INT TERM
flags="-std=c++17 -O3 -g0 -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-maybe-uninitialized -I$here/src -I$here/../cuda/src -I$here/../cuda/include ${CXXFLAGS:-}"
failed=$objects/failed
for file in "$here"/src/*.cpp; do
    $CXX $flags -c "$file" -o "$objects/$(basename "$file" .cpp).o" || : > "$failed" &
done
wait
[ -e "$failed" ] && { echo "$CXX failed on the simulated device" >&2; exit 1; }
$CXX -shared -pthread -Wl,-z,noexecstack ${LDFLAGS:-} -o "$library.new" "$objects"/*.o || exit 1
mv "$library.new" "$library"
for name in libcuda.so.1 libcudnn.so.9 libcublasLt.so.13 libnvrtc.so.13; do
    ln -sf libcudasim.so "$1/$name" || exit 1
done
