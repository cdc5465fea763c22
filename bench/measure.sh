#!/bin/sh
# Measures the networks of a folder and writes the tables and the figure of the documentation from what was measured.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)
results=$project/docs/results

usage() {
    cat <<'TEXT'
usage: bench/measure.sh [--batch N,N] [--threads T,T] [--seconds S] [--networks NAME,NAME] [--pattern NAME] [--ablate NAME,NAME] [MODELS_DIR]
       bench/measure.sh --bf16 [--batch N,N] [--threads T,T] [--seconds S] [--networks NAME,NAME] [MODELS_DIR]
       bench/measure.sh --pytorch [--batch N,N] [--threads T,T] [--seconds S] [--networks NAME,NAME] [MODELS_DIR]
       bench/measure.sh --page

Times each network in MODELS_DIR (default: ../shared/models/torchvision) with './upscale bench', keeps the documents in
docs/results, and rewrites the tables of README.md, docs/benchmarks.md and docs/pruning.md and docs/figures/networks.svg from them, and those
of docs/benchmarks-zen4.md from docs/results/zen4, where nothing is measured anew.
Default: batch 1, one thread, 5 s for each contender, mask l2_0.5. Networks given with --ablate are also timed without each technique;
all networks without micro-batches where the batch is larger than 1.
--bf16 times variants unpruned and upscale in f32 and in bf16, keeps docs/results/bf16.NETWORK.batchN.threadsT.json and rewrites the table of
docs/cpu-engines.md; it needs a CPU with AVX-512 BF16.
--pytorch times variants unpruned and upscale, ONNX Runtime and PyTorch, keeps docs/results/pytorch.NETWORK.batchN.threadsT.json and
rewrites the table of docs/benchmarks.md; it needs a build with that peer: 'mvn -B -q -Ppytorch -Dmaven.test.skip=true package'.
--page rewrites only.
TEXT
}

fail() {
    echo "measure: $1" >&2
    exit 2
}

batches=1
threads=1
seconds=5
ablated=
networks=densenet121,efficientnet_v2_s,googlenet,mobilenet_v2,resnet18,resnet50,shufflenet_v2_x1_0,squeezenet1_1
pattern=l2_0.5
models=$project/../shared/models/torchvision
only_page=
bf16=
pytorch=
while [ $# -gt 0 ]; do
    case $1 in
        --batch|--threads|--seconds|--networks|--pattern|--ablate)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/measure.sh --help' lists what there is"
            case $1 in
                --batch) batches=$2 ;;
                --threads) threads=$2 ;;
                --seconds) seconds=$2 ;;
                --networks) networks=$2 ;;
                --pattern) pattern=$2 ;;
                --ablate) ablated=$2 ;;
            esac
            shift ;;
        --page) only_page=yes ;;
        --bf16) bf16=yes ;;
        --pytorch) pytorch=yes ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/measure.sh --help' lists what there is" ;;
        *) models=$1 ;;
    esac
    shift
done

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

"$project/upscale" doctor --json >"$temporary/doctor.json"
export UPSCALE_NO_BUILD=1
[ -z "$pytorch" ] || grep -q '"name":"pytorch"' "$temporary/doctor.json" \
    || fail "this build has no peer pytorch; 'mvn -B -q -Ppytorch -Dmaven.test.skip=true package' adds it"
java=$(sed -n 's/.*"home":"\([^"]*\)".*/\1/p' "$temporary/doctor.json")/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*
done

write_results() {
    "$java" -cp "$classes" dev.upscale.bench.Results "$@"
}

measure() {
    network=$1
    batch=$2
    count=$3
    echo "measure: $network, batch $batch, $count thread(s)" >&2
    # The models have batch 1: without --batch the peer reads the file itself.
    set -- --threads "$count" --seconds "$seconds"
    out=$network.batch$batch.threads$count
    [ "$pattern" = l2_0.5 ] || out=$network.$pattern.batch$batch.threads$count
    if [ -n "$bf16" ]; then
        set -- "$@" --variants unpruned,upscale --precision f32,bf16
        out=bf16.$out
    elif [ -n "$pytorch" ]; then
        set -- "$@" --variants unpruned,upscale --peers onnxruntime,pytorch
        out=pytorch.$out
    else
        set -- "$@" --profile --variants unpruned,constrained,baseline,paper,upscale,copy-free --peers onnxruntime
    fi
    techniques=
    case ,$ablated, in
        *,"$network",*) techniques=order,exact-order,index,concats-in-place,joint-storage,hoisting,fusion,winograd ;;
    esac
    [ "$batch" = 1 ] || [ -n "$bf16$pytorch" ] || techniques=micro-batches${techniques:+,$techniques}
    [ -z "$techniques" ] || set -- "$@" --without "$techniques"
    [ "$batch" = 1 ] || set -- --batch "$batch" "$@"
    "$project/upscale" bench "$models/$network.onnx.gz" --pattern "$models/$network.masks.json#$pattern" "$@" --json >"$temporary/bench.json" \
        || fail "$network could not be measured (see above); what was measured before is in docs/results, and bench/measure.sh --page shows it"
    write_results keep "$temporary/doctor.json" "$temporary/bench.json" "$pattern" "$(date -u +%Y-%m-%d)" "$commit" \
        "$results/$out.json"
}

if [ -z "$only_page" ]; then
    commit=$(git -C "$project" rev-parse --short HEAD 2>/dev/null || echo unknown)
    git -C "$project" diff --quiet HEAD -- . ':!docs' ':!README.md' 2>/dev/null || commit=$commit+changes
    for network in $(echo "$networks" | tr , ' '); do
        [ -f "$models/$network.onnx.gz" ] && [ -f "$models/$network.masks.json" ] \
            || fail "$models lacks $network.onnx.gz or $network.masks.json; give the folder of the models"
    done
    for batch in $(echo "$batches" | tr , ' '); do
        for count in $(echo "$threads" | tr , ' '); do
            for network in $(echo "$networks" | tr , ' '); do
                measure "$network" "$batch" "$count"
            done
        done
    done
fi
write_results page "$project"
echo "measure: README.md, docs/benchmarks.md, docs/benchmarks-zen4.md, docs/cpu-engines.md, docs/pruning.md and docs/figures/networks.svg say what docs/results holds" >&2
