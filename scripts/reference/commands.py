"""Runs the commands of MambaTreeL from the checks."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def run(*words: object) -> None:
    """Runs a command; its results go to standard error, a failure ends the check."""
    line = [str(word) for word in words]
    result = subprocess.run(line, stdout=sys.stderr)
    if result.returncode:
        raise SystemExit(f"{Path(line[0]).name} failed with status {result.returncode}")


def token_logprobs(
    binary: str, model: str | Path, requests: list[dict], *flags
) -> list[list[float]]:
    """`mtl-eval loglikelihood --all-positions`: one list of log-probabilities a request."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "requests.jsonl", Path(folder) / "answers.jsonl"
        asked.write_text("".join(json.dumps(request) + "\n" for request in requests))
        run(
            binary,
            "loglikelihood",
            "--model",
            model,
            "--requests",
            asked,
            "--output",
            answered,
            "--all-positions",
            *flags,
        )
        rows = [json.loads(line) for line in answered.read_text().splitlines()]
    found = [row["token_logprobs"] for row in rows]
    expected = [len(request["ids"]) - 1 for request in requests]
    if [len(row) for row in found] != expected:
        raise SystemExit(f"{len(found)} answers of {[len(r) for r in found]}, expected {expected}")
    return found
