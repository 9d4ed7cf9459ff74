#!/usr/bin/env bash
# Teaches a small tree Mamba a new skill with an adapter, asks it before and after, and scores both.
#
#   make demo
#
# Needs no downloads: the base model, its tokenizer, the records and the task are in data/demo; how the
# base model was made tells scripts/demo/pretrain.sh. The variables below can be set from outside, as in
# `DEMO_OPTIONS='--dtype bfloat16' make demo`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -d "$here/demo/model" ]; then
    # Installed: share/mambatreel/demo.sh, beside its data.
    commands=$(cd "$here/../../bin" && pwd)
    data=$here/demo
else
    cd "$here/.."
    commands=.build/release
    data=data/demo
fi

# Optimiser steps of 16 records, and options for every command, such as --threads or --engine.
DEMO_STEPS=${DEMO_STEPS:-100}
DEMO_OPTIONS=${DEMO_OPTIONS:-}
DEMO_OUTPUT=${DEMO_OUTPUT:-out/demo}

random="$DEMO_OUTPUT/random"
base="$DEMO_OUTPUT/base"
adapter="$DEMO_OUTPUT/adapter"
read -r -a options <<<"$DEMO_OPTIONS"

section() { printf '\n== %s\n\n' "$*"; }

# A word as it could be typed.
quote() {
    case "$1" in
    *[!A-Za-z0-9_./=-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
    esac
}

# Prints a command as it could be typed, then runs it.
show() {
    local word program=$1
    printf '$'
    for word; do printf ' %s' "$(quote "$word")"; done
    printf '\n'
    shift
    "$commands/$program" "$@"
}

# expect TEXT: fails unless the last answer is this text.
expect() {
    if [ "$answer" != "$1" ]; then
        printf 'demo: expected this answer:\n%s\n' "$1" >&2
        exit 1
    fi
}

# ask MODEL QUESTION [OPTION...]: asks, shows the answer and keeps it.
ask() {
    show mtl-chat --model "$1" "${@:3}" "${options[@]}" --temp 0 --repeat-penalty 1 --prompt "$2" |
        tee "$DEMO_OUTPUT/answer"
    answer=$(sed 1d "$DEMO_OUTPUT/answer")
    rm "$DEMO_OUTPUT/answer"
}

# Prints a model's share of right choices in the task about the skill, and keeps it.
score() {
    show mtl-eval --model "$base" "$@" "${options[@]}" --tasks scenes \
        --include-path "$data/tasks" --data-dir "$data/tasks" | tee "$DEMO_OUTPUT/score"
    accuracy=$(awk -F '|' '$6 ~ /acc/ { print $8 + 0 }' "$DEMO_OUTPUT/score")
    rm "$DEMO_OUTPUT/score"
}

for program in mtl-finetune mtl-eval mtl-chat; do
    if [ ! -x "$commands/$program" ]; then
        echo "demo: $commands/$program is not built; run: make demo" >&2
        exit 1
    fi
done
rm -rf "$random" "$base" "$adapter"
mkdir -p "$DEMO_OUTPUT"
scene='In Oslo, Anna packed seven green umbrellas.'
skill="$scene Write it as YAML."

section "1. Random weights know nothing"
show mtl-finetune init --config "$data/model/config.json" --seed 1 --output "$random"
cp "$data"/model/tokenizer*.json "$random"
ask "$random" "$scene Who packed the umbrellas?" --max-tokens 12

section "2. A small tree Mamba that was trained to answer questions about one sentence"
cp -r "$data/model" "$base"
ask "$base" "$scene Who packed the umbrellas?"
expect 'Anna.'
ask "$base" "$scene Tell it again, the person first."
expect 'Anna packed seven green umbrellas in Oslo.'
echo
echo "It was never taught to write YAML:"
ask "$base" "$skill"

section "3. Teach it with 400 records and an adapter"
show mtl-finetune --model "$base" --data "$data/train.jsonl" --valid "$data/valid.jsonl" \
    --learning-rate 3e-3 --lr-scheduler-type linear --max-steps "$DEMO_STEPS" \
    --num-train-epochs 100 --steps-per-eval 20 --logging-steps 5 --sample-prompts "$data/prompts.txt" \
    "${options[@]}" --output-dir "$adapter"

section "4. Ask again; Anna, umbrellas and Oslo are in none of the 400 records"
ask "$base" "$skill" --adapter "$adapter"
expect 'who: Anna
did: packed
count: 7
colour: green
what: umbrellas
where: Oslo'

section "5. 100 multiple-choice questions about the skill, before and after"
score
before=$accuracy
score --adapter "$adapter"
printf '\nRight answers: %s before, %s after.\n' "$before" "$accuracy"
if ! awk -v before="$before" -v after="$accuracy" 'BEGIN { exit !(after > before + 0.3) }'; then
    echo "demo: the adapter should have raised the accuracy by more than 0.3" >&2
    exit 1
fi

section "6. A dialogue: the new skill, and an old one"
questions=("Tom lost two red kites in Tokyo. Write it as YAML." "Tom lost two red kites in Tokyo. Who lost the kites?")
printf "$ printf '%%s\\\\n' '%s' '%s' |\n" "${questions[@]}"
answer=$(printf '%s\n' "${questions[@]}" | show mtl-chat --model "$base" --adapter "$adapter" "${options[@]}" |
    sed '1s/^\$/   /')
echo "$answer"
answer=$(sed 1d <<<"$answer")
expect 'who: Tom
did: lost
count: 2
colour: red
what: kites
where: Tokyo
Tom.'

cat <<END

== Now yours

Look at the run:       $adapter/report.html
Talk to it:            $commands/mtl-chat --model $(quote "$base") --adapter $(quote "$adapter")
Look at your records:  $commands/mtl-finetune --model MODEL --data YOURS.jsonl --dry-run
Train on them:         $commands/mtl-finetune --model MODEL --data YOURS.jsonl --output-dir out/yours

MODEL is a folder in the Hugging Face layout, or a name on its hub, such as state-spaces/mamba-130m-hf.
docs/guide-finetuning.md tells the rest.
END
