#!/usr/bin/env python3
"""Times one optimiser step of LoRA training in MambaTreeL and in its PyTorch peers.

    bench_training.py --checkpoint DIR [--finetune BIN] [--output FILE.md] [--steps 5]
    bench_training.py --peer mambapy --checkpoint DIR --records FILE --batch 4   (one, as JSON)

All train the same adapter (rank 8 on in_proj, x_proj, out_proj and embeddings) of the same
checkpoint, in float32, on the same records of 64 prompt and 64 scored tokens.  Each run is a
process of its own, one at a time.  Speed is the median over the steps after the warm-up, counting
all 128 tokens of a record; memory is the process's peak resident size, as the kernel counts it.

    transformers   transformers + peft as installed: sequential scan, one record a step
    mambapy        the same with mambapy's parallel scan and allocator settings that spare it most
                   page faults; the best of several batch sizes
    tree           scripts/reference/mambatreel.py, the tree in PyTorch; settings as above
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

# torch is imported by peers only: a child's peak counts what its parent held when it was started.

PROMPT, RESPONSE = 64, 64
TOKENS = PROMPT + RESPONSE
TARGETS = ["embeddings", "in_proj", "out_proj", "x_proj"]
PACKAGES = ["torch", "transformers", "peft", "mambapy"]
REFERENCE = Path(__file__).parents[1] / "reference"
TUNED_MALLOC = ":".join(
    [
        "glibc.malloc.hugetlb=1",
        "glibc.malloc.mmap_max=0",
        "glibc.malloc.trim_threshold=34359738368",
        "glibc.malloc.top_pad=268435456",
    ]
)


# ----------------------------------------------------------------------------------- inside a peer


def peer(arguments: argparse.Namespace) -> None:
    """Trains as one peer does and prints the seconds of each step."""
    import peft.tuners.tuners_utils
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import MambaConfig, MambaForCausalLM

    sys.path.insert(0, str(REFERENCE))
    import mambatreel

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    configuration = MambaConfig.from_pretrained(arguments.checkpoint)
    configuration.use_mambapy = arguments.peer == "mambapy"
    model = MambaForCausalLM.from_pretrained(
        arguments.checkpoint, config=configuration, dtype=torch.float32
    )
    # peft refuses out_proj on Mamba because of a fused GPU kernel that is not used here.
    peft.tuners.tuners_utils._check_lora_target_modules_mamba = lambda *_, **__: None
    adapter = LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.0, target_modules=TARGETS, task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, adapter).train()
    if arguments.peer == "tree":
        mambatreel.install(model, mambatreel.Topology([PROMPT] * arguments.batch))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=2e-5, weight_decay=0.0)

    lines = Path(arguments.records).read_text().splitlines()
    rows = torch.tensor([r["prompt_ids"] + r["response_ids"] for r in map(json.loads, lines)])
    labels = rows.clone()
    labels[:, :PROMPT] = -100
    seconds = []
    for step in range(arguments.warmup + arguments.steps):
        place = [(step * arguments.batch + b) % len(rows) for b in range(arguments.batch)]
        start = time.perf_counter()
        loss = model(input_ids=rows[place], labels=labels[place], use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds[arguments.warmup :], "loss": loss.item()}))


# ---------------------------------------------------------------------------------------- measuring


@dataclass
class Result:
    name: str
    batch: int
    tokens_per_second: float
    peak_bytes: int


def measure(words: list, environment: dict[str, str] | None = None) -> tuple[str, int]:
    """Runs a process to its end: what it printed, and its peak resident size in bytes."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(
            [str(word) for word in words], stdout=out, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if child.returncode:
            raise RuntimeError(f"ended with status {child.returncode}")
        return out.read(), usage.ru_maxrss * 1024


def run_peer(name: str, kind: str, tuned: bool, arguments, records: Path, batch: int) -> Result:
    output, peak = measure(
        [
            sys.executable,
            "-W",
            "ignore",
            __file__,
            "--peer",
            kind,
            "--batch",
            batch,
            "--checkpoint",
            arguments.checkpoint,
            "--records",
            records,
            "--steps",
            arguments.steps,
            "--warmup",
            arguments.warmup,
            "--threads",
            arguments.threads,
        ],
        {"HF_HUB_OFFLINE": "1", **({"GLIBC_TUNABLES": TUNED_MALLOC} if tuned else {})},
    )
    seconds = statistics.median(json.loads(output.splitlines()[-1])["seconds"])
    return Result(name, batch, batch * TOKENS / seconds, peak)


def run_ours(
    name: str, topology: str, arguments, records: Path, folder: Path, batch: int
) -> Result:
    out = folder / f"{topology}-{batch}"
    _, peak = measure(
        [
            arguments.finetune,
            "--model",
            arguments.checkpoint,
            "--data",
            records,
            "--data-format",
            "ids",
            "--topology",
            topology,
            "--batch-size",
            batch,
            "--max-steps",
            arguments.warmup + arguments.steps,
            "--logging-steps",
            1,
            "--no-shuffle",
            "--threads",
            arguments.threads,
            "--output-dir",
            out,
        ]
    )
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "tokens_per_second" in row][arguments.warmup :]
    if len(rows) != arguments.steps:
        raise RuntimeError(f"metrics.jsonl has {len(rows)} steps, expected {arguments.steps}")
    speed = statistics.median(row["tokens_per_second"] for row in rows)
    return Result(name, batch, speed, max(peak, rows[-1]["peak_memory_bytes"]))


def best(batches: list[int], run) -> Result | None:
    """The fastest of several batch sizes; one that fails, for want of memory say, is left out."""
    results = []
    for batch in batches:
        try:
            result = run(batch)
        except RuntimeError as error:
            print(f"batch {batch}: {error}, left out", file=sys.stderr)
            continue
        print(
            f"{result.name}, batch {batch}: {result.tokens_per_second:.1f} tokens/s, "
            f"{result.peak_bytes / 2**30:.2f} GiB",
            file=sys.stderr,
        )
        results.append(result)
    return max(results, key=lambda r: r.tokens_per_second, default=None)


# ---------------------------------------------------------------------------------------- reporting


def write_records(path: Path, vocabulary: int, count: int) -> None:
    """Random token ids: the time of a step does not depend on them."""
    state = 1
    with path.open("w") as file:
        for _ in range(count):
            ids = []
            for _ in range(TOKENS):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                ids.append(1 + (state >> 33) % (vocabulary - 1))
            row = {"prompt_ids": ids[:PROMPT], "response_ids": ids[PROMPT:]}
            file.write(json.dumps(row) + "\n")


PAGE = """# LoRA training on the processor, against PyTorch

Made by `make bench` on {processor}, {threads} threads, with {packages}.

{table}

A step is forward, backward, clipping and AdamW in float32, rank 8 on the four default targets.
Records have {prompt} prompt and {response} scored tokens, all of them counted. Speed is the median
of {steps} steps after {warmup} for warming up; memory is the peak resident size. Every run is a
process of its own; of the batch sizes {batches} the fastest is shown.

*transformers* is the library as installed, with its sequential scan, one record a step. The peers
after it run with the allocator set to keep its memory, without which they spend much of their time
on page faults. *PyTorch tree* is `scripts/reference/mambatreel.py`.
"""


def table(ours: list[Result], peers: list[Result]) -> str:
    head = ["", "records a step", "tokens/s", "peak GiB"]
    for result in ours:
        head += [f"{result.name} is faster by", "and uses of its memory"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for result in ours + peers:
        row = [result.name, str(result.batch), f"{result.tokens_per_second:.1f}"]
        row.append(f"{result.peak_bytes / 2**30:.2f}")
        for own in ours:
            speed = f"{own.tokens_per_second / result.tokens_per_second:.1f} times"
            memory = f"{own.peak_bytes / result.peak_bytes:.0%}"
            row += [speed, memory] if result in peers else ["", ""]
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def report(arguments, ours: list[Result], peers: list[Result]) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    return PAGE.format(
        processor=names[0] if names else "an unknown processor",
        threads=arguments.threads,
        packages=", ".join(f"{p} {version(p)}" for p in PACKAGES),
        table=table(ours, peers),
        prompt=PROMPT,
        response=RESPONSE,
        steps=arguments.steps,
        warmup=arguments.warmup,
        batches=", ".join(map(str, arguments.batches)),
    )


def compare(arguments: argparse.Namespace) -> None:
    configuration = json.loads((Path(arguments.checkpoint) / "config.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = folder / "records.jsonl"
        count = max(arguments.batches) * (arguments.warmup + arguments.steps)
        write_records(records, configuration["vocab_size"], count)
        ours = [
            best(arguments.batches, partial(run_ours, title, kind, arguments, records, folder))
            for title, kind in (("MambaTreeL tree", "tree"), ("MambaTreeL chain", "chain"))
            if arguments.finetune
        ]
        peers = [
            best(batches, partial(run_peer, title, kind, tuned, arguments, records))
            for title, kind, batches, tuned in (
                ("transformers", "transformers", [1], False),
                ("transformers + mambapy", "mambapy", arguments.batches, True),
                ("PyTorch tree", "tree", arguments.batches, True),
            )
        ]
    text = report(arguments, [r for r in ours if r], [r for r in peers if r])
    print(text)
    if arguments.output:
        Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
        Path(arguments.output).write_text(text)
    if None in ours + peers:
        raise SystemExit("a run failed at every batch size")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, help="folder of the base model")
    parser.add_argument("--finetune", help="path of mtl-finetune; without it only peers run")
    parser.add_argument("--output", help="write the page here too")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--peer", choices=["transformers", "mambapy", "tree"], help=argparse.SUPPRESS
    )
    parser.add_argument("--records", help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    (peer if arguments.peer else compare)(arguments)


if __name__ == "__main__":
    main()
