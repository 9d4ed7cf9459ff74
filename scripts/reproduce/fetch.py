#!/usr/bin/env python3
"""Writes the records and the documents of the paper's comparison where `mtl-finetune sweep paper-sweep` looks.

    scripts/reproduce/fetch.py OUTPUT              # from the Hugging Face hub; needs: pip install datasets
    scripts/reproduce/fetch.py OUTPUT --stand-in   # a few invented ones of the same form, without a network

OUTPUT/alpaca.jsonl holds Alpaca's records, OUTPUT/tasks/TASK/SPLIT.jsonl the documents of the seven tasks. What is
there stays.
"""
import argparse
import json
from pathlib import Path

# Task: data set and configuration on the hub, and the split that is scored.
TASKS = {
    "piqa": ("baber/piqa", None, "validation"),
    "arc_easy": ("allenai/ai2_arc", "ARC-Easy", "test"),
    "sst": ("nyu-mll/glue", "sst2", "validation"),
    "winogrande": ("allenai/winogrande", "winogrande_xl", "validation"),
    "lambada_openai": ("EleutherAI/lambada_openai", "default", "test"),
    "race": ("EleutherAI/race", "high", "test"),
    "openbookqa": ("allenai/openbookqa", "main", "test"),
}
COLOURS = ["red", "green", "blue", "black", "white", "brown", "yellow", "orange"]


def stand_in(task, number):
    """An invented document in the task's fields; which answer is right depends on its number."""
    right, wrong = COLOURS[number % 8], COLOURS[(number + 3) % 8]
    first = number % 2
    pair = [right, wrong] if first == 0 else [wrong, right]
    labels = ["A", "B", "C", "D"]
    four = pair + [COLOURS[(number + 5) % 8], COLOURS[(number + 6) % 8]]
    question = f"Box {number} is {right}. Which colour has box {number}?"
    choices = {"text": four, "label": labels}
    return {
        "piqa": {"goal": question, "sol1": pair[0], "sol2": pair[1], "label": first},
        "arc_easy": {"id": f"s{number}", "question": question, "choices": choices, "answerKey": labels[first]},
        "sst": {"sentence": f"a {right} film that {'pleases' if first else 'bores'}", "label": first, "idx": number},
        "winogrande": {"sentence": f"The {right} box beat the {wrong} box because the _ one was better.",
                       "option1": pair[0], "option2": pair[1], "answer": str(first + 1)},
        "lambada_openai": {"text": f"the box was {right} , and everybody knew that it was {right}"},
        "race": {"article": f"Box {number} is {right}.",
                 "problems": repr([{"question": "Which colour has the box?", "options": four,
                                    "answer": labels[first]}])},
        "openbookqa": {"id": f"s{number}", "question_stem": question, "choices": choices, "answerKey": labels[first]},
    }[task]


def stand_in_record(number):
    colour = COLOURS[number % 8]
    return {"instruction": f"Box {number} is {colour}. Which colour has it?", "input": "", "output": colour.title() + "."}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        for count, row in enumerate(rows, 1):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    part.rename(path)
    print(f"{count:6d} {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--stand-in", action="store_true")
    arguments = parser.parse_args()
    wanted = {arguments.output / "alpaca.jsonl": ("tatsu-lab/alpaca", None, "train")}
    for task, (name, configuration, split) in TASKS.items():
        wanted[arguments.output / "tasks" / task / f"{split}.jsonl"] = (name, configuration, split)
    for path, source in wanted.items():
        if path.exists():
            print(f"   has {path}")
        elif arguments.stand_in:
            task = path.parent.name
            write(path, (stand_in(task, n) if task in TASKS else stand_in_record(n) for n in range(24)))
        else:
            from datasets import load_dataset

            rows = load_dataset(source[0], source[1], split=source[2])
            if path.name == "alpaca.jsonl":
                rows = ({key: row[key] for key in ("instruction", "input", "output")} for row in rows if row["output"])
            write(path, rows)


if __name__ == "__main__":
    main()
