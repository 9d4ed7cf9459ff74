#!/usr/bin/env python3
"""Makes docs/benchmarks.md and its plots from the files of measured parts.

    report.py RESULTS DOCS

RESULTS holds training.json, inference.json, lengths.json, threads.json, tokenizing.json,
operations.json and session.json, or some of them; each was measured in one run of `make bench`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import svg

# 52,002 records of 111 tokens, as the tokenizer of the model makes them.
EPOCH_TOKENS = 5_800_000
H100 = "294 to 342 tokens/s at 110 tokens a record, 785 at 512"


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    results, docs = map(Path, sys.argv[1:])
    report = Report(docs)
    parts = {
        "training": report.training,
        "inference": report.inference,
        "lengths": report.lengths,
        "threads": report.threads,
        "tokenizing": report.tokenizing,
        "operations": report.operations,
        "session": report.session,
    }
    for name, write in parts.items():
        path = results / f"{name}.json"
        if path.exists():
            write(json.loads(path.read_text()))
    report.draw_ratios()
    if len(report.page) == report.start:
        report.page += ["", "Nothing has been measured yet."]
    (docs / "benchmarks.md").write_text("\n".join(report.page) + "\n")


class Report:
    """The page, grown section by section."""

    def __init__(self, docs: Path):
        self.plots = docs / "benchmarks"
        self.plots.mkdir(parents=True, exist_ok=True)
        # How many times faster MambaTreeL is, by what is done, against whom, and precision.
        self.ratios: dict[str, dict[str, float]] = {}
        self.page = [
            "# Benchmarks",
            "",
            "Made by `make bench` from `Benchmarks/results`; `make bench PART=training` measures one",
            "part anew. Compare figures of one section only: each is one run on one machine. All use the",
            "shape of mamba-130m with random weights, whose speed is that of trained ones.",
        ]
        self.start = len(self.page)

    def compare(self, what: str, own: dict | None, peer: dict, key: str) -> str:
        """How many times faster, in words; kept for the plot."""
        if own is None:
            return ""
        ratio = own[key] / peer[key]
        self.ratios.setdefault(f"{what} than {peer['name']}", {})[peer["dtype"]] = ratio
        return f"{ratio:.1f} times"

    def draw_ratios(self) -> None:
        """The plot at the top of the page: whatever was compared in the same precision."""
        if not self.ratios:
            return
        names = ["float32", "bfloat16"]
        groups = [(what, [found.get(n) for n in names]) for what, found in self.ratios.items()]
        used = [n for n in names if any(n in found for found in self.ratios.values())]
        groups = [(what, values[: len(used)]) for what, values in groups]
        drawing = svg.bars("MambaTreeL is so many times faster in", groups, used, "", line=1)
        words = "How many times faster MambaTreeL is than its peers"
        self.page[self.start : self.start] = ["", *self.plot("ratios", words, drawing)[:1]]

    def section(self, title: str, part: dict, *lines: str) -> None:
        packages = ", ".join(f"{name} {v}" for name, v in part.get("packages", {}).items())
        day = time.strftime("%Y-%m-%d", time.gmtime(part["time"]))
        place = f"{part['processor']}, {part['threads']} threads, {day}"
        self.page += ["", f"## {title}", "", place + (f"; {packages}" if packages else "") + "."]
        self.page += ["", *lines]

    def plot(self, name: str, words: str, drawing: str) -> list[str]:
        (self.plots / f"{name}.svg").write_text(drawing)
        return [f"![{words}](benchmarks/{name}.svg)", ""]

    # ------------------------------------------------------------------------------- whole programs

    def training(self, part: dict) -> None:
        rows = part["rows"]
        table = [["", "precision", "batch", "tokens/s", "peak GiB", "hours for 52K records"]]
        table[0] += ["the tree is faster by", "and uses of its memory"]
        for row in rows:
            speed = row["tokens_per_second"]
            cells = [row["name"], row["dtype"], str(row["batch"]), f"{speed:.1f}"]
            cells += [f"{row['peak_bytes'] / 2**30:.2f}", f"{EPOCH_TOKENS / speed / 3600:.1f}"]
            own = best_of(rows, "MambaTreeL tree", row["dtype"])
            if row["name"].startswith("MambaTreeL") or own is None:
                cells += ["", ""]
            else:
                cells.append(self.compare("training", own, row, "tokens_per_second"))
                cells.append(f"{own['peak_bytes'] / row['peak_bytes']:.0%}")
            table.append(cells)
        self.section(
            "LoRA training",
            part,
            *markdown(table),
            "",
            f"{part['records']}, {part['mean_tokens']:.0f} tokens on average, all of them counted and",
            "none of the padding. Rank 8 on the four default targets; forward, backward, clipping and",
            "AdamW. Every run is a process of its own, and memory is its peak; of several batch sizes",
            "the fastest is shown. *transformers + peft* is the library as installed, one record per step",
            "(timed on the shorter half of each pair of records, in its favour); the peers after it run",
            "with records grouped by length and an allocator that keeps its memory, without which they",
            "spend much of their time on page faults. *tree in PyTorch* is",
            "`scripts/reference/mambatreel.py`. The paper's released code reaches on an H100, with its",
            f"CUDA kernels, {H100}.",
        )
        tree, chain = (best_of(rows, f"MambaTreeL {k}", "float32") for k in ("tree", "chain"))
        if tree and chain:
            cost = chain["tokens_per_second"] / tree["tokens_per_second"] - 1
            self.page += ["", f"The tree costs {cost:.0%} more time than plain Mamba here."]

    def inference(self, part: dict) -> None:
        rows = part["rows"]
        table = [["", "precision", "prefill, tokens/s", "decode, tokens/s", "peak GiB"]]
        table[0] += ["prefill: MambaTreeL is faster by", "decode: by"]
        for row in rows:
            own = best_of(rows, "MambaTreeL", row["dtype"])
            cells = [row["name"], row["dtype"], f"{row['prefill']:.0f}", f"{row['decode']:.1f}"]
            cells.append(f"{row['peak_bytes'] / 2**30:.2f}")
            for key in ("prefill", "decode"):
                is_own = row["name"] == "MambaTreeL"
                cells.append("" if is_own else self.compare(key, own, row, key))
            table.append(cells)
        lines = [
            *markdown(table),
            "",
            f"One text of {part['prefill_tokens']} tokens, then token after token. The programs that",
            "compute in float32 found the same next token.",
        ]
        for row in rows:
            if row.get("decode_limit"):
                share = row["decode"] / row["decode_limit"]
                lines.append(
                    f"Decoding in {row['dtype']} reaches {share:.0%} of the speed at which as much"
                    f" memory can be read ({row['decode_limit']:.1f} tokens/s)."
                )
        self.section("Inference", part, *lines)

    def lengths(self, part: dict) -> None:
        rows = part["lengths"]
        table = [["tokens in the record", "µs a token", "peak GiB", "KB a token"]]
        for row in rows:
            table.append(
                [
                    f"{row['tokens']:,}",
                    f"{row['secondsAToken'] * 1e6:.0f}",
                    f"{row['peakBytes'] / 2**30:.2f}",
                    f"{row['bytesAToken'] / 1000:.0f}",
                ]
            )
        costs = [row["secondsAToken"] for row in rows]
        drawing = svg.lines(
            "Training: time of a token over the length of one record",
            [("ms", [(row["tokens"], row["secondsAToken"] * 1e3) for row in rows])],
            "tokens in the record",
            "ms a token",
        )
        slope = (rows[-1]["peakBytes"] - rows[0]["peakBytes"]) / max(
            rows[-1]["tokens"] - rows[0]["tokens"], 1
        )
        self.section(
            "One long record",
            part,
            *self.plot("lengths", "Cost of a token over the length of a record", drawing),
            *markdown(table),
            "",
            "A training step with the tree, float32, half of the record being the prompt. The dearest",
            f"token costs {max(costs) / min(costs) - 1:.0%} more than the cheapest. Memory grows by",
            f"{slope / 1000:.0f} KB a token from the shortest to the longest; the last column is what",
            "is used beyond the weights and what else does not grow.",
        )

    def threads(self, part: dict) -> None:
        scaling = part["scaling"]
        gain = scaling["oneThread"] / scaling["allThreads"]
        shares = sorted(scaling["shares"], key=lambda s: -s["oneThread"])
        inside = sum(s["oneThread"] for s in shares)
        table = [["operation", "share of the step", "calls"]]
        table[0].append(f"gain with {scaling['threads']} threads")
        for share in shares:
            if share["oneThread"] < 0.002 * scaling["oneThread"]:
                continue
            table.append(
                [
                    share["operation"],
                    f"{share['oneThread'] / scaling['oneThread']:.1%}",
                    str(share["calls"]),
                    f"{share['oneThread'] / share['allThreads']:.2f}",
                ]
            )
        outside = max(0.0, 1 - inside / scaling["oneThread"])
        table.append(["outside of the engine", f"{outside:.1%}", "", "1"])
        curve = [(p["threads"], p["speedup"]) for p in scaling["curve"]]
        best = max(curve, key=lambda point: point[1])
        half = next((n for n, s in curve if s < n / 2), None)
        drawing = svg.lines(
            f"Training: gain of threads, computed from {scaling['threads']}",
            [("gain", curve)],
            "threads",
            "times faster than one",
            diagonal=True,
        )
        self.section(
            "Threads",
            part,
            *self.plot("threads", "Computed gain of threads", drawing),
            f"A step of {scaling['tokens']} tokens takes {scaling['oneThread']:.2f} s with one thread"
            f" and {scaling['allThreads']:.2f} s with {scaling['threads']}: {gain:.2f} times faster.",
            f"An empty job of the pool takes {scaling['barrier'] * 1e6:.1f} µs.",
            "",
            *markdown(table),
            "",
            "The curve is computed, not measured: what does not gain, what does divided by the threads,",
            "and for each job a barrier whose cost grows in proportion to the threads. It leaves out",
            "that memory is shared, and that small operations have few parts. It"
            + (f" falls below half of the ideal at {half} threads and" if half else "")
            + f" is highest at {best[0]} threads, {best[1]:.1f} times.",
        )

    def tokenizing(self, part: dict) -> None:
        own, megabytes = part["ours"], part["ours"]["textBytes"] / 1e6
        table = [["", "threads", "seconds", "million ids/s", "MB/s"]]
        for row in own["rows"]:
            seconds = row["texts"]["median"]
            table.append(["MambaTreeL", str(row["threads"]), *rates(seconds, own["ids"], megabytes)])
        for row in sorted(part["peers"], key=lambda r: r["threads"]):
            table.append(
                ["tokenizers", str(row["threads"]), *rates(row["seconds"], row["ids"], megabytes)]
            )
        records = ", ".join(
            f"{row['records']['median']:.2f} s with {row['threads']}" for row in own["rows"]
        )
        words = "Alpaca records" if part["is_real"] else "records"
        self.section(
            "Tokenising",
            part,
            *markdown(table),
            "",
            f"{own['textCount']:,} {words}, {part['bytes'] / 1e6:.1f} MB of JSON: {own['ids']:,} ids,"
            " the same of both.",
            f"Reading and checking the file takes {own['reading']:.2f} s, template and encoding of"
            f" prompts and answers {records} threads.",
            "",
            f"`mtl-finetune` begins its first step {part['starts'][0]:.2f} s after the command, and"
            f" {part['starts'][1]:.2f} s after it when the tokens are kept from an earlier run.",
        )

    def session(self, part: dict) -> None:
        rows = part["session"]
        times = [row["secondsAToken"] for row in rows]
        memory = [row["residentBytes"] for row in rows]
        drawings = [
            svg.lines(
                f"Decoding: {what}",
                [(unit, [(row["tokens"], row[key] * scale) for row in rows])],
                "tokens written",
                unit,
                logarithmic=False,
            )
            for what, key, scale, unit in (
                ("time of a token", "secondsAToken", 1e3, "ms a token"),
                ("memory in use", "residentBytes", 2**-20, "MiB"),
            )
        ]
        self.section(
            "A long session",
            part,
            *self.plot("session-time", "Time of a token over a long session", drawings[0]),
            *self.plot("session-memory", "Memory over a long session", drawings[1]),
            f"{rows[-1]['tokens']:,} tokens from one state. A token takes"
            f" {sorted(times)[len(times) // 2] * 1e3:.1f} ms, {times[0] * 1e3:.1f} at the beginning and"
            f" {times[-1] * 1e3:.1f} at the end; memory in use grows by"
            f" {(memory[-1] - memory[0]) / 2**20:.1f} MiB in all.",
        )

    # ---------------------------------------------------------------------------------- operations

    def operations(self, part: dict) -> None:
        limits = part["limits"]
        lines = [*markdown(limit_table(limits)), ""]
        lines += [
            "A limit is the longer of two times: that of the arithmetic at the float32 peak, or for",
            "weights in bfloat16 at that of its dot product, and that of moving every operand once at",
            "the speed measured for memory of that size, memory that is read and written 2:1. A vector",
            "instruction that is no multiply-add counts as one. Above 100 % an operation's operands",
            "stay in a nearer cache than their size tells.",
        ]
        self.section("Operations", part, *lines)
        operations = part["operations"]
        lengths = sorted({row["tokens"] for row in operations})
        shown = []
        for group in dict.fromkeys(row["group"] for row in operations):
            rows = [row for row in operations if row["group"] == group]
            self.page += ["", f"### {group}", "", *markdown(operation_table(rows, lengths)), ""]
            formulas = {}
            for row in rows:
                if row["formula"]:
                    formulas.setdefault(row["formula"], []).append(row["name"])
            for formula, names in formulas.items():
                names = list(dict.fromkeys(names))
                subject = "All" if len(formulas) == 1 else ", ".join(names)
                self.page.append(f"- {subject}: {formula}.")
            for name in dict.fromkeys(row["name"] for row in rows):
                share = {r["tokens"]: percent(r) for r in rows if r["name"] == name}
                if any(share.values()):
                    # A group may say in which precision its rows are computed.
                    label = ", ".join([name, *group.split(", ")[1:]])
                    shown.append((label, [share.get(n) for n in lengths]))
        drawing = svg.bars(
            "Percent of the limit", shown, [f"{n:,} tokens" for n in lengths], " %", 100, cap=160
        )
        self.page += ["", *self.plot("operations", "Percent of the limit", drawing)[:1]]


def limit_table(limits: dict) -> list[list[str]]:
    table = [["limit", "measured"]]
    for key, name, unit in (
        ("float32", "float32 multiply-add", "GFLOP/s"),
        ("bfloat16", "bfloat16 dot product", "GFLOP/s"),
        ("int8", "int8 dot product", "GOP/s"),
    ):
        if limits.get(key):
            table.append([name, f"{limits[key] / 1e9:,.0f} {unit}"])
    for row in limits["bandwidths"]:
        table.append(
            [
                f"{row['footprint'] >> 20:,} MiB read / read and written (2:1)",
                f"{row['read'] / 1e9:.0f} / {row['triad'] / 1e9:.0f} GB/s",
            ]
        )
    return table


def operation_table(rows: list[dict], lengths: list[int]) -> list[list[str]]:
    """Time, rate and percent of the limit for every length."""
    table = [["", *(f"{n:,} tokens" for n in lengths)]]
    for name in dict.fromkeys(row["name"] for row in rows):
        cells = {row["tokens"]: cell(row) for row in rows if row["name"] == name}
        table.append([name, *(cells.get(n, "") for n in lengths)])
    return table


def cell(row: dict) -> str:
    seconds = row["timing"]["median"]
    if not row.get("limit"):
        return duration(seconds)
    work = row["work"]
    rate = (
        f"{work['bytes'] / seconds / 1e9:.0f} GB/s"
        if row["isBoundByMemory"]
        else f"{(work['flops'] + work['bfloat16Flops']) / seconds / 1e9:.0f} GFLOP/s"
    )
    return f"{duration(seconds)}, {rate}, **{percent(row):.0f} %**"


def percent(row: dict) -> float | None:
    return 100 * row["limit"] / row["timing"]["median"] if row.get("limit") else None


def duration(seconds: float) -> str:
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{svg.number(seconds * scale)} {unit}"
    return f"{svg.number(seconds * 1e6)} µs"


def rates(seconds: float, ids: int, megabytes: float) -> list[str]:
    return [f"{seconds:.2f}", f"{ids / seconds / 1e6:.2f}", f"{megabytes / seconds:.1f}"]


def best_of(rows: list[dict], name: str, dtype: str) -> dict | None:
    return next((r for r in rows if r["name"] == name and r["dtype"] == dtype), None)


def markdown(rows: list[list[str]]) -> list[str]:
    """A table, the first column on the left, the others on the right."""
    rows = [rows[0], ["---"] + ["---:"] * (len(rows[0]) - 1), *rows[1:]]
    return ["| " + " | ".join(row) + " |" for row in rows]


if __name__ == "__main__":
    main()
