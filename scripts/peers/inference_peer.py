#!/usr/bin/env python3
"""Reads a text and writes tokens as one of the peers does; prints seconds as JSON.

    inference_peer.py llama.cpp MODEL.gguf --tokens FILE --threads N
    inference_peer.py transformers DIR --tokens FILE --threads N --dtype float32
"""

import argparse
import json
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["llama.cpp", "transformers"])
    parser.add_argument("model")
    parser.add_argument("--tokens", required=True, help="ids of the text, a JSON array")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--prefills", type=int, default=3)
    parser.add_argument("--decoded", type=int, default=48)
    arguments = parser.parse_args()
    tokens = json.loads(Path(arguments.tokens).read_text())
    program = {"llama.cpp": Llama, "transformers": Transformers}[arguments.kind](arguments)

    def timed(work) -> tuple[float, int]:
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result

    reads = [timed(lambda: program.read(tokens)) for _ in range(arguments.prefills + 1)]
    answer = reads[-1][1]
    decoded = [timed(lambda: program.write(17)) for _ in range(arguments.decoded + 4)]
    print(
        json.dumps(
            {
                "prefill": [seconds for seconds, _ in reads[1:]],
                "decode": [seconds for seconds, _ in decoded[4:]],
                "answer": answer,
            }
        )
    )


class Llama:
    """llama.cpp through llama-cpp-python; its batches hold the whole text."""

    def __init__(self, arguments: argparse.Namespace):
        import llama_cpp

        self.program = llama_cpp.Llama(
            arguments.model,
            n_ctx=4096,
            n_batch=512,
            n_ubatch=512,
            n_threads=arguments.threads,
            n_threads_batch=arguments.threads,
            verbose=False,
        )

    def read(self, tokens: list[int]) -> int:
        self.program.reset()
        self.program._ctx.kv_cache_clear()
        self.program.eval(tokens)
        return self.answer()

    def write(self, token: int) -> int:
        self.program.eval([token])
        return self.answer()

    def answer(self) -> int:
        import numpy as np

        count = self.program.n_vocab()
        logits = self.program._ctx.get_logits_ith(-1)
        return int(np.ctypeslib.as_array(logits, shape=(count,)).argmax())


class Transformers:
    """transformers on PyTorch, with its cache."""

    def __init__(self, arguments: argparse.Namespace):
        import torch
        from transformers import MambaForCausalLM

        torch.set_num_threads(arguments.threads)
        torch.set_grad_enabled(False)
        self.torch = torch
        self.model = MambaForCausalLM.from_pretrained(
            arguments.model, dtype=getattr(torch, arguments.dtype)
        ).eval()
        self.cache = None

    def read(self, tokens: list[int]) -> int:
        self.cache = None
        return self.run(tokens)

    def write(self, token: int) -> int:
        return self.run([token])

    def run(self, tokens: list[int]) -> int:
        out = self.model(
            self.torch.tensor([tokens]),
            cache_params=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self.cache = out.cache_params
        return int(out.logits[0, -1].argmax())


if __name__ == "__main__":
    main()
