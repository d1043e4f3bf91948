"""Measure everything, and write the tables and charts of docs/performance.md.

    python -m benchmarks.environments
    python -m benchmarks --rounds 3

Takes about an hour with 3 rounds. `--only` writes some parts: end-to-end, streams, rings,
dialects, decoders, framing, curves.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from . import charts, curves, decoders, dialects, end_to_end, framing, rings, streams
from .clients import CLIENTS, FLOORS
from .harness import ROOT

PAGE = ROOT / "docs" / "performance.md"
SIZES = [100, 1_000, 5_000, 10_000]


def write_end_to_end(rounds: int) -> str:
    names, modes = list(CLIENTS), list[str](end_to_end.MODES)
    results = end_to_end.measure_all(names, modes, rounds)
    cpu = {name: results.middle(name, "64", figure="cpu") for name in names if name not in FLOORS}
    chart = charts.bars(
        "CPU time for a chunk of a chat completion, in microseconds (logarithmic)",
        {name: value for name, value in cpu.items() if value is not None},
        "sse-core",
    )
    draw("performance", chart)
    return end_to_end.report(results, names, modes)


def write_streams(rounds: int) -> str:
    results = streams.measure_all(streams.NAMES, SIZES, rounds)
    for figure, title in (
        ("cpu", "CPU time for an event, in microseconds"),
        ("KB", "Memory for a stream, in KB"),
        ("open", "CPU time to open a stream, in microseconds (logarithmic)"),
        ("close", "CPU time to close a stream, in microseconds (logarithmic)"),
    ):
        values = {
            name: [(size, value) for size in SIZES if (value := results.middle(name, size, figure=figure))]
            for name in streams.NAMES
        }
        chart = charts.curves(
            f"{title}, by the number of streams at once",
            {name: line for name, line in values.items() if line},
            "sse-core",
            logarithmic=figure in ("open", "close"),
        )
        draw(f"streams-{figure.lower()}", chart)
    return streams.report(results, streams.NAMES, SIZES)


def write_curves(rounds: int) -> str:
    numbers, sizes = curves.by_number(), curves.by_size()
    by_number, by_size = "by the number of events", "by the bytes of text in an event"
    for name, title, points in (
        ("events", f"CPU time for an event, in microseconds, {by_number}", [row[:2] for row in numbers]),
        ("sizes", f"CPU time for a KiB, in microseconds, {by_size}", [row[:2] for row in sizes]),
        (
            "events-memory",
            f"Most memory for an event, in bytes, {by_number}",
            [(number, memory * 1e6 / number) for number, _, memory in numbers],
        ),
        (
            "sizes-memory",
            f"Most memory for 4 MiB of text, in MB, {by_size}",
            [(size, memory) for size, _, memory in sizes],
        ),
    ):
        draw(name, charts.curves(title, {"session": points}, "session"))
    return curves.report(numbers, sizes)


def draw(name: str, chart: str) -> None:
    (ROOT / "docs" / f"{name}.svg").write_text(chart, encoding="utf-8")


DECODERS = list(decoders.CONTENDERS)
PARTS: dict[str, Callable[[int], str]] = {
    "rings": lambda rounds: rings.report(rings.measure(3 * rounds)),
    "dialects": lambda rounds: dialects.report(20 * rounds),
    "framing": lambda rounds: framing.report(),
    "curves": write_curves,
    "decoders": lambda rounds: decoders.report(decoders.measure_all(rounds, DECODERS), DECODERS),
    "end-to-end": write_end_to_end,
    "streams": write_streams,
}


def write(part: str, text: str) -> None:
    """Replace what stands between the marks of a part."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page, found = pattern.subn(lambda _: f"{begin}\n\n{text}\n\n{end}", page)
    assert found == 1
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=PARTS)
    options = parser.parse_args()
    for part in options.only:
        write(part, PARTS[part](options.rounds))


if __name__ == "__main__":
    main()
