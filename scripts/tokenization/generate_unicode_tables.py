#!/usr/bin/env python3
"""Writes Sources/Tokenization/Unicode/UnicodeTables.swift.

    python3 scripts/tokenization/generate_unicode_tables.py > \
        Sources/Tokenization/Unicode/UnicodeTables.swift

The tables are what the `tokenizers` package does, not what a given edition of Unicode says: its
regular expressions and its normaliser follow different editions, and ids depend on both. Every
code point is therefore asked of the package. `unicodedata` only supplies the shape of the
decompositions, and the script stops if the package disagrees with the result anywhere.
"""

import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xAC00 + 11172)
NFC = normalizers.NFC().normalize_str
NFD = normalizers.NFD().normalize_str


def regex_class(pattern):
    """The scalars that the pre-tokeniser's regular expressions put in a class."""
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return [c for c in SCALARS if len(split.pre_tokenize_str("\x01" + chr(c))) == 2]


def word_class():
    """The scalars that stop a `single_word` added token beside them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("\x01\x01", single_word=True, normalized=False)])
    return [c for c in SCALARS if not tokenizer.encode("\x01\x01" + chr(c)).ids]


def strip_class():
    """The scalars that an `rstrip` added token takes with it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("\x01\x01", rstrip=True, normalized=False)])
    return [c for c in SCALARS if tokenizer.encode("\x01\x01" + chr(c)).offsets[0][1] == 3]


def combining_class(c):
    """The canonical combining class the package gives a scalar; 0 if it does not know it."""
    expected = unicodedata.combining(chr(c))
    above_one = NFD(chr(c) + "\u0338") == "\u0338" + chr(c) and c != 0x338
    below_240 = NFD("\u0345" + chr(c)) == chr(c) + "\u0345" and c != 0x345
    if not above_one and not below_240 and c not in (0x338, 0x345):
        return 0
    assert expected, f"U+{c:04X} is reordered but unicodedata gives it class 0"
    return expected


def ranges(scalars):
    result = []
    for c in scalars:
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def array(name, comment, numbers):
    print(f"    /// {comment}")
    print(f"    static let {name}: [UInt32] = [")
    line = ""
    for number in numbers:
        item = f"0x{number:X},"
        if len(line) + len(item) + 1 > 90:
            print(f"        {line}")
            line = ""
        line += (" " if line else "") + item
    print(f"        {line}")
    print("    ]")


def main():
    letters, numbers, spaces = (regex_class(p) for p in (r"\p{L}", r"\p{N}", r"\s"))
    words = word_class()
    assert strip_class() == spaces, "added tokens and patterns differ on white space"

    classes = {c: combining_class(c) for c in SCALARS}
    classes = {c: k for c, k in classes.items() if k}

    compositions, others, full = [], [], {}
    for c in SCALARS:
        field = unicodedata.decomposition(chr(c))
        if not field or field.startswith("<") or NFD(chr(c)) == chr(c):
            continue
        parts = [int(x, 16) for x in field.split()]
        full[c] = parts
        if len(parts) == 2 and NFC("".join(map(chr, parts))) == chr(c):
            compositions.append((*parts, c))
        else:
            others.append((c, *parts, *([0] * (2 - len(parts)))))

    def decompose(c):
        return [d for part in full.get(c, []) for d in decompose(part)] if c in full else [c]

    for c in SCALARS:
        if c not in HANGUL:
            assert NFD(chr(c)) == "".join(map(chr, decompose(c))), f"U+{c:04X} decomposes otherwise"

    class_ranges = []
    for c, k in sorted(classes.items()):
        if class_ranges and class_ranges[-1][1] == c - 1 and class_ranges[-1][2] == k:
            class_ranges[-1][1] = c
        else:
            class_ranges.append([c, c, k])

    print("// Written by scripts/tokenization/generate_unicode_tables.py; do not edit.")
    print(f"// Every code point was asked of the `tokenizers` package {tokenizers.__version__}: "
          f"{len(letters)} letters,")
    print(f"// {len(numbers)} numbers (Unicode 16.0), {len(words)} word scalars, "
          f"{len(spaces)} of white space,")
    print(f"// {len(compositions)} compositions and {len(classes)} combining classes "
          "(its normaliser's older edition).")
    print()
    print("/// What the reference tokenizer library knows of Unicode.")
    print("///")
    print("/// Ranges are pairs of the first and the last scalar.")
    print("enum UnicodeTables {")
    flat = lambda rows: [x for row in rows for x in row]
    array("letters", r"Ranges of `\p{L}`.", flat(ranges(letters)))
    print()
    array("numbers", r"Ranges of `\p{N}`.", flat(ranges(numbers)))
    print()
    array("spaces", r"Ranges of `\s`.", flat(ranges(spaces)))
    print()
    array("words", r"Ranges of `\w`, for added tokens that must be whole words.",
          flat(ranges(words)))
    print()
    array("combiningClasses", "Triples: first scalar, last scalar, canonical combining class.",
          flat(class_ranges))
    print()
    array("compositions", "Triples: first scalar, second scalar, what they compose to.",
          flat(compositions))
    print()
    array("otherDecompositions",
          "Triples: a scalar that is never composed, and what it decomposes to (0: nothing).",
          flat(others))
    print("}")
    print(f"letters {len(letters)} compositions {len(compositions)} others {len(others)}",
          file=sys.stderr)


main()
