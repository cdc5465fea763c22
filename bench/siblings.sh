#!/bin/sh
# Times 1x1 convolutions that read one tensor, by themselves and merged into one, and writes the table.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: bench/siblings.sh [--batch N,N] [--threads T,T] [--masks NAME,NAME] [--networks NAME,NAME] [--seconds S] [MODELS_DIR]

Times, on our kernels, the 1x1 convolutions of one tensor in each network in MODELS_DIR (default: ../shared/models/torchvision) one after
the other, as one convolution over the union of their channels, and with only those merged that no concat takes; and the network. Keeps the
times in docs/results/siblings.json, where other rows stay, and rewrites the table of docs/cpu-engines.md.
Default: googlenet, unpruned and with mask l2_0.5, batches 1 and 8, one and two threads, 1 s for each tensor.
TEXT
}

fail() {
    echo "siblings: $1" >&2
    exit 2
}

batches=1,8
threads=1,2
masks=unpruned,l2_0.5
networks=googlenet
seconds=1
models=$project/../shared/models/torchvision
while [ $# -gt 0 ]; do
    case $1 in
        --batch|--threads|--masks|--networks|--seconds)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/siblings.sh --help' lists what there is"
            case $1 in
                --batch) batches=$2 ;;
                --threads) threads=$2 ;;
                --masks) masks=$2 ;;
                --networks) networks=$2 ;;
                --seconds) seconds=$2 ;;
            esac
            shift ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/siblings.sh --help' lists what there is" ;;
        *) models=$1 ;;
    esac
    shift
done
[ -d "$models" ] || fail "$models is not a folder; give the folder of the models last"

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

"$project/upscale" doctor --json >"$temporary/doctor.json"
java=$(sed -n 's/.*"home":"\([^"]*\)".*/\1/p' "$temporary/doctor.json")/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*:$project/src/target/natives/*
done
commit=$(git -C "$project" rev-parse --short HEAD 2>/dev/null || echo unknown)
git -C "$project" diff --quiet HEAD -- . ':!docs' ':!README.md' 2>/dev/null || commit=$commit+changes

for network in $(echo "$networks" | tr , ' '); do
    for mask in $(echo "$masks" | tr , ' '); do
        for batch in $(echo "$batches" | tr , ' '); do
            for number in $(echo "$threads" | tr , ' '); do
                "$java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$classes" dev.upscale.bench.SiblingTable \
                    "folder=$project/docs/results" "doctor=$temporary/doctor.json" "date=$(date -u +%Y-%m-%d)" "commit=$commit" \
                    "model=$models/$network.onnx.gz" "mask=$mask" "batch=$batch" "threads=$number" "seconds=$seconds"
            done
        done
    done
done
"$java" -cp "$classes" dev.upscale.bench.Results page "$project"
