#!/usr/bin/env python3
"""Writes Tests/GGUFTests/Fixtures/blocks.json: values and the bytes that the gguf package makes of them.

    make_gguf_fixtures.py

Needs gguf 0.19.0 and numpy 2.4.6.
"""

import json
from pathlib import Path

import gguf
import numpy as np

TARGET = Path(__file__).resolve().parents[2] / "Tests/GGUFTests/Fixtures/blocks.json"
KINDS = gguf.GGMLQuantizationType


def main() -> None:
    generator = np.random.default_rng(17)
    rows = [
        generator.standard_normal(32),
        generator.standard_normal(32) * 1e-5,
        np.zeros(32),
        # Halves of a step, which are rounded away from zero.
        np.concatenate([[127.0], np.arange(31) - 15.5]),
        # Numbers that half precision has only as subnormal ones, or rounds to even.
        np.concatenate([2.0 ** -np.arange(1, 26), [65504, 1 + 2**-11, 1 + 3 * 2**-11, -0.0, 3e-8, 1e-8, 65519]]),
    ]
    values = np.array(rows, np.float32)
    half = values.astype(np.float16).view(np.uint16)
    content = {
        "values": [int(v) for v in values.view(np.uint32).ravel()],
        "q8_0": gguf.quants.quantize(values, KINDS.Q8_0).tobytes().hex(),
        "bf16": gguf.quants.quantize(values, KINDS.BF16).tobytes().hex(),
        "f16": half.tobytes().hex(),
        "f32": values.tobytes().hex(),
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
