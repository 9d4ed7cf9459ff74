"""Writes a Mamba checkpoint in the GGUF format of llama.cpp, without a vocabulary.

Source: convert_hf_to_gguf.py of llama.cpp, class MambaModel.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def write(checkpoint: Path, target: Path, dtype: str) -> None:
    """Converts a folder in the Hugging Face layout; `dtype` is float32 or bfloat16."""
    import gguf
    from safetensors.numpy import load_file

    configuration = json.loads((checkpoint / "config.json").read_text())
    tensors = load_file(checkpoint / "model.safetensors")
    writer = gguf.GGUFWriter(target, "mamba")
    writer.add_context_length(2**20)
    writer.add_embedding_length(configuration["hidden_size"])
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(configuration["num_hidden_layers"])
    writer.add_vocab_size(configuration["vocab_size"])
    writer.add_ssm_conv_kernel(configuration["conv_kernel"])
    writer.add_ssm_inner_size(configuration["intermediate_size"])
    writer.add_ssm_state_size(configuration["state_size"])
    writer.add_ssm_time_step_rank(configuration["time_step_rank"])
    writer.add_ssm_dt_b_c_rms(False)
    writer.add_layer_norm_rms_eps(configuration["layer_norm_epsilon"])
    writer.add_tokenizer_model("no_vocab")
    kinds = gguf.GGMLQuantizationType
    kind = kinds.F32 if dtype == "float32" else kinds.BF16
    writer.add_file_type(0 if dtype == "float32" else gguf.LlamaFileType.MOSTLY_BF16)
    names = gguf.get_tensor_name_map(
        gguf.MODEL_ARCH.MAMBA, configuration["num_hidden_layers"]
    )
    for name, values in tensors.items():
        # transformers calls it embeddings, the original release and llama.cpp's table embedding.
        if name == "lm_head.weight":
            continue
        name = name.replace("backbone.embeddings.", "backbone.embedding.")
        values = values.astype(np.float32)
        if name.endswith("A_log"):
            name, values = name, -np.exp(values)
        if name.endswith("conv1d.weight"):
            values = values.squeeze(1)
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise SystemExit(f"{name} has no place in GGUF")
        is_matrix = values.ndim == 2 and not name.endswith(("A_log", "conv1d.weight"))
        if is_matrix and kind == kinds.BF16:
            values = gguf.quants.quantize(values, kind)
            writer.add_tensor(new, values, raw_dtype=kind)
        else:
            writer.add_tensor(new, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
