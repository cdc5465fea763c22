#!/bin/sh
# Checks and times what export writes of each network and mask, in ONNX Runtime, and writes the table.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: bench/exports.sh [--threads T] [--seconds S] [--networks REGEX] [MODELS_DIR]

Exports each network in MODELS_DIR (default: ../shared/models/torchvision) with each of its masks, in our order and in the
original one; compares ONNX Runtime's outputs with ours; times all three in turns; keeps the times in
docs/results/exports.threadsT.json and rewrites the table of docs/benchmarks.md.
Default: one thread, 1 s for each contender, all networks. Networks that are not measured again stay as they are.
TEXT
}

fail() {
    echo "exports: $1" >&2
    exit 2
}

threads=1
seconds=1
networks=.*
models=$project/../shared/models/torchvision
while [ $# -gt 0 ]; do
    case $1 in
        --threads|--seconds|--networks)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/exports.sh --help' lists what there is"
            case $1 in
                --threads) threads=$2 ;;
                --seconds) seconds=$2 ;;
                --networks) networks=$2 ;;
            esac
            shift ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/exports.sh --help' lists what there is" ;;
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

"$java" -XX:+UseParallelGC --enable-native-access=ALL-UNNAMED -cp "$classes" dev.upscale.bench.ExportTable "folder=$project/docs/results" \
    "models=$models" "doctor=$temporary/doctor.json" "date=$(date -u +%Y-%m-%d)" "commit=$commit" "threads=$threads" "seconds=$seconds" \
    "networks=$networks"
"$java" -cp "$classes" dev.upscale.bench.Results page "$project"
