"""From bytes to events: every decoder, by the size of what it is fed.

    python -m benchmarks.environments
    python -m benchmarks.decoders

Each measurement is a process of its own. They take turns, so that a machine that gets
slower does so for all. What is reported is the median of CPU time for an event and its text, in
nanoseconds, and its ratio to `bytes.split(LF LF)`, which no decoder in Python can beat.
A measurement counts only if the data of every event was right.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable
from time import process_time_ns
from typing import Any

from . import peers
from .answer import EVENTS, chat_chunk, text_of
from .environments import python
from .harness import Results, in_turns, run, table

FEEDS = {"whole": 1 << 30, "64 KiB": 1 << 16, "1 KiB": 1 << 10, "one event": 0}


FLOOR = "bytes.split"


def split(chunks: Iterable[bytes]) -> list[Any]:
    """The floor: it looks for blank lines, and for nothing else."""
    for chunk in chunks:
        chunk.split(b"\n\n")
    return []


CONTENDERS: dict[str, Callable[[Iterable[bytes]], Iterable[Any]]] = {
    FLOOR: split,
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
    if name != FLOOR:
        found = hashlib.sha256("\n".join(event.data for event in decode(chunks)).encode())
        assert found.digest() == hashlib.sha256(b"\n".join(data)).digest()
    start = process_time_ns()
    for event in decode(chunks):
        if name != FLOOR:
            event.data  # noqa: B018  # ours decodes the text when it is asked for, and nothing is kept
    return (process_time_ns() - start) / EVENTS


def measure_all(rounds: int, names: list[str]) -> Results:
    results = Results()
    for name in in_turns(names, rounds):
        for feed in FEEDS:
            results.add(name, feed, figures=run(python(name), "benchmarks.decoders", "--one", name, feed))
    return results


def report(results: Results, names: list[str]) -> str:
    """Return a table in Markdown."""

    def cell(name: str, feed: str) -> str:
        own, ratio = results.middle(name, feed, figure="ns"), results.ratio((name, feed), (FLOOR, feed), "ns")
        return f"{own:,.0f} ({ratio:.1f})"

    return table(["decoder", *FEEDS], [[name, *(cell(name, feed) for feed in FEEDS)] for name in names])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), help="names of decoders")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps({"ns": measure(*options.one)}))
    else:
        names = [FLOOR, *(name for name in options.only if name != FLOOR)]
        print(report(measure_all(options.rounds, names), names))


if __name__ == "__main__":
    main()
