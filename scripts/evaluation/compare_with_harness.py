#!/usr/bin/env python3
"""Runs lm-evaluation-harness and mtl-eval on one checkpoint and the same data, and prints where they differ.

    python scripts/evaluation/compare_with_harness.py --model DIR --data-dir DIR --tasks piqa,arc_easy \
        [--num-fewshot N] [--limit N] [--max-length N] [--threads N] [--mtl-eval .build/release/mtl-eval]
        [--device cuda] [--harness-output DIR] [--harness-results DIR]

Prints, for each task: the number of documents, how many figures differ, the largest relative difference of a
log-likelihood, which documents changed an outcome, and how many are near-ties: the harness's two best choices, as any
of its metrics ranks them, are closer than 1e-5 relative, so that rounding may decide. Then time and peak memory of
both, and the ratio of each. Exit status 1 if a prompt, a target, a hash or the set of documents differs, or a
log-likelihood by more than --tolerance.

The harness takes hours for whole sets on a few cores. On a machine with a GPU `--device cuda --harness-output DIR` runs
it alone and keeps its results; here `--harness-results DIR`, with the same model, data and numbers, compares with them.

Needs lm_eval (0.4.13), transformers and torch in the Python that runs it. The harness reads the data by files that
include its own task files and only say where the data are.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ.update(HF_DATASETS_OFFLINE="1", HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
# Names of ours for tasks of the harness; race_v2 has no counterpart there.
ALIASES = {"sst": "sst2"}


def split_file(folders, name, keys, split):
    """The first file of a split, in the order in which mtl-eval looks."""
    sets = [name, ALIASES.get(name, name)]
    if keys.get("dataset_name"):
        sets.append(f"{keys['dataset_path']}/{keys['dataset_name']}")
    sets.append(keys["dataset_path"])
    for folder in folders:
        for data_set in sets:
            for suffix in ("", ".zst"):
                path = pathlib.Path(folder) / data_set / f"{split}.jsonl{suffix}"
                if path.is_file():
                    return str(path.resolve())
    return None


def write_tasks(target, tasks, folders):
    import yaml
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    index = TaskManager().task_index
    for task in tasks:
        path = str(index[ALIASES.get(task, task)].yaml_path)
        keys = load_yaml(path, resolve_func=False)
        splits = {k: keys.get(k) for k in ("training_split", "validation_split", "test_split", "fewshot_split")}
        files = {s: f for s in splits.values() if s and (f := split_file(folders, task, keys, s))}
        evaluated = splits["test_split"] or splits["validation_split"]
        if evaluated not in files:
            sys.exit(f"{task}: no file for split '{evaluated}'")
        own = {"include": path, "task": task, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files}}
        own.update({k: None for k, s in splits.items() if s and s not in files})
        (target / f"{task}.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")


def run(name, command, log):
    """Runs a command; returns seconds and peak memory in bytes, its children's included."""
    start = time.perf_counter()
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{name} failed:\n" + "".join(open(log, encoding="utf-8").readlines()[-15:]))
    return seconds, usage.ru_maxrss * 1024


def selection(arguments, shots):
    """The options that both programs share except for the spelling of the number of shots."""
    options = ["--tasks", arguments.tasks]
    if arguments.limit:
        options += ["--limit", f"{arguments.limit:g}"]
    return options if arguments.num_fewshot is None else [*options, shots, str(arguments.num_fewshot)]


def run_ours(arguments, folder):
    command = [
        arguments.mtl_eval, "--model", arguments.model, "--max-length", str(arguments.max_length), "--threads",
        str(arguments.threads), "--output-path", str(folder / "ours"), "--log-samples", *selection(arguments, "--num-fewshot"),
    ]
    for data in arguments.data_dir:
        command += ["--data-dir", data]
    return run("mtl-eval", command, folder / "ours.log")


def run_harness(arguments, tasks, folder, output):
    (folder / "tasks").mkdir()
    write_tasks(folder / "tasks", tasks, arguments.data_dir)
    program = (
        f"import torch; torch.set_num_threads({arguments.threads}); torch.backends.cudnn.allow_tf32 = False; "
        "from lm_eval.__main__ import cli_evaluate; cli_evaluate()"
    )
    command = [
        sys.executable, "-c", program, "run", "--model", "hf", "--model_args",
        f"pretrained={arguments.model},dtype=float32,max_length={arguments.max_length},logits_cache=False",
        "--device", arguments.device, "--batch_size", arguments.batch_size, "--include_path", str(folder / "tasks"),
        "--output_path", str(output), "--log_samples", *selection(arguments, "--num_fewshot"),
    ]
    return run("lm_eval", command, folder / "harness.log")


def read_samples(folder):
    found = {}
    for path in sorted(folder.rglob("samples_*.jsonl")):
        task = path.name[len("samples_"):].rsplit("_", 1)[0]
        with open(path, encoding="utf-8") as file:
            found[task] = {s["doc_id"]: s for s in map(json.loads, file)}
    return found


def read_results(folder):
    paths = sorted(folder.rglob("results_*.json"))
    if len(paths) != 1:
        sys.exit(f"{folder.name}: found {len(paths)} files of results, expected 1")
    (path,) = paths
    return json.loads(path.read_text(encoding="utf-8"))["results"]


def likelihood(response):
    return float(response[0] if isinstance(response, list) else response)


def listed(numbers):
    """The first numbers of documents, and how many more there are."""
    return ",".join(map(str, numbers[:8])) + (f" and {len(numbers) - 8} more" if len(numbers) > 8 else "") or "none"


def is_near_tie(sample, within=1e-5):
    """Whether the two best choices are closer than rounding can tell, by log-likelihood or that per length of choice."""
    scores = [likelihood(response) for response in sample["filtered_resps"]]
    if len(scores) < 2:
        return False
    rankings = [scores]
    if "acc_norm" in sample["metrics"]:
        # A choice comes after a delimiter of one character in every task that is shipped.
        requests = [sample["arguments"][f"gen_args_{i}"]["arg_1"] for i in range(len(scores))]
        rankings.append([score / max(1, len(text) - 1) for score, text in zip(scores, requests)])
    best = (sorted(ranking, reverse=True)[:2] for ranking in rankings)
    return any(first - second <= within * abs(second) for first, second in best)


def compare(task, ours, theirs, results, tolerance):
    """One row of the table, and what must not differ."""
    faults = []
    if ours.keys() != theirs.keys():
        faults.append(f"{task}: {len(ours)} documents, the harness has {len(theirs)}")
    largest, changed, ties = 0.0, [], []
    for number in sorted(ours.keys() & theirs.keys()):
        mine, other = ours[number], theirs[number]
        for key in ("doc_hash", "prompt_hash", "target_hash", "arguments", "target", "metrics"):
            if mine[key] != other[key]:
                faults.append(f"{task}: document {number}: {key} differs: {mine[key]!r:.300} {other[key]!r:.300}")
        for left, right in zip(mine["filtered_resps"], other["filtered_resps"]):
            left, right = likelihood(left), likelihood(right)
            largest = max(largest, abs(left - right) / max(1.0, abs(right)))
        outcomes = [m for m in other["metrics"] if isinstance(other[m], (int, float)) and other[m] in (0, 1)]
        if any(mine[m] != other[m] for m in outcomes):
            changed.append(number)
        if is_near_tie(other):
            ties.append(number)
    if largest > tolerance:
        faults.append(f"{task}: log-likelihoods differ by {largest:.2e}, more than {tolerance:.0e}")
    figures = {k: (results[0][task].get(k), v) for k, v in results[1][task].items() if "," in k}
    differing = {
        k: pair for k, pair in figures.items()
        if pair[0] != pair[1] and not (isinstance(pair[0], float) and isinstance(pair[1], float) and abs(pair[0] - pair[1]) <= 1e-9 * abs(pair[1]))
    }
    return [task, len(ours), f"{len(differing)}/{len(figures)}", f"{largest:.1e}", listed(changed), listed(ties)], faults, differing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a checkpoint in Hugging Face layout")
    parser.add_argument("--data-dir", action="append", required=True)
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--num-fewshot", type=int)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--max-length", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-size", default="1", help="the harness's; changes its numbers in the last digits")
    parser.add_argument("--device", default="cpu", help="the harness's; float32 products stay float32 on a GPU")
    parser.add_argument("--harness-output", help="run the harness alone and keep its results in this folder")
    parser.add_argument("--harness-results", help="a folder of results to compare with instead of running the harness")
    parser.add_argument("--mtl-eval", default=".build/release/mtl-eval")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of log-likelihoods, relative")
    arguments = parser.parse_args()
    tasks = arguments.tasks.split(",")

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if arguments.harness_output:
            seconds, _ = run_harness(arguments, tasks, folder, pathlib.Path(arguments.harness_output))
            print(f"lm_eval: {seconds:.1f} s on {arguments.device}; results in {arguments.harness_output}")
            return
        costs = {"mtl-eval": run_ours(arguments, folder)}
        theirs = pathlib.Path(arguments.harness_results or folder / "harness")
        if not arguments.harness_results:
            costs["lm_eval"] = run_harness(arguments, tasks, folder, theirs)
        samples = read_samples(folder / "ours"), read_samples(theirs)
        results = read_results(folder / "ours"), read_results(theirs)

    rows, faults = [], []
    for task in tasks:
        row, found, differing = compare(task, samples[0].get(task, {}), samples[1].get(task, {}), results, arguments.tolerance)
        rows.append(row)
        faults += found
        for key, (mine, other) in differing.items():
            print(f"{task} {key}: {mine} here, {other} in the harness")
    head = ["task", "documents", "figures that differ", "largest difference", "documents with another outcome", "near-ties"]
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(c).ljust(w) for c, w in zip(row, widths)) + " |")
    for name, (seconds, memory) in costs.items():
        print(f"{name}: {seconds:.1f} s, {memory / 2**20:.0f} MiB at most, {arguments.threads} threads")
    if "lm_eval" in costs:
        (ours, harness) = costs["mtl-eval"], costs["lm_eval"]
        print(f"{harness[0] / ours[0]:.1f} times faster, {100 * ours[1] / harness[1]:.0f} % of the memory")
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
