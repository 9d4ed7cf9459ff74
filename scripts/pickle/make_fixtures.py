#!/usr/bin/env python3
"""Writes checkpoints as torch.save does: the fixtures of StorageTests and the seeds of the fuzz target.

    make_fixtures.py

Each is some hundred bytes of tensors; what they hold is in expected.json.  Made with torch 2.15.0.
"""

import collections
import json
import zipfile
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests/StorageTests/Fixtures/pickles"
SEEDS = ROOT / "Fuzz/Seeds/pickle"


class Module(torch.nn.Module):
    """Two tied weights and metadata, which a state_dict carries as attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(3, 2)
        self.head = torch.nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.arange(6).reshape(3, 2))
        self.head.weight = self.embedding.weight


class Harmful:
    def __reduce__(self):
        return (print, ("this must never be seen",))


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    SEEDS.mkdir(parents=True, exist_ok=True)
    matrix = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    good = {
        "tied": Module().state_dict(),
        "types": {
            "float32": matrix / 7,
            "float16": (matrix / 7).half(),
            "bfloat16": (matrix / 7).bfloat16(),
            "part": matrix[1:],
            "scalar": torch.tensor(2.5),
            "empty": torch.zeros(0, 4),
        },
        "parameters": collections.OrderedDict(w=torch.nn.Parameter(matrix[:1].clone())),
    }
    refused = {
        "transposed": {"w": matrix.t()},
        "integers": {"w": torch.arange(3)},
        "nested": {"state_dict": {"w": matrix}, "step": 3},
        "harmful": {"w": matrix, "x": Harmful()},
    }
    expected = {}
    for name, content in (good | refused).items():
        torch.save(content, TARGET / f"{name}.bin")
        if name in good:
            expected[name] = {
                key: {"shape": list(value.shape), "values": value.detach().float().flatten().tolist()}
                for key, value in content.items()
            }
    torch.save(good["types"], TARGET / "protocol4.bin", pickle_protocol=4)
    expected["protocol4"] = expected["types"]
    torch.save(good["types"], TARGET / "legacy.bin", _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(TARGET / "types.bin") as source:
        with zipfile.ZipFile(TARGET / "deflated.bin", "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.namelist():
                target.writestr(zipfile.ZipInfo(entry), source.read(entry), zipfile.ZIP_DEFLATED)
    (TARGET / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for name in ("tied", "parameters"):
        (SEEDS / name).write_bytes((TARGET / f"{name}.bin").read_bytes())


if __name__ == "__main__":
    main()
