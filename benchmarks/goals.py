"""The goals, as ratios within one run: `make bench` prints how far each is reached, in some minutes.

python -m benchmarks.goals
"""

from __future__ import annotations

import argparse
from math import inf
from statistics import median
from subprocess import check_output
from sys import executable, stderr

from . import decoders, dialects, framing, rings, streams
from .end_to_end import measure_all
from .harness import Results, table

THREADS = "sse-core, threads"
ANYIO, UVLOOP, TRIO = (f"sse-core, anyio, {loop}" for loop in ("asyncio", "uvloop", "trio"))
NATIVE, NATIVE_UVLOOP = "sse-core, asyncio", "sse-core, uvloop"
AIOHTTP, AIOHTTP_UVLOOP = "aiohttp by hand, asyncio", "aiohttp by hand, uvloop"
RECEIVES = tuple(f"anyio receive, {loop}" for loop in ("asyncio", "uvloop", "trio"))

GOALS = [
    (THREADS, "raw loop", "64", 1.25),
    (THREADS, "http.client by hand", "64", 1.0),
    (THREADS, "pyreqwest by hand", "64", 1.0),
    (THREADS, "groq SDK", "64", 1 / 50),
    (ANYIO, AIOHTTP, "64", 1.0),
    (UVLOOP, AIOHTTP_UVLOOP, "64", 1.0),
    (ANYIO, "groq SDK", "64", 1 / 45),
    (THREADS, "recv", "paced", 1.6),
    (ANYIO, RECEIVES[0], "paced", 1.5),
    (UVLOOP, RECEIVES[1], "paced", 1.5),
    (TRIO, RECEIVES[2], "paced", 1.5),
    (NATIVE, AIOHTTP, "paced", 1.0),
    (NATIVE_UVLOOP, AIOHTTP_UVLOOP, "paced", 1.0),
]
"""Whose CPU time for an event, divided by whose, when paced how, is to be at most what."""
STREAMS = ("sse-core, asyncio; asyncio", "aiohttp by hand; asyncio")
"""Who has many streams at once, and who else."""


def end_to_end_rows(results: Results) -> list[list[str]]:
    rows: list[list[str]] = []
    for own, base, mode, goal in GOALS:
        ratio = results.ratio((own, mode), (base, mode), "cpu")
        if ratio is not None:
            rows.append(row(f"{own} / {base}, {mode}", ratio, goal))
    cold = results.middle(THREADS, "64", figure="cold")
    if cold is not None:
        rows.append(row(f"{THREADS}: first token, cold, ms", cold, 60))
    return rows


def rings_rows(rounds: int) -> list[list[str]]:
    found = rings.measure(rounds)
    framed = {together: framing.both("chunked", together) for together in (64, 1)}
    decoder = found["decoder", "64 KiB", "LF"] / found["bytes.split", "64 KiB", "LF"]
    typed = found["bytes to typed chunks", "64 KiB", "LF"] / found["msgspec alone",]
    whole = found["the same, put together and timed", "64 KiB", "LF"] / found["msgspec alone",]
    return [
        row("decoder / bytes.split, 64 KiB", decoder, 2.2),
        row(
            "event data to typed chunk / msgspec alone",
            found["chunk decoding",] / found["msgspec alone",],
            1.3,
        ),
        row("stream bytes to typed chunks / msgspec alone, 64 KiB", typed, 2.0),
        row("the same, put together and timed", whole, 2.0),
        row("framing / h11, 64 chunks in a read", framed[64][1] / framed[64][0], 0.15),
        row("framing / h11, one", framed[1][1] / framed[1][0], 0.25),
    ]


def dialects_rows(rounds: int) -> list[list[str]]:
    rows: list[list[str]] = []
    for name in dialects.CASES:
        alone, one, _, together, stream = dialects.measure(name, rounds)
        rows.append(row(f"{name}: an event to its typed chunk / msgspec alone", one / alone, 1.3))
        rows.append(row(f"{name}: 64 at once / msgspec alone", together / alone, 1.3))
        rows.append(row(f"{name}: stream bytes to typed chunks / msgspec alone", stream / alone, 2.0))
    return rows


def decoders_rows(rounds: int) -> list[list[str]]:
    found = decoders.measure_all(rounds, list(decoders.CONTENDERS))
    peers = [name for name in decoders.CONTENDERS if name not in ("sse-core", decoders.FLOOR)]
    rows: list[list[str]] = []
    for feed in decoders.FEEDS:
        nearest = max(found.ratio(("sse-core", feed), (peer, feed), "ns") or inf for peer in peers)
        rows.append(row(f"decoder / the fastest other, {feed}", nearest, 1.0))
    return rows


def streams_rows() -> list[list[str]]:
    own, other = STREAMS
    found = streams.measure_all(list(STREAMS), [100, 10_000], 1)
    rows: list[list[str]] = []
    for figure, goal in (("KB", 12), ("open", 600), ("close", 250)):
        rows.append(row(f"{own}, 10,000: {figure}", found.middle(own, 10_000, figure=figure) or inf, goal))
    for figure in ("open", "close"):
        growth = found.ratio((own, 10_000), (own, 100), figure) or inf
        rows.append(row(f"{own}, {figure}: 10,000 / 100", growth, 1.0))
    ratio = found.ratio((own, 10_000), (other, 10_000), "cpu") or inf
    rows.append(row(f"{own} / {other}, 10,000: CPU for an event", ratio, 1.0))
    return rows


def start_rows() -> list[list[str]]:
    times = [float(check_output([executable, "-c", IMPORT], text=True)) for _ in range(9)]
    return [row("import sse_core, ms", median(times), 15)]


IMPORT = """
from time import perf_counter
start = perf_counter()
import sse_core
print((perf_counter() - start) * 1e3)
"""


def row(what: str, ratio: float, goal: float) -> list[str]:
    return [what, f"{ratio:.3g}", f"{goal:.3g}", "reached" if ratio <= goal else f"{ratio / goal:.2f} times"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    rows = [*start_rows(), *rings_rows(5), *dialects_rows(20), *decoders_rows(rounds)]
    for mode in ("64", "paced"):
        names = {name for own, base, its_mode, _ in GOALS if its_mode == mode for name in (own, base)}
        rows += end_to_end_rows(measure_all(sorted(names), [mode], rounds))
    rows += streams_rows()
    print(table(["what", "ratio", "goal", ""], rows))
    print("A difference of less than a fifth is none: measure again before you believe it.", file=stderr)


if __name__ == "__main__":
    main()
