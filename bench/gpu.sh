#!/bin/sh
# Has cuDNN build every convolution of the networks of a folder for described GPUs, and writes the tables of docs/gpu.md.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)
results=$project/docs/results

usage() {
    cat <<'TEXT'
usage: bench/gpu.sh [--again] [--networks N,N] [--patterns P,P] [--devices D,D] [--precisions P,P] [--seconds S] [MODELS_DIR]
       bench/gpu.sh --choices [--again] [--networks N,N] [--patterns P,P] [--devices D,D] [--precisions P,P] [--seconds S] [MODELS_DIR]
       bench/gpu.sh --page

Builds the plans of variants baseline, paper and upscale of each network in MODELS_DIR (default: ../shared/models/torchvision) for GPUs that
need not be here, keeps what was built and what is copied in docs/results/gpu-plans.json and what layouts cost in
docs/results/gpu-layouts.json, and rewrites the tables of docs/gpu.md from them. Needs cuDNN ('./upscale doctor' says whether it is there).
Default: all networks, all their masks, h100,a100, f16,f32. What docs/results holds is not built again, unless with --again; after S seconds
no further plan is begun. Each plan is compiled with none of cuDNN's kept from before; its time is that of processors. --choices compiles
variant upscale with other engines and other places of segments (default: f16), with the plans that the user's cache has, and keeps
docs/results/gpu-choices.json. --page rewrites only.
TEXT
}

fail() {
    echo "gpu: $1" >&2
    exit 2
}

models=$project/../shared/models/torchvision
only_page=
choices=
set -- "$@" --end
while [ "$1" != --end ]; do
    case $1 in
        --networks|--patterns|--devices|--precisions|--seconds)
            [ "$2" != --end ] || fail "$1 needs a value; 'bench/gpu.sh --help' lists what there is"
            set -- "$@" "${1#--}=$2"
            shift ;;
        --again) set -- "$@" again=yes ;;
        --page) only_page=yes ;;
        --choices) choices=yes ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/gpu.sh --help' lists what there is" ;;
        *) models=$1 ;;
    esac
    shift
done
shift

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

"$project/upscale" doctor --json >"$temporary/doctor.json"
java=$(sed -n 's/.*"home":"\([^"]*\)".*/\1/p' "$temporary/doctor.json")/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*
done
run() {
    "$java" --enable-native-access=ALL-UNNAMED -cp "$classes" "$@"
}

failed=0
if [ -n "$choices" ]; then
    [ -d "$models" ] || fail "$models is not a folder; give the folder of the models last"
    run dev.upscale.bench.GpuChoices "models=$models" "out=$results/gpu-choices.json" "$@" || failed=$?
elif [ -z "$only_page" ]; then
    [ -d "$models" ] || fail "$models is not a folder; give the folder of the models last"
    run dev.upscale.bench.GpuPlans "models=$models" "out=$results/gpu-plans.json" "$@" || failed=$?
    run dev.upscale.bench.GpuLayouts "$results/gpu-layouts.json" h100 a100
fi
run dev.upscale.bench.Results page "$project"
exit "$failed"
