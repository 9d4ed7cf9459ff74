"""Runs one measured program at a time, as a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The allocator set to keep its memory, without which PyTorch spends much of its time on page faults.
TUNED_MALLOC = ":".join(
    [
        "glibc.malloc.hugetlb=1",
        "glibc.malloc.mmap_max=0",
        "glibc.malloc.trim_threshold=34359738368",
        "glibc.malloc.top_pad=268435456",
    ]
)


class Failed(RuntimeError):
    """A measured program ended with an error."""


def run(words: list, tuned: bool = False, seconds: float = 180) -> tuple[str, int]:
    """Runs a program to its end: what it printed, and its peak resident size in bytes.

    A program that asks for nearly all memory there is fails by itself, before the system ends it
    or another one.
    """
    available = memory_available() * 9 // 10

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (available, available))

    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    if tuned:
        environment["GLIBC_TUNABLES"] = TUNED_MALLOC
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [str(word) for word in words],
            stdout=out,
            stderr=errors,
            env=environment,
            preexec_fn=prepare,
        )
        end = time.monotonic() + seconds
        while (ended := os.wait4(child.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                child.kill()
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(ended[1])
        out.seek(0)
        errors.seek(0)
        if child.returncode:
            lines = errors.read().strip().splitlines() or [f"status {child.returncode}"]
            raise Failed(next((l for l in lines if l.startswith("Error:")), lines[-1]))
        return out.read(), ended[2].ru_maxrss * 1024


def python(script: Path, *words, tuned: bool = False) -> tuple[dict, int]:
    """Runs a Python program whose last line is JSON: that, and its peak resident size in bytes."""
    output, peak = run([sys.executable, "-W", "ignore", script, *words], tuned)
    return json.loads(output.splitlines()[-1]), peak


def memory_available() -> int:
    """What programs may take before the system has to free memory, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(l.split()[1]) for l in lines if l.startswith("MemAvailable:")) * 1024


def processor() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    return names[0] if names else "an unknown processor"


def say(text: str) -> None:
    """Shows progress."""
    print(text, file=sys.stderr, flush=True)


def write_results(folder: str, part: str, results: dict) -> None:
    """Writes a part's file, from which the pages are made."""
    path = Path(folder) / f"{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    results = {"part": part, "processor": processor(), "time": int(time.time()), **results}
    path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
