#!/usr/bin/env python3
"""Exchanges models and data sets with the Hugging Face hub's own client, over a hub that this script plays.

    hub_exchange.py --bin .build/release [--model data/demo/model]

What one fetches into the cache the other must find there, offline; what one uploads must arrive as what the other
uploads.  Large files are sent by Git LFS, and fetched from another address that the hub points to.  Prints a row
for each exchange; exit status 1 if one is not as it should be.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.parquet as pq

LARGE = 4096
RECORDS = [{"instruction": f"Count to {n}.", "input": None, "output": " ".join(map(str, range(n)))} for n in range(1, 60)]


class Hub:
    """Repositories in memory: (kind, name) to files; blobs of LFS by their hash."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], dict[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.asked: list[str] = []

    def add(self, kind: str, name: str, files: dict[str, bytes]) -> None:
        self.repositories[kind, name] = files

    @staticmethod
    def commit(files: dict[str, bytes]) -> str:
        return hashlib.sha1(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest()

    @staticmethod
    def is_large(content: bytes) -> bool:
        return len(content) >= LARGE


def handler(hub: Hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            headers = {"Content-Length": str(len(body))} | (headers or {})
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def json(self, value, status: int = 200) -> None:
            self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def missing(self) -> None:
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlparse(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            parts = path.strip("/").split("/")
            if parts[0] == "api":
                files = hub.repositories.get((parts[1], "/".join(parts[2:4])))
                if files is None or parts[4:5] == ["revision"] and parts[5:] != ["main"]:
                    return self.missing()
                if parts[4:5] == ["tree"]:
                    return self.json([self.entry(name, content) for name, content in files.items()])
                return self.json(
                    {"id": "/".join(parts[2:4]), "sha": hub.commit(files), "private": False,
                     "siblings": [{"rfilename": name} for name in files]})
            if parts[0] == "cdn":
                return self.content(hub.blobs[parts[1]])
            kind = "datasets" if parts[0] == "datasets" else "models"
            parts = parts[1:] if kind == "datasets" else parts
            files = hub.repositories.get((kind, "/".join(parts[:2])))
            content = (files or {}).get("/".join(parts[4:]))
            if content is None:
                return self.missing()
            headers = {"X-Repo-Commit": hub.commit(files), "Accept-Ranges": "bytes"}
            if hub.is_large(content):
                name = hashlib.sha256(content).hexdigest()
                hub.blobs[name] = content
                return self.answer(302, b"", headers | {
                    "Location": f"http://localhost:{self.server.server_port}/cdn/{name}",
                    "X-Linked-Etag": f'"{name}"', "X-Linked-Size": str(len(content)), "ETag": '"other"'})
            header = f"blob {len(content)}\0".encode()
            self.content(content, headers | {"ETag": f'"{hashlib.sha1(header + content).hexdigest()}"'})

        @staticmethod
        def entry(name: str, content: bytes) -> dict:
            entry = {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            if Hub.is_large(content):
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
            return entry

        def content(self, content: bytes, headers: dict[str, str] | None = None) -> None:
            wanted = self.headers.get("Range")
            if wanted:
                first, last = wanted.removeprefix("bytes=").split("-")
                start, end = int(first), int(last or len(content) - 1)
                return self.answer(206, content[start : end + 1], (headers or {}) | {
                    "Content-Range": f"bytes {start}-{end}/{len(content)}"})
            if self.command == "HEAD":
                return self.answer(200, b"", (headers or {}) | {"Content-Length": str(len(content))})
            self.answer(200, content, headers)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            hub.blobs[self.path.rsplit("/", 1)[1]] = content
            self.answer(200, b"", {"ETag": '"x"'})

        def do_POST(self) -> None:
            path = unquote(urlparse(self.path).path)
            hub.asked.append(f"POST {path}")
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if path == "/api/validate-yaml":
                return self.json({"errors": [], "warnings": []})
            if path == "/api/repos/create":
                body = json.loads(text)
                name = f"{body.get('organization') or 'me'}/{body['name']}"
                is_new = ("models", name) not in hub.repositories
                hub.repositories.setdefault(("models", name), {})
                return self.json({"url": f"http://{self.headers['Host']}/{name}"}, 200 if is_new else 409)
            if "/preupload/" in path:
                return self.json({"files": [
                    {"path": file["path"], "shouldIgnore": False,
                     "uploadMode": "lfs" if file["size"] >= LARGE else "regular"}
                    for file in json.loads(text)["files"]]})
            if path.endswith("/info/lfs/objects/batch"):
                return self.json({"transfer": "basic", "objects": [
                    {"oid": x["oid"], "size": x["size"]} if x["oid"] in hub.blobs else
                    {"oid": x["oid"], "size": x["size"], "actions": {
                        "upload": {"href": f"http://{self.headers['Host']}/blobs/{x['oid']}", "header": {}}}}
                    for x in json.loads(text)["objects"]]})
            name = "/".join(path.split("/")[3:5])
            files = hub.repositories["models", name]
            for line in text.decode().splitlines():
                item = json.loads(line)
                value = item["value"]
                if item["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif item["key"] == "lfsFile":
                    content = hub.blobs[value["oid"]]
                    assert hashlib.sha256(content).hexdigest() == value["oid"] and len(content) == value["size"]
                    files[value["path"]] = content
            commit = hub.commit(files)
            self.json({"commitUrl": f"http://{self.headers['Host']}/{name}/commit/{commit}", "commitOid": commit})

    return Handler


class Exchange:
    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.bin, self.model, self.folder = Path(arguments.bin), arguments.model, folder
        self.failed = False
        self.hub = Hub()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self.hub))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def row(self, what: str, with_what: str, passed: bool, result: str) -> None:
        self.failed |= not passed
        print(f"{'ok  ' if passed else 'FAIL'}  {what:<46}{with_what:<26}{result}", flush=True)

    def environment(self, cache: str, offline: bool = False) -> dict[str, str]:
        return os.environ | {
            "HF_ENDPOINT": self.endpoint, "HF_HUB_CACHE": str(self.folder / cache), "HF_TOKEN": "hf_token",
            "HF_HUB_OFFLINE": "1" if offline else "0", "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "XDG_CACHE_HOME": str(self.folder / "own")}

    def mtl(self, cache: str, *arguments: str, offline: bool = False) -> str:
        command = [str(self.bin / arguments[0]), *map(str, arguments[1:])]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment(cache, offline))
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout + done.stderr

    def python(self, cache: str, code: str, offline: bool = False) -> str:
        """Runs the hub's client in a process of its own, since it reads its environment once."""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env=self.environment(cache, offline))
        if done.returncode:
            sys.exit(f"{code}\n{done.stderr}")
        return done.stdout.strip()

    def data_sets(self) -> None:
        table = pa.Table.from_pylist(RECORDS, pa.schema([(name, pa.string()) for name in RECORDS[0]]))
        file = self.folder / "train.parquet"
        pq.write_table(table, file, compression="zstd", use_dictionary=False)
        name = "data/train-00000-of-00001.parquet"
        self.hub.add("datasets", "org/records", {"README.md": b"# records\n", name: file.read_bytes()})
        train = ["mtl-finetune", "--model", self.model, "--data", "org/records", "--dry-run"]
        # How long it would take differs from run to run.
        timeless = lambda text: re.sub(r", about .* tokens/s", "", text)  # noqa: E731
        shown = timeless(self.mtl("ours", *train))
        fetch = ("from huggingface_hub import hf_hub_download\n"
                 f"print(hf_hub_download('org/records', '{name}', repo_type='dataset'))")
        path = self.python("ours", fetch, offline=True)
        same = Path(path).read_bytes() == file.read_bytes()
        self.row("a data set that we fetch", "huggingface_hub, offline", same, "found in the cache, equal")
        self.python("theirs", fetch)
        again = timeless(self.mtl("theirs", *train, offline=True))
        same = again.replace(str(self.folder / "theirs"), str(self.folder / "ours")) == shown
        self.row("a data set that it fetches", "--data org/name, offline", same, "found in the cache, equal")
        rows = [json.dumps(record) for record in pq.read_table(path).to_pylist()]
        lines = self.folder / "train.jsonl"
        lines.write_text("\n".join(rows) + "\n")
        places = timeless(self.mtl("ours", *[str(lines) if x == "org/records" else x for x in train]))
        same = places.replace(str(lines), path) == shown
        self.row("rows of a Parquet file", "pyarrow, as JSON lines", same, f"{len(rows)} records, encoded alike")

    def models(self) -> None:
        files = {file.name: file.read_bytes() for file in Path(self.model).iterdir() if file.is_file()}
        self.hub.add("models", "org/model", files)
        ask = ["mtl-chat", "--model", "org/model", "--temp", "0", "--prompt", "Anna packed seven green umbrellas. Who packed?"]
        shown = self.mtl("ours", *ask)
        fetch = "from huggingface_hub import snapshot_download\nprint(snapshot_download('org/model'))"
        folder = Path(self.python("ours", fetch, offline=True))
        same = all((folder / name).read_bytes() == content for name, content in files.items() if name != "README.md")
        self.row("a model that we fetch", "huggingface_hub, offline", same, "found in the cache, equal")
        self.python("theirs", fetch)
        self.row("a model that it fetches", "--model org/name, offline", self.mtl("theirs", *ask, offline=True) == shown,
                 "found in the cache, equal")

    def uploads(self) -> None:
        folder = self.folder / "merged"
        adapter = self.folder / "adapter"
        self.mtl("ours", "mtl-finetune", "--model", self.model, "--data", self.folder / "train.jsonl", "--max-steps", "2",
                 "--batch-size", "2", "--output-dir", adapter)
        self.mtl("ours", "mtl-finetune", "merge", "--model", self.model, "--adapter", adapter, "--output", folder)
        for source, name in ((adapter, "adapter"), (folder, "merged")):
            self.mtl("ours", "mtl-finetune", "upload", source, f"org/ours-{name}")
            ours = self.hub.repositories["models", f"org/ours-{name}"]
            self.hub.blobs.clear()
            self.python("ours", f"from huggingface_hub import HfApi\napi = HfApi()\napi.create_repo('org/theirs-{name}')\n"
                                f"api.upload_folder(repo_id='org/theirs-{name}', folder_path='{source}', "
                                f"allow_patterns={sorted(ours)!r})")
            theirs = self.hub.repositories["models", f"org/theirs-{name}"]
            self.row(f"upload of {name}", "HfApi.upload_folder", ours == theirs, f"{len(ours)} files, equal")
        card = self.python("ours", "from huggingface_hub import ModelCard\n"
                                   f"card = ModelCard.load('{adapter}/README.md')\n"
                                   "print(card.data.library_name, card.data.pipeline_tag, card.data.tags)")
        self.row("the model card's fields", "huggingface_hub.ModelCard",
                 card == "peft text-generation ['lora', 'transformers', 'mamba', 'mambatreel']", card)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--model", default="data/demo/model")
    with tempfile.TemporaryDirectory() as folder:
        exchange = Exchange(parser.parse_args(), Path(folder))
        exchange.data_sets()
        exchange.models()
        exchange.uploads()
    sys.exit(exchange.failed)


if __name__ == "__main__":
    main()
