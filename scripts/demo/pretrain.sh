#!/usr/bin/env bash
# Trains the demonstration's base model, data/demo/model, from random weights: all that it knows, it
# learns here, from records that scripts/demo/make_records.py makes.
#
#   make build && scripts/demo/pretrain.sh [THREADS]
#
# Two rounds, 19,000 steps of 32 records, 21 million tokens: 10 minutes on 6 cores of a Xeon, an hour or
# two on 2. Halfway through, the model learns all at once to look things up in its prompt, and to write
# a number's digits late in the second round. The weights differ in their last bits from one kind of
# processor to another. The tokenizer comes first: scripts/demo/make_tokenizer.py.
set -euo pipefail
cd "$(dirname "$0")/../.."

threads=${1:-0}
program=.build/release/mtl-finetune
model=data/demo/model
work=out/pretrain
rm -rf "$work"
mkdir -p "$work"

# round FROM TO STEPS PEAK_LEARNING_RATE
round() {
    "$program" --model "$work/$1" --fine-tune-type full \
        --data "$work/corpus/train.jsonl" --valid "$work/corpus/valid.jsonl" \
        --learning-rate "$4" --lr-scheduler-type cosine --warmup-steps 100 \
        --batch-size 32 --max-steps "$3" --num-train-epochs 100 \
        --steps-per-eval 1000 --logging-steps 1000 --save-steps 1000 \
        --threads "$threads" --output-dir "$work/$2"
}

python3 scripts/demo/make_records.py --corpus "$work/corpus"
"$program" init --config "$model/config.json" --seed 1 --output "$work/random"
cp "$model"/tokenizer*.json "$work/random"
round random first 13000 4e-3
round first second 6000 3e-3
cp "$work/second/model.safetensors" "$work/second/mambatreel.json" "$model"
