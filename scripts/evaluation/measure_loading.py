#!/usr/bin/env python3
"""Says how many of the harness's task files mtl-eval can read, without Python functions and with them.

    python scripts/evaluation/measure_loading.py --tasks .../lm_eval/tasks [--python python3] \
        [--mtl-eval .build/release/mtl-eval] [--report FILE]

Takes two files of each folder that holds any, the first and the middle one by name. A file counts if `mtl-eval validate`
can read it, with all that it includes and, with --python, with its Python functions imported. Prints the numbers, and
what stops the others by kind. The folder is that of the package lm_eval (made with 0.4.13); the interpreter needs what
the tasks import.
"""
import argparse
import collections
import os
import re
import subprocess
import sys


def sample(root):
    found = []
    for folder, _, files in sorted(os.walk(root)):
        names = sorted(name for name in files if name.endswith(".yaml"))
        picked = names if len(names) <= 2 else [names[0], names[len(names) // 2]]
        found += [os.path.join(folder, name) for name in picked]
    return found


def validate(program, files, root, python):
    """The lines of `mtl-eval validate`, by file."""
    lines = {}
    # In parts: the length of a command line is limited.
    for start in range(0, len(files), 400):
        part = files[start : start + 400]
        command = [program, "validate", "--tasks", *part, "--include-path", root]
        if python:
            command += ["--python", python, "--confirm-run-unsafe-code"]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if run.returncode not in (0, 1):
            sys.exit(f"mtl-eval ended with {run.returncode}: {run.stderr[-500:]}")
        for line in run.stdout.splitlines():
            for path in part:
                if line.startswith(path + ": "):
                    lines[path] = line[len(path) + 2 :]
    return lines


def kind(line):
    """An error without what differs from file to file."""
    line = re.sub(r"\S*/\S+", "FILE", line.removeprefix("error: "))
    return re.sub(r"'[^']*'", "'…'", line)[:110]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", required=True, help="the folder lm_eval/tasks")
    parser.add_argument("--python", help="an interpreter that has what the tasks import")
    parser.add_argument("--mtl-eval", default=".build/release/mtl-eval")
    parser.add_argument("--report", help="a file for the line of every task file that cannot be read")
    arguments = parser.parse_args()
    root = os.path.realpath(arguments.tasks)
    files = sample(root)
    report = []
    for python in [None] + ([arguments.python] if arguments.python else []):
        lines = validate(arguments.mtl_eval, files, root, python)
        good = sum(not lines.get(path, "error").startswith("error") for path in files)
        print(f"{'with' if python else 'without'} Python: {good} of {len(files)} ({100 * good / len(files):.1f} %)")
        faults = collections.Counter(
            kind(lines.get(path, "error: no answer")) for path in files if lines.get(path, "error").startswith("error")
        )
        for text, count in faults.most_common(12):
            print(f"  {count:5} {text}")
        report += [f"{bool(python)} {path} {lines.get(path)}" for path in files if lines.get(path, "error").startswith("error")]
    if arguments.report:
        with open(arguments.report, "w", encoding="utf-8") as file:
            file.write("\n".join(report) + "\n")


if __name__ == "__main__":
    main()
