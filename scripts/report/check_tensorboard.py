#!/usr/bin/env python3
"""Trains with --report-to tensorboard, stops, goes on, and reads the files back with TensorBoard's own loader.

    python3 -m venv venv && venv/bin/pip install tensorboard 'setuptools<81'
    venv/bin/python scripts/report/check_tensorboard.py [COMMANDS [OUTPUT]]

COMMANDS is the folder of mtl-finetune, .build/release unless given; OUTPUT, which is removed first, is
out/tensorboard-check. Compares every number with metrics.jsonl and every answer with samples.jsonl, and that no
step is there twice. Afterwards `tensorboard --logdir OUTPUT` shows the run.
"""
import collections
import json
import pathlib
import shutil
import struct
import subprocess
import sys

# The one that TensorBoard's pages are made from; event_accumulator's takes texts back in no run.
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

root = pathlib.Path(__file__).resolve().parents[2]
commands = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else root / ".build/release")
output = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else root / "out/tensorboard-check")
demo = root / "data/demo"


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def train(*options):
    subprocess.run(
        [commands / "mtl-finetune", "--model", demo / "model", "--data", demo / "train.jsonl",
         "--valid", demo / "valid.jsonl", "--sample-prompts", prompts, "--report-to", "tensorboard",
         "--learning-rate", "3e-3", "--num-train-epochs", "100", "--steps-per-eval", "10", "--logging-steps", "1",
         "--save-steps", "15", "--output-dir", output / "run", *options],
        check=True)


shutil.rmtree(output, ignore_errors=True)
output.mkdir(parents=True)
prompts = output / "prompts.txt"
prompts.write_text("In Oslo, Anna packed seven green umbrellas. Write it as YAML.\n"
                   "In Oslo, Anna packed seven green umbrellas. Who packed the umbrellas?\n")

# A run of 40 steps that was killed after step 40 and goes on from its checkpoint of step 30.
train("--max-steps", "40")
shutil.rmtree(output / "run/checkpoint-40")
train("--max-steps", "60", "--resume")

board = EventAccumulator(str(output / "run/runs"), size_guidance={"tensors": 0})
board.Reload()
rows = [json.loads(line) for line in open(output / "run/metrics.jsonl")]
for key, tag in [("loss", "train/loss"), ("learning_rate", "train/learning_rate"), ("grad_norm", "train/grad_norm"),
                 ("tokens_per_second", "train/tokens_per_second"), ("peak_memory_bytes", "train/peak_memory_bytes"),
                 ("epoch", "train/epoch"), ("eval_loss", "eval/loss"), ("eval_runtime", "eval/runtime")]:
    wanted = [(row["step"], float32(row[key])) for row in rows
              if key in row and (key != "epoch" or "loss" in row)]
    found = [(event.step, float(make_ndarray(event.tensor_proto))) for event in board.Tensors(tag)]
    assert found == wanted, (tag, found[:3], wanted[:3], len(found), len(wanted))
    print(f"{tag}: {len(found)} values, each as in metrics.jsonl")

answers = collections.defaultdict(list)
for line in open(output / "run/samples.jsonl"):
    row = json.loads(line)
    answers[row["prompt"]].append((row["step"], row["answer"]))
for number, (prompt, wanted) in enumerate(answers.items(), 1):
    found = []
    for event in board.Tensors(f"samples/{number}"):
        text = event.tensor_proto.string_val[0].decode()
        found.append((event.step, "\n".join(line[4:] for line in text.split("\n\n")[2].split("\n"))))
    assert found == wanted, (prompt, found, wanted)
    print(f"samples/{number}: {len(found)} answers, each as in samples.jsonl")
assert board.Tensors("config")[0].tensor_proto.string_val[0].decode().startswith("    # mambatreel")
print("config: as in config.yaml")
