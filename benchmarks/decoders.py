"""From bytes to events: every decoder, by the size of what it is fed.

    python -m benchmarks.environments
    python -m benchmarks.decoders

Each measurement is a process of its own. They take turns, so that a machine that gets
slower does so for all. What is reported is the median of CPU time for an event, in
nanoseconds, and its ratio to `bytes.split(LF LF)`, which no decoder in Python can beat.
A measurement counts only if the data of every event was right.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
from collections.abc import Callable, Iterable
from statistics import median
from time import process_time_ns
from typing import Any

from . import peers
from .answer import EVENTS, chat_chunk, text_of
from .environments import python

FEEDS = {"whole": 1 << 30, "64 KiB": 1 << 16, "1 KiB": 1 << 10, "one event": 0}


def split(chunks: Iterable[bytes]) -> list[Any]:
    """The floor: it looks for blank lines, and for nothing else."""
    for chunk in chunks:
        chunk.split(b"\n\n")
    return []


CONTENDERS: dict[str, Callable[[Iterable[bytes]], Iterable[Any]]] = {
    "bytes.split": split,
    "sse-core": peers.sse_core,
    **peers.PEERS,
}


def measure(name: str, feed: str) -> float:
    """Return nanoseconds of CPU time for an event."""
    data = [chat_chunk(text_of(number)) for number in range(EVENTS)]
    events = [b"data: " + one + b"\n\n" for one in data]
    stream = b"".join(events)
    size = FEEDS[feed]
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)] if size else events
    decode = CONTENDERS[name]
    if name != "bytes.split":
        found = hashlib.sha256("\n".join(event.data for event in decode(chunks)).encode())
        assert found.digest() == hashlib.sha256(b"\n".join(data)).digest()
    start = process_time_ns()
    for _ in decode(chunks):
        pass  # nothing is kept, as in a program that prints what comes
    return (process_time_ns() - start) / EVENTS


def report(rounds: int, names: list[str]) -> str:
    """Measure all, in turns, and return a table in Markdown."""
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for feed in FEEDS:
            for name in names:
                command = [python(name), "-m", "benchmarks.decoders", "--one", name, feed]
                result = subprocess.run(command, check=True, capture_output=True, text=True)
                times.setdefault((name, feed), []).append(float(result.stdout))
    rows = [f"| decoder | {' | '.join(FEEDS)} |", "|---" * (len(FEEDS) + 1) + "|"]
    for name in names:
        cells = []
        for feed in FEEDS:
            own, floor = median(times[name, feed]), median(times["bytes.split", feed])
            cells.append(f"{own:,.0f} ({own / floor:.1f})")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), help="names of decoders")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(*options.one))
    else:
        print(report(options.rounds, ["bytes.split", *(n for n in options.only if n != "bytes.split")]))


if __name__ == "__main__":
    main()
