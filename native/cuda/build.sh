#!/bin/sh
# build.sh OUT_DIR: compiles the CUDA kernels into OUT_DIR/dev/upscale/cuda: cubins for sm_80 and sm_90, PTX for what is newer, and the
# sources for NVRTC. Warnings of nvcc and ptxas are errors. What ptxas says of registers and spills goes to OUT_DIR/dev/upscale/cuda/ptxas.txt.
# nvcc is $NVCC, or the one on the path or in the toolkit's usual folder. Exit code 3: there is none (the sources are there then);
# 1: it failed; 2: wrong use.
set -u
[ $# -eq 1 ] || { echo "use: build.sh OUT_DIR" >&2; exit 2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
target=$1/dev/upscale/cuda
mkdir -p "$target" || exit 1
cp "$here/include/upscale_cuda.h" "$here"/src/*.cu "$here/src/portable.h" "$here/src/images.h" "$target/" || exit 1
ls "$target" | grep -E '\.(cu|h)$' > "$target/sources.txt"
if [ -z "${NVCC:-}" ]; then
    for NVCC in nvcc /usr/local/cuda/bin/nvcc /usr/local/cuda-13/bin/nvcc /usr/local/cuda-13.0/bin/nvcc none; do
        command -v "$NVCC" >/dev/null 2>&1 && break
    done
fi
command -v "$NVCC" >/dev/null 2>&1 || { echo "no nvcc (set NVCC, or install the CUDA toolkit): NVRTC will compile the CUDA kernels into plans" >&2; exit 3; }
if [ -f "$target/kernels.ptx" ] && [ -z "$(find "$here/build.sh" "$here/src" "$here/include" -type f -newer "$target/kernels.ptx")" ]; then
    exit 0
fi
objects=$(mktemp -d) || exit 1
trap 'rm -rf "$objects"' EXIT INT TERM
flags="-std=c++17 -I$here/include -Werror all-warnings"
for arch in 80 90; do
    "$NVCC" $flags -arch=sm_$arch -cubin -Xptxas -v,--warning-as-error,--warn-on-spills "$here/src/kernels.cu" -o "$objects/kernels.sm_$arch.cubin" \
        > "$objects/ptxas.$arch" 2>&1 || { cat "$objects/ptxas.$arch" >&2; : > "$objects/failed"; } &
done
"$NVCC" $flags -arch=compute_80 -ptx "$here/src/kernels.cu" -o "$objects/kernels.ptx" || : > "$objects/failed"
wait
[ -e "$objects/failed" ] && { echo "nvcc failed on the CUDA kernels" >&2; exit 1; }
cat "$objects"/ptxas.* > "$target/ptxas.txt"
mv "$objects"/*.cubin "$target/" && mv "$objects/kernels.ptx" "$target/"
