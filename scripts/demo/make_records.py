#!/usr/bin/env python3
"""Writes the demonstration records, the same bytes each time.

    scripts/demo/make_records.py            # write data/demo
    scripts/demo/make_records.py --check    # compare data/demo with what would be written

`data/demo/{train,valid,test}.jsonl` teach a model from nothing; the files of the same names in
`data/demo/new-skills/` hold families that are not among them, for an adapter.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from families import BASE, NEW_SKILLS
from free_form import FREE_FORM

SPLITS = ("train", "valid", "test")


def held_out_split(fact, phrasing, phrasings):
    """Names the split of the `fact`-th fact in the `phrasing`-th phrasing.

    Of six facts, two are held out for validation and one for the test, each in one of its
    phrasings; the phrasing changes after every third fact.
    """
    if (fact // 3) % phrasings != phrasing:
        return "train"
    return {0: "valid", 1: "test", 3: "valid"}.get(fact % 6, "train")


def family_records(family):
    """Yields (split, record) for every fact of a family in every phrasing."""
    for i, fact in enumerate(family.facts):
        for j, texts in enumerate(family.phrasings):
            instruction, context, output = (text.format(**fact) for text in texts)
            split = held_out_split(i, j, len(family.phrasings))
            yield split, {"instruction": instruction, "input": context, "output": output}


def free_form_records():
    """Yields (split, record) for the hand-written records: all for training.

    They keep the small model from seeing patterns only; nothing here teaches it to answer one
    that it has not seen.
    """
    for instruction, context, output in FREE_FORM:
        yield "train", {"instruction": instruction, "input": context, "output": output}


def shuffled(lines):
    """The lines in an order that looks random and depends on their bytes alone."""
    return sorted(lines, key=lambda line: hashlib.sha256(line.encode()).digest())


def files():
    """Maps each file's path below data/demo to its text."""
    sets = {
        "": [r for family in BASE for r in family_records(family)] + list(free_form_records()),
        "new-skills/": [r for family in NEW_SKILLS for r in family_records(family)],
    }
    texts = {}
    prompts = set()
    for folder, records in sets.items():
        for split in SPLITS:
            chosen = [record for name, record in records if name == split]
            for record in chosen:
                prompt = (record["instruction"], record["input"])
                if prompt in prompts:
                    sys.exit(f"make_records: the prompt {prompt} is written twice")
                prompts.add(prompt)
            lines = shuffled(json.dumps(record, ensure_ascii=False) for record in chosen)
            texts[f"{folder}{split}.jsonl"] = "".join(line + "\n" for line in lines)
    return texts


def main():
    parser = argparse.ArgumentParser(description="Writes the demonstration records.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 if they differ")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parents[2] / "data" / "demo"
    for name, text in files().items():
        path = root / name
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_bytes() != text.encode():
            sys.exit(f"make_records: {path.relative_to(root.parents[1])} is not what this script "
                     "makes; run scripts/demo/make_records.py")
        print(f"{text.count(chr(10)):5d} records  data/demo/{name}")


if __name__ == "__main__":
    main()
