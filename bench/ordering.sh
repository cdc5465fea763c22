#!/bin/sh
# Solves ordering problems whose optima are known, random ones and those of networks, and writes the table of costs and times.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: bench/ordering.sh [--seed N] [--oracle FILE] [MODELS_DIR]

Solves the problems of the oracle (default: ../shared/reference/ordering_oracle.json), random ones (default: seed 2023) and those
of each network in MODELS_DIR (default: ../shared/models/torchvision) with each of its masks; compares costs with the optima where
these are known by trying everything or planted; keeps costs and times in docs/results/ordering.json and rewrites the table of
docs/ordering.md.
TEXT
}

fail() {
    echo "ordering: $1" >&2
    exit 2
}

seed=2023
oracle=$project/../shared/reference/ordering_oracle.json
models=$project/../shared/models/torchvision
while [ $# -gt 0 ]; do
    case $1 in
        --seed|--oracle)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/ordering.sh --help' lists what there is"
            case $1 in
                --seed) seed=$2 ;;
                --oracle) oracle=$2 ;;
            esac
            shift ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/ordering.sh --help' lists what there is" ;;
        *) models=$1 ;;
    esac
    shift
done
[ -f "$oracle" ] || fail "$oracle is not a file; name the oracle with --oracle"
[ -d "$models" ] || fail "$models is not a folder; give the folder of the models last"

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

"$project/upscale" doctor --json >"$temporary/doctor.json"
java=$(sed -n 's/.*"home":"\([^"]*\)".*/\1/p' "$temporary/doctor.json")/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*
done
commit=$(git -C "$project" rev-parse --short HEAD 2>/dev/null || echo unknown)
git -C "$project" diff --quiet HEAD -- . ':!docs' ':!README.md' 2>/dev/null || commit=$commit+changes

"$java" -XX:+UseSerialGC -cp "$classes" dev.upscale.bench.OrderingTable "folder=$project/docs/results" "oracle=$oracle" "models=$models" \
    "doctor=$temporary/doctor.json" "date=$(date -u +%Y-%m-%d)" "commit=$commit" "seed=$seed"
"$java" -cp "$classes" dev.upscale.bench.Results page "$project"
