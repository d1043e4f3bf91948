"""Every fixture of every dialect gives the same by a Reader alone as by a session."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.testing.dialects import Fixture, Reading, load, read, read_with_reader
from support.core import SIZES, pieces_of, told

FIXTURES = load()
by_name = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
by_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"pieces-of-{size}" if size else "whole")


def all_of(reading: Reading) -> tuple[Any, ...]:
    return reading.verdict, told(reading.error), reading.message, reading.chunks


@by_name
@by_size
def test_a_reader_makes_of_it_what_a_session_does(fixture: Fixture, size: int) -> None:
    pieces = pieces_of(fixture.stream, size)
    assert all_of(read_with_reader(fixture, pieces)) == all_of(read(fixture, pieces))
