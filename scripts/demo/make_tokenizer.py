#!/usr/bin/env python3
"""Trains the demonstration model's tokenizer, in the manner of GPT-NeoX's.

    pip install tokenizers==0.23.3
    scripts/demo/make_records.py --corpus DIR
    scripts/demo/make_tokenizer.py DIR

Byte-level byte-pair encoding over the base model's corpus and the skill's records as a model reads
them. Id 0 is
`<|endoftext|>`; the ids of runs of 2 to 24 spaces come last, as in GPT-NeoX's file.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

VOCABULARY = 1536  # a multiple of 8, so that the model's table needs no padding
LONGEST_RUN = 24
END = "<|endoftext|>"

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def texts(corpus):
    """Yields every training record in the alpaca-short template."""
    for path in [corpus / "train.jsonl", DEMO / "train.jsonl"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            middle = f"### Input:\n{record['input']}\n\n" if record["input"] else ""
            yield (f"### Instruction:\n{record['instruction']}\n\n{middle}"
                   f"### Response:{record['output']}")


def main():
    corpus = Path(sys.argv[1])
    runs = [" " * length for length in range(LONGEST_RUN, 1, -1)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(texts(corpus), trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(runs), special_tokens=[END, "<|padding|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    tokenizer.add_tokens([AddedToken(run, normalized=True) for run in runs])
    assert tokenizer.get_vocab_size() == VOCABULARY, tokenizer.get_vocab_size()

    model = DEMO / "model"
    model.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(model / "tokenizer.json"))
    settings = {
        "add_prefix_space": False, "bos_token": END, "clean_up_tokenization_spaces": False,
        "eos_token": END, "model_max_length": 2048, "pad_token": END,
        "tokenizer_class": "GPTNeoXTokenizer", "unk_token": END,
    }
    (model / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


if __name__ == "__main__":
    main()
