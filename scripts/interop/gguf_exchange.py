#!/usr/bin/env python3
"""Writes models and adapters with mtl-finetune export and reads them with llama.cpp's own programs.

    gguf_exchange.py --bin .build/release [--model data/demo/model]

Tensors and texts are read by the gguf package, which llama.cpp's converter uses, and must be what that
package makes of the checkpoint, to the bit.  llama.cpp itself (through xllamacpp, whose wheels hold it)
reads a text one token at a time; its log-probabilities must be those of mtl-eval within 1e-5 of the largest of
them (which is -35 in the demonstration's text; there PyTorch in float32 is 1e-5 off and llama.cpp 5e-5), and
its most likely answer that of mtl-chat.  Prints a row for each exchange; exit status 1 if one is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import xllamacpp
from safetensors.numpy import load_file

KINDS = gguf.GGMLQuantizationType
TYPES = {"f32": KINDS.F32, "f16": KINDS.F16, "bf16": KINDS.BF16, "q8_0": KINDS.Q8_0}
INSTRUCTION = "Nora carried three brown kites in Dublin. Write it as YAML."
PROMPT = f"### Instruction:\n{INSTRUCTION}\n\n### Response:"
TOLERANCE = 1e-5


class Exchange:
    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.bin, self.model, self.folder = Path(arguments.bin), arguments.model, folder
        self.failed = False

    def row(self, what: str, with_what: str, passed: bool, result: str) -> None:
        self.failed |= not passed
        print(f"{'ok  ' if passed else 'FAIL'}  {what:<46}{with_what:<26}{result}", flush=True)

    def mtl(self, program: str, *arguments: str) -> str:
        command = [str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def export(self, name: str, model: str, *arguments: str) -> Path:
        path = self.folder / f"{name}.gguf"
        self.mtl("mtl-finetune", "export", model, "-o", path, *arguments)
        return path

    # What the gguf package reads.

    def tensors(self, name: str, file: Path, expected: dict[str, np.ndarray], kind) -> None:
        """Every tensor beside what gguf.quants makes of the checkpoint's."""
        reader = gguf.GGUFReader(file)
        found = {tensor.name: tensor for tensor in reader.tensors}
        wrong = sorted(set(found) ^ set(expected))
        for key, values in expected.items():
            if key not in found:
                continue
            tensor = found[key]
            matrix = values.ndim == 2 and not key.endswith(("ssm_a", "conv1d.weight"))
            wanted = kind if matrix else KINDS.F32
            if wanted == KINDS.Q8_0 and values.shape[-1] % 32:
                wanted = KINDS.F16
            data = gguf.quants.quantize(values, wanted) if wanted != KINDS.F32 else values
            same = tensor.tensor_type == wanted and list(tensor.shape) == list(values.shape)[::-1]
            if not same or tensor.data.tobytes() != np.ascontiguousarray(data).tobytes():
                wrong.append(key)
        detail = f"{len(expected)} tensors equal" if not wrong else f"differ: {wrong}"
        self.row(name, f"gguf {version('gguf')}", not wrong, detail)

    def vocabulary(self, file: Path) -> None:
        """Tokens and merges beside those of tokenizer.json."""
        fields = gguf.GGUFReader(file).fields
        tokenizer = json.loads((Path(self.model) / "tokenizer.json").read_text())
        tokens = {id: text for text, id in tokenizer["model"]["vocab"].items()}
        tokens |= {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
        rows = json.loads((Path(self.model) / "config.json").read_text())["vocab_size"]
        wanted = [tokens.get(id, f"[PAD{id}]") for id in range(rows)]
        merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
        same = fields["tokenizer.ggml.tokens"].contents() == wanted
        same &= fields["tokenizer.ggml.merges"].contents() == merges
        self.row("tokenizer", f"gguf {version('gguf')}", same, f"{rows} tokens, {len(merges)} merges")

    # What llama.cpp computes.

    def llama(self, file: Path, adapter: Path | None = None) -> xllamacpp.Server:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(file)
        parameters.n_ctx, parameters.n_parallel, parameters.n_gpu_layers = 512, 1, 0
        parameters.warmup, parameters.verbosity, parameters.cache_prompt = False, 0, False
        parameters.cpuparams.n_threads = 1
        if adapter:
            parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        return xllamacpp.Server(parameters)

    def scores(self, name: str, file: Path, ours: list[str], adapter: Path | None = None) -> None:
        """The log-probabilities of a text, token by token."""
        server = self.llama(file, adapter)
        ids = self.ids
        theirs = []
        for end in range(1, len(ids)):
            request = {"prompt": ids[:end], "n_predict": 1, "n_probs": 2000, "temperature": 0}
            answer = server.handle_completions(request)
            first = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            theirs.append(next(t["logprob"] for t in first if t["id"] == ids[end]))
        requests, output = self.folder / "requests.jsonl", self.folder / "scores.jsonl"
        requests.write_text(json.dumps({"ids": ids, "prompt_length": len(ids)}) + "\n")
        self.mtl(
            "mtl-eval", "loglikelihood", "--all-positions", "--requests", requests, "--output",
            output, "--overwrite", "--topology", "chain", *ours)
        mine = json.loads(output.read_text())["token_logprobs"]
        largest = max(1, *map(abs, mine))
        worst = max(abs(a - b) for a, b in zip(mine, theirs)) / largest
        detail = f"{len(mine)} log-probabilities, at most {worst:.1e} of {largest:.0f} apart"
        self.row(name, f"llama.cpp {version('xllamacpp')}", worst < TOLERANCE and len(mine) == len(theirs), detail)

    def text(self, name: str, file: Path, ours: list[str]) -> None:
        """The most likely answer to a prompt that llama.cpp tokenises."""
        request = {"prompt": PROMPT, "n_predict": 48, "temperature": 0}
        theirs = self.llama(file).handle_completions(request)["choices"][0]["text"]
        mine = self.mtl(
            "mtl-chat", *ours, "--topology", "chain", "--temp", "0", "--repeat-penalty", "1",
            "--max-tokens", "48", "--template", "alpaca-short", "--prompt", INSTRUCTION, "--json")
        mine = json.loads(mine)["text"]
        self.row(name, f"llama.cpp {version('xllamacpp')}", mine == theirs, repr(theirs[:40]))

    def tokenize(self) -> None:
        texts, output = self.folder / "texts.jsonl", self.folder / "ids.jsonl"
        texts.write_text(json.dumps({"text": PROMPT + "who: Nora\ndid: carried"}) + "\n")
        self.mtl(
            "mtl-eval", "tokenize", "--model", self.model, "--input", texts, "--output", output)
        self.ids = json.loads(output.read_text())["ids"]


def version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def expected(model: str) -> dict[str, np.ndarray]:
    """A checkpoint's tensors as llama.cpp's converter has them."""
    configuration = json.loads((Path(model) / "config.json").read_text())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MAMBA, configuration["num_hidden_layers"])
    result = {}
    for name, values in load_file(Path(model) / "model.safetensors").items():
        values = values.astype(np.float32)
        if name == "lm_head.weight" and configuration["tie_word_embeddings"]:
            continue
        # transformers calls it embeddings, the original release and llama.cpp's table embedding.
        name = name.replace("backbone.embeddings.", "backbone.embedding.")
        if name.endswith("A_log"):
            values = -np.exp(values.astype(np.float64)).astype(np.float32)
        if name.endswith("conv1d.weight"):
            values = values.squeeze(1)
        result[names.get_name(name, try_suffixes=(".weight", ".bias"))] = values
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--model", default="data/demo/model")
    parser.add_argument("--data", default="data/demo/train.jsonl")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        exchange = Exchange(arguments, Path(name))
        run(exchange, arguments, Path(name))
    sys.exit(exchange.failed)


def run(exchange: Exchange, arguments: argparse.Namespace, folder: Path) -> None:
    model = arguments.model
    base = ["--model", model]
    exchange.tokenize()
    wanted = expected(model)
    files = {t: exchange.export(t, model, "--outtype", t, "--as-chain") for t in TYPES}
    for type, file in files.items():
        exchange.tensors(f"model, {type}", file, wanted, TYPES[type])
    exchange.vocabulary(files["f32"])
    exchange.scores("model, f32", files["f32"], base)
    exchange.text("model, f32", files["f32"], base)
    gained = exchange.export("gain", model, "--outtype", "f32", "--as-chain", "--chain-gain", "1.3")
    exchange.scores("model, f32, chain gain 1.3", gained, [*base, "--chain-gain", "1.3"])

    training = [
        *base, "--data", arguments.data, "--topology", "chain", "--max-steps", "6", "--batch-size", "4",
        "--learning-rate", "1e-2", "--val-size", "0",
    ]
    layers = ["--lora-target-modules", "in_proj,x_proj,dt_proj,out_proj,embeddings"]
    adapters = {
        "adapter": ([], {}),
        "rsLoRA adapter with patterns": (
            layers, {"use_rslora": True, "alpha_pattern": {"x_proj": 4}}),
    }
    untied = exchange.export("untied", model, "--outtype", "f32", "--as-chain", "--untie")
    untied_gain = exchange.export(
        "untied-gain", model, "--outtype", "f32", "--as-chain", "--untie", "--chain-gain", "1.3")
    for index, (name, (flags, changes)) in enumerate(adapters.items()):
        output = str(folder / f"adapter{index}")
        exchange.mtl("mtl-finetune", *training, *flags, "--output-dir", output)
        configuration = Path(output) / "adapter_config.json"
        configuration.write_text(json.dumps(json.loads(configuration.read_text()) | changes))
        ours = [*base, "--adapter", output]
        options = ["--adapter", output, "--outtype", "f32"]
        alone = exchange.export(f"alone{index}", model, *options, "--adapter-only")
        exchange.scores(name, untied, ours, alone)
        gained = exchange.export(
            f"gained{index}", model, *options, "--adapter-only", "--chain-gain", "1.3")
        exchange.scores(f"{name}, chain gain 1.3", untied_gain, [*ours, "--chain-gain", "1.3"], gained)
        merged = exchange.export(f"merged{index}", model, *options)
        exchange.scores(f"{name}, merged", merged, ours)
        exchange.text(f"{name}, merged", merged, ours)


if __name__ == "__main__":
    main()
