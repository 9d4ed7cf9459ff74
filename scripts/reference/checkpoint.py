"""Random Mamba checkpoints in which every part of the network shows in the logits.

The official initialisation leaves B, C and the state so small that a wrong scan would hide in
rounding.  Here delta spans the official range and depends on the token, B and C are O(1), A and D
are off their round initial values, biases are non-zero and the logits spread by about 2.5.  The
last norm's weights have both signs: with tied embeddings and positive ones a random model only
repeats its input.
"""

from __future__ import annotations

import math

import torch
from transformers import MambaConfig, MambaForCausalLM


@torch.no_grad()
def fill(model: MambaForCausalLM, seed: int) -> MambaForCausalLM:
    """Draws all weights anew from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    inner, hidden, rank = config.intermediate_size, config.hidden_size, config.time_step_rank

    def normal(tensor, deviation, mean=0.0):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation + mean)

    spread = 2.5 / math.sqrt(hidden)
    normal(model.backbone.embeddings.weight, spread)
    normal(model.backbone.norm_f.weight, 1.0)
    if not config.tie_word_embeddings:
        normal(model.lm_head.weight, spread)
    for block in model.backbone.layers:
        mixer = block.mixer
        normal(block.norm.weight, 0.1, 1.0)
        normal(mixer.in_proj.weight, hidden**-0.5)
        normal(mixer.conv1d.weight, 0.5)
        normal(mixer.x_proj.weight, 2 * inner**-0.5)
        mixer.x_proj.weight[:rank] *= 2
        normal(mixer.dt_proj.weight, 0.6 * rank**-0.5)
        uniform = torch.rand(inner, generator=generator)
        delta = torch.exp(math.log(1e-3) + uniform * (math.log(1e-1) - math.log(1e-3)))
        mixer.dt_proj.bias.copy_(delta + torch.log(-torch.expm1(-delta)))
        normal(mixer.A_log, 0.1)
        mixer.A_log += torch.arange(1, config.state_size + 1).log()
        normal(mixer.D, 0.1, 1.0)
        normal(mixer.out_proj.weight, 1.5 * spread * inner**-0.5)
        for module in (mixer.conv1d, mixer.in_proj, mixer.out_proj):
            if module.bias is not None:
                normal(module.bias, 0.1)
    model.tie_weights()
    return model.eval()


def build(seed: int, **configuration) -> MambaForCausalLM:
    """A model of the given configuration, in float32."""
    return fill(MambaForCausalLM(MambaConfig(**configuration)), seed)
