#!/usr/bin/env python3
"""Times reading 512 tokens and writing token after token, in MambaTreeL and in its peers.

    inference.py --checkpoint DIR --finetune BIN --roofline BIN --results DIR

The peers are llama.cpp, through llama-cpp-python if that is installed, and transformers.  All read the
same tokens with the same weights; those that compute in float32 must find the same next token.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import statistics
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import child

TOKENS = 512


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, help="folder of the model")
    parser.add_argument("--finetune", required=True, help="path of mtl-finetune")
    parser.add_argument("--roofline", required=True, help="path of the benchmark program")
    parser.add_argument("--results", required=True, help="folder for inference.json")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="few tokens: does it run at all?")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configuration = json.loads((Path(arguments.checkpoint) / "config.json").read_text())
        draw = random.Random(3)
        count = 64 if arguments.quick else TOKENS
        tokens = [draw.randrange(1, configuration["vocab_size"]) for _ in range(count)]
        (folder / "tokens.json").write_text(json.dumps(tokens))
        rows, limits = ours(arguments, folder)
        rows += llama(arguments, folder) + transformers(arguments, folder)
    answers = {row["answer"] for row in rows if row["dtype"] == "float32"}
    if len(answers) > 1:
        raise SystemExit(f"the programs compute different models: {rows}")
    packages = {p: version(p) for p in ("torch", "transformers")}
    if has_llama():
        packages["llama_cpp_python"] = version("llama_cpp_python")
    child.write_results(
        arguments.results,
        "inference",
        {
            "threads": arguments.threads,
            "prefill_tokens": count,
            "packages": packages,
            "limits": limits,
            "rows": rows,
        },
    )


def ours(arguments: argparse.Namespace, folder: Path) -> tuple[list[dict], dict]:
    """MambaTreeL in every precision, and the limits of the machine."""
    rows = []
    for dtype in ("float32", "bfloat16", "int8"):
        words = [arguments.roofline, "inference", "--model", arguments.checkpoint]
        words += ["--tokens", folder / "tokens.json", "--threads", arguments.threads]
        words += ["--dtype", dtype, "--output", folder]
        child.run(words)
        report = json.loads((folder / "inference.json").read_text())
        result = report["inference"]
        rows.append(
            row(
                "MambaTreeL",
                dtype,
                result["prefillTokens"],
                result["prefill"]["median"],
                result["decode"]["median"],
                result["peakBytes"],
                result["answer"],
                result["decodeLimit"],
            )
        )
    return rows, report["limits"]


def has_llama() -> bool:
    return importlib.util.find_spec("llama_cpp") is not None


def llama(arguments: argparse.Namespace, folder: Path) -> list[dict]:
    """llama.cpp in both precisions; nothing where it is not installed."""
    if not has_llama():
        child.say("llama.cpp: left out; pip install llama-cpp-python to compare with it")
        return []
    rows = []
    for dtype in ("float32", "bfloat16"):
        model = folder / f"{dtype}.gguf"
        export = [arguments.finetune, "export", arguments.checkpoint, "--no-tokenizer", "-o", model]
        outtype = {"float32": "f32", "bfloat16": "bf16"}[dtype]
        subprocess.run([*map(str, export), "--outtype", outtype], check=True)
        rows.append(peer(arguments, folder, "llama.cpp", model, dtype, prefills=3))
        model.unlink()
    return rows


def transformers(arguments: argparse.Namespace, folder: Path) -> list[dict]:
    return [
        peer(arguments, folder, "transformers", arguments.checkpoint, dtype, prefills=1)
        for dtype in ("float32", "bfloat16")
    ]


def peer(
    arguments: argparse.Namespace, folder: Path, kind: str, model, dtype: str, prefills: int
) -> dict:
    words = [kind, model, "--tokens", folder / "tokens.json", "--dtype", dtype]
    words += ["--threads", arguments.threads, "--prefills", prefills]
    words += ["--decoded", 4 if arguments.quick else 48]
    result, peak = child.python(
        Path(__file__).with_name("inference_peer.py"), *words, tuned=kind == "transformers"
    )
    count = len(json.loads((folder / "tokens.json").read_text()))
    seconds = [statistics.median(result[key]) for key in ("prefill", "decode")]
    return row(kind, dtype, count, *seconds, peak, result["answer"])


def row(
    name: str,
    dtype: str,
    tokens: int,
    prefill: float,
    decode: float,
    peak: int,
    answer: int,
    limit: float | None = None,
) -> dict:
    child.say(f"{name}, {dtype}: reads {tokens / prefill:.0f}, writes {1 / decode:.1f} tokens/s")
    return {
        "name": name,
        "dtype": dtype,
        "prefill": tokens / prefill,
        "decode": 1 / decode,
        "decode_limit": limit and 1 / limit,
        "peak_bytes": peak,
        "answer": answer,
    }


if __name__ == "__main__":
    main()
