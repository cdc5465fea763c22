#!/bin/sh
# Times chains of steps over large images, each step whole and band by band, and prints a table.
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: bench/bands.sh [--threads T,T] [--masks NAME,NAME] [--networks NAME,NAME] [--size N] [--seconds S] [MODELS_DIR]

Times, on our kernels, one image, in each network in MODELS_DIR (default: ../shared/models/torchvision) the chains of steps whose results
are larger than half a megabyte: step after step, and in bands of rows, in as many as write 256 KB, 512 KB and 1 MB each. Prints rows of
the table in docs/cpu-engines.md, and each chain's times in nanoseconds on standard error.
Default: mobilenet_v2, unpruned and with mask l2_0.5, one and two threads, images of the model's size, 1 s for each chain.
TEXT
}

fail() {
    echo "bands: $1" >&2
    exit 2
}

threads=1,2
masks=unpruned,l2_0.5
networks=mobilenet_v2
size=0
seconds=1
models=$project/../shared/models/torchvision
while [ $# -gt 0 ]; do
    case $1 in
        --threads|--masks|--networks|--size|--seconds)
            [ $# -ge 2 ] || fail "$1 needs a value; 'bench/bands.sh --help' lists what there is"
            case $1 in
                --threads) threads=$2 ;;
                --masks) masks=$2 ;;
                --networks) networks=$2 ;;
                --size) size=$2 ;;
                --seconds) seconds=$2 ;;
            esac
            shift ;;
        --help|-h) usage; exit 0 ;;
        -*) fail "there is no option $1; 'bench/bands.sh --help' lists what there is" ;;
        *) models=$1 ;;
    esac
    shift
done
[ -d "$models" ] || fail "$models is not a folder; give the folder of the models last"

java=$("$project/upscale" doctor --json | sed -n 's/.*"home":"\([^"]*\)".*/\1/p')/bin/java
classes=
for jar in "$project"/bench/target/upscale-bench-[0-9]*.jar; do
    classes=$jar:$project/bench/target/libraries/*:$project/src/target/natives/*
done

echo "| network | mask | image | threads | network, ms | chains | written, MB | share of the network | bands | bands, memory reused |"
echo "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for network in $(echo "$networks" | tr , ' '); do
    for mask in $(echo "$masks" | tr , ' '); do
        for number in $(echo "$threads" | tr , ' '); do
            "$java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$classes" dev.upscale.bench.BandTable \
                "model=$models/$network.onnx.gz" "mask=$mask" "size=$size" "threads=$number" "seconds=$seconds"
        done
    done
done
