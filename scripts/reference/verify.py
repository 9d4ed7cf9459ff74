#!/usr/bin/env python3
"""Checks mambatreel.py against definitions that share nothing with it.

    verify.py [--model DIR]

Trees against all spanning trees of small graphs and against the released edge list, the scan and
its gradient against the O(L^2) definition in float64, and the whole model: with scale 0 against
transformers' own Mamba, with every rule against the definition, and P <= 2 against the chain.
"""

from __future__ import annotations

import argparse
import itertools
import random
from pathlib import Path

import torch
from transformers import MambaForCausalLM

import mambatreel as reference

FIXTURE = Path(__file__).parents[2] / "Tests/MambaLMTests/Fixtures/plain"


def say(name: str, ok: bool, detail: str = "") -> None:
    print(f"{'holds' if ok else 'FAILS'}  {name}  {detail}", flush=True)
    if not ok:
        raise SystemExit(1)


def released_edges(length: int, prompt: int) -> list[tuple[int, int]]:
    """The list as the released code writes it, turned from its numbering to positions."""
    edges = [(i, i + 1) for i in range(length - prompt)]
    edges += [(i, i + k) for i in range(length - prompt, length - 3) for k in (1, 2, 3)]
    edges += [(length - 3, length - 2), (length - 3, length - 1), (length - 2, length - 1)]
    return [(length - 1 - a, length - 1 - b) for a, b in edges]


def ancestors(parents: list[int], v: int) -> list[int]:
    path = [v]
    while parents[path[-1]] >= 0:
        path.append(parents[path[-1]])
    return path


def check_trees() -> None:
    same = all(
        released_edges(length, prompt)
        == [(t, t - 1) for t in range(length - 1, prompt - 1, -1)]
        + reference.prompt_edges(prompt, 3)
        for length in range(3, 12)
        for prompt in range(3, length + 1)
    )
    say("three neighbors give the released edge list, in its order", same)

    chance = random.Random(0)
    for trial in range(60):
        vertices, neighbors = chance.randint(3, 5), chance.choice([1, 2, 3, 5])
        edges = reference.prompt_edges(vertices, neighbors)
        # A third of the graphs is full of ties: the place in the list then decides.
        draw = (lambda: float(chance.randint(1, 2))) if trial % 3 == 0 else chance.random
        weights = [draw() for _ in edges]
        trees = [
            tree
            for tree in itertools.combinations(range(len(edges)), vertices - 1)
            if len(reference.spanning_tree(vertices, [edges[k] for k in tree], [0.0] * len(tree)))
            == vertices - 1
        ]
        cost = {tree: sum(weights[k] for k in tree) for tree in trees}
        # The cheapest; among those the first in lexicographic order of sorted (weight, place).
        best = min(trees, key=lambda t: (round(cost[t], 9), sorted((weights[k], k) for k in t)))
        chosen = reference.spanning_tree(vertices, edges, weights)
        if sorted(chosen) != sorted(best):
            say("the tree is the least of all spanning trees", False, f"trial {trial}")
        gap = reference.margin(vertices, edges, weights, chosen)
        others = [cost[t] - cost[best] for t in trees if t != best]
        if others and abs(gap - min(others)) > 1e-9:
            say("the margin is the distance to the next tree", False, f"trial {trial}")
    say("the tree is the least of all spanning trees, and the margin leads to the next", True)


def definition(x, decay, parents, rule):
    """Each token adds, to each of its ancestors, itself times the product of T on the way."""
    length = x.shape[0]
    rows = [torch.zeros_like(x[0]) for _ in range(length)]
    for t in range(length):
        product = torch.ones_like(x[0])
        path = ancestors(parents, t)
        for child, v in zip([None] + path, path):
            if child is not None:
                source = {"successor": child + 1, "parent": v, "child": child}[rule]
                product = product * decay[source]
            rows[v] = rows[v] + product * x[t]
    return torch.stack(rows)


def check_scan() -> None:
    torch.manual_seed(0)
    worst = worst_gradient = 0.0
    for rule in reference.EDGE_RULES:
        for length, prompt, neighbors in (
            (9, 9, 3),
            (12, 7, 2),
            (10, 3, 5),
            (8, 2, 3),
            (14, 10, 1),
            (1, 1, 3),
        ):
            x = torch.randn(length, 3, 4, dtype=torch.float64, requires_grad=True)
            decay = torch.rand(length, 3, 4, dtype=torch.float64, requires_grad=True)
            topology = reference.Topology([prompt], rule, neighbors, 0.3, 1.3)
            h = reference.scan_sequence(x, decay, prompt, topology, 0, 0)
            _, parents, _ = reference.build_tree(x, prompt, neighbors)
            chain = [t + 1 for t in range(length - 1)] + [-1]
            expected = 1.3 * definition(x, decay, chain, "parent")
            expected = expected + 0.3 * definition(x, decay, parents, rule)
            seed = torch.randn_like(h)
            found = torch.autograd.grad(h, (x, decay), seed, allow_unused=True)
            wanted = torch.autograd.grad(expected, (x, decay), seed, allow_unused=True)
            worst = max(worst, (h - expected).abs().max().item())
            for a, b in zip(found, wanted):
                b = torch.zeros_like(a) if b is None else b
                worst_gradient = max(worst_gradient, (a - b).abs().max().item())
    say("the scan is its definition, every rule", worst < 1e-12, f"{worst:.1e}")
    say("its gradient is the definition's", worst_gradient < 1e-12, f"{worst_gradient:.1e}")


@torch.no_grad()
def check_model(path: str) -> None:
    model = MambaForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(1, model.config.vocab_size, (2, 40), generator=generator)
    plain = reference.log_probabilities(model, ids)
    topology = reference.install(model, reference.Topology([0, 0], tree_scale=0.0))
    gap = (reference.log_probabilities(model, ids) - plain).abs().max().item()
    say("scale 0 is transformers' Mamba (float32)", gap < 2e-5, f"{gap:.1e}")
    reference.widen(model)
    wide = reference.log_probabilities(model, ids)
    gap = (wide - plain).abs().max().item()
    say("float64 is transformers' Mamba up to rounding", gap < 2e-5, f"{gap:.1e}")
    topology.tree_scale, topology.prompt_lengths = 0.3, [24, 9]
    seen = [wide]
    for rule in reference.EDGE_RULES:
        topology.edge_rule = rule
        both = reference.log_probabilities(model, ids)
        alone = []
        for b, prompt in enumerate((24, 9)):
            topology.prompt_lengths = [prompt]
            alone.append(reference.log_probabilities(model, ids[b : b + 1]))
        topology.prompt_lengths = [24, 9]
        gap = (both - torch.cat(alone)).abs().max().item()
        say(f"a batch gives what its sequences give alone ({rule})", gap < 1e-9, f"{gap:.1e}")
        least = min((both - other).abs().max().item() for other in seen)
        say(f"and the rule matters ({rule})", least > 1e-2, f"{least:.1e} from the others")
        seen.append(both)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=str(FIXTURE), help="folder of a small checkpoint")
    arguments = parser.parse_args()
    check_trees()
    check_scan()
    check_model(arguments.model)


if __name__ == "__main__":
    main()
