#!/usr/bin/env python3
"""Writes the committed fixtures of the Swift tests, from PyTorch in float64.

    make_fixtures.py [--tests Tests]

Each expected value was computed in float64 from the weights as stored, so a test's tolerance need
only cover its own rounding.  Plain values are held against transformers' own float32 forward
before they are written.  A fixture whose spanning tree is nearly a tie would not be one: every
margin must exceed MARGIN.  The README beside this file describes the formats.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import peft.tuners.tuners_utils
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import MambaForCausalLM, get_scheduler

import checkpoint
import mambatreel as reference

MARGIN = 1e-5
DECIMALS = 7
MODELS = {
    "plain": dict(seed=11, vocab_size=296, hidden_size=24, num_hidden_layers=2),
    "odd": dict(
        seed=12,
        vocab_size=203,
        hidden_size=20,
        num_hidden_layers=2,
        conv_kernel=3,
        state_size=8,
        time_step_rank=3,
        use_bias=True,
        use_conv_bias=True,
        tie_word_embeddings=False,
        layer_norm_epsilon=1e-3,
        eos_token_id=7,
    ),
}
DEFAULT_TARGETS = ["embeddings", "in_proj", "out_proj", "x_proj"]
ADAPTERS = {
    "default": dict(r=4, lora_alpha=8, target_modules=DEFAULT_TARGETS),
    "time-step": dict(r=3, lora_alpha=6, target_modules=["dt_proj", "embeddings", "in_proj"]),
    "patterns": dict(
        r=4,
        lora_alpha=6,
        target_modules=DEFAULT_TARGETS,
        use_rslora=True,
        rank_pattern={"x_proj": 2},
        alpha_pattern={"layers.1.mixer.in_proj": 3},
    ),
}
# PEFT of 2024 and before knows no other key, and the tests should not depend on newer ones.
ADAPTER_KEYS = """alpha_pattern auto_mapping base_model_name_or_path bias fan_in_fan_out
    inference_mode init_lora_weights layers_pattern layers_to_transform loftq_config lora_alpha
    lora_dropout megatron_config megatron_core modules_to_save peft_type r rank_pattern revision
    target_modules task_type use_dora use_rslora""".split()


# --------------------------------------------------------------------------------------- writing


def numbers(values: torch.Tensor) -> list[float]:
    return [round(v, DECIMALS) for v in values.tolist()]


def write(path: Path, value: dict) -> None:
    """JSON with one line an element of each top-level list, so that diffs stay readable."""
    parts = []
    for key, item in value.items():
        text = json.dumps(item, separators=(",", ":"))
        if isinstance(item, list):
            text = (
                "[\n  " + ",\n  ".join(json.dumps(e, separators=(",", ":")) for e in item) + "\n ]"
            )
        parts.append(f" {json.dumps(key)}: {text}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    tensors = {name: value.detach().float().contiguous() for name, value in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})


# ---------------------------------------------------------------------------------------- models


def save_model(name: str, folder: Path) -> None:
    configuration = dict(MODELS[name])
    model = checkpoint.build(configuration.pop("seed"), **configuration)
    model.to(torch.bfloat16 if name == "odd" else torch.float32).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def save_original(plain: Path, folder: Path) -> None:
    """The weights of `plain` as the state-spaces project names and describes them."""
    model = MambaForCausalLM.from_pretrained(plain)
    tensors = {
        name.replace("backbone.embeddings.", "backbone.embedding."): value.clone()
        for name, value in model.state_dict().items()
    }
    folder.mkdir()
    write_tensors(folder / "model.safetensors", tensors)
    configuration = {
        "d_model": model.config.hidden_size,
        "n_layer": model.config.num_hidden_layers,
        "vocab_size": model.config.vocab_size - 3,  # padded to a multiple of 8 in the file
        "ssm_cfg": {},
        "rms_norm": True,
        "residual_in_fp32": True,
        "fused_add_norm": True,
        "pad_vocab_size_multiple": 8,
    }
    (folder / "config.json").write_text(json.dumps(configuration, indent=4) + "\n")


def load(folder: Path, topology: reference.Topology, adapter: Path | None = None):
    """The model of a folder in float64, its mixers following `topology`."""
    model = MambaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
    reference.install(model, topology)
    return reference.widen(model)


def sequences(vocabulary: int, lengths: list[int], seed: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda n: torch.randint(1, vocabulary, (n,), generator=generator).tolist()
    return [draw(n) for n in lengths]


def least_margin(topology: reference.Topology) -> float:
    return min((gap for *_, gap in topology.record), default=float("inf"))


@torch.no_grad()
def greedy(model, topology: reference.Topology, prompt: list[int], count: int) -> list[int]:
    """The most probable continuation; the prompt keeps its length as it grows."""
    ids = list(prompt)
    for _ in range(count):
        hidden = model.backbone(torch.tensor([ids]), use_cache=False).last_hidden_state[:, -1]
        best = model.lm_head(hidden)[0].topk(2)
        assert best.values[0] - best.values[1] > 1e-3, "two tokens are nearly tied"
        ids.append(best.indices[0].item())
    return ids[len(prompt) :]


# ---------------------------------------------------------------------------------- plain scoring

PLAIN = reference.Topology(tree_scale=0.0)


@torch.no_grad()
def plain_fixture(models: Path, name: str) -> dict:
    stock = MambaForCausalLM.from_pretrained(models / name, dtype=torch.float32).eval()
    model = load(models / name, PLAIN)
    rows = []
    for ids in sequences(stock.config.vocab_size, [1, 2, 5, 40, 130], seed=21):
        x = torch.tensor([ids])
        expected = reference.log_probabilities(model, x)[0]
        gap = (
            (expected - reference.log_probabilities(stock, x)[0]).abs().max() if len(ids) > 1 else 0
        )
        assert gap < 3e-5, f"{name}: transformers differs by {gap}"
        rows.append({"ids": ids, "logProbabilities": numbers(expected)})
        if len(ids) in (5, 40):
            rows[-1]["greedy"] = greedy(model, PLAIN, ids, 12)
    return {"model": name, "sequences": rows}


# ------------------------------------------------------------------------------------------ trees


def tree_settings() -> list[dict]:
    """Which (sequence length, prompt length, rule, neighbors, scale, gain) are in the fixture."""
    setting = lambda length, prompt, rule="successor", neighbors=3, scale=0.3, gain=1.0: dict(
        length=length,
        promptLength=prompt,
        edgeRule=rule,
        neighbors=neighbors,
        treeScale=scale,
        chainGain=gain,
    )
    found = [
        setting(length, prompt)
        for length in (1, 2, 5, 40, 130)
        for prompt in sorted({p for p in (0, 1, 2, 3, 5, length // 2, length) if p <= length})
    ]
    for rule in reference.EDGE_RULES:
        found += [setting(40, 20, rule, m) for m in (1, 2, 3, 5)]
        found += [setting(5, 5, rule, m) for m in (2, 5)]
        found += [
            setting(40, prompt, rule, 3, scale, gain)
            for prompt in (0, 20)
            for scale, gain in ((1.0, 1.0), (0.3, 1.3), (1.0, 1.3))
        ]
    found += [setting(130, 65, "parent", 5), setting(130, 100, "child", 2)]
    found.append(setting(40, 0, scale=0.0, gain=1.3))
    return [s for i, s in enumerate(found) if s not in found[:i]]


@torch.no_grad()
def tree_fixture(models: Path, name: str, settings: list[dict]) -> dict:
    topology = reference.Topology()
    model = load(models / name, topology)
    lengths = sorted({s["length"] for s in settings})
    rows = sequences(model.config.vocab_size, lengths, seed=32)
    cases = []
    for setting in settings:
        place = lengths.index(setting["length"])
        topology.prompt_lengths = [setting["promptLength"]]
        topology.edge_rule, topology.neighbors = setting["edgeRule"], setting["neighbors"]
        topology.tree_scale, topology.chain_gain = setting["treeScale"], setting["chainGain"]
        topology.record = []
        expected = reference.log_probabilities(model, torch.tensor([rows[place]]))[0]
        assert least_margin(topology) > MARGIN, f"{name} {setting}: {least_margin(topology)}"
        trees = topology.record
        topology.record = None
        case = {"sequence": place, **{k: v for k, v in setting.items() if k != "length"}}
        case["parents"] = [parents for _, _, parents, _ in trees]
        case["margins"] = [round(g, 8) if g < float("inf") else None for *_, g in trees]
        case["logProbabilities"] = numbers(expected)
        if (setting["length"], setting["promptLength"]) == (5, 5) and setting["neighbors"] == 3:
            case["greedy"] = greedy(model, topology, rows[place], 12)
        cases.append(case)
    return {"model": name, "sequences": rows, "cases": cases}


ODD_SETTINGS = [
    dict(length=n, promptLength=p, edgeRule=rule, neighbors=3, treeScale=0.3, chainGain=1.0)
    for rule in reference.EDGE_RULES
    for n, p in ((5, 3), (40, 20), (40, 40))
]


# -------------------------------------------------------------------------------------- gradients


def step_loss(model, topology, records: list[tuple[list[int], int]], reduction: str):
    """The loss of one step: the mean over all scored tokens, or the mean of the records' means.

    Each record runs alone, so that no padding can enter; the token at t is scored when t >= P.
    """
    parts = []
    for ids, prompt in records:
        topology.prompt_lengths = [prompt]
        parts.append(
            -reference.log_probabilities(model, torch.tensor([ids]))[0, max(prompt, 1) - 1 :]
        )
    if reduction == "record":
        return torch.stack([part.mean() for part in parts]).mean()
    return torch.cat(parts).mean()


def gradient_fixture(models: Path, name: str, out: Path, **settings) -> dict:
    """Writes the gradient of every parameter to `out`; returns the batch and its loss."""
    topology = reference.Topology(record=[], **settings)
    model = load(models / name, topology)
    rows = sequences(model.config.vocab_size, [23, 34], seed=41)
    records = list(zip(rows, (9, 15)))
    loss = step_loss(model, topology, records, "token")
    loss.backward()
    assert least_margin(topology) > MARGIN, least_margin(topology)
    gradients = {n: p.grad for n, p in model.named_parameters()}
    assert all(g.abs().max() > 1e-6 for g in gradients.values())
    write_tensors(out, gradients)
    entry = {"model": name, "file": out.name, "loss": round(loss.item(), 9)}
    if topology.tree_scale:
        entry |= {
            "edgeRule": topology.edge_rule,
            "neighbors": topology.neighbors,
            "treeScale": topology.tree_scale,
            "chainGain": topology.chain_gain,
        }
    entry["records"] = [{"ids": ids, "promptLength": prompt} for ids, prompt in records]
    return entry


# --------------------------------------------------------------------------------------- adapters


def save_adapter(model, folder: Path) -> None:
    """As PEFT's save_pretrained, with the keys that all its versions know."""
    folder.mkdir(parents=True)
    write_tensors(
        folder / "adapter_model.safetensors",
        get_peft_model_state_dict(model, save_embedding_layers=False),
    )
    configuration = {
        k: v for k, v in model.peft_config["default"].to_dict().items() if k in ADAPTER_KEYS
    }
    configuration |= {"base_model_name_or_path": "plain", "inference_mode": True}
    configuration["target_modules"] = sorted(configuration["target_modules"])
    text = json.dumps(configuration, indent=2, sort_keys=True)
    (folder / "adapter_config.json").write_text(text + "\n")


def make_adapter(base: Path, folder: Path, seed: int, settings: dict) -> None:
    """An adapter with both factors non-zero, so that every gradient is alive from the start."""
    model = MambaForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **settings))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.15 * torch.randn(parameter.shape, generator=generator))
    save_adapter(model, folder)


def stock_adapter(models: Path, adapter: Path, x: torch.Tensor) -> torch.Tensor:
    """What transformers and peft answer as they are, in float32.

    transformers multiplies by dt_proj.weight past the adapter, so that one must be merged to act.
    """
    model = MambaForCausalLM.from_pretrained(models / "plain", dtype=torch.float32).eval()
    model = PeftModel.from_pretrained(model, adapter)
    for name, module in model.named_modules():
        if name.endswith("dt_proj") and hasattr(module, "merge"):
            module.merge()
    return reference.log_probabilities(model, x)[0]


@torch.no_grad()
def adapter_fixture(models: Path, adapters: Path) -> dict:
    """Log-probabilities with each adapter unmerged, plain and with the default tree."""
    ids = sequences(MODELS["plain"]["vocab_size"], [40], seed=51)[0]
    x, rows = torch.tensor([ids]), []
    base = reference.log_probabilities(load(models / "plain", PLAIN), x)[0]
    for name in ADAPTERS:
        row = {"adapter": name}
        for key, settings in (("plain", {"tree_scale": 0.0}), ("tree", {"record": []})):
            topology = reference.Topology([20], **settings)
            model = load(models / "plain", topology, adapters / name)
            expected = reference.log_probabilities(model, x)[0]
            if key == "plain":
                assert (expected - base).abs().max() > 0.1, f"{name} has no effect"
                gap = (expected - stock_adapter(models, adapters / name, x)).abs().max()
                assert gap < 3e-5, f"{name}: transformers and peft differ by {gap}"
            else:
                assert least_margin(topology) > MARGIN
            row[key] = numbers(expected)
        rows.append(row)
    return {"model": "plain", "ids": ids, "promptLength": 20, "adapters": rows}


# --------------------------------------------------------------------------------------- training

RUNS = {
    "chain": dict(topology="chain", loss_reduction="token"),
    "chain-record": dict(topology="chain", loss_reduction="record"),
    "tree": dict(topology="tree", loss_reduction="token"),
    "tree-record": dict(topology="tree", loss_reduction="record"),
    "chain-linear": dict(
        topology="chain", lr_scheduler_type="linear", weight_decay=0.1, max_grad_norm=8.0
    ),
    "chain-cosine": dict(topology="chain", lr_scheduler_type="cosine"),
}
TRAINING = dict(
    max_steps=20,
    batch_size=2,
    gradient_accumulation_steps=2,
    learning_rate=1e-3,
    warmup_steps=5,
    lr_scheduler_type="constant_with_warmup",
    weight_decay=0.0,
    max_grad_norm=1.0,
    loss_reduction="token",
)


def training_records() -> list[tuple[list[int], int]]:
    """Eighty records of varied lengths: the response counts on from the prompt's last token."""
    generator = torch.Generator().manual_seed(62)
    pick = lambda low, high: torch.randint(low, high, (1,), generator=generator).item()
    vocabulary, records = MODELS["plain"]["vocab_size"], []
    for _ in range(80):
        prompt = [pick(1, vocabulary) for _ in range(pick(1, 14))]
        stride = pick(1, 4)
        response = [(prompt[-1] + stride * k) % vocabulary for k in range(1, pick(2, 12))]
        records.append((prompt + response, len(prompt)))
    return records


def train(models: Path, adapter: Path, records, settings: dict, final: Path) -> dict:
    settings = {**TRAINING, **settings}
    is_tree = settings["topology"] == "tree"
    topology = reference.Topology(tree_scale=0.3 if is_tree else 0.0, record=[])
    model = load(models / "plain", topology, adapter)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings["learning_rate"],
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=settings["weight_decay"],
    )
    schedule = get_scheduler(
        settings["lr_scheduler_type"], optimizer, settings["warmup_steps"], settings["max_steps"]
    )
    per_step = settings["batch_size"] * settings["gradient_accumulation_steps"]
    steps = []
    for step in range(settings["max_steps"]):
        batch = records[step * per_step : (step + 1) * per_step]
        loss = step_loss(model, topology, batch, settings["loss_reduction"])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, settings["max_grad_norm"])
        steps.append(
            {
                "loss": round(loss.item(), 9),
                "grad_norm": round(norm.item(), 9),
                "learning_rate": schedule.get_last_lr()[0],
                "scored_tokens": sum(len(ids) - prompt for ids, prompt in batch),
            }
        )
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    assert least_margin(topology) > MARGIN, least_margin(topology)
    save_adapter(model, final)
    return {**settings, "steps": steps}


def lora_gradients(models: Path, adapter: Path, records, is_tree: bool, out: Path) -> None:
    """Gradients of the first step by both factors of every target, before clipping."""
    topology = reference.Topology(tree_scale=0.3 if is_tree else 0.0)
    model = load(models / "plain", topology, adapter)
    step_loss(model, topology, records[:4], "token").backward()
    named = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    assert all(g.abs().max() > 1e-6 for g in named.values())
    write_tensors(out, {n.replace(".default", ""): g for n, g in named.items()})


# ------------------------------------------------------------------------------------------- main


def clean(folder: Path, names: list[str]) -> None:
    """Removes what this script wrote before, and nothing else."""
    for name in names:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=Path, default=Path(__file__).parents[2] / "Tests")
    tests = parser.parse_args().tests
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Newer PEFT refuses out_proj on Mamba because of a fused GPU kernel that is not used here.
    peft.tuners.tuners_utils._check_lora_target_modules_mamba = lambda *_, **__: None

    models = tests / "MambaLMTests/Fixtures"
    clean(
        models,
        [
            "plain",
            "odd",
            "original",
            "plain.json",
            "odd.json",
            "gradients.json",
            "plain-gradients.safetensors",
            "odd-gradients.safetensors",
        ],
    )
    for name in MODELS:
        save_model(name, models / name)
        write(models / f"{name}.json", plain_fixture(models, name))
    save_original(models / "plain", models / "original")
    write(
        models / "gradients.json",
        {
            "batches": [
                gradient_fixture(
                    models, name, models / f"{name}-gradients.safetensors", tree_scale=0.0
                )
                for name in MODELS
            ]
        },
    )

    trees = tests / "TreeSSMTextTests/Fixtures"
    clean(
        trees,
        [
            "plain",
            "odd",
            "plain-trees.json",
            "odd-trees.json",
            "gradients.json",
            *(f"{rule}-gradients.safetensors" for rule in reference.EDGE_RULES),
        ],
    )
    for name in MODELS:
        shutil.copytree(models / name, trees / name)
    write(trees / "plain-trees.json", tree_fixture(models, "plain", tree_settings()))
    write(trees / "odd-trees.json", tree_fixture(models, "odd", ODD_SETTINGS))
    write(
        trees / "gradients.json",
        {
            "batches": [
                gradient_fixture(
                    models, name, trees / f"{rule}-gradients.safetensors", edge_rule=rule, **rest
                )
                for name, rule, rest in (
                    ("plain", "successor", {}),
                    ("odd", "parent", dict(neighbors=2, tree_scale=1.0, chain_gain=1.3)),
                    ("odd", "child", dict(neighbors=5)),
                )
            ]
        },
    )

    tuning = tests / "FineTuningTests/Fixtures"
    clean(
        tuning,
        [
            "plain",
            "adapters",
            "final",
            "adapters.json",
            "training.json",
            "records.jsonl",
            "chain-gradients.safetensors",
            "tree-gradients.safetensors",
        ],
    )
    shutil.copytree(models / "plain", tuning / "plain")
    for seed, (name, settings) in enumerate(ADAPTERS.items(), start=71):
        make_adapter(models / "plain", tuning / "adapters" / name, seed, settings)
    start = tuning / "adapters/default"
    write(tuning / "adapters.json", adapter_fixture(models, tuning / "adapters"))
    records = training_records()
    (tuning / "records.jsonl").write_text(
        "".join(
            json.dumps({"prompt_ids": ids[:prompt], "response_ids": ids[prompt:]}) + "\n"
            for ids, prompt in records
        )
    )
    for name in ("chain", "tree"):
        lora_gradients(
            models, start, records, name == "tree", tuning / f"{name}-gradients.safetensors"
        )
    write(
        tuning / "training.json",
        {
            "runs": [
                {"name": name, **train(models, start, records, settings, tuning / "final" / name)}
                for name, settings in RUNS.items()
            ]
        },
    )
    files = [f for folder in (models, trees, tuning) for f in folder.rglob("*") if f.is_file()]
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
