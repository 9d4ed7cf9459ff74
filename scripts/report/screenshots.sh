#!/usr/bin/env bash
# Makes the pictures in docs/pictures: the pages of a run, of two evaluations, of trees and of a sweep, each at 1280 and
# 390 pixels.
#
#   make demo && scripts/report/screenshots.sh [PICTURES]
#
# Needs chromium and pngquant (Debian: apt install chromium pngquant). Trains on the demonstration's records once more,
# with a line a step; its pages stay in out/pictures. PICTURES is docs/pictures unless given; the dark ones end in -dark.
set -euo pipefail
cd "$(dirname "$0")/../.."

pictures=${1:-docs/pictures}
commands=${COMMANDS:-.build/release}
base=out/demo/base
demo=data/demo
work=out/pictures

if [ ! -d "$base" ]; then
    echo "screenshots: $base is not there; run: make demo" >&2
    exit 1
fi
rm -rf "$work"
mkdir -p "$work" "$pictures"

"$commands/mtl-finetune" --model "$base" --data "$demo/train.jsonl" --valid "$demo/valid.jsonl" \
    --sample-prompts "$demo/prompts.txt" --learning-rate 3e-3 --lr-scheduler-type linear --max-steps 100 \
    --num-train-epochs 100 --steps-per-eval 10 --save-steps 20 --save-total-limit 0 --logging-steps 1 \
    --output-dir "$work/scenes"
for step in 20 40; do
    "$commands/mtl-eval" --model "$base" --adapter "$work/scenes/checkpoint-$step" --tasks scenes \
        --include-path "$demo/tasks" --data-dir "$demo/tasks" --output-path "$work/step-$step" --log-samples --quiet
done
"$commands/mtl-eval" compare "$work/step-20" "$work/step-40" --report "$work/scores.html"
"$commands/mtl-eval" tree --model "$base" --adapter "$work/scenes" --compare base --data "$demo/test.jsonl" \
    --output "$work/trees.html" --quiet
"$commands/mtl-finetune" sweep demo-sweep --output-dir "$work/sweep" --quiet >"$work/sweep.md"

# shoot PAGE WIDTH HEIGHT NAME [#PLACE]: light, and dark beside it.
shoot() {
    local scheme suffix
    for scheme in 1 0; do
        suffix=$([ "$scheme" = 1 ] || echo -dark)
        # A window of another width than 390 or 1280 would lay the page out anew; 0 asks for dark.
        chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
            --virtual-time-budget=2000 --blink-settings=preferredColorScheme="$scheme" \
            --window-size="$2,$3" --screenshot="$work/shot.png" "file://$PWD/$1${5:-}" 2>/dev/null
        pngquant --force --speed 1 --strip 64 --output "$pictures/$4-$2$suffix.png" "$work/shot.png"
    done
}

shoot "$work/scenes/report.html" 1280 1640 run
shoot "$work/scenes/report.html" 390 2280 run
shoot "$work/scores.html" 1280 900 scores
shoot "$work/scores.html" 390 1100 scores
shoot "$work/trees.html" 1280 900 trees '#layer=1&token=5'
shoot "$work/trees.html" 390 1100 trees '#layer=1&token=5'
shoot "$work/sweep/report.html" 1280 1060 sweep
shoot "$work/sweep/report.html" 390 1700 sweep
ls -l "$pictures"
