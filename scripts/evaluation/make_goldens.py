#!/usr/bin/env python3
"""Makes the fixtures of the evaluation tests with the real lm-evaluation-harness.

    python scripts/evaluation/make_goldens.py Tests/EvaluationTests/Fixtures

Needs lm_eval (made with 0.4.13), datasets, numpy, scikit-learn, pytablewriter; no model: a toy model over bytes
stands in, whose scores are sums of exact fractions, so that the Swift tests can expect equal bits.
"""
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.update(HF_DATASETS_OFFLINE="1", HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", DISABLE_MULTIPROC="1")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import items  # noqa: E402

MASK = (1 << 64) - 1
MAX_LENGTH = 300
BOOTSTRAP = 2000


def step(state, token):
    return ((state ^ token) * 0x100000001B3 + 0x9E3779B97F4A7C15) & MASK


def score(state, token):
    """A log-probability, and whether the token is the most likely one."""
    mixed = (state ^ (token * 0xBF58476D1CE4E5B9)) & MASK
    mixed = ((mixed ^ (mixed >> 29)) * 0x94D049BB133111EB) & MASK
    return -((mixed >> 40) % 4096 + 1) / 256, (mixed >> 20) % 4 != 0


PHRASES = [
    "The answer is ", "#### ", "42", " 7.", "(A)", "(B)", " yes", "No", "\n", "\n\n", "Q:", "\u00e9 ",
    "1,000", "$12", ": B", " person: Ann",
]


def toy_model():
    from lm_eval.api.model import TemplateLM
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    class ToyModel(TemplateLM):
        """Bytes are tokens 1 to 256, 0 stands for an empty context."""

        tokenizer = None

        @property
        def eot_token_id(self):
            return 0

        @property
        def prefix_token_id(self):
            return 0

        def tok_encode(self, string, **kwargs):
            return [byte + 1 for byte in string.encode("utf-8")]

        def _loglikelihood_tokens(self, requests, **kwargs):
            answers = []
            for _, context, continuation in requests:
                kept = (context + continuation)[-(MAX_LENGTH + 1):]
                state, total, greedy = 0x1234, 0.0, True
                for place, token in enumerate(kept):
                    if place >= len(kept) - len(continuation):
                        value, is_greedy = score(state, token)
                        total += value
                        greedy = greedy and is_greedy
                    state = step(state, token)
                answers.append((total, greedy))
            return answers

        def loglikelihood_rolling(self, requests, **kwargs):
            answers = []
            for (text,) in [request.args for request in requests]:
                windows = map(
                    make_disjoint_window,
                    get_rolling_token_windows(self.tok_encode(text), self.prefix_token_id, MAX_LENGTH, 1),
                )
                answers.append(sum(self._loglikelihood_tokens([(None, a, b)])[0][0] for a, b in windows) + 0.0)
            return answers

        def generate_until(self, requests, **kwargs):
            from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text

            answers = []
            for context, arguments in [request.args for request in requests]:
                arguments = normalize_gen_kwargs(arguments, 256)
                stops, limit = handle_stop_sequences(arguments["until"], eos=None), arguments["max_gen_toks"]
                state, written = 0x1234, b""
                for token in self.tok_encode(context)[-(MAX_LENGTH - limit):]:
                    state = step(state, token)
                while len(written) < limit and not any(self.stops(written, stop) for stop in stops):
                    phrase = PHRASES[(state >> 33) % len(PHRASES)].encode("utf-8")
                    state = (state * 0x5851F42D4C957F2D + 0x14057B7EF767814F) & MASK
                    for byte in phrase:
                        written += bytes([byte])
                        if len(written) == limit or any(self.stops(written, stop) for stop in stops):
                            break
                answers.append(postprocess_generated_text(written.decode("utf-8", "replace"), stops, None))
            return answers

        @staticmethod
        def stops(written, stop):
            # As MultiTokenEOSCriteria: in the last tokens, two more than the text has.
            return stop in written[-(len(stop.encode("utf-8")) + 2):].decode("utf-8", "replace")

    return ToyModel()


def write_data(folder):
    written = [(name, "test", documents) for name, (_, documents) in items.WRITTEN.items()]
    for task, split, documents in items.data() + written:
        path = folder / "data" / task / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents), encoding="utf-8")
    (folder / "tasks").mkdir(exist_ok=True)
    for name, text in items.TASKS.items():
        (folder / "tasks" / name).write_text(text.lstrip(), encoding="utf-8")
    for name, (text, _) in items.WRITTEN.items():
        (folder / "tasks" / f"{name}.yaml").write_text(text.lstrip(), encoding="utf-8")


def harness_tasks(folder, target):
    """Writes, for every task, a file that includes the harness's own and only says where the data are."""
    import yaml
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    index = TaskManager().task_index
    found = {}
    for task, split in [(t, s) for t, s, _ in items.data()] + [(name, "test") for name in items.WRITTEN]:
        found.setdefault(task, {})[split] = str((folder / "data" / task / f"{split}.jsonl").resolve())
    for task, files in found.items():
        path = folder / "tasks" / f"{task}.yaml"
        path = str(path.resolve()) if path.exists() else str(index[task].yaml_path)
        keys = load_yaml(path, resolve_func=False)
        own = {
            "include": path, "task": task, "dataset_path": "json", "dataset_name": None,
            "dataset_kwargs": {"data_files": files},
        }
        own.update({k: None for k in ("training_split", "validation_split", "fewshot_split") if keys.get(k) and keys[k] not in files})
        (target / f"{task}.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    for name, text in items.TASKS.items():
        if "group:" in text:
            (target / name).write_text(text, encoding="utf-8")


def run(folder, shots, tasks):
    import lm_eval
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        harness_tasks(folder, temporary)
        results = lm_eval.simple_evaluate(
            model=toy_model(), tasks=tasks, num_fewshot=shots, bootstrap_iters=BOOTSTRAP,
            task_manager=TaskManager(include_path=str(temporary)), log_samples=True,
        )
        table = make_table(results) + "\n"
        if "groups" in results:
            table += make_table(results, "groups") + "\n"
        samples = results.pop("samples")
        tracker = EvaluationTracker(output_path=str(temporary / "out"))
        tracker.general_config_tracker.log_experiment_args("toy", "pretrained=toy", None, None, False)
        tracker.save_results_aggregated(results=results, samples=samples)
        lines = {}
        for task in results["configs"]:
            tracker.save_results_samples(task_name=task, samples=samples[task])
            (path,) = (temporary / "out").rglob(f"samples_{task}_2*.jsonl")
            lines[task] = path.read_text(encoding="utf-8").split("\n")[:-1]
    kept = ["results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes"]
    return {
        "shots": shots, "tasks": tasks, "table": table, "samples": lines,
        **{k: results[k] for k in kept if k in results},
        "prompt_keys": {t: [c.get("output_type"), c.get("num_fewshot")] for t, c in results["configs"].items()},
    }


def random_numbers():
    rows = []
    for seed in (0, 7, 1234, 2**32 - 1, 2**33 + 9):
        row = {"seed": str(seed)}
        r = random.Random(seed)
        row["bits"] = [r.getrandbits(32) for _ in range(700)][::100]
        r = random.Random(seed)
        row["unit"] = [r.random() for _ in range(4)]
        r = random.Random(seed)
        row["samples"] = [
            {"count": n, "picks": k, "result": r.sample(range(n), k)}
            for n, k in [(21, 4), (22, 4), (3, 3), (1, 1), (85, 6), (86, 6), (4000, 5), (300, 22), (277, 22), (5, 0)]
        ]
        r = random.Random(seed)
        row["choices"] = [r.choices(range(n), k=n) for n in (1, 5, 400)]
        rows.append(row)
    return rows


def metrics():
    from lm_eval.api import metrics as m

    r = random.Random(11)
    logs = [-abs(r.gauss(3, 2)) for _ in range(57)]
    hits = [float(r.random() < 0.3) for _ in range(57)]
    weighted = [(-r.uniform(40, 700), r.randint(5, 150)) for _ in range(9)]
    pairs = [(r.randint(0, 1), r.randint(0, 1)) for _ in range(31)]
    many = [(r.randint(0, 3), r.randint(-1, 3)) for _ in range(31)]
    probabilities = []
    for _ in range(6):
        x = [r.random() for _ in range(3)]
        probabilities.append((r.randint(0, 2), [v / sum(x) for v in x]))
    values, sizes, errors = [0.3, 0.55, 0.7], [120, 33, 8], [0.04, 0.09, 0.16]
    return {
        "logs": logs, "hits": hits, "weighted": weighted, "pairs": pairs, "many": many,
        "probabilities": probabilities,
        "mean": m.mean(hits), "mean_stderr": m.mean_stderr(hits), "median": m.median(logs),
        "nanmean": float(m.nanmean(logs + [float("nan")])),
        "perplexity": m.perplexity(logs),
        "stderr": {
            str(i): {
                "perplexity": m.stderr_for_metric(m.perplexity, i)(logs),
                "median": m.stderr_for_metric(m.median, i)(logs),
                "f1": float(m.stderr_for_metric(m.f1_score, i)(pairs)),
                "mcc": float(m.stderr_for_metric(m.matthews_corrcoef, i)(many)),
            }
            for i in (3, 1000, 2500)
        },
        "weighted_perplexity": m.weighted_perplexity(weighted), "bits_per_byte": m.bits_per_byte(weighted),
        "f1": float(m.f1_score(pairs)), "mcc": float(m.matthews_corrcoef(many)),
        "brier_score": float(m.brier_score(probabilities)),
        "group": {
            "values": values, "sizes": sizes, "errors": errors,
            "pooled": float(m.pooled_sample_stderr(errors, sizes)),
            "plain": float(m.unweighted_mean_stderr(errors)),
        },
    }


def windows():
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    return [
        {
            "tokens": n, "length": length,
            "windows": [list(map(list, make_disjoint_window(w))) for w in get_rolling_token_windows(list(range(1, n + 1)), 0, length, 1)],
        }
        for n, length in [(0, 3), (1, 1), (2, 1), (3, 3), (4, 3), (7, 3), (11, 4), (12, 4), (13, 4)]
    ]


def tables():
    from pytablewriter import MarkdownTableWriter

    r = random.Random(5)
    head = ["Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr"]
    cases = []
    for number in range(150):
        rows = []
        for _ in range(r.randint(1, 4)):
            value = r.choice([r.random(), 10 ** r.uniform(-5, 14), float(r.randint(0, 3)), r.choice([0.25, 0.5, 0.125])])
            if number % 10 == 9 and r.random() < 0.4:
                value = r.choice([float("nan"), float("inf")])
            error = r.choice(["   N/A", f"{r.random() / 50:.4f}", f"{r.randint(0, 1):.4f}"])
            version = r.choice([1.0, 2.0, 3, 0.5, "Yaml", "    N/A", "2", ""])
            name = r.choice(["piqa", "", " - anatomy", "a|b", "\u65e5\u672c", "n\u0303", "17"])
            rows.append([name, version, "none", r.choice(["0", "5", " "]), r.choice(["acc", "perplexity"]), r.choice(["\u2191", ""]), r.choice([f"{value:.4f}"] * 5 + [999]), "\u00b1", error])
        writer = MarkdownTableWriter()
        writer.headers, writer.value_matrix = head, rows
        cases.append({"rows": rows, "table": writer.dumps()})
    return cases


def literals():
    import ast

    cases = []
    for text in [
        "[]", "()", "(1,)", "(1)", "1, 'a'", "{'a': [1, -2.5, None]}", "'a' \"b\"", "r'\\n' '\\n'", "'\\x41\\u00e9\\U0001F600\\101\\7\\q'",
        "'''a\nb'''", "\"it's\"", "0x1F", "1_000", "-0", "1e5", ".5", "5.", "007", "00", "True", "[1 2]", "[1,,2]", "'a", "'a\nb'", "{1: 2}",
        "truth", "", "  [ 'x' , ]  ", "+3", "--3", "1e400", "'\\xZZ'", "{'a': 1, 'a': 2}", "[" * 60 + "]" * 60, "['\u2028\x85']",
    ]:
        try:
            value = ast.literal_eval(text)
            json.dumps(value)
            if isinstance(value, dict) and not all(isinstance(k, str) for k in value):
                value = "refused here"
        except (ValueError, SyntaxError):
            value = "refused"
        if value == float("inf"):
            value = "infinite"
        cases.append({"text": text, "value": value})
    return cases


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_data(folder)
    singles = sorted({task for task, _, _ in items.data()} - {"mmlu_anatomy", "mmlu_virology", "mmlu_sociology", "piqa", "arc_easy", "arc_challenge"})
    names = singles + ["exams", "plain"]
    outputs = {
        "random": random_numbers(), "metrics": metrics(), "windows": windows(), "tables": tables(), "literals": literals(),
        "shots0": run(folder, None, names), "shots2": run(folder, 2, [n for n in names if n != "wikitext"]),
        "written": run(folder, 1, list(items.WRITTEN)),
    }
    for name, value in outputs.items():
        with open(folder / f"{name}.json", "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
