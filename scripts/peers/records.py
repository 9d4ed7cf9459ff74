"""Records with the lengths of real instruction data, for all that are compared."""

from __future__ import annotations

import json
import random
from pathlib import Path

# Prompt and whole record in tokens at 16 evenly spaced places of the 52,002 Alpaca records sorted by
# length; 110 tokens on average.  Used where no data are at hand.
LENGTHS = [
    *[(18, 28), (20, 36), (22, 44), (24, 52), (26, 60), (28, 68), (28, 78), (30, 88)],
    *[(30, 98), (32, 110), (34, 122), (36, 136), (38, 152), (42, 172), (60, 206), (70, 310)],
]


def choose(data: str | None, tokenizer: str, vocabulary: int) -> tuple[list[dict], str]:
    """16 records as token ids, the shortest first, and what they are in words."""
    path = Path(data) if data else None
    if path and path.exists():
        return from_file(path, tokenizer), "16 real Alpaca records, evenly spaced by length"
    draw = random.Random(1)
    records = []
    for prompt, whole in LENGTHS:
        ids = [draw.randrange(1, vocabulary) for _ in range(whole)]
        records.append({"prompt_ids": ids[:prompt], "response_ids": ids[prompt:]})
    return records, "16 records of random tokens with the lengths of Alpaca"


def from_file(path: Path, tokenizer: str) -> list[dict]:
    """Encodes a file of Alpaca records and takes 16, evenly spaced by length."""
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(tokenizer)
    prompts, texts = [], []
    with path.open(encoding="utf8") as file:
        # Every fourth record tells the distribution well enough.
        rows = [json.loads(line) for line in list(file)[::4]]
    for row in rows:
        prompt = alpaca_prompt(row)
        prompts.append(prompt)
        texts.append(prompt + row["output"])
    records = [
        {"prompt_ids": p.ids, "response_ids": t.ids[len(p.ids) :] + [0]}
        for p, t in zip(encoder.encode_batch(prompts), encoder.encode_batch(texts))
    ]
    records.sort(key=lambda r: len(r["prompt_ids"]) + len(r["response_ids"]))
    return [records[int((k + 0.5) / 16 * len(records))] for k in range(16)]


def alpaca_prompt(row: dict) -> str:
    """The template alpaca-short of mtl-finetune."""
    given = f"### Input:\n{row['input']}\n\n" if row.get("input") else ""
    return f"### Instruction:\n{row['instruction']}\n\n{given}### Response:"


def write(records: list[dict], path: Path) -> None:
    """Writes records as mtl-finetune reads them (`--data-format ids`)."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def length(record: dict) -> int:
    """All tokens of a record."""
    return len(record["prompt_ids"]) + len(record["response_ids"])
