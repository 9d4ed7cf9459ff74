"""Runs the Python functions of task files for mtl-eval, which starts this with --python.

Standard input is a socket: one JSON object a line comes in, one goes out for each. What JSON cannot
hold is marked: {"!tuple": [...]}, {"!set": [...]}, {"!dict": [[key, value], ...]}, and anything else as
{"!object": [number, text]}, which stands for the object itself when it comes back.

Needs the standard library alone; where a task imports more, that has to be installed.
"""
import ctypes
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import traceback

functions = {}
objects = []
data_sets = {}


class Documents:
    """The part of datasets.Dataset that tasks use most, for where that library is not there."""

    def __init__(self, rows):
        self._rows = [dict(row) for row in rows]

    @property
    def column_names(self):
        return list(dict.fromkeys(key for row in self._rows for key in row))

    @property
    def features(self):
        return dict.fromkeys(self.column_names)

    @property
    def num_rows(self):
        return len(self._rows)

    def __len__(self):
        return len(self._rows)

    def __iter__(self):
        return (dict(row) for row in self._rows)

    def __getitem__(self, key):
        if isinstance(key, str):
            return [row.get(key) for row in self._rows]
        if isinstance(key, int):
            return dict(self._rows[key])
        rows = self._rows[key] if isinstance(key, slice) else [self._rows[i] for i in key]
        return {name: [row.get(name) for row in rows] for name in self.column_names}

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            import datasets
        except ImportError:
            raise AttributeError(
                f"documents have no '{name}' here; install the library 'datasets'"
            ) from None
        return getattr(datasets.Dataset.from_list(self._rows), name)

    def to_list(self):
        return list(self)

    def map(self, function, with_indices=False, batched=False, remove_columns=None, **options):
        if batched or options.get("input_columns") or options.get("with_rank"):
            return self.__getattr__("map")(
                function, with_indices=with_indices, batched=batched, remove_columns=remove_columns,
                **options,
            )
        removed = [remove_columns] if isinstance(remove_columns, str) else remove_columns or []
        rows = []
        for number, row in enumerate(self._rows):
            made = function(dict(row), number) if with_indices else function(dict(row))
            kept = {key: value for key, value in row.items() if key not in removed}
            rows.append(kept if made is None else {**kept, **made})
        return Documents(rows)

    def filter(self, function, with_indices=False, **options):
        if options.get("batched") or options.get("input_columns"):
            return self.__getattr__("filter")(function, with_indices=with_indices, **options)
        return Documents(
            row for number, row in enumerate(self._rows)
            if (function(dict(row), number) if with_indices else function(dict(row)))
        )

    def select(self, indices, **_):
        return Documents(self._rows[number] for number in indices)

    def remove_columns(self, names):
        names = [names] if isinstance(names, str) else names
        return Documents({k: v for k, v in row.items() if k not in names} for row in self._rows)

    def select_columns(self, names):
        names = [names] if isinstance(names, str) else names
        return Documents({name: row.get(name) for name in names} for row in self._rows)

    def rename_columns(self, names):
        return Documents({names.get(k, k): v for k, v in row.items()} for row in self._rows)

    def rename_column(self, old, new):
        return self.rename_columns({old: new})

    def add_column(self, name, column):
        return Documents({**row, name: value} for row, value in zip(self._rows, column))


def documents(rows):
    """Documents as the harness would hand them to the task."""
    library = sys.modules.get("datasets")
    if library is None or not hasattr(library, "Dataset"):
        return Documents(rows)
    library.disable_progress_bars()
    return library.Dataset.from_list(rows)


def encode(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)) and type(value) in (int, float):
        return value
    if isinstance(value, tuple):
        return {"!tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"!set": [encode(item) for item in value]}
    if isinstance(value, dict):
        if all(type(key) is str for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"!dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if type(value).__module__ == "numpy":
        if hasattr(value, "tolist"):
            return encode(value.tolist())
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    objects.append(value)
    return {"!object": [len(objects) - 1, str(value)]}


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            (key, inner), = value.items()
            if key == "!tuple":
                return tuple(decode(item) for item in inner)
            if key == "!set":
                return {decode(item) for item in inner}
            if key == "!dict":
                return {decode(k): decode(v) for k, v in inner}
            if key == "!object":
                return objects[inner[0]]
        return {key: decode(item) for key, item in value.items()}
    return value


def module(path):
    """A module by its file, under the name that the harness gives it."""
    mark = "/lm_eval/tasks/"
    place = path.find(mark)
    name = path[:-3]
    if place >= 0:
        name = "lm_eval.tasks." + path[place + len(mark) : -3].replace("/", ".")
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(specification)
    sys.modules[name] = loaded
    try:
        specification.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[name]
        raise
    return loaded


def function(request):
    key = (request.get("file"), request.get("module"), request["name"])
    if key not in functions:
        if request.get("library") == "evaluate":
            functions[key] = importlib.import_module("evaluate").load(request["name"]).compute
        else:
            home = module(key[0]) if key[0] else importlib.import_module(key[1])
            functions[key] = getattr(home, key[2])
    return functions[key]


def answer(request):
    called = function(request)
    operation = request["operation"]
    keywords = decode(request.get("keywords") or {})
    arguments = decode(request.get("arguments") or [])
    if operation == "load":
        return getattr(called, "__name__", request["name"])
    if operation == "call":
        return called(*arguments, **keywords)
    if operation == "process_docs":
        return [dict(row) for row in called(documents(arguments))]
    if operation == "data_set":
        key = json.dumps([request.get("file"), request["name"], request.get("keywords")])
        if key not in data_sets:
            data_sets[key] = called(**keywords)
        split = data_sets[key].get(request["split"])
        return None if split is None else [dict(row) for row in split]
    if operation == "metric":
        gold, result = arguments
        try:
            return called(references=[gold], predictions=[result], **keywords)
        except TypeError:
            return called([gold, result])
    if operation == "filter":
        if isinstance(called, type):
            called = called(**keywords).apply
        return list(called(*arguments))
    raise ValueError(f"unknown operation {operation!r}")


def failure(error, path):
    """What went wrong, and where: the last line in the task's own file, else the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in frames if frame.filename != "<string>"]
    own = [frame for frame in frames if path and os.path.realpath(frame.filename) == os.path.realpath(path)]
    place = (own or frames or [None])[-1]
    if isinstance(error, SyntaxError) and error.filename:
        return {"type": type(error).__name__, "message": error.msg, "file": error.filename, "line": error.lineno}
    return {
        "type": type(error).__name__, "message": str(error)[:1000],
        "file": place.filename if place else None, "line": place.lineno if place else None,
    }


def main():
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    try:
        # Ends with mtl-eval, however that ends.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (AttributeError, OSError):
        pass
    sys.path[:] = [path for path in sys.path if path]
    source = channel.makefile("r", encoding="utf-8", newline="\n")
    for line in source:
        request = json.loads(line)
        try:
            reply = {"value": encode(answer(request))}
            text = json.dumps(reply)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = json.dumps({"error": failure(error, request.get("file"))})
        channel.sendall(text.encode("utf-8") + b"\n")


main()
