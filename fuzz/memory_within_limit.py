"""A decoder never holds more than its limit allows, however much of whatever streams in."""

from __future__ import annotations

from sse_core import EventDecoder, EventTooLarge
from sse_core.events.decoder import MAX_IGNORED

STREAMED = 160 * 1024
VALUES = 5
"""Values of an event that can be at the limit at once: data, type, IDs sent and to come, the line."""


def check(data: bytes) -> None:
    """Raises AssertionError if a decoder, given these bytes again and again, holds too much."""
    start, _, again = data.partition(b"|")
    again = again or b"x"
    chunk = again * (1 + 4096 // len(again))
    limit = 1 + 4 * len(start)
    decoder = EventDecoder(max_event_size=limit)
    try:
        decoder.feed(start)
        for _ in range(STREAMED // len(chunk)):
            decoder.feed(chunk)
            assert held(decoder) <= VALUES * limit + MAX_IGNORED + len(chunk)
    except EventTooLarge:
        assert held(decoder) <= VALUES * limit + MAX_IGNORED + len(chunk) + len(start)


def held(decoder: EventDecoder) -> int:
    """The bytes and characters that a decoder has in its attributes."""
    values = (getattr(decoder, name) for name in decoder.__slots__)
    return sum(len(value) for value in values if isinstance(value, bytes | bytearray | str))
