"""MambaTreeL in PyTorch: the reference that the Swift code is checked against.

For one sequence of L tokens, of which the first P are the prompt, every mixer computes

    decay_t = exp(delta_t A)          X_t = delta_t u_t B_t'                  [inner, state]
    h1_t    = decay_t h1_{t-1} + X_t                                          the chain
    h2_v    = X_v + sum over children c of v of T_c h2_c                      the tree
    y_t     = (chain_gain h1_t + tree_scale h2_t) C_t + D u_t

The response hangs on the tree as a chain.  The prompt's part is the minimum spanning tree of the
graph that joins each token with the `neighbors` before it, an edge weighing exp(-cos(X_a, X_b));
it is rooted at the prompt's last token.  T_c is decay_{c+1} (successor), decay_{parent(c)} (parent)
or decay_c (child).  With P <= 2 the tree is the chain.

The mixer runs in the precision of the model's weights, float32 at least, so that `widen` gives a
float64 reference.  It calls every projection as a module: adapters act on all of them, dt_proj too.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

EDGE_RULES = ("successor", "parent", "child")


@dataclass
class Topology:
    """What the mixers need beside their input; `prompt_lengths` has one entry a sequence."""

    prompt_lengths: list[int] = field(default_factory=lambda: [0])
    edge_rule: str = "successor"
    neighbors: int = 3
    tree_scale: float = 0.3
    chain_gain: float = 1.0
    # When a list: gains (layer, sequence, parents, margin) of every tree that is built.
    record: list | None = None


# ------------------------------------------------------------------------------------- the tree


def prompt_edges(prompt_length: int, neighbors: int) -> list[tuple[int, int]]:
    """The graph of the prompt in the released order, which decides ties: (token, earlier token).

    The released code numbers vertices from the end, i = L-1-t, and lists (i, i+1), (i, i+2), ...
    for each i in turn; the response's edges come first and are all in the tree anyway.
    """
    return [
        (t, t - k)
        for t in range(prompt_length - 1, -1, -1)
        for k in range(1, neighbors + 1)
        if t - k >= 0
    ]


def edge_weights(x: torch.Tensor, prompt_length: int, neighbors: int) -> list[float]:
    """exp(-cos) of X at the ends of each edge, rounded to float32, in the order of the edges."""
    unit = F.normalize(x[:prompt_length].detach().flatten(1), dim=1, eps=1e-8)
    cosine = {
        k: (unit[k:] * unit[:-k]).sum(1) for k in range(1, min(neighbors, prompt_length - 1) + 1)
    }
    weight = {k: torch.exp(-c).float().tolist() for k, c in cosine.items()}
    return [weight[a - b][b] for a, b in prompt_edges(prompt_length, neighbors)]


def spanning_tree(vertices: int, edges: list[tuple[int, int]], weights: list[float]) -> list[int]:
    """Kruskal; among equal weights the edge earlier in the list wins.  Returns chosen places."""
    component = list(range(vertices))

    def find(v: int) -> int:
        while component[v] != v:
            component[v] = component[component[v]]
            v = component[v]
        return v

    chosen = []
    for place in sorted(range(len(edges)), key=weights.__getitem__):
        a, b = map(find, edges[place])
        if a != b:
            component[a] = b
            chosen.append(place)
    return chosen


def margin(
    vertices: int, edges: list[tuple[int, int]], weights: list[float], chosen: list[int]
) -> float:
    """By how much the tree wins: least (edge left out - heaviest tree edge it could replace)."""
    adjacent: list[list[tuple[int, float]]] = [[] for _ in range(vertices)]
    for place in chosen:
        a, b = edges[place]
        adjacent[a].append((b, weights[place]))
        adjacent[b].append((a, weights[place]))
    least = float("inf")
    for place in set(range(len(edges))) - set(chosen):
        start, end = edges[place]
        heaviest, todo = {start: 0.0}, [start]
        while todo:
            v = todo.pop()
            for other, weight in adjacent[v]:
                if other not in heaviest:
                    heaviest[other] = max(heaviest[v], weight)
                    todo.append(other)
        least = min(least, weights[place] - heaviest[end])
    return least


def build_tree(
    x: torch.Tensor, prompt_length: int, neighbors: int, with_margin: bool = False
) -> tuple[list[int], list[int], float]:
    """(order, parents, margin) of the tree over X, [L, inner, state].

    The order starts at the root, parents before children; the root's parent is -1.
    """
    length = x.shape[0]
    order = list(range(length - 1, -1, -1))
    parents = [t + 1 for t in range(length - 1)] + [-1]
    if prompt_length <= 2:
        return order, parents, float("inf")
    edges = prompt_edges(prompt_length, neighbors)
    weights = edge_weights(x, prompt_length, neighbors)
    chosen = spanning_tree(prompt_length, edges, weights)
    adjacent: list[list[int]] = [[] for _ in range(prompt_length)]
    for place in chosen:
        a, b = edges[place]
        adjacent[a].append(b)
        adjacent[b].append(a)
    walk = [prompt_length - 1]
    for v in walk:  # grows while it is walked: breadth first
        children = [w for w in adjacent[v] if w != parents[v]]
        for child in children:
            parents[child] = v
        walk += children
    order = order[: length - prompt_length] + walk
    gap = margin(prompt_length, edges, weights, chosen) if with_margin else float("nan")
    return order, parents, gap


def edge_sources(parents: list[int], rule: str) -> list[int]:
    """For each child, the position whose decay is T on the edge to its parent."""
    if rule not in EDGE_RULES:
        raise ValueError(f"edge rule '{rule}' is unknown; choose from {', '.join(EDGE_RULES)}")
    if rule == "parent":
        return parents
    return [c + (rule == "successor") for c in range(len(parents))]


# ------------------------------------------------------------------------------------- the scan


class Scan(torch.autograd.Function):
    """h_v = X_v + sum over children c of decay[source_c] h_c, for one sequence, [L, ...]."""

    @staticmethod
    def forward(ctx, x, decay, order, parents, sources):
        h = x.clone()
        rows, decays = h.unbind(0), decay.unbind(0)
        for c in reversed(order[1:]):
            rows[parents[c]].addcmul_(decays[sources[c]], rows[c])
        ctx.save_for_backward(h, decay)
        ctx.tree = order, parents, sources
        return h

    @staticmethod
    def backward(ctx, grad_h):
        h, decay = ctx.saved_tensors
        order, parents, sources = ctx.tree
        grad_x, grad_decay = grad_h.clone(), torch.zeros_like(decay)
        grads, grad_decays = grad_x.unbind(0), grad_decay.unbind(0)
        rows, decays = h.unbind(0), decay.unbind(0)
        for c in order[1:]:
            grads[c].addcmul_(decays[sources[c]], grads[parents[c]])
            grad_decays[sources[c]].addcmul_(grads[parents[c]], rows[c])
        return grad_x, grad_decay, None, None, None


def scan_sequence(
    x: torch.Tensor,
    decay: torch.Tensor,
    prompt_length: int,
    topology: Topology,
    layer: int,
    index: int,
) -> torch.Tensor:
    """chain_gain h1 + tree_scale h2 of one sequence, [L, inner, state]."""
    chain, chain_parents, _ = build_tree(x, 0, 1)
    h1 = Scan.apply(x, decay, chain, chain_parents, edge_sources(chain_parents, "successor"))
    if topology.tree_scale == 0:
        return topology.chain_gain * h1
    prompt_length = min(prompt_length, x.shape[0])
    recording = topology.record is not None
    order, parents, gap = build_tree(x, prompt_length, topology.neighbors, recording)
    if recording:
        topology.record.append((layer, index, parents, gap))
    if parents == chain_parents and topology.edge_rule != "child":
        h2 = h1
    else:
        sources = edge_sources(parents, topology.edge_rule)
        h2 = Scan.apply(x, decay, order, parents, sources)
    return topology.chain_gain * h1 + topology.tree_scale * h2


def mixer_forward(self, hidden_states, cache_params=None, attention_mask=None, **_):
    """Replaces the forward of transformers' MambaMixer; whole sequences only, no cache."""
    topology, length = self.mambatreel, hidden_states.shape[1]
    wide = torch.promote_types(hidden_states.dtype, torch.float32)
    u, gate = self.in_proj(hidden_states).chunk(2, dim=-1)
    u = self.act(self.conv1d(u.transpose(1, 2))[..., :length]).transpose(1, 2)
    sizes = [self.time_step_rank, self.ssm_state_size, self.ssm_state_size]
    step, B, C = self.x_proj(u).split(sizes, dim=-1)
    delta = F.softplus(self.dt_proj(step)).to(wide)
    decay = torch.exp(delta[..., None] * -torch.exp(self.A_log.to(wide)))
    x = (delta * u)[..., None] * B[:, :, None, :]
    lengths = topology.prompt_lengths
    if len(lengths) != x.shape[0]:
        raise ValueError(f"{len(lengths)} prompt lengths for a batch of {x.shape[0]}")
    h = torch.stack(
        [
            scan_sequence(x[b], decay[b], lengths[b], topology, self.layer_idx, b)
            for b in range(x.shape[0])
        ]
    )
    y = (h @ C[..., None].to(wide)).squeeze(-1) + u * self.D
    return self.out_proj((y * self.act(gate)).to(hidden_states.dtype))


# ------------------------------------------------------------------------------------ the model


def install(model, topology: Topology) -> Topology:
    """Gives every mixer of a transformers model, under peft or not, the tree's forward."""
    for module in model.modules():
        if type(module).__name__ == "MambaMixer":
            module.mambatreel = topology
            module.forward = types.MethodType(mixer_forward, module)
    return topology


def widen(model):
    """Turns a model into float64 throughout; transformers rounds norms and residuals to float32."""

    def norm(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.variance_epsilon)

    model.double()
    for module in model.modules():
        if type(module).__name__ == "MambaRMSNorm":
            module.forward = types.MethodType(norm, module)
        if type(module).__name__ == "MambaBlock":
            module.residual_in_fp32 = False
    return model


def log_probabilities(model, ids: torch.Tensor) -> torch.Tensor:
    """Log-probability of every token after the first, [batch, length - 1], unrounded."""
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.backbone(ids, use_cache=False).last_hidden_state
    logits = core.lm_head(hidden[:, :-1])
    return logits.log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
