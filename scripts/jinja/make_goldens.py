#!/usr/bin/env python3
"""Writes Tests/JinjaTests/Fixtures/goldens.json: what Jinja 3.1 makes of the templates in cases.py.

Each case is rendered in one of two environments, built as their users build them:
  harness  lm-evaluation-harness: StrictUndefined, trailing newline kept, filter regex_replace
  chat     Hugging Face chat templates: immutable sandbox, trimmed blocks, loop controls
A case that raises is stored with "error": true and no text.

Usage: python3 scripts/jinja/make_goldens.py
"""

import copy
import datetime
import json
import pathlib
import re
import sys
import warnings

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

import cases

warnings.simplefilter("ignore")  # unknown escapes in string literals are part of the cases

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/JinjaTests/Fixtures/goldens.json"
NOW = datetime.datetime(2026, 3, 7, 9, 5, 2)


def harness():
    environment = jinja2.Environment(
        loader=jinja2.BaseLoader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)

    def regex_replace(string, pattern, repl, count=0):
        return re.sub(pattern, repl, string, count=count)

    environment.filters["regex_replace"] = regex_replace
    return environment


class Generation(jinja2.ext.Extension):
    """The tag `generation` without the tracking: it prints its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_run")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


def chat():
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[Generation, jinja2.ext.loopcontrols])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment


ENVIRONMENTS = {"harness": harness(), "chat": chat()}


def tagged(value):
    """The value so that JSON keeps floats apart from integers and entries in order."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        items = [tagged(item) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[tagged(key), tagged(item)] for key, item in value.items()]}
    return value


def main():
    rows = []
    contexts = []
    for environment, template, context in cases.all_cases():
        if context not in contexts:
            contexts.append(context)
        row = {"environment": environment, "template": template, "context": contexts.index(context)}
        try:
            row["text"] = ENVIRONMENTS[environment].from_string(template).render(**copy.deepcopy(context))
        except Exception as error:  # any error is the golden
            row["error"] = True
            if "-v" in sys.argv:
                print(f"{environment}: {template!r}: {type(error).__name__}: {error}")
        rows.append(row)
    def listed(entries):
        return ",\n".join(json.dumps(entry) for entry in entries)

    OUTPUT.write_text('{"jinja": "%s", "contexts": [\n%s\n], "cases": [\n%s\n]}\n' % (
        jinja2.__version__, listed(map(tagged, contexts)), listed(rows)))
    print(f"{len(rows)} cases, {sum('error' in row for row in rows)} of them errors")


if __name__ == "__main__":
    main()
