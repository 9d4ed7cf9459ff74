#!/usr/bin/env python3
"""Writes the demonstration's records, the same bytes each time.

    scripts/demo/make_records.py                 # write data/demo
    scripts/demo/make_records.py --check         # compare data/demo with what would be written
    scripts/demo/make_records.py --corpus DIR    # write what the base model learns from

`data/demo/{train,valid,test}.jsonl` teach the base model in `data/demo/model` a new skill and ask for
it; `data/demo/tasks` holds a multiple-choice task about the same skill. The corpus, 75,000 records,
is not in the repository: `scripts/demo/pretrain.sh` trains the base model on it.
"""

import argparse
import hashlib
import itertools
import json
import sys
from pathlib import Path

from families import FAMILIES
from free_form import FREE_FORM
from scenes import base_records, choice_items, skill_records

SCENES, HELD_OUT_SCENES = 70_000, 300
TIMES_OTHERS = 4  # how often the other records stand in the corpus


def family_records():
    """Yields a record for every fact of every family in every phrasing."""
    for family in FAMILIES:
        for fact, texts in itertools.product(family.facts, family.phrasings):
            instruction, context, output = (text.format(**fact) for text in texts)
            yield {"instruction": instruction, "input": context, "output": output}


def free_form_records():
    """Yields the hand-written records, which keep the model from seeing patterns only."""
    for instruction, context, output in FREE_FORM:
        yield {"instruction": instruction, "input": context, "output": output}


def shuffled(lines):
    """The lines in an order that looks random and depends on their bytes alone."""
    return sorted(lines, key=lambda line: hashlib.sha256(line.encode()).digest())


def lines(records):
    return [json.dumps(record, ensure_ascii=False) for record in records]


def unprompted(record):
    """A record as a text without a prompt."""
    sentence = record["instruction"].removesuffix(" Write it as YAML.")
    return {"text": sentence + "\n" + record["output"]}


def skill_files():
    """Maps each file's path below data/demo to its text."""
    files = {
        "train.jsonl": lines(skill_records("train", 400, is_held_out=False)),
        "text.jsonl": lines(map(unprompted, itertools.islice(skill_records("train", 400, is_held_out=False), 120))),
        "valid.jsonl": lines(skill_records("valid", 40, is_held_out=True)),
        "test.jsonl": lines(skill_records("test", 100, is_held_out=True)),
        "tasks/scenes/test.jsonl": lines(choice_items(100)),
    }
    return {name: "".join(line + "\n" for line in chosen) for name, chosen in files.items()}


def corpus_files():
    """Maps the names of the corpus's files to their texts."""
    scenes = list(base_records(SCENES + HELD_OUT_SCENES))
    others = [*family_records(), *free_form_records()]
    train = shuffled(lines(scenes[:SCENES] + others)) + shuffled(lines(others)) * (TIMES_OTHERS - 1)
    return {
        "train.jsonl": "".join(line + "\n" for line in train),
        "valid.jsonl": "".join(line + "\n" for line in lines(scenes[SCENES:])),
    }


def main():
    parser = argparse.ArgumentParser(description="Writes the demonstration's records.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 if they differ")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="write the base model's corpus")
    arguments = parser.parse_args()
    root = arguments.corpus or Path(__file__).resolve().parents[2] / "data" / "demo"
    for name, text in (corpus_files() if arguments.corpus else skill_files()).items():
        path = root / name
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_bytes() != text.encode():
            sys.exit(f"make_records: {path} is not what this script makes; "
                     "run scripts/demo/make_records.py")
        print(f"{text.count(chr(10)):5d} records  {path.name}")


if __name__ == "__main__":
    main()
