"""What only the decoder's vectors are: cut, counted by clause, and in text where they can be."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from sse_core.testing.vectors import Clause, Vector, chunkings, load

VECTORS = load()


def test_text_goes_before_hexadecimal() -> None:
    with pytest.raises(ValueError, match="valid UTF-8"):
        Vector(name="x", why="x", clause="9.2.6 dispatch", events=[], stream_hex="61")
    with pytest.raises(ValueError, match="either stream or stream_hex"):
        Vector(name="x", why="x", clause="9.2.6 dispatch", events=[])


def test_no_stream_is_there_twice_under_one_clause() -> None:
    streams = Counter((v.octets, v.clause) for v in VECTORS)
    assert [stream for stream, times in streams.items() if times > 1] == []


def test_every_clause_is_covered() -> None:
    counts = Counter(vector.clause for vector in VECTORS)
    assert set(counts) == set(get_args(Clause))
    assert min(counts.values()) >= 10


def test_chunkings_put_the_stream_together_again() -> None:
    stream = b"data: x\n\n"
    cut = list(chunkings(stream, seed=3))
    assert all(b"".join(chunks) == stream for chunks in cut)
    assert cut == list(chunkings(stream, seed=3)) != list(chunkings(stream, seed=4))
    assert [len(chunks) for chunks in cut[:3]] == [1, 9, 2]
    assert any(b"" in chunks for chunks in cut)


def test_chunkings_of_nothing() -> None:
    assert all(b"".join(chunks) == b"" for chunks in chunkings(b"", seed=1))
