#!/usr/bin/env python3
"""Times encoding 52,002 records beside the tokenizers library, and the start of a training run.

    tokenizing.py --checkpoint DIR --tokenizer FILE --roofline BIN --finetune BIN --results DIR
                  [--data ALPACA.jsonl]

Records are repeated, with a number added, until they are as many as Alpaca's.  A run's start is the
time from the command to the event before its first step, without and with kept tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import child

COUNT = 52_002
DEMO = Path(__file__).parents[2] / "data" / "demo" / "train.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, help="folder of the model")
    parser.add_argument("--tokenizer", required=True, help="the model's tokenizer.json")
    parser.add_argument("--roofline", required=True, help="path of the benchmark program")
    parser.add_argument("--finetune", required=True, help="path of mtl-finetune")
    parser.add_argument("--results", required=True, help="folder for tokenizing.json")
    parser.add_argument("--data", help="real Alpaca records, one JSON object per line")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="few records: does it run at all?")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model"
        model.mkdir()
        for file in Path(arguments.checkpoint).iterdir():
            (model / file.name).symlink_to(file.resolve())
        (model / "tokenizer.json").unlink(missing_ok=True)
        shutil.copy(arguments.tokenizer, model / "tokenizer.json")
        data = folder / "data.jsonl"
        is_real = bool(arguments.data and Path(arguments.data).exists())
        size = write_records(
            Path(arguments.data) if is_real else DEMO, data, 3000 if arguments.quick else COUNT
        )
        words = [arguments.roofline, "tokenizing", "--model", model, "--data", data]
        child.run([*words, "--threads", arguments.threads, "--output", folder])
        own = json.loads((folder / "tokenizing.json").read_text())["tokenizing"]
        peers = [
            peer(arguments.tokenizer, data, threads) for threads in {1, arguments.threads}
        ]
        if {row["ids"] for row in peers} != {own["ids"]}:
            raise SystemExit(f"{own['ids']} ids, expected those of tokenizers: {peers}")
        starts = [start(arguments, model, data, folder) for _ in ("anew", "kept")]
        child.say(f"a run starts in {starts[0]:.2f} s, with kept tokens in {starts[1]:.2f} s")
    child.write_results(
        arguments.results,
        "tokenizing",
        {
            "threads": arguments.threads,
            "is_real": is_real,
            "bytes": size,
            "packages": {"tokenizers": version("tokenizers")},
            "ours": own,
            "peers": peers,
            "starts": starts,
        },
    )


def write_records(source: Path, target: Path, count: int) -> int:
    """Repeats records to a number of them and returns the file's size."""
    rows = [json.loads(line) for line in source.read_text(encoding="utf8").splitlines()]
    with target.open("w", encoding="utf8") as file:
        for place in range(count):
            row = rows[place % len(rows)]
            again = f" ({place // len(rows)})" if place >= len(rows) else ""
            record = {
                "instruction": row["instruction"],
                "input": row.get("input", ""),
                "output": row["output"] + again,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return target.stat().st_size


def peer(tokenizer: str, data: Path, threads: int) -> dict:
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    script = Path(__file__).with_name("tokenizing_peer.py")
    result, _ = child.python(script, "--tokenizer", tokenizer, "--data", data)
    child.say(f"tokenizers, {threads} threads: {result['seconds']:.2f} s")
    return {"threads": threads, **result}


def start(arguments: argparse.Namespace, model: Path, data: Path, folder: Path) -> float:
    """Seconds from the command to its first step; the first call finds an empty cache."""
    words = [arguments.finetune, "--model", model, "--data", data, "--max-steps", "1"]
    words += ["--batch-size", "1", "--json", "--threads", str(arguments.threads)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    out = folder / "out"
    begun = time.perf_counter()
    with subprocess.Popen(
        [*map(str, words), "--output-dir", str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        for line in process.stdout:
            if json.loads(line).get("event") == "started":
                seconds = time.perf_counter() - begun
                break
        else:
            raise SystemExit("mtl-finetune ended before its first step")
        process.stdout.read()
    shutil.rmtree(out)
    return seconds


if __name__ == "__main__":
    main()
