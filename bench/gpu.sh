#!/bin/sh
# Has cuDNN build every convolution of the networks of a folder for described GPUs, and prints two tables: what was built and what is copied,
# and what layouts cost. Needs cuDNN (see './upscale doctor'), no GPU. Rows that docs/results/gpu-plans.json holds already are not made again.
# usage: bench/gpu.sh [MODELS_DIR] [OPTION=VALUE...]   options: networks, patterns, devices, precisions, variants, seconds
set -eu
project=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")/.." && pwd)
models=$project/../shared/models/torchvision
case ${1:-} in ''|*=*) ;; *) models=$1; shift ;; esac
java=$("$project/upscale" doctor --json | sed -n 's/.*"home":"\([^"]*\)".*/\1/p')/bin/java
classes=$(ls "$project"/bench/target/upscale-bench-[0-9]*.jar "$project"/src/target/upscale-[0-9]*.jar "$project"/src/target/libraries/*.jar | tr '\n' ':')
run() { "$java" --enable-native-access=ALL-UNNAMED -cp "$classes" "$@"; }
run dev.upscale.bench.GpuPlans "models=$models" "out=$project/docs/results/gpu-plans.json" "$@" || failed=1
for device in h100 a100; do echo; run dev.upscale.bench.GpuLayouts "$device"; done
exit "${failed:-0}"
