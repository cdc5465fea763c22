#!/bin/sh
# build.sh OUT_DIR: compiles the CPU kernels into OUT_DIR/dev/upscale/native/<os>-<arch>/libupscale_cpu.so
# The compiler is $CC, or the first of cc, gcc, clang. Exit code 3: there is none; 1: it failed; 2: wrong use.
set -u
[ $# -eq 1 ] || { echo "use: build.sh OUT_DIR" >&2; exit 2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
if [ -z "${CC:-}" ]; then
    for CC in cc gcc clang none; do command -v "$CC" >/dev/null 2>&1 && break; done
fi
command -v "${CC%% *}" >/dev/null 2>&1 || { echo "no C compiler (set CC, or install gcc or clang): the CPU kernels are not built" >&2; exit 3; }

# The platform's name as the locator (runtime.natives.Platform) and Bytedeco's archives write it.
os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $os in darwin) os=macosx ;; esac
arch=$(uname -m)
case $arch in amd64) arch=x86_64 ;; aarch64) arch=arm64 ;; esac
target=$1/dev/upscale/native/$os-$arch
mkdir -p "$target" || exit 1
library=$target/libupscale_cpu.so
if [ -f "$library" ] && [ -z "$(find "$here/build.sh" "$here/src" "$here/include" -type f -newer "$library")" ]; then
    exit 0
fi
objects=$(mktemp -d) || exit 1
trap 'rm -rf "$objects"' EXIT INT TERM

flags="-std=gnu11 -O3 -g0 -fPIC -fvisibility=hidden -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wall -Wextra -pthread -I$here/include ${CFLAGS:-}"
isas="0:generic:"
if [ "$arch" = x86_64 ]; then
    flags="$flags -DUP_X86"
    if $CC -mavx512bf16 -E -x c /dev/null >/dev/null 2>&1; then bf16=1; flags="$flags -DUP_BF16"; fi
    isas="$isas 1:avx2:-mavx2,-mfma 2:avx512:-mavx512f,-mavx512vl,-mavx2,-mfma,-mprefer-vector-width=512"
fi

jobs=0
failed=$objects/failed
compile() { # OBJECT FLAGS... : in the background, a few at a time
    object=$1; shift
    $CC $flags "$@" -o "$objects/$object.o" || : > "$failed" &
    jobs=$((jobs + 1))
    if [ $jobs -ge 4 ]; then wait; jobs=0; fi
}
for file in status pool conv_pack conv_run conv_bf16 conv_depthwise conv_depthwise_columns conv_depthwise_rows conv_rows conv_across winograd winograd_run calls; do
    compile "$file" -c "$here/src/$file.c"
done
# Tiles of whole AVX-512 vectors are compiled as for a processor whose loads take their time: with the compiler's default order of
# instructions those of 11 to 13 pixels take 5 % longer, and narrower ones take less (gcc 12, Zen 4).
order=-mtune=icelake-server
if [ -n "${bf16:-}" ]; then
    for file in bf16_pixels conv_tile; do
        compile "$file.bf16" $order -DUP_ISA=2 -DUP_BF16_TILE -mavx512f -mavx512vl -mavx512bf16 -mavx2 -mfma -mprefer-vector-width=512 -c "$here/src/$file.c"
    done
fi
for isa in $isas; do
    number=${isa%%:*}; rest=${isa#*:}; name=${rest%%:*}; options=$(echo "${rest#*:}" | tr ',' ' ')
    for file in kernels conv_tile across depthwise depthwise_columns depthwise_down winograd_transform functions pointwise gather binary window reduce places planes; do
        case $file.$number in
            conv_tile.2)
                compile "$file.narrow" "-DUP_ISA=$number" -DUP_NARROW_TILES $options -c "$here/src/$file.c"
                compile "$file.$name" "-DUP_ISA=$number" $options $order -c "$here/src/$file.c" ;;
            *) compile "$file.$name" "-DUP_ISA=$number" $options -c "$here/src/$file.c" ;;
        esac
    done
done
wait
[ -e "$failed" ] && { echo "$CC failed on the CPU kernels" >&2; exit 1; }
$CC -shared -pthread -Wl,-z,noexecstack ${LDFLAGS:-} -o "$library.new" "$objects"/*.o -lm || exit 1
mv "$library.new" "$library"
