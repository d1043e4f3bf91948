"""How the cost grows with the work: with the number of events, and with their size.

    python -m benchmarks.curves

A session in one process, without I/O, fed 64 KiB at a time: CPU time, and the most memory that
was taken at one time, text of the answer included, when nobody keeps the chunks.
"""

from __future__ import annotations

import tracemalloc
from statistics import median
from time import process_time_ns
from typing import TypeAlias

from sse_core import Deliver, Done, Received

from .answer import chat_chunk, http_chunk, text_of
from .harness import table
from .rings import streaming

Row: TypeAlias = tuple[int, float, float]

NUMBERS = (1_000, 4_000, 16_000, 64_000)
SIZES = (256, 1_024, 4_096, 16_384, 65_536)
FEED = 1 << 16
BYTES = 1 << 22  # of each stream whose events are of one size


def run(wire: bytes) -> None:
    step = streaming().step
    for at in range(0, len(wire), FEED):
        if isinstance(step(Received(wire[at : at + FEED]), 1.0), Deliver):
            step(Done(), 1.0)


def nanoseconds(wire: bytes) -> float:
    times: list[int] = []
    for _ in range(5):
        start = process_time_ns()
        run(wire)
        times.append(process_time_ns() - start)
    return median(times)


def peak(wire: bytes) -> int:
    tracemalloc.start()
    run(wire)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def event(text: str) -> bytes:
    return http_chunk(b"data: " + chat_chunk(text) + b"\n\n")


def by_number() -> list[Row]:
    """Return events, microseconds for each, and MB of memory."""
    rows: list[Row] = []
    for number in NUMBERS:
        wire = b"".join([event(text_of(each)) for each in range(number)])
        rows.append((number, nanoseconds(wire) / number / 1e3, peak(wire) / 1e6))
    return rows


def by_size() -> list[Row]:
    """Return bytes of text in an event, microseconds for each KiB, and MB of memory."""
    rows: list[Row] = []
    for size in SIZES:
        wire = event("x" * size) * (BYTES // size)
        rows.append((size, nanoseconds(wire) / len(wire) * 1.024, peak(wire) / 1e6))
    return rows


def report(numbers: list[Row], sizes: list[Row]) -> str:
    """Return two tables in Markdown."""
    heads = ["events", "CPU, us/event"], ["bytes of text in each of 4 MiB", "CPU, us/KiB"]
    return "\n\n".join(
        table(
            [*head, "peak memory, MB"], [[f"{x:,}", f"{cpu:.2f}", f"{memory:.2f}"] for x, cpu, memory in rows]
        )
        for head, rows in zip(heads, (numbers, sizes), strict=True)
    )


def main() -> None:
    print(report(by_number(), by_size()))


if __name__ == "__main__":
    main()
