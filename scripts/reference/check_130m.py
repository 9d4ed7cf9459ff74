#!/usr/bin/env python3
"""Scores 512 tokens with a model of the 130M shape, in mtl-eval and in transformers.

    check_130m.py --finetune .build/release/mtl-finetune --eval .build/release/mtl-eval
    check_130m.py --eval … --weights scaled

The weights are those of `mtl-finetune init`, or (scaled) those of checkpoint.py, in which every
part shows in the logits.  Compared are plain Mamba, against transformers as it is, and the tree,
against mambatreel.py.  The largest difference must stay within the limit.

Random layers amplify rounding, so what can be asked depends on the weights.  PyTorch's float32 is
off its own float64 by 3e-6 with the state-spaces initialisation, by 3e-4 with the scaled weights
and by 4e-3 with transformers' initialisation, where even a spanning tree flips.  Beyond the limit
a row therefore still passes if it is no further from float64 than twice PyTorch's float32 is.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
from pathlib import Path

import torch
from transformers import MambaForCausalLM

import checkpoint
import commands
import mambatreel as reference

LENGTH, PROMPT = 512, 256
CONFIGURATION = Path(__file__).with_name("config-130m.json")


def make_model(arguments, folder: Path) -> Path:
    target = folder / "model"
    if arguments.weights == "scaled":
        configuration = json.loads(CONFIGURATION.read_text())
        checkpoint.build(arguments.seed, **configuration).save_pretrained(target)
        return target
    if not arguments.finetune:
        raise SystemExit("--weights init needs --finetune")
    commands.run(
        arguments.finetune,
        "init",
        "--config",
        CONFIGURATION,
        "--seed",
        arguments.seed,
        "--output",
        target,
    )
    return target


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--finetune", help="path of mtl-finetune")
    parser.add_argument("--eval", required=True, help="path of mtl-eval")
    parser.add_argument("--model", type=Path, help="a checkpoint to use instead of a random one")
    parser.add_argument("--weights", choices=["init", "scaled"], default="init")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--limit", type=float, default=2e-4)
    parser.add_argument(
        "--rules",
        nargs="*",
        choices=reference.EDGE_RULES,
        default=["successor"],
        help="edge rules to check beside plain Mamba",
    )
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or make_model(arguments, Path(folder))
        model = MambaForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        generator = torch.Generator().manual_seed(arguments.seed)
        ids = torch.randint(1, model.config.vocab_size, (1, LENGTH), generator=generator)
        wide = reference.widen(copy.deepcopy(model))
        request = {"ids": ids[0].tolist()}
        passes = True
        print(f"{'':12}{'mtl-eval':>12}{'mtl-eval':>12}{'PyTorch':>12}{'least':>12}")
        print(f"{'':12}{'- PyTorch':>12}{'- float64':>12}{'- float64':>12}{'margin':>12}")
        for rule in (None, *arguments.rules):
            flags = ["--topology", "chain"]
            topology = reference.Topology([0], tree_scale=0.0, record=[])
            if rule:
                flags = ["--topology", "tree", "--edge-transition", rule]
                topology = reference.Topology([PROMPT], edge_rule=rule, record=[])
                reference.install(model, topology)
                request["prompt_length"] = PROMPT
            expected = reference.log_probabilities(model, ids)[0].double()
            reference.install(wide, topology)
            exact = reference.log_probabilities(wide, ids)[0]
            found = torch.tensor(
                commands.token_logprobs(arguments.eval, path, [request], *flags)[0],
                dtype=torch.float64,
            )
            gap = lambda a, b: (a - b).abs().max().item()
            row = (gap(found, expected), gap(found, exact), gap(expected, exact))
            passes &= row[0] <= arguments.limit or row[1] <= 2 * row[2]
            margin = min((g for *_, g in topology.record), default=float("nan"))
            print(
                f"{rule or 'plain':12}" + "".join(f"{value:12.1e}" for value in (*row, margin)),
                flush=True,
            )
    print(f"{'passes' if passes else 'FAILS'}, limit {arguments.limit:.0e}")
    raise SystemExit(not passes)


if __name__ == "__main__":
    main()
