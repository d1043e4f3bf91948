"""Charts as SVG, for light pages and dark ones: bars on a logarithmic scale, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#57606a}.own{fill:#1f883d}.other{fill:#8c959f}"
    ".line{fill:none;stroke:#8c959f;stroke-width:2}.line.own{fill:none;stroke:#1f883d}"
    ".rule{stroke:#d0d7de}@media(prefers-color-scheme:dark){text{fill:#9198a1}.rule{stroke:#3d444d}}</style>"
)
WIDTH, LABELS, ROW = 760, 260, 22


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


def curves(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], own: str) -> str:
    """Return a chart of lines through points, x logarithmic and y from 0."""
    points = [point for line in lines.values() for point in line]
    first, last = log10(min(x for x, _ in points)), log10(max(x for x, _ in points))
    top = max(y for _, y in points)
    left, right, bottom = 60, WIDTH - 210, 260

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (log10(x) - first) / (last - first) * (right - left), bottom - y / top * 220

    parts = [f'<text x="0" y="16">{escape(title)}</text>']
    for share in (0, 0.5, 1):
        y = bottom - share * 220
        parts.append(f'<line class="rule" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{top * share:.3g}</text>')
    parts += [
        f'<text x="{place(x, 0)[0]:.0f}" y="{bottom + 20}" text-anchor="middle">{x:,.0f}</text>'
        for x in sorted({x for x, _ in points})
    ]
    ends: list[float] = []
    for name, line in sorted(lines.items(), key=lambda item: -item[1][-1][1]):
        kind = "line own" if name.startswith(own) else "line"
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in (place(*point) for point in line))
        x, y = place(*line[-1])
        ends.append(max(y, ends[-1] + 15) if ends else y)
        parts.append(f'<polyline class="{kind}" points="{path}"/>')
        parts.append(f'<text x="{x + 8:.0f}" y="{ends[-1] + 4:.0f}">{escape(name)}</text>')
    return drawing(parts, bottom + 30)


def drawing(parts: list[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, STYLE, *parts, "</svg>", ""])
