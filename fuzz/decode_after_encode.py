"""Decoding what was encoded gives the same events back, and nothing but them."""

from __future__ import annotations

import random

from sse_core import Event, EventDecoder
from sse_core.events.encoder import comment, encode, retry
from sse_core.testing.adversarial import split

UNSENDABLE = str.maketrans("", "", "\r\n\0")


def check(data: bytes) -> None:
    """Raises AssertionError if the events that are read out of these bytes do not come back."""
    events: list[Event] = []
    stream, after = b"", ""
    for number, part in enumerate(data.split(b"|")):
        raw, type, last_event_id = (part + b";;").split(b";")[:3]
        event = Event(raw.replace(b"\r", b""), text(type) or "message", text(last_event_id))
        stream += comment(text(raw)) + retry(number) + encode(event, after=after)
        events.append(event)
        after = event.last_event_id
    decoder = EventDecoder()
    assert [event for chunk in split(stream, random.Random(data)) for event in decoder.feed(chunk)] == events
    assert decoder.reconnection_time == len(events) - 1
    assert decoder.eof().dropped == 0


def text(value: bytes) -> str:
    """These bytes as a type or an ID can have them."""
    return value.decode("utf-8", "replace").translate(UNSENDABLE)
