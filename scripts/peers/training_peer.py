#!/usr/bin/env python3
"""Trains as one of the PyTorch peers does and prints the seconds of each step as JSON.

    training_peer.py KIND --checkpoint DIR --records FILE --batch N --dtype float32 --threads N

    transformers   transformers + peft: its sequential scan
    mambapy        the same with mambapy's parallel scan
    tree           scripts/reference/mambatreel.py, the tree in PyTorch

In bfloat16 the weights are stored so; mambapy, which mixes types, runs under autocast instead.

Records are grouped by length, so that little is padded, and gone through once after one step for
warming up.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import peft.tuners.tuners_utils
import torch
from peft import LoraConfig, get_peft_model
from transformers import MambaConfig, MambaForCausalLM

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
import mambatreel

TARGETS = ["embeddings", "in_proj", "out_proj", "x_proj"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["transformers", "mambapy", "tree"])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--records", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    configuration = MambaConfig.from_pretrained(arguments.checkpoint)
    configuration.use_mambapy = arguments.kind == "mambapy"
    casts = arguments.kind == "mambapy" and arguments.dtype == "bfloat16"
    stored = torch.float32 if casts else getattr(torch, arguments.dtype)
    model = MambaForCausalLM.from_pretrained(
        arguments.checkpoint, config=configuration, dtype=stored
    )
    # peft refuses out_proj on Mamba because of a fused GPU kernel that is not used here.
    peft.tuners.tuners_utils._check_lora_target_modules_mamba = lambda *_, **__: None
    adapter = LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.0, target_modules=TARGETS, task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, adapter).train()
    topology = mambatreel.Topology()
    if arguments.kind == "tree":
        mambatreel.install(model, topology)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=2e-5, weight_decay=0.0)

    def step(records: list[dict]) -> float:
        start = time.perf_counter()
        ids, labels = batch(records)
        topology.prompt_lengths = [len(record["prompt_ids"]) for record in records]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=casts):
            loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if not torch.isfinite(loss):
            raise SystemExit(f"the loss is {loss.item()}")
        return time.perf_counter() - start

    lines = Path(arguments.records).read_text().splitlines()
    records = sorted(map(json.loads, lines), key=lambda r: sum(map(len, r.values())))
    groups = [
        records[start : start + arguments.batch]
        for start in range(0, len(records), arguments.batch)
    ]
    step(groups[0])
    print(json.dumps({"seconds": [step(group) for group in groups]}))


def batch(records: list[dict]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids, padded at the end, and labels that score the responses alone.

    What follows a text changes nothing in it, so a mask is not needed.
    """
    rows = [record["prompt_ids"] + record["response_ids"] for record in records]
    length = max(map(len, rows))
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    labels = torch.full((len(rows), length), -100)
    for place, (row, record) in enumerate(zip(rows, records)):
        ids[place, : len(row)] = torch.tensor(row)
        start = len(record["prompt_ids"])
        labels[place, start : len(row)] = torch.tensor(row[start:])
    return ids, labels


if __name__ == "__main__":
    main()
