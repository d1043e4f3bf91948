"""No bytes raise anything but EventTooLarge, and that only once something is over the limit."""

from __future__ import annotations

import random

from sse_core import EventDecoder, EventTooLarge
from sse_core.testing.adversarial import split


def check(data: bytes) -> None:
    """Raises what the decoder raises, if it is not EventTooLarge, or AssertionError if that is not due."""
    limit = data[0] if data else 0
    for chunks in ([data], split(data, random.Random(data))):
        decoder = EventDecoder(max_event_size=limit)
        for chunk in chunks:
            try:
                decoder.feed_all(chunk)
            except EventTooLarge:
                break
        decoder.eof()
        error = decoder.error
        assert error is None or error.limit == limit < error.seen <= len(data)
