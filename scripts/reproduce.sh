#!/usr/bin/env bash
# Prepares the paper's comparison on mamba-130m and its seven tasks, and tells the one command that runs it.
#
#   make reproduce                     # from the Hugging Face hub; needs python3 with the package datasets
#   scripts/reproduce.sh --stand-in    # all of it in minutes, on the demonstration's model and invented data
#
# Records and documents go to out/reproduce, where the recipe paper-sweep looks for them; the model goes to the hub's
# cache when it is first used. Alpaca once is 3,230 steps: a day a training on a few cores, and there are twelve.
set -euo pipefail
cd "$(dirname "$0")/.."

commands=${COMMANDS:-.build/release}
if [ "${1:-}" = --stand-in ]; then
    output=out/reproduce-stand-in
    rm -rf "$output"
    mkdir -p "$output"
    python3 scripts/reproduce/fetch.py "$output" --stand-in
    "$commands/mtl-finetune" recipes paper-sweep |
        sed -e "s|out/reproduce|$output|; s|val_size: .*|val_size: 4|" \
            -e 's|^  recipe: .*|&\n  model: data/demo/model\n  max_steps: 3|' >"$output/sweep.yaml"
    exec "$commands/mtl-finetune" sweep "$output/sweep.yaml" --output-dir "$output/sweep"
fi

if ! python3 -c 'import datasets' 2>/dev/null; then
    echo "reproduce: python3 lacks the package datasets; run: python3 -m pip install datasets" >&2
    exit 1
fi
python3 scripts/reproduce/fetch.py out/reproduce
cat <<END

All is there. This trains and scores 14 members, goes on where it was stopped, and writes one table:

  $commands/mtl-finetune sweep paper-sweep --output-dir out/reproduce/sweep
END
