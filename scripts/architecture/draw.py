#!/usr/bin/env python3
"""Draws the graph of targets, docs/architecture.svg, from what SwiftPM says of the package.

    scripts/architecture/draw.py            # draws it anew
    scripts/architecture/draw.py --check    # fails if the committed picture is another one, or the page beside it
                                            # names a file that is not there

A target stands above all that it imports; an arrow that follows from others is left out.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/architecture.svg"
PAGE = ROOT / "docs/architecture.md"
COLOURS = {"system": "#e8e8e8", "executable": "#ffe3c2", "regular": "#dcebfa", "c": "#dff2dc"}
WIDTH, ROW, BOX, GAP = 1180, 86, 30, 14


def graph():
    """The targets' kinds and dependencies, without tests."""
    text = subprocess.run(
        ["swift", "package", "dump-package"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    targets = [
        t for t in json.loads(text)["targets"] if t["type"] != "test" and t["name"] != "TestSupport"
    ]
    kinds = {}
    for t in targets:
        is_c = t["type"] == "regular" and t["name"].startswith("C") and t["name"][1].isupper()
        kinds[t["name"]] = "c" if is_c else t["type"]
    needs = {
        t["name"]: [d["byName"][0] for d in t["dependencies"] if d.get("byName", [""])[0] in kinds]
        for t in targets
    }
    return kinds, needs


def reduced(needs):
    """The dependencies that do not follow from others."""
    below = {}

    def all_below(name):
        if name not in below:
            below[name] = set(needs[name]).union(*(all_below(n) for n in needs[name]))
        return below[name]

    return {
        name: [n for n in direct if not any(n in all_below(m) for m in direct if m != n)]
        for name, direct in needs.items()
    }


def layers(needs):
    """Targets by the longest way down, each row ordered by where what it needs stands."""
    depth = {}

    def down(name):
        if name not in depth:
            depth[name] = 1 + max((down(n) for n in needs[name]), default=-1)
        return depth[name]

    for name in needs:
        down(name)
    # What nothing stands on is drawn just below what uses it.
    for name in sorted(needs, key=lambda n: -depth[n]):
        above = [depth[m] for m in needs if name in needs[m]]
        if not needs[name] and above:
            depth[name] = min(above) - 1
    rows = [sorted(n for n in needs if depth[n] == d) for d in range(max(depth.values()) + 1)]
    place = {}
    for _ in range(4):
        for row in rows + rows[::-1]:
            def middle(name):
                others = needs[name] + [m for m in needs if name in needs[m]]
                known = [place[o] for o in others if o in place]
                return (sum(known) / len(known) if known else 0.5, name)
            row.sort(key=middle)
            for index, name in enumerate(row):
                place[name] = (index + 0.5) / len(row)
    return rows


def draw():
    kinds, needs = graph()
    edges = reduced(needs)
    rows = layers(edges)
    box = {}
    for number, row in enumerate(reversed(rows)):
        widths = [12 + 7.6 * len(name) for name in row]
        space = (WIDTH - sum(widths)) / (len(row) + 1)
        x = space
        for name, width in zip(row, widths):
            box[name] = (x, 20 + number * ROW, width)
            x += width + space
    height = 20 + len(rows) * ROW - (ROW - BOX) + 44
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<g fill="none" stroke="#8a8f98" stroke-width="1.1">',
    ]
    for name in sorted(edges):
        x, y, width = box[name]
        for index, other in enumerate(sorted(edges[name], key=lambda n: box[n][0])):
            start = x + width * (index + 1) / (len(edges[name]) + 1)
            ox, oy, owidth = box[other]
            end = ox + owidth / 2
            top, bottom = y + BOX, oy
            bend = (bottom - top) / 2
            out.append(
                f'<path d="M{start:.0f} {top:.0f}C{start:.0f} {top + bend:.0f} '
                f'{end:.0f} {bottom - bend:.0f} {end:.0f} {bottom:.0f}"/>'
            )
    out.append("</g>")
    for name in sorted(box):
        x, y, width = box[name]
        out.append(
            f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{BOX}" rx="5" '
            f'fill="{COLOURS[kinds[name]]}" stroke="#5a6068"/>'
            f'<text x="{x + width / 2:.0f}" y="{y + 20}" text-anchor="middle">{name}</text>'
        )
    x = 20
    for kind, word in [
        ("executable", "command"), ("regular", "library in Swift"),
        ("c", "C or a shim in C"), ("system", "system library"),
    ]:
        out.append(
            f'<rect x="{x}" y="{height - 28}" width="16" height="16" fill="{COLOURS[kind]}" '
            f'stroke="#5a6068"/><text x="{x + 22}" y="{height - 15}">{word}</text>'
        )
        x += 50 + 8 * len(word)
    return "\n".join(out + ["</svg>", ""])


def check_names():
    """Every Swift file that the page names is one of the package."""
    files = {path.name for path in (ROOT / "Sources").rglob("*.swift")} | {"Package.swift"}
    named = re.findall(r"[A-Za-z0-9+]+\.swift", PAGE.read_text())
    if lost := sorted({name for name in named if name not in files}):
        sys.exit(f"{PAGE.name} names files that are not there: {', '.join(lost)}")


def main():
    picture = draw()
    if sys.argv[1:] == ["--check"]:
        if PICTURE.read_text() != picture:
            sys.exit(f"{PICTURE.name} is not the graph of Package.swift: run scripts/architecture/draw.py")
        check_names()
    else:
        PICTURE.write_text(picture)


main()
