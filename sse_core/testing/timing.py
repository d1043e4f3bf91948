"""Whether a decoder's time grows with the bytes, or with their square.

CPU time is measured, as nobody else's decoder counts its own steps: of a stream in 64-byte pieces,
and of one eight times as long. A linear decoder takes about 8 times as long for it, a quadratic
one 64 times. `MOST` lies between, far enough from either for a busy machine not to matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sse_core.testing.subjects import Subject

__all__ = ["SHAPES", "growth"]


def growth(subject: Subject, start: bytes, piece: bytes) -> float:
    """How many times longer a decoder takes for `TIMES` times as many pieces, by the best of some tries.

    Raises what the decoder raises.
    """
    short = long = inf
    for _ in range(TRIES):
        short = min(short, *(_seconds(subject, start, piece, SMALL) for _ in range(TRIES)))
        long = min(long, _seconds(subject, start, piece, TIMES * SMALL))
        if long <= SURE * short or long > PATIENCE:
            break
    return long / short


def _seconds(subject: Subject, start: bytes, piece: bytes, pieces: int) -> float:
    chunks = [start, *[piece] * pieces, b"\n\n"]
    began = cpu_time()
    run = subject.run(chunks)
    taken = cpu_time() - began
    if run.error is not None:
        raise run.error
    return max(taken, SHORTEST)


cpu_time: Callable[[], float] = time.thread_time
"""The clock, in seconds; for its own tests one that counts."""

SMALL, TIMES = 1024, 8
TRIES = 4
MOST = 24.0
SURE = 12.0
"""A ratio that needs no second try: of what lies above, the short time may have been too long by chance."""
SHORTEST = 1e-4
"""Seconds below which a measurement says nothing."""

PATIENCE = 2.0
"""Seconds beyond which no chance delay can have made the difference, so there is no second try."""

SHAPES: Mapping[str, tuple[bytes, bytes]] = {
    "one long line of data": (b"data: ", b"x" * 64),
    "one event of many lines": (b"", b"data: " + b"x" * 57 + b"\n"),
    "a long comment": (b":", b"x" * 64),
    "a long unknown field": (b"x: ", b"x" * 64),
    "many events": (b"", b"data: " + b"x" * 56 + b"\n\n"),
}
