#!/usr/bin/env python3
"""Trains the small tokenizers of the tests and stores what the reference libraries make of them.

    python3 scripts/tokenization/make_fixtures.py Tests/TokenizationTests/Fixtures

Needs the packages `tokenizers` (0.23) and `sentencepiece` (0.2). Writes

    corpus.json              the texts, one list
    NAME/tokenizer.json      byte-level BPE, each with one thing out of the ordinary
    NAME.model               SentencePiece
    NAME.expected.json       ids, decoded texts, ids with special tokens not recognised, and random
                             ids with their texts, in the order of the corpus; null says "as above"
"""

import io
import json
import pathlib
import random
import sys

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

PROSE = """
The river ran high that spring, and nobody in the village could remember it higher. They'd built
the bridge of larch and iron; it didn't move. "We'll see," said the miller, who'd seen 3 floods in
70 years (1953, 1986 and 2002). I'm told she's right: they've never lost a house, only a fence...
def scan(x, h=0.5):
    for t in range(len(x)):
        h = h * 0.9 + x[t]
    return h  # 42 tests, 0 failures

Die Brücke über den Fluß hält. Où est le café crème? ¿Dónde está el niño? Ελληνικά, русский язык,
Tiếng Việt, 日本語のテキスト, 한국어 문장, עברית, العربية. Numbers: 1234567890, ½, Ⅳ, ², ٣٤.
"""

PARTS = [
    "the", " the", " and", "river", "'s", "'ll", "'S", "don't", "I'm", " '", "''", "x'tt", "'r", "'v",
    " ", "  ", "   ", "    ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000",
    "\u0085", "\u2028", "\u200b", "\ufeff", "\u180e", "1", "12", " 345", "½", "Ⅳ", "²", "٣", "〇",
    "é", "e\u0301", "a\u0323\u0302", "a\u0302\u0323", "\u0344", "ệ", "Å", "\u212b", "\u1100\u1161",
    "\u1100\u1161\u11a8", "가\u11a8", "각", "\u0301", "\u0958", "\ufb1d", "\u2126", "豈", "\u0f73",
    "日本", "한국어", "русский", "ﬁ", "ｆｕｌｌ", "😀", "👩‍👩‍👧", "🇩🇪", "\U0001e900", "\U00010d50",
    "\U000323b0", "\U0001fae9", "\u0897", "\x00", "\x07", "\x7f", "\ufffd", "\U0010ffff", "\ue000",
    "<|endoftext|>", "<|padding|>", "<|end", "[W]", "a[W]", "[W]_", "[L]", "[R]", "[LR]", "[N\u0301]",
    "\u0144]", "[N", "]", "<s>", "</s>", "<unk>", "[USER]", "<0x41>", "\u2581", "ab" * 9, "...", "!?",
    "_", "(x)", "{", "}", "==", "\\", "\"", "ß", "Δ", "a" * 70, "word" * 30, " " * 30, "\n" * 5,
]


def corpus():
    rng = random.Random(7)
    texts = ["", " ", "a", "\x00", "'", "\u0301", "\n"]
    texts += [line for line in PROSE.split("\n") if line][:9]
    texts += PARTS
    for _ in range(60):
        texts.append("".join(rng.choice(PARTS[:-4]) for _ in range(rng.randint(2, 12))))
    return texts


def byte_level(size=450, alphabet=True, prefix=False, regex=True, normalizer=True, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    special = ["<|endoftext|>", "<|padding|>"]
    if "unk_token" in model:
        special.append(model["unk_token"])
    tokenizer.train_from_iterator(
        PROSE.split("\n"),
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=special, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else []))
    tokenizer.add_tokens(
        [AddedToken(" " * n, normalized=True, special=False) for n in range(24, 1, -1)])
    return tokenizer


def variants():
    plain = byte_level(size=600)
    yield "neox", json.loads(plain.to_str())

    flags = byte_level()
    flags.add_tokens([
        AddedToken("[W]", single_word=True, normalized=False),
        AddedToken("[L]", lstrip=True, normalized=False),
        AddedToken("[R]", rstrip=True, normalized=False),
        AddedToken("[N\u0301]", normalized=True),
        AddedToken("\u0144]", normalized=True, single_word=True),
    ])
    flags.add_special_tokens([AddedToken("[LR]", lstrip=True, rstrip=True, normalized=True)])
    yield "flags", json.loads(flags.to_str())

    prefix = json.loads(byte_level(prefix=True, normalizer=False).to_str())
    # The form of older writers: merges as strings, a decoder in a sequence, no type's defaults.
    prefix["model"]["merges"] = [" ".join(pair) for pair in prefix["model"]["merges"]]
    prefix["decoder"] = {"type": "Sequence", "decoders": [prefix["decoder"]]}
    prefix["post_processor"] = {
        "type": "TemplateProcessing", "special_tokens": {},
        "single": [{"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]}
    del prefix["pre_tokenizer"]["use_regex"]
    yield "prefix", prefix

    whole = json.loads(byte_level(regex=False).to_str())
    yield "whole", whole

    ignore = json.loads(byte_level().to_str())
    ignore["model"]["ignore_merges"] = True
    # In the vocabulary, and made by no merge.
    ignore["model"]["vocab"]["Ġthexyz"] = len(ignore["model"]["vocab"])
    ignore["model"]["merges"] = ignore["model"]["merges"][:150]
    for token in ignore["added_tokens"]:
        if token["id"] >= 450:
            token["id"] += 1
    yield "ignore", ignore

    yield "lossy", json.loads(byte_level(alphabet=False).to_str())
    yield "unknown", json.loads(
        byte_level(alphabet=False, unk_token="<unk>", fuse_unk=True).to_str())


def sentence_pieces():
    common = dict(
        vocab_size=420, hard_vocab_limit=False, minloglevel=2, num_threads=1,
        user_defined_symbols=["[USER]"], character_coverage=0.98)
    options = {
        "llama": dict(
            model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
            split_digits=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True),
        "unigram": dict(model_type="unigram", normalization_rule_name="identity", pad_id=3),
        "unigram_bytes": dict(
            model_type="unigram", byte_fallback=True, normalization_rule_name="identity",
            add_dummy_prefix=False, remove_extra_whitespaces=False, vocab_size=460),
        "char": dict(model_type="char", normalization_rule_name="identity", vocab_size=120),
    }
    for name, own in options.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(line for line in PROSE.split("\n") if line),
            model_writer=model, **{**common, **own})
        yield name, model.getvalue()


def random_ids(size):
    rng = random.Random(11)
    return [[rng.randrange(size) for _ in range(rng.randint(1, 24))] for _ in range(40)]


def write(path, value):
    path.write_text(
        json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


def expected(texts, encode, decode, untrusted, size):
    ids = [encode(text) for text in texts]
    decoded = [decode(row, False) for row in ids]
    return {
        "ids": ids,
        "decoded": [None if d == t else d for d, t in zip(decoded, texts)],
        "untrusted": [
            None if u == row else u for u, row in zip(map(untrusted, texts), ids)],
        "random": [
            {"ids": row, "decoded": decode(row, False), "skipped": decode(row, True)}
            for row in random_ids(size)],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    texts = corpus()
    write(folder / "corpus.json", texts)

    for name, source in variants():
        (folder / name).mkdir(exist_ok=True)
        path = folder / name / "tokenizer.json"
        write(path, source)
        tokenizer, wary = Tokenizer.from_file(str(path)), Tokenizer.from_file(str(path))
        wary.encode_special_tokens = True
        write(folder / f"{name}.expected.json", expected(
            texts,
            lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
            lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip),
            lambda text: wary.encode(text, add_special_tokens=False).ids,
            # A model may have more rows than the tokenizer has tokens.
            tokenizer.get_vocab_size() + 3))

    for name, model in sentence_pieces():
        (folder / f"{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        special = [
            i for i in range(len(processor)) if processor.is_control(i) or processor.is_unknown(i)]
        write(folder / f"{name}.expected.json", expected(
            texts, processor.encode,
            lambda ids, skip: processor.decode(
                [i for i in ids if not (skip and i in special)]) if ids else "",
            processor.encode, len(processor)))


main()
