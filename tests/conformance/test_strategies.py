"""The strategies: what they promise of their streams, with which they test the decoders as well."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventDecoder
from sse_core.testing.adversarial import PIECES, adversarial_stream, mutate, split
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.strategies import StreamWithEvents, adversarial_streams, chunkings, streams_with_events


@pytest.mark.parametrize("decoder", [EventDecoder, ReferenceDecoder])
@given(case=streams_with_events(), data=st.data())
def test_streams_give_their_events(
    decoder: type[EventDecoder | ReferenceDecoder], case: StreamWithEvents, data: st.DataObject
) -> None:
    fed = decoder()
    found = [event for chunk in data.draw(chunkings(case.stream)) for event in fed.feed(chunk)]
    assert [(e.raw, e.type, e.last_event_id) for e in found] == [
        (e.raw, e.type, e.last_event_id) for e in case.events
    ]
    assert fed.last_event_id == case.last_event_id
    assert fed.reconnection_time == case.reconnection_time


@given(adversarial_streams(), st.data())
def test_chunkings_put_the_stream_together_again(stream: bytes, data: st.DataObject) -> None:
    assert b"".join(data.draw(chunkings(stream))) == stream


def test_seeded_streams_are_the_same_for_the_same_seed() -> None:
    def some(seed: int) -> list[bytes]:
        dice = random.Random(seed)
        return [adversarial_stream(dice) for _ in range(50)]

    assert some(1) == some(1) != some(2)


def test_seeded_streams_hold_everything() -> None:
    dice = random.Random(1)
    streams = [adversarial_stream(dice) for _ in range(2000)]
    assert all(any(piece in stream for stream in streams) for piece in PIECES)
    assert any(ReferenceDecoder().feed(stream) for stream in streams)
    assert max(map(len, streams)) < 2000
    assert b"" in streams


@pytest.mark.parametrize("stream", [b"", b"data: x\n\n", bytes(range(256))])
def test_splitting_and_mutating(stream: bytes) -> None:
    dice = random.Random(1)
    ways = [split(stream, dice) for _ in range(50)]
    assert all(b"".join(way) == stream for way in ways)
    assert any(b"" in way for way in ways)
    assert len({mutate(stream, dice) for _ in range(50)}) > 20
