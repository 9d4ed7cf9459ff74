#!/usr/bin/env python3
"""Compares `mtl-eval tokenize` with ids and texts stored from the reference libraries.

    python3 scripts/tokenization/check_against_libraries.py .build/release/mtl-eval FOLDER

FOLDER holds any of:

    hostile_corpus.jsonl          n, text, neox_ids, neox_decoded (where it is not the text)
    golden_alpaca_prompts.jsonl   line, prompt_ids, full_ids (records of ../alpaca/alpaca_train.jsonl)
    gpt-neox-20b/tokenizer.json
    sentencepiece/NAME.model with sentencepiece/golden/NAME.jsonl   n, ids, decoded

Prints a line a mismatch and a count a part; exits with 1 if anything differs or nothing was there.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

PREAMBLE = (
    "Below is an instruction that describes a task{}. "
    "Write a response that appropriately completes the request.\n\n"
)
WITH_INPUT = (
    PREAMBLE.format(", paired with an input that provides further context")
    + "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
)
WITHOUT_INPUT = PREAMBLE.format("") + "### Instruction:\n{instruction}\n\n### Response:\n"


def read(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file.read().split("\n") if line]


class Check:
    def __init__(self, binary):
        self.binary = binary
        self.compared = 0
        self.mismatches = 0

    def run(self, model, records, *flags):
        """The records as the command answers them."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
            source.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
            subprocess.run(
                [self.binary, "tokenize", "--model", str(model), "--input", str(source),
                 "--output", str(target), *flags], check=True)
            answers = read(target)
        if len(answers) != len(records):
            sys.exit(f"{model}: {len(answers)} answers to {len(records)} records")
        return answers

    def compare(self, part, model, cases):
        """Cases are (name, text, ids, text decoded from the ids)."""
        encoded = self.run(model, [{"text": text} for _, text, _, _ in cases])
        decoded = self.run(model, [{"ids": ids} for _, _, ids, _ in cases], "--decode")
        wrong = 0
        for (name, _, ids, text), e, d in zip(cases, encoded, decoded):
            for what, found, expected in (("ids", e["ids"], ids), ("text", d["text"], text)):
                if found != expected:
                    wrong += 1
                    print(f"{part} {name}: {what} {found!r}, expected {expected!r}")
        print(f"{part}: {len(cases)} texts encoded and decoded, {wrong} mismatches")
        self.compared += len(cases)
        self.mismatches += wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    folder, check = arguments.folder, Check(arguments.binary)

    corpus = read(folder / "hostile_corpus.jsonl")
    texts = {record["n"]: record["text"] for record in corpus}
    neox = folder / "gpt-neox-20b" / "tokenizer.json"
    if neox.exists():
        check.compare("gpt-neox-20b", neox, [
            (r["n"], r["text"], r["neox_ids"], r.get("neox_decoded", r["text"])) for r in corpus])
    golden = folder / "golden_alpaca_prompts.jsonl"
    alpaca = folder.parent / "alpaca" / "alpaca_train.jsonl"
    if neox.exists() and golden.exists() and alpaca.exists():
        records, cases = read(alpaca), []
        for row in read(golden):
            record = records[row["line"]]
            prompt = (WITH_INPUT if record["input"] else WITHOUT_INPUT).format(**record)
            full = prompt + record["output"] + "<|endoftext|>"
            cases.append((f"{row['line']} prompt", prompt, row["prompt_ids"], prompt))
            cases.append((f"{row['line']} full", full, row["full_ids"], full))
        check.compare("alpaca prompts", neox, cases)
    for model in sorted((folder / "sentencepiece").glob("*.model")):
        rows = read(folder / "sentencepiece" / "golden" / f"{model.stem}.jsonl")
        check.compare(model.stem, model, [
            (r["n"], texts[r["n"]], r["ids"], r["decoded"]) for r in rows])

    print(f"{check.compared} texts, {check.mismatches} mismatches")
    sys.exit(0 if check.compared and not check.mismatches else 1)


main()
