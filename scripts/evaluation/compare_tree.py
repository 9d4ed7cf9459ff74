#!/usr/bin/env python3
"""Scores every choice of a task from scratch with the PyTorch tree, and compares with mtl-eval.

    compare_tree.py --model DIR --data-dir DIR --tasks piqa,arc_easy [--limit 20] [--num-fewshot N]

mtl-eval reads each context once and lets all choices go on from its state; the reference in
scripts/reference/mambatreel.py computes context and choice as one sequence, whose prompt is the
context. Prints the largest difference for each task; exit status 1 if one is larger than the limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import MambaForCausalLM

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reference"))
import mambatreel  # noqa: E402


def encode(tokenizer: Tokenizer, context: str, continuation: str) -> tuple[list[int], list[int]]:
    """The harness's split of a pair into ids of context and continuation."""
    kept = context.rstrip()
    continuation = context[len(kept) :] + continuation
    whole = tokenizer.encode(kept + continuation, add_special_tokens=False).ids
    before = tokenizer.encode(kept, add_special_tokens=False).ids if kept else []
    return (before, whole[len(before) :]) if before else ([0], whole)


def score(model, context: list[int], continuation: list[int]) -> float:
    """The log-likelihood of a continuation, everything computed anew."""
    read = (context + continuation)[:-1]
    mambatreel.install(model, mambatreel.Topology([len(context)]))
    with torch.inference_mode():
        logits = model(torch.tensor([read]), use_cache=False).logits[0, len(context) - 1 :]
    rows = logits.float().log_softmax(-1)
    return rows.gather(-1, torch.tensor(continuation)[:, None]).sum().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--limit", default="20")
    parser.add_argument("--num-fewshot", default="0")
    parser.add_argument("--mtl-eval", default=".build/release/mtl-eval")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="relative")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(Path(arguments.model) / "tokenizer.json"))
    model = MambaForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                arguments.mtl_eval, "--model", arguments.model, "--tasks", arguments.tasks,
                "--data-dir", arguments.data_dir, "--limit", arguments.limit, "--num-fewshot",
                arguments.num_fewshot, "--topology", "tree", "--output-path", folder,
                "--log-samples", "--quiet",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for path in sorted(Path(folder).rglob("samples_*.jsonl")):
            worst, count = 0.0, 0
            for line in path.read_text().splitlines():
                sample = json.loads(line)
                for key, response in zip(sample["arguments"], sample["resps"]):
                    request = sample["arguments"][key]
                    found = float(response[0][0])
                    expected = score(model, *encode(tokenizer, request["arg_0"], request["arg_1"]))
                    worst = max(worst, abs(found - expected) / abs(expected))
                    count += 1
            print(f"{path.name.split('_2')[0]}: {count} requests, largest relative difference {worst:.1e}")
            failed |= worst > arguments.tolerance
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
