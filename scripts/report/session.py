#!/usr/bin/env python3
"""Draws a session of mtl-chat on the demonstration's model as docs/pictures/session.svg.

    python3 -m venv venv && venv/bin/pip install pexpect pyte
    make demo && venv/bin/python scripts/report/session.py [COMMANDS [PICTURE]]

The program runs on a terminal of its own, and the picture is what that terminal shows, colours included.
"""
import html
import pathlib
import sys
import time

import pexpect
import pyte

root = pathlib.Path(__file__).resolve().parents[2]
commands = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else root / ".build/release")
picture = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else root / "docs/pictures/session.svg")
COLUMNS, ROWS = 84, 40
LINES = [
    "In Oslo, Anna packed seven green umbrellas. Write it as YAML.",
    "In Oslo, Anna packed seven green umbrellas. Who packed the umbrellas?",
    "/ab Tom lost two red kites in Tokyo. Write it as YAML.",
]
INK = {"default": "#e3e7ea", "green": "#79c99b", "red": "#ee8fb2", "blue": "#6db3f2", "cyan": "#6db3f2",
       "brown": "#f0a35e", "magenta": "#b89aea", "black": "#9aa5ae", "brightblack": "#9aa5ae"}


def main():
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    command = "mtl-chat --model out/demo/base --adapter out/demo/adapter"
    stream.feed(f"$ {command}\r\n")
    words = command.split()
    program = pexpect.spawn(str(commands / words[0]), words[1:], cwd=str(root), dimensions=(ROWS, COLUMNS),
                            encoding="utf-8", env={"TERM": "xterm-256color", "HOME": "/nonexistent", "LANG": "C.UTF-8"})

    def read_until_prompt():
        """Reads until the program waits at an empty prompt."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                stream.feed(program.read_nonblocking(4096, 0.3))
            except pexpect.TIMEOUT:
                if screen.display[screen.cursor.y].rstrip() == ">>>":
                    return
        sys.exit("session: the program does not come back to its prompt")

    read_until_prompt()
    for line in LINES:
        program.send(line + "\r")
        read_until_prompt()
    program.sendeof()
    rows = [y for y in range(ROWS) if screen.display[y].strip()]
    height = 20 * (rows[-1] + 1) + 32
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * 8.43 + 40:.0f} {height}" '
             'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">',
             '<rect width="100%" height="100%" rx="8" fill="#15181b"/>']
    for y in range(rows[-1] + 1):
        x = 0
        while x < COLUMNS:
            cell, start, text = screen.buffer[y][x], x, ""
            while x < COLUMNS and (screen.buffer[y][x].fg, screen.buffer[y][x].bold) == (cell.fg, cell.bold):
                text += screen.buffer[y][x].data
                x += 1
            if not text.strip():
                continue
            shown = text.rstrip()
            weight = ' font-weight="700"' if cell.bold else ""
            parts.append(f'<text x="{20 + 8.43 * start:.1f}" y="{32 + 20 * y}" textLength="{8.43 * len(shown):.1f}" '
                         f'fill="{INK.get(cell.fg, INK["default"])}"{weight} xml:space="preserve">'
                         f"{html.escape(shown)}</text>")
    picture.write_text("\n".join(parts + ["</svg>", ""]), encoding="utf-8")
    print(picture)


main()
