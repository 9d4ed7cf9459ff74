"""Plain charts as SVG text: bars and lines, readable on light and dark pages."""

from __future__ import annotations

import math
from html import escape

WIDTH = 860
COLORS = ["#2563eb", "#d97706", "#059669", "#9333ea", "#64748b"]
FONT = "font-family='system-ui,sans-serif' font-size='13'"


def text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {more}>{escape(words)}</text>"


def page(height: float, title: str, parts: list[str]) -> str:
    """A drawing on a white card."""
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' "
            f"width='{WIDTH}' height='{height:.0f}' role='img' {FONT} fill='#1f2937'>",
            f"<title>{escape(title)}</title>",
            f"<rect width='{WIDTH}' height='{height:.0f}' rx='8' fill='#ffffff'/>",
            text(20, 30, title, more="font-size='16' font-weight='600'"),
            *parts,
            "</svg>\n",
        ]
    )


def legend(names: list[str], y: float, x: float = 20) -> list[str]:
    parts = []
    for place, name in enumerate(names):
        parts.append(
            f"<rect x='{x:.1f}' y='{y - 10:.1f}' width='12' height='12' rx='2' "
            f"fill='{COLORS[place]}'/>"
        )
        parts.append(text(x + 18, y, name))
        x += 38 + 7.2 * len(name)
    return parts


def bars(
    title: str,
    groups: list[tuple[str, list[float | None]]],
    series: list[str],
    unit: str,
    line: float | None = None,
    cap: float = math.inf,
) -> str:
    """Groups of bars from left to right; `line` marks a value that matters, `cap` cuts bars."""
    left, right, top = 30 + 7.4 * max(len(name) for name, _ in groups), 80, 70
    longest = max(v for _, values in groups for v in values if v is not None)
    longest = min(max(longest, line or 0), cap)
    scale = (WIDTH - left - right) / longest
    parts, y = legend(series, 54) if len(series) > 1 else [], top
    if line is not None:
        x = left + line * scale
        end = top + sum(13 * len(values) + 12 for _, values in groups)
        parts.append(
            f"<line x1='{x:.1f}' y1='{top - 6}' x2='{x:.1f}' y2='{end:.1f}' "
            "stroke='#94a3b8' stroke-dasharray='4 3'/>"
        )
    for name, values in groups:
        parts.append(text(left - 10, y + 6.5 * len(values) + 4, name, "end"))
        for place, value in enumerate(values):
            if value is None:
                y += 13
                continue
            width = max(min(value, cap) * scale, 1)
            parts.append(
                f"<rect x='{left:.1f}' y='{y:.1f}' width='{width:.1f}' height='11' "
                f"rx='2' fill='{COLORS[place]}'/>"
            )
            parts.append(
                text(left + width + 5, y + 10, number(value) + unit, more="font-size='11'")
            )
            y += 13
        y += 12
    return page(y + 10, title, parts)


def lines(
    title: str,
    series: list[tuple[str, list[tuple[float, float]]]],
    x_name: str,
    y_name: str,
    logarithmic: bool = True,
    diagonal: bool = False,
) -> str:
    """Curves over a logarithmic or plain x axis, the y axis from zero."""
    left, right, top, bottom, height = 70, 30, 78, 60, 380
    points = [point for _, curve in series for point in curve]
    x_of = math.log2 if logarithmic else float
    least = min(x_of(x) for x, _ in points)
    most = max(x_of(x) for x, _ in points)
    highest = nice(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x_of(x) - least) / max(most - least, 1e-9) * (WIDTH - left - right)
        return left + across, height - bottom - y / highest * (height - bottom - top)

    parts = legend([name for name, _ in series], 54) if len(series) > 1 else []
    for k in range(5):
        value = highest * k / 4
        y = place(points[0][0], value)[1]
        parts.append(
            f"<line x1='{left}' y1='{y:.1f}' x2='{WIDTH - right}' y2='{y:.1f}' stroke='#e2e8f0'/>"
        )
        parts.append(text(left - 8, y + 4, number(value), "end", "font-size='11'"))
    xs = sorted({x for x, _ in points})
    for x in xs if len(xs) < 12 else [xs[0] + (xs[-1] - xs[0]) * k / 5 for k in range(6)]:
        parts.append(
            text(place(x, 0)[0], height - bottom + 18, f"{x:,.0f}", "middle", "font-size='11'")
        )
    parts.append(text((left + WIDTH - right) / 2, height - 18, x_name, "middle"))
    parts.append(text(left - 50, top - 12, y_name, more="font-size='12'"))
    if diagonal:
        ideal = [(x, min(x, highest)) for x in xs if x <= highest] + [(highest, highest)]
        path = " ".join("%.1f,%.1f" % place(*point) for point in ideal)
        parts.append(
            f"<polyline points='{path}' fill='none' stroke='#94a3b8' stroke-dasharray='4 3'/>"
        )
    for index, (_, curve) in enumerate(series):
        path = " ".join("%.1f,%.1f" % place(x, y) for x, y in curve)
        parts.append(
            f"<polyline points='{path}' fill='none' stroke='{COLORS[index]}' stroke-width='2'/>"
        )
        if len(curve) < 20:
            for x, y in curve:
                cx, cy = place(x, y)
                parts.append(
                    f"<circle cx='{cx:.1f}' cy='{cy:.1f}' r='3.5' fill='{COLORS[index]}'/>"
                )
    return page(height, title, parts)


def nice(value: float) -> float:
    """The next round number above a value."""
    power = 10 ** math.floor(math.log10(max(value, 1e-12)))
    return next(m * power for m in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if m * power >= value)


def number(value: float) -> str:
    """Three digits."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    shown = f"{value:,.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
