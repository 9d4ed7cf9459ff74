#!/usr/bin/env python3
"""Writes Parquet files as pyarrow does: the fixtures of StorageTests and the seeds of the fuzz target.

    make_fixtures.py

Each is some hundred bytes to a few thousand; the rows are in expected.json.  Made with pyarrow 26.0.1.
"""

import datetime
import decimal
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests/StorageTests/Fixtures/parquet"
QUESTIONS = ROOT / "Tests/EvaluationTests/Fixtures/arc-test-00000-of-00001.parquet"
SEEDS = ROOT / "Fuzz/Seeds/parquet"


def records(count: int) -> pa.Table:
    """Alpaca records whose inputs repeat, and are null now and then."""
    rows = [
        {
            "instruction": f"Count to {n}.",
            "input": None if n % 7 == 3 else "please" if n % 2 else "",
            "output": " ".join(map(str, range(n % 5 + 1))) + " é…🙂"[: n % 4],
            "number": n - 3,
            "share": n / 7,
            "good": None if n % 11 == 5 else n % 3 == 0,
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows)


def conversations() -> pa.Table:
    role = pa.struct([("role", pa.string()), ("content", pa.string())])
    rows = [
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
        [],
        None,
        [{"role": "user", "content": None}, None, {"role": None, "content": "x"}],
        [{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}] * 3,
    ]
    return pa.table(
        {
            "messages": pa.array(rows, pa.list_(role)),
            "source": pa.array(["a", "b", "a", None, "b"]).dictionary_encode(),
            "ids": pa.array([[1, 2], [], None, [None, 4], [5]], pa.list_(pa.int32())),
        }
    )


def nested() -> pa.Table:
    inner = pa.list_(pa.list_(pa.int64()))
    deep = pa.struct([("tags", pa.list_(pa.string())), ("at", pa.struct([("x", inner)]))])
    rows = [
        {"tags": ["a", "b"], "at": {"x": [[1], [], None, [2, 3]]}},
        None,
        {"tags": None, "at": None},
        {"tags": [], "at": {"x": None}},
        {"tags": [None], "at": {"x": []}},
    ]
    return pa.table({"deep": pa.array(rows, deep), "row": pa.array(range(5), pa.uint64())})


def types() -> pa.Table:
    return pa.table(
        {
            "i8": pa.array([-128, 127], pa.int8()),
            "u8": pa.array([0, 255], pa.uint8()),
            "u32": pa.array([0, 4294967295], pa.uint32()),
            "i64": pa.array([-(2**63), 2**63 - 1], pa.int64()),
            "u64": pa.array([0, 2**63 - 1], pa.uint64()),
            "f32": pa.array([0.5, -1.25], pa.float32()),
            "f64": pa.array([0.1, None], pa.float64()),
            "nothing": pa.nulls(2),
            "large": pa.array(["x", ""], pa.large_string()),
            "bool": pa.array([True, None]),
            "bytes": pa.array([b"\xff", b""], pa.binary()),
            "day": pa.array([datetime.date(2026, 1, 2), None]),
            "time": pa.array([datetime.datetime(2026, 1, 2), None], pa.timestamp("us")),
            "price": pa.array([decimal.Decimal("1.50"), None]),
            "map": pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
            "image": pa.array(
                [{"bytes": b"\x00", "path": "p"}, None],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
        }
    )


def questions() -> pa.Table:
    """The documents of arc_easy, as ExampleNoticeTests writes them in JSON lines."""
    choices = {"text": ["a", "b"], "label": ["A", "B"]}
    return pa.Table.from_pylist(
        [{"question": f"q{n}?", "choices": choices, "answerKey": "A"} for n in range(4)]
    )


LEFT_OUT = {"bytes", "day", "time", "price", "map"}


def rows(table: pa.Table) -> list:
    rows = table.to_pylist()
    for row in rows:
        for name in LEFT_OUT & row.keys():
            del row[name]
        if row.get("image"):
            del row["image"]["bytes"]
    return rows


def main() -> None:
    for folder in (TARGET, SEEDS):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    small = records(40)
    files = {}
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        files[f"{codec}-1"] = (small, {"compression": codec})
        files[f"{codec}-2"] = (small, {"compression": codec, "data_page_version": "2.0"})
    files["plain"] = (small, {"compression": "none", "use_dictionary": False})
    # Small pages, several groups of rows, and checksums.
    files["pages"] = (
        records(300),
        {
            "data_page_size": 200,
            "write_batch_size": 16,
            "row_group_size": 110,
            "write_page_checksum": True,
            "dictionary_pagesize_limit": 400,
            "compression": "zstd",
        },
    )
    files["chat"] = (conversations(), {})
    files["chat-2"] = (
        conversations(),
        {"data_page_version": "2.0", "compression": "zstd", "data_page_size": 20, "write_batch_size": 1},
    )
    files["nested"] = (nested(), {})
    files["nested-old"] = (nested(), {"use_compliant_nested_type": False, "version": "1.0"})
    files["types"] = (types(), {"compression": "none"})
    files["none"] = (small.slice(0, 0), {})
    # Refused by name.
    refused = {
        "delta": (small.select(["instruction"]), {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}),
        "split": (small.select(["share"]), {"use_dictionary": False, "column_encoding": "BYTE_STREAM_SPLIT"}),
        "brotli": (small.select(["instruction"]), {"compression": "brotli"}),
    }
    expected = {}
    for name, (table, options) in (files | refused).items():
        # Statistics and the Arrow schema only make the files larger.
        options = {"write_statistics": False, "store_schema": False} | options
        pq.write_table(table, TARGET / f"{name}.parquet", **options)
        if name in files:
            found = rows(pq.read_table(TARGET / f"{name}.parquet"))
            key = name.split("-")[0]
            key = "records" if len(found) == 40 else key
            assert expected.setdefault(key, found) == found
    pq.write_table(questions(), QUESTIONS, write_statistics=False, store_schema=False)
    (TARGET / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
    for name in ("snappy-1", "zstd-2", "chat", "nested", "types", "lz4-1", "gzip-2"):
        (SEEDS / name).write_bytes((TARGET / f"{name}.parquet").read_bytes())


if __name__ == "__main__":
    main()
