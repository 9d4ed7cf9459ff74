#!/usr/bin/env python3
"""Loads an adapter that mtl-finetune wrote in Python peft 0.15.2 and compares its scores.

    $(scripts/peers/environment.sh peft015) scripts/reference/check_adapter.py \\
        --model MODEL --adapter out --eval .build/release/mtl-eval

peft must find every tensor it expects and no other, and the log-probabilities of random tokens
must agree with `mtl-eval loglikelihood --adapter … --topology chain` to within the limit.
transformers multiplies by dt_proj.weight past the adapter; an adapter there is merged to act.
"""

from __future__ import annotations

import argparse

import peft
import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import MambaForCausalLM

import commands
import mambatreel as reference


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="folder of the base model")
    parser.add_argument("--adapter", required=True, help="folder that mtl-finetune wrote")
    parser.add_argument("--eval", required=True, help="path of mtl-eval")
    parser.add_argument("--limit", type=float, default=2e-4)
    parser.add_argument("--any-peft", action="store_true", help="accept another version of peft")
    arguments = parser.parse_args()
    if peft.__version__ != "0.15.2" and not arguments.any_peft:
        raise SystemExit(
            f"this is peft {peft.__version__}, expected 0.15.2; give --any-peft to go on"
        )

    base = MambaForCausalLM.from_pretrained(arguments.model, torch_dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(0)
    vocabulary = base.config.vocab_size
    rows = [torch.randint(1, vocabulary, (1, n), generator=generator) for n in (2, 17, 64, 130)]
    bare = [reference.log_probabilities(base, ids)[0] for ids in rows]

    model = PeftModel.from_pretrained(base, arguments.adapter)
    wanted = get_peft_model_state_dict(model, save_embedding_layers=False)
    written = load_file(f"{arguments.adapter}/adapter_model.safetensors")
    for name in sorted(wanted.keys() ^ written.keys()):
        where = "expected by peft, not in the file" if name in wanted else "unknown to peft"
        raise SystemExit(f"tensor {name} is {where}")
    for name, module in model.named_modules():
        if name.endswith("dt_proj") and hasattr(module, "merge"):
            module.merge()

    expected = [reference.log_probabilities(model, ids)[0] for ids in rows]
    requests = [{"ids": ids[0].tolist()} for ids in rows]
    found = commands.token_logprobs(
        arguments.eval,
        arguments.model,
        requests,
        "--adapter",
        arguments.adapter,
        "--topology",
        "chain",
        "--chain-gain",
        "1.0",
    )
    gaps = [(torch.tensor(a) - b).abs().max().item() for a, b in zip(found, expected)]
    effect = max((a - b).abs().max().item() for a, b in zip(expected, bare))
    print(f"peft {peft.__version__}: {len(written)} tensors, effect of the adapter {effect:.1e}")
    print(f"largest difference {max(gaps):.1e}, limit {arguments.limit:.0e}")
    if effect < 10 * arguments.limit:
        raise SystemExit("the adapter changes too little for the comparison to mean anything")
    raise SystemExit(not max(gaps) <= arguments.limit)


if __name__ == "__main__":
    main()
