#!/usr/bin/env bash
# Measures MambaTreeL beside the limits of the machine and beside its peers, and writes
# docs/benchmarks.md and its plots.
#
#   scripts/bench.sh [PART ...] [--quick]
#
# Parts, all but the last by default, 15 to 20 minutes on two cores:
#
#   operations    every operation, training, scoring, prefill and decode: percent of the limit
#   lengths       cost of a token in one record of 512 to 65,536 tokens
#   threads       one thread against all, and the computed gain of more
#   tokenizing    52,002 records beside the tokenizers library; start of a run
#   training      LoRA beside transformers + peft, mambapy and the tree in PyTorch
#   inference     prefill and decode beside llama.cpp and transformers
#   report        nothing: only writes the page from the results of earlier runs
#   session       50,000 tokens one after another: 20 to 40 minutes
#
# Results are kept in Benchmarks/results, one file a part. --quick only shows that everything runs; its
# results go to out/bench. Run it on an otherwise idle machine: two runs at once halve each
# other's figures.
#
# Environment: MTL_BENCH_DATA, Alpaca records as JSON lines, and MTL_BENCH_TOKENIZER, the tokenizer.json
# that encodes them (default: records of the same lengths, made up); MTL_PEERS_PYTHON, an interpreter
# with the peers (default: one is made).
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
finetune="$root/.build/release/mtl-finetune"
roofline="$root/Benchmarks/.build/release/roofline"
results="$root/Benchmarks/results"
docs="$root/docs"
quick=()
parts=()
for word in "$@"; do
    case "$word" in
    --quick)
        quick=(--quick)
        results="$root/out/bench"
        docs="$root/out/bench"
        ;;
    operations | lengths | threads | tokenizing | training | inference | session | report)
        parts+=("$word")
        ;;
    *)
        echo "bench: unknown part '$word', expected operations, lengths, threads, tokenizing," \
            "training, inference, session or report" >&2
        exit 64
        ;;
    esac
done
if [[ ${#parts[@]} -eq 0 ]]; then
    parts=(operations lengths threads tokenizing training inference)
fi
for binary in "$finetune" "$roofline"; do
    if [[ ! -x "$binary" ]]; then
        echo "bench: $binary is not built; run: make bench" >&2
        exit 1
    fi
done

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$results"
model="$work/model"
tokenizer="${MTL_BENCH_TOKENIZER:-$root/data/demo/model/tokenizer.json}"
data=()
if [[ -n "${MTL_BENCH_DATA:-}" ]]; then
    data=(--data "$MTL_BENCH_DATA")
fi

python() {
    "$("$root/scripts/peers/environment.sh")" -W ignore "$@"
}

measure() {
    local few=()
    case "$1" in
    report) return ;;
    operations) few=(--lengths 128 --seconds 0.02 --memory 67108864) ;;
    lengths) few=(--lengths 128 256) ;;
    session) few=(--lengths 200) ;;
    esac
    [[ ${#quick[@]} -eq 0 ]] && few=()
    case "$1" in
    operations | lengths | threads | session)
        "$roofline" "$1" --model "$model" --output "$results" "${few[@]}"
        ;;
    tokenizing)
        python "$root/scripts/peers/tokenizing.py" --checkpoint "$model" --roofline "$roofline" \
            --finetune "$finetune" --tokenizer "$tokenizer" --results "$results" \
            "${data[@]}" "${quick[@]}"
        ;;
    training)
        python "$root/scripts/peers/training.py" --checkpoint "$model" --finetune "$finetune" \
            --results "$results" --tokenizer "$tokenizer" "${data[@]}" "${quick[@]}"
        ;;
    inference)
        python "$root/scripts/peers/inference.py" --checkpoint "$model" --finetune "$finetune" \
            --roofline "$roofline" --results "$results" "${quick[@]}"
        ;;
    esac
}

if [[ "${parts[*]}" != report ]]; then
    "$finetune" init --config "$root/scripts/reference/config-130m.json" --seed 42 \
        --output "$model" >&2
fi
for part in "${parts[@]}"; do
    echo "==== $part ($SECONDS s since the start)" >&2
    measure "$part"
done
python3 "$root/scripts/bench/report.py" "$results" "$docs"
echo "$docs/benchmarks.md: written ($SECONDS s)" >&2
