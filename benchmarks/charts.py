"""Charts as SVG, for light pages and dark ones: bars on a logarithmic scale, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from math import log10

from .harness import number

STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#57606a}.own{fill:#1f883d}.other{fill:#8c959f}"
    ".line{fill:none;stroke:#8c959f;stroke-width:2}"
    ".rule{stroke:#d0d7de}@media(prefers-color-scheme:dark){text{fill:#9198a1}.rule{stroke:#3d444d}}</style>"
)
WIDTH, LABELS, ROW = 760, 260, 22
OWN = (
    ("#1f883d", "none"),
    ("#218bff", "9 3"),
    ("#a475f9", "3 3"),
    ("#d4701b", "12 3 3 3"),
    ("#e0559f", "6 6"),
)
"""Colours and dashes of our own lines."""


def bars(title: str, values: Mapping[str, float], own: str) -> str:
    """Return a chart of the values, smallest first; names that begin with `own` stand out."""
    low = 10 ** int(log10(min(values.values())) - 1)
    scale = (WIDTH - LABELS - 70) / log10(max(values.values()) / low)
    parts = [f'<text x="0" y="16">{escape(title)}</text>']
    for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1]), 1):
        y, length = place * ROW + 8, log10(value / low) * scale
        kind = "own" if name.startswith(own) else "other"
        parts += [
            f'<text x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{length:.0f}" height="{ROW - 5}" rx="2"/>',
            f'<text x="{LABELS + length + 6:.0f}" y="{y + 13}">{value:.3g}</text>',
        ]
    return drawing(parts, (len(values) + 1) * ROW + 12)


def curves(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]], own: str, logarithmic: bool = False
) -> str:
    """Return a chart of lines through points, x logarithmic, and y too or from 0.

    Those whose names begin with `own` have colours.
    """
    points = [point for line in lines.values() for point in line]
    first, last = log10(min(x for x, _ in points)), log10(max(x for x, _ in points))
    low, top = min(y for _, y in points), max(y for _, y in points)
    left, right, bottom = 60, WIDTH - 210, 260

    def height(y: float) -> float:
        return bottom - 220 * (log10(y / low) / log10(top / low) if logarithmic else y / top)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (log10(x) - first) / (last - first) * (right - left), height(y)

    parts = [f'<text x="0" y="16">{escape(title)}</text>']
    for value in (low, (low * top) ** 0.5, top) if logarithmic else (0, top / 2, top):
        y = height(value)
        parts.append(f'<line class="rule" x1="{left}" y1="{y:.0f}" x2="{right}" y2="{y:.0f}"/>')
        parts.append(
            f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{number(value) if value else 0}</text>'
        )
    for x in sorted({x for x, _ in points}):
        at, anchor = place(x, low)[0], "end" if log10(x) == last else "middle"  # left of the names
        parts.append(f'<text x="{at:.0f}" y="{bottom + 20}" text-anchor="{anchor}">{x:,.0f}</text>')
    looks = dict(zip((name for name in lines if name.startswith(own)), cycle(OWN)))
    ends: dict[float, float] = {}  # of the labels, by where their lines end
    for name, line in sorted(lines.items(), key=lambda item: -item[1][-1][1]):
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in (place(*point) for point in line))
        x, y = place(*line[-1])
        ends[x] = max(y, ends[x] + 15) if x in ends else y
        stroke = fill = ""
        if name in looks:
            colour, dashes = looks[name]
            stroke, fill = f' style="stroke:{colour};stroke-dasharray:{dashes}"', f' style="fill:{colour}"'
        parts.append(f'<polyline class="line" points="{path}"{stroke}/>')
        parts.append(f'<text x="{x + 8:.0f}" y="{ends[x] + 4:.0f}"{fill}>{escape(name)}</text>')
    return drawing(parts, round(max(bottom + 30, *(end + 14 for end in ends.values()))))


def drawing(parts: list[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, STYLE, *parts, "</svg>", ""])
