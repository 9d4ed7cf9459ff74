#!/usr/bin/env bash
# Prepares the paper's comparison on mamba-130m and its seven tasks, and tells the one command that runs it.
#
#   make reproduce                     # from the Hugging Face hub; needs python3 with the package datasets
#   scripts/reproduce.sh --stand-in    # all of it in seconds, on the demonstration's model and invented data
#
# Records and documents go to out/reproduce, where the recipe paper-sweep looks for them; the model goes to the hub's
# cache when it is first used. Alpaca once is 3,230 steps: a day a training on a few cores, and there are twelve.
set -euo pipefail
cd "$(dirname "$0")/.."

commands=${COMMANDS:-.build/release}
case "$*" in
'' | --stand-in) ;;
*)
    echo "reproduce: '$*' is unknown, expected nothing or --stand-in" >&2
    exit 64
    ;;
esac
if [ "${1:-}" = --stand-in ]; then
    output=out/reproduce-stand-in
    rm -rf "$output"
    mkdir -p "$output"
    python3 scripts/reproduce/fetch.py "$output" --stand-in
    "$commands/mtl-finetune" recipes paper-sweep |
        sed -e "s|out/reproduce|$output|; s|val_size: .*|val_size: 4|" \
            -e 's|^  recipe: .*|&\n  model: data/demo/model\n  max_steps: 3|' >"$output/sweep.yaml"
    "$commands/mtl-finetune" sweep "$output/sweep.yaml" --output-dir "$output/sweep" --quiet
    # Every member has scores of every task, and trained ones have held-out losses.
    python3 - "$output/sweep" <<'END'
import collections, json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
rows = json.loads((folder / "sweep.json").read_text())["rows"]
members = collections.defaultdict(set)
for row in rows:
    assert row["task"] == "held-out loss" or row["items"] == 24, row
    assert row["runs"] == (1 if row["member"].startswith("base") else 3), row
    members[row["task"]].add(row["member"])
untrained = {"base", "base-tree"}
trained = {"lora", "gain", "tree", "lora-1e-3"}
assert len(members) == 8, sorted(members)
for task, found in members.items():
    assert found == trained | (set() if task == "held-out loss" else untrained), (task, found)
assert "Differences from lora" in (folder / "report.html").read_text()
print("reproduce: all members have scores of all seven tasks")
END
    exit
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
