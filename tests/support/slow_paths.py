"""Switches every fast path off, for the tests and for any script.

    .venv/bin/pytest -p support.slow_paths
    PYTHONPATH=tests .venv/bin/python -m support.slow_paths fuzz/run.py --without-atheris --seconds 60

All that is said of results then has to be so without them: by vectors, fuzz targets, the checks of
transports. Left out are the tests that compare the two, and those that count what the fast ones save.
atheris would run each target in a process of its own, which has every path on.

Two stay on. `ChunkedFraming.feed` is how bodies are framed: `Exchange._fast_framing` returning None leaves
that to h11, and the vectors of exchanges run both ways by themselves. `Stream.__iter__` of `sync_loop` hands
out chunks that are ready without a call for each, where `next` makes one: nothing is decided there.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from sse_core import EventDecoder
from sse_core.dialects.chat.accumulator import ChatAccumulator
from sse_core.dialects.openai import ChatCompletionChunk
from sse_core.dialects.shared.fast_dialect import FastDialect, never_ordinary
from sse_core.http import chunked as _chunks
from sse_core.http.chunked import ChunkedFraming, LengthFraming

LEFT_OUT = ("test_fast_paths.py", "test_costs.py")


def nothing_whole(body: ChunkedFraming | LengthFraming, data: bytes) -> bytes:
    return b""


def none_together(chunks: ChunkedFraming, data: bytes, position: int, body: list[bytes]) -> int:
    return position


def never_canonical(digits: bytes) -> int:
    return 0


def no_bulk(decoder: EventDecoder, data: bytes) -> None:
    """Without it no dialect reads plain events either."""


def one_by_one(accumulator: ChatAccumulator, chunks: Sequence[ChatCompletionChunk]) -> int:
    """Take any chunks."""
    return sum(accumulator._add(chunk) for chunk in chunks)  # pyright: ignore[reportPrivateUsage]


class NeverOrdinary:
    """In place of the attribute that dialects set: whatever that is, no event is ordinary."""

    def __get__(self, dialect: object, owner: object = None) -> Callable[[bytes], NoReturn]:
        return never_ordinary

    def __set__(self, dialect: object, plain: object) -> None: ...


for owner, name, slow in (
    (ChunkedFraming, "take_single", nothing_whole),
    (LengthFraming, "take_single", nothing_whole),
    (ChunkedFraming, "_feed_uniform", none_together),
    (_chunks, "canonical_size", never_canonical),
    (EventDecoder, "_whole_blocks", no_bulk),
    (FastDialect, "decode_ordinary", NeverOrdinary()),
    (ChatAccumulator, "add", one_by_one),
):
    assert hasattr(owner, name) or name in owner.__annotations__
    setattr(owner, name, slow)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return collection_path.name in LEFT_OUT or None


def pytest_report_header() -> str:
    return "fast paths: off"


if __name__ == "__main__":
    script, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_path(script, run_name="__main__")
