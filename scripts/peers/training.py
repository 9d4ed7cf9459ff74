#!/usr/bin/env python3
"""Times LoRA training in MambaTreeL and in its PyTorch peers, on the same weights and records.

    training.py --checkpoint DIR --finetune BIN --results DIR [--data ALPACA.jsonl]

All train the same adapter, rank 8 on in_proj, x_proj, out_proj and embeddings.  Each run is a process
of its own, one at a time; memory is its peak resident size.  Of several batch sizes the fastest
counts.  Speed counts every token of the records, none of the padding.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path

import child
import records as record_set

PACKAGES = ["torch", "transformers", "peft", "mambapy"]
WARMUP, STEPS = 1, 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, help="folder of the base model")
    parser.add_argument("--finetune", required=True, help="path of mtl-finetune")
    parser.add_argument("--results", required=True, help="folder for training.json")
    parser.add_argument("--tokenizer", help="tokenizer.json, to encode --data")
    parser.add_argument("--data", help="real Alpaca records, one JSON object per line")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="few records: does it run at all?")
    arguments = parser.parse_args()
    configuration = json.loads((Path(arguments.checkpoint) / "config.json").read_text())
    data = arguments.data if arguments.tokenizer else None
    chosen, description = record_set.choose(
        data, arguments.tokenizer, configuration["vocab_size"]
    )
    if arguments.quick:
        chosen = chosen[:4]
    with tempfile.TemporaryDirectory() as name:
        compare = Comparison(arguments, Path(name), chosen)
        rows = compare.ours() + compare.peers()
    lengths = [record_set.length(record) for record in chosen]
    child.write_results(
        arguments.results,
        "training",
        {
            "threads": arguments.threads,
            "records": description,
            "mean_tokens": statistics.mean(lengths),
            "packages": {p: version(p) for p in PACKAGES},
            "rows": rows,
        },
    )


class Comparison:
    """The runs of one comparison."""

    def __init__(self, arguments: argparse.Namespace, folder: Path, records: list[dict]):
        self.arguments, self.folder, self.records = arguments, folder, records
        self.all = folder / "records.jsonl"
        record_set.write(records, self.all)
        # The library as installed takes a minute for half of them; the shorter half of each pair, in
        # its favour.
        self.half = folder / "half.jsonl"
        record_set.write(records[::2], self.half)

    def ours(self) -> list[dict]:
        """MambaTreeL, tree and chain, in every precision that it has."""
        rows = []
        for dtype in ("float32", "bfloat16"):
            for topology in ("tree", "chain"):
                try:
                    rows.append(self.our_run(topology, dtype))
                except child.Failed as failure:
                    child.say(f"MambaTreeL {topology}, {dtype}: left out: {failure}")
        return rows

    def our_run(self, topology: str, dtype: str) -> dict:
        out = self.folder / f"{topology}-{dtype}"
        words = [self.arguments.finetune, "--model", self.arguments.checkpoint]
        words += ["--data", self.all, "--data-format", "ids", "--no-shuffle", "--no-cache"]
        words += ["--topology", topology, "--dtype", dtype, "--threads", self.arguments.threads]
        words += ["--batch-size", len(self.records), "--max-steps", WARMUP + STEPS]
        words += ["--logging-steps", 1, "--output-dir", out]
        _, peak = child.run(words)
        lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
        speeds = [line["tokens_per_second"] for line in lines if "tokens_per_second" in line]
        speed = statistics.median(speeds[WARMUP:])
        return self.row(f"MambaTreeL {topology}", dtype, len(self.records), speed, peak, True)

    def peers(self) -> list[dict]:
        """The peers, each with its fastest batch size."""
        rows = [self.best("transformers + peft", "transformers", "float32", [1], False)]
        for dtype in ("float32", "bfloat16"):
            for name, kind in (
                ("transformers + peft, mambapy", "mambapy"),
                ("tree in PyTorch", "tree"),
            ):
                rows.append(self.best(name, kind, dtype, self.arguments.batches, True))
        return [row for row in rows if row]

    def best(
        self, name: str, kind: str, dtype: str, batches: list[int], tuned: bool
    ) -> dict | None:
        rows = []
        for batch in batches:
            try:
                rows.append(self.peer_run(name, kind, dtype, batch, tuned))
            except child.Failed as failure:
                child.say(f"{name}, {dtype}, batch {batch}: left out: {failure}")
        return max(rows, key=lambda row: row["tokens_per_second"], default=None)

    def peer_run(self, name: str, kind: str, dtype: str, batch: int, tuned: bool) -> dict:
        records = self.all if tuned else self.half
        words = [kind, "--checkpoint", self.arguments.checkpoint, "--records", records]
        words += ["--batch", batch, "--dtype", dtype, "--threads", self.arguments.threads]
        script = Path(__file__).with_name("training_peer.py")
        result, peak = child.python(script, *words, tuned=tuned)
        used = self.records if tuned else self.records[::2]
        speed = sum(map(record_set.length, used)) / sum(result["seconds"])
        return self.row(name, dtype, batch, speed, peak, tuned)

    def row(
        self, name: str, dtype: str, batch: int, speed: float, peak: int, tuned: bool
    ) -> dict:
        child.say(f"{name}, {dtype}, batch {batch}: {speed:.1f} tokens/s, {peak / 2**30:.2f} GiB")
        return {
            "name": name,
            "dtype": dtype,
            "batch": batch,
            "tokens_per_second": speed,
            "peak_bytes": peak,
            "tuned": tuned,
        }


if __name__ == "__main__":
    main()
