#!/bin/sh
# Times our kernels against the libraries' on the shapes of the tables of kernels, and writes the tables.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: bench/kernels.sh [--passes] [--threads N] [--isa avx2|avx512] [--seconds S] [--rows FROM-TO]

Times our convolution (dense, slice, random index), oneDNN's and XNNPACK's on each shape in turns, keeps the times in
docs/results/kernels.ISA.threadsN.json and rewrites the tables of docs/benchmarks.md. With --passes: pools, means, resizing, additions,
scaling and copies instead, in docs/results/passes.ISA.threadsN.json.
Default: one thread, the best instruction set of this CPU, 2 s for each shape, all rows. With --rows, numbered from 1, the
other rows of the document stay as they are.
TEXT
}

fail() {
    echo "kernels: $1" >&2
    exit 2
}

threads=1
isa=
seconds=2
rows=
suite=convolutions
while [ $# -gt 0 ]; do
    case $1 in
        --threads|--isa|--seconds|--rows)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/kernels.sh --help' lists what there is"
            case $1 in
                --threads) threads=$2 ;;
                --isa) isa=$2 ;;
                --seconds) seconds=$2 ;;
                --rows) rows=$2 ;;
            esac
            shift ;;
        --passes) suite=passes ;;
        --help|-h) usage; exit 0 ;;
        *) fail "there is no option $1; 'bench/kernels.sh --help' lists what there is" ;;
    esac
    shift
done

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

# Of oneDNN, and of its threads, which spin for a millisecond as the other libraries' do rather than sleep at once.
[ "$isa" != avx2 ] || export ONEDNN_MAX_CPU_ISA=AVX2
[ "$threads" = 1 ] || export OMP_WAIT_POLICY=active GOMP_SPINCOUNT=100000

"$project/upscale" doctor --json >"$temporary/doctor.json"
java=$(sed -n 's/.*"home":"\([^"]*\)".*/\1/p' "$temporary/doctor.json")/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*:$project/src/target/natives/*
done
commit=$(git -C "$project" rev-parse --short HEAD 2>/dev/null || echo unknown)
git -C "$project" diff --quiet HEAD -- . ':!docs' ':!README.md' 2>/dev/null || commit=$commit+changes

"$java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$classes" dev.upscale.bench.KernelTable "folder=$project/docs/results" \
    "doctor=$temporary/doctor.json" "date=$(date -u +%Y-%m-%d)" "commit=$commit" "threads=$threads" "seconds=$seconds" "suite=$suite" ${isa:+"isa=$isa"} \
    ${rows:+"rows=$rows"}
"$java" -cp "$classes" dev.upscale.bench.Results page "$project"
