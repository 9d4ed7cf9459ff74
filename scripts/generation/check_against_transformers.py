#!/usr/bin/env python3
"""Greedy answers of mtl-chat beside those of PyTorch, token for token.

    check_against_transformers.py --tokenizer DIR --data alpaca.jsonl [--model DIR | --seed N]

Without --model, a checkpoint of the 130M shape with random weights is made (checkpoint.py), whose
answers depend on all of their prompt.  The first records of the data are the prompts.

Chain: transformers' `generate`, which keeps a cache.  Tree: mambatreel.py on the whole text.  That
is the recomputation for every token: a response's token sees nothing after it, so if each token is
the most likely one given those before it in the whole text, drawing token by token gives the same.

Two programs add in different orders, so a token may differ where two are as good as equally likely.
For each prompt the script prints how many tokens agree and, over the agreeing ones, the smallest
lead of the most likely token's logit and the largest difference in log-probability; and where the
answers part, the lead there.  Exit status 1 if answers part at a lead of more than the limit.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import MambaForCausalLM

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
sys.path.insert(0, str(REFERENCE))
import checkpoint  # noqa: E402
import mambatreel  # noqa: E402


def prompts(path: Path, count: int) -> list[str]:
    """The prompts of the first records, in the template alpaca-short."""
    found = []
    for line in path.read_text().splitlines()[:count]:
        record = json.loads(line)
        text = f"### Instruction:\n{record['instruction']}\n\n"
        if record.get("input"):
            text += f"### Input:\n{record['input']}\n\n"
        found.append(text + "### Response:")
    return found


def answer(arguments, model: Path, prompt: str, topology: str) -> dict:
    """What mtl-chat answers."""
    line = [
        arguments.mtl_chat, "--model", model, "--topology", topology, "--template", "none",
        "--temp", "0", "--repeat-penalty", "1", "--max-tokens", arguments.tokens, "--json",
        "--logprobs", "--threads", arguments.threads, "-p", "-",
    ]  # fmt: skip
    result = subprocess.run(
        [str(word) for word in line], input=prompt, text=True, check=True, stdout=subprocess.PIPE
    )
    return json.loads(result.stdout)


@torch.inference_mode()
def generated(model, prompt: list[int], tokens: int) -> list[int]:
    """The answer of transformers, without the end token."""
    ids = torch.tensor([prompt])
    whole = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=tokens,
        eos_token_id=0,
        pad_token_id=0,
    )
    answer = whole[0, len(prompt) :].tolist()
    return answer[: answer.index(0)] if 0 in answer else answer


@torch.inference_mode()
def scored(model, prompt: list[int], answer: list[int]):
    """For each place of an answer: the best token, its lead, and the answer's log-probability."""
    logits = model(torch.tensor([prompt + answer]), use_cache=False).logits[0, len(prompt) - 1 :]
    best = logits.float().topk(2, dim=-1)
    lead = best.values[:, 0] - best.values[:, 1]
    rows = logits[: len(answer)].float().log_softmax(-1)
    chosen = rows.gather(-1, torch.tensor(answer)[:, None])[:, 0] if answer else torch.tensor([])
    return best.indices[:, 0].tolist(), lead.tolist(), chosen.tolist()


def check(arguments, path: Path, model, tokenizer: Tokenizer, topology: str) -> bool:
    """Prints a row a prompt; whether all answers agree except for what is as good as equal."""
    print(f"{topology}: prompt tokens, tokens that agree, smallest lead, largest difference")
    agreed, total, passes = 0, 0, True
    for number, text in enumerate(prompts(arguments.data, arguments.count)):
        prompt = tokenizer.encode(text, add_special_tokens=False).ids
        told = answer(arguments, path, text, topology)
        if told["prompt_tokens"] != len(prompt):
            raise SystemExit(f"{told['prompt_tokens']} prompt tokens, expected {len(prompt)}")
        ids = told["ids"]
        reference = mambatreel.Topology([len(prompt)])
        if topology == "chain":
            expected = generated(model, prompt, arguments.tokens)
        else:
            mambatreel.install(model, reference)
        best, lead, log_probabilities = scored(model, prompt, ids)
        if topology == "tree":
            # The whole text tells the best token at each place, the one after an early end too.
            expected = best[: arguments.tokens]
            expected = expected[: expected.index(0)] if 0 in expected else expected
        same = next(
            (i for i, (a, b) in enumerate(zip(ids, expected)) if a != b),
            min(len(ids), len(expected)),
        )
        worst = max(
            (abs(a - b) for a, b in zip(told["token_logprobs"][:same], log_probabilities)),
            default=0.0,
        )
        row = f"{number:3} {len(prompt):5} {same:4}/{len(expected):<4}"
        row += f"{min(lead[:same], default=0):10.1e}{worst:10.1e}"
        if ids != expected:
            row += f"  parts at token {same}, lead {lead[same]:.1e}"
            passes &= lead[same] <= arguments.limit
        print(row, flush=True)
        agreed, total = agreed + same, total + len(expected)
    print(f"{topology}: {agreed} of {total} tokens agree; {'passes' if passes else 'FAILS'}")
    return passes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mtl-chat", default=".build/release/mtl-chat")
    parser.add_argument("--model", type=Path, help="a checkpoint to use instead of a random one")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of tokenizer.json")
    parser.add_argument("--data", type=Path, required=True, help="Alpaca records, JSON lines")
    parser.add_argument("--count", type=int, default=20, help="prompts")
    parser.add_argument("--tokens", type=int, default=128, help="of an answer, at most")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--topologies", nargs="+", default=["chain", "tree"])
    parser.add_argument("--limit", type=float, default=1e-3, help="a lead that is as good as none")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "model"
        if not arguments.model:
            configuration = json.loads((REFERENCE / "config-130m.json").read_text())
            checkpoint.build(arguments.seed, **configuration).save_pretrained(path)
            shutil.copy(arguments.tokenizer / "tokenizer.json", path)
        tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
        passes = []
        for topology in arguments.topologies:
            model = MambaForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
            passes.append(check(arguments, path, model, tokenizer, topology))
    raise SystemExit(0 if all(passes) else 1)


if __name__ == "__main__":
    main()
