"""The goals, as ratios within one run: `make bench` prints how far each is reached, in some minutes.

python -m benchmarks.goals
"""

from __future__ import annotations

import argparse
import sys

from . import dialects, framing, rings
from .end_to_end import measure_all
from .harness import Results, table

THREADS, ANYIO, UVLOOP, TRIO = (
    *("sse-core, threads", "sse-core, anyio, asyncio", "sse-core, anyio, uvloop", "sse-core, anyio, trio"),
)
NATIVE, NATIVE_UVLOOP = "sse-core, asyncio", "sse-core, uvloop"
AIOHTTP, AIOHTTP_UVLOOP = "aiohttp by hand, asyncio", "aiohttp by hand, uvloop"
BASES = ("recv", "raw loop", "http.client by hand", "groq SDK", AIOHTTP, AIOHTTP_UVLOOP)
RECEIVES = tuple(f"anyio receive, {loop}" for loop in ("asyncio", "uvloop", "trio"))

GOALS = [
    (THREADS, "raw loop", "64", 1.25),
    (THREADS, "http.client by hand", "64", 1.0),
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
OURS = (THREADS, ANYIO, UVLOOP, TRIO, NATIVE, NATIVE_UVLOOP)


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
    decoder = found["decoder", "64 KiB"] / found["bytes.split", "64 KiB"]
    typed = found["bytes to typed chunks", "64 KiB"] / found["msgspec alone",]
    whole = found["the same, put together and timed", "64 KiB"] / found["msgspec alone",]
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
    for name, case in dialects.CASES.items():
        alone, one, _, together, stream = dialects.measure(name, rounds)
        rows.append(row(f"{name}: an event to its typed chunk / msgspec alone", one / alone, case.goal))
        rows.append(row(f"{name}: 64 at once / msgspec alone", together / alone, case.goal))
        rows.append(row(f"{name}: stream bytes to typed chunks / msgspec alone", stream / alone, 2.0))
    return rows


def row(what: str, ratio: float, goal: float) -> list[str]:
    return [what, f"{ratio:.3g}", f"{goal:.3g}", "reached" if ratio <= goal else f"{ratio / goal:.2f} times"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    rows = [*rings_rows(5), *dialects_rows(20)]
    together = measure_all([*OURS[:3], *BASES[1:]], ["64"], rounds)
    rows += end_to_end_rows(together)
    apart = [*OURS, "recv", *RECEIVES, AIOHTTP, AIOHTTP_UVLOOP]
    rows += end_to_end_rows(measure_all(apart, ["paced"], rounds))
    print(table(["what", "ratio", "goal", ""], rows))
    print("A difference of less than a fifth is none: measure again before you believe it.", file=sys.stderr)


if __name__ == "__main__":
    main()
