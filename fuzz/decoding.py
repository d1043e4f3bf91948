"""What the targets share: decoding a stream, so that two ways of doing it can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from sse_core import Event, EventDecoder
from sse_core.testing.reference import Event as ReferenceEvent

Outcome: TypeAlias = tuple[list[tuple[bytes, str, str]], str, int | None, int, bool]
"""Events, last event ID, reconnection time, bytes dropped, whether an event was among them."""


def plain(events: Iterable[Event | ReferenceEvent]) -> list[tuple[bytes, str, str]]:
    """Events of either decoder as comparable values."""
    return [(event.raw, event.type, event.last_event_id) for event in events]


def decode(decoder: EventDecoder, chunks: Iterable[bytes]) -> Outcome:
    """All that comes of these chunks."""
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    end = decoder.eof()
    return (
        plain(events),
        decoder.last_event_id,
        decoder.reconnection_time,
        end.dropped,
        end.unfinished_event,
    )
