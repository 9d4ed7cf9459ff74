#!/usr/bin/env bash
# Benchmarks LoRA training against the PyTorch peers and writes docs/benchmarks-training.md.
#
#   scripts/bench.sh [options of bench_training.py]
#
# Run it on an otherwise idle machine: two runs at once halve each other's figures. MTL_FINETUNE
# names the binary (default: the release build), MTL_PEERS_PYTHON the interpreter.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="$("$root/scripts/peers/environment.sh")"
finetune="${MTL_FINETUNE:-$root/.build/release/mtl-finetune}"
if [[ ! -x "$finetune" ]]; then
    echo "bench: $finetune is not built; run: make bench" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$finetune" init --config "$root/scripts/reference/config-130m.json" --seed 42 \
    --output "$work/model" >&2
"$python" "$root/scripts/peers/bench_training.py" --checkpoint "$work/model" \
    --finetune "$finetune" --output "$root/docs/benchmarks-training.md" "$@"
