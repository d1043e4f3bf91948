"""The fast decoder gives what the reference gives, and each event out of the same feed."""

from __future__ import annotations

import random

from fuzz.decoding import plain
from sse_core import EventDecoder
from sse_core.testing.adversarial import split
from sse_core.testing.reference import ReferenceDecoder


def check(data: bytes) -> None:
    """Raises AssertionError if the two disagree on this stream."""
    for chunks in ([data], split(data, random.Random(data))):
        decoder, reference = EventDecoder(), ReferenceDecoder()
        for chunk in chunks:
            assert plain(decoder.feed(chunk)) == plain(reference.feed(chunk))
            assert decoder.last_event_id == reference.last_event_id
            assert decoder.reconnection_time == reference.reconnection_time
        end, expected = decoder.eof(), reference.eof()
        assert (end.dropped, end.unfinished_event) == (expected.dropped, expected.unfinished_event)
