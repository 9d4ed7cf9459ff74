#!/usr/bin/env python3
"""Encodes the texts of Alpaca records with the tokenizers library; prints seconds as JSON.

    tokenizing_peer.py --tokenizer FILE --data FILE     (threads: RAYON_NUM_THREADS)
"""

import argparse
import json
import time
from pathlib import Path

from records import alpaca_prompt
from tokenizers import Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--data", required=True)
    arguments = parser.parse_args()
    rows = map(json.loads, Path(arguments.data).read_text(encoding="utf8").splitlines())
    texts = [alpaca_prompt(row) + row["output"] for row in rows]
    encoder = Tokenizer.from_file(arguments.tokenizer)
    encoder.encode_batch(texts[:1000], add_special_tokens=False)
    start = time.perf_counter()
    encoded = encoder.encode_batch_fast(texts, add_special_tokens=False)
    seconds = time.perf_counter() - start
    ids = sum(len(text.ids) for text in encoded)
    print(json.dumps({"seconds": seconds, "ids": ids}))


if __name__ == "__main__":
    main()
