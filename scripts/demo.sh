#!/usr/bin/env bash
# Trains a small tree Mamba from random weights, then an adapter that teaches it something new.
#
#   make demo
#
# Needs no downloads: records, configuration and tokenizer are in data/demo. The variables below can
# be set from outside, as in `DEMO_STEPS=50 make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Optimiser steps of 16 records, peak learning rates, and steps between two looks at the held-out
# records.
DEMO_STEPS=${DEMO_STEPS:-800}
DEMO_LEARNING_RATE=${DEMO_LEARNING_RATE:-3e-3}
DEMO_STEPS_PER_EVAL=${DEMO_STEPS_PER_EVAL:-$((DEMO_STEPS / 4))}
DEMO_LORA_STEPS=${DEMO_LORA_STEPS:-200}
DEMO_LORA_LEARNING_RATE=${DEMO_LORA_LEARNING_RATE:-5e-3}
DEMO_OUTPUT=${DEMO_OUTPUT:-out/demo}

commands=.build/release
data=data/demo
random="$DEMO_OUTPUT/random"
base="$DEMO_OUTPUT/base"
adapter="$DEMO_OUTPUT/adapter"

section() { printf '\n== %s\n\n' "$*"; }

# Prints a command as it could be typed, then runs it.
show() {
    local word program=$1
    printf '$'
    for word; do
        case "$word" in
        *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    shift
    "$commands/$program" "$@"
}

# Prints the held-out losses of a run, first and last; fails if the loss did not fall.
report() {
    sed -n 's/.*"eval_loss" *: *\([0-9.eE+-]*\).*/\1/p' "$1/metrics.jsonl" | awk '
        NR == 1 { first = $1 }
        { last = $1 }
        END {
            if (NR < 2) { print "demo: fewer than two held-out losses in metrics.jsonl"; exit 1 }
            printf "\nHeld-out loss: %.3f before, %.3f after.\n", first, last
            if (last >= first) { print "demo: the held-out loss did not fall"; exit 1 }
        }'
}

ask() { show mtl-chat --model "$base" "${@:2}" --prompt "$1" --temp 0 --repeat-penalty 1 --max-tokens 40; }

for program in mtl-finetune mtl-chat; do
    if [ ! -x "$commands/$program" ]; then
        echo "demo: $commands/$program is not built; run: make demo" >&2
        exit 1
    fi
done
rm -rf "$random" "$base" "$adapter"
mkdir -p "$DEMO_OUTPUT"

section "1. A model of random weights: 4 layers, width 128"
show mtl-finetune init --config "$data/model/config.json" --seed 1 --output "$random"
cp "$data/model/tokenizer.json" "$data/model/tokenizer_config.json" "$random"

section "2. Teach it from nothing: every weight, with a tree over each prompt"
show mtl-finetune --model "$random" --fine-tune-type full \
    --data "$data/train.jsonl" --valid "$data/valid.jsonl" \
    --learning-rate "$DEMO_LEARNING_RATE" --lr-scheduler-type linear \
    --max-steps "$DEMO_STEPS" --steps-per-eval "$DEMO_STEPS_PER_EVAL" \
    --logging-steps "$DEMO_STEPS_PER_EVAL" --output-dir "$base"
report "$base"

section "3. Ask it two of the held-out questions"
echo "(A model this small learns the form of an answer; most facts it has not seen it gets wrong.)"
ask "What is the capital of France?"
ask "What colour is fresh snow?"

section "4. Teach it French numbers, young animals and past tenses with an adapter"
show mtl-finetune --model "$base" \
    --data "$data/new-skills/train.jsonl" --valid "$data/new-skills/valid.jsonl" \
    --learning-rate "$DEMO_LORA_LEARNING_RATE" --lr-scheduler-type linear \
    --max-steps "$DEMO_LORA_STEPS" --steps-per-eval "$DEMO_LORA_STEPS" \
    --logging-steps "$DEMO_LORA_STEPS" --output-dir "$adapter"
report "$adapter"

section "5. Ask it a held-out one of these, with the adapter"
ask "What is a young dog called?" --adapter "$adapter"

cat <<EOF

== Now yours

Talk to it:            $commands/mtl-chat --model $base --adapter $adapter
Look at your records:  $commands/mtl-finetune --model MODEL --data YOURS.jsonl --dry-run
Train on them:         $commands/mtl-finetune --model MODEL --data YOURS.jsonl --output-dir out/yours

MODEL is a folder in the Hugging Face layout, such as a download of state-spaces/mamba-130m-hf.
docs/guide-finetuning.md tells the rest.
EOF
