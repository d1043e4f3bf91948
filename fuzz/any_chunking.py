"""However a stream is cut, it gives the same items and the same end as when it is whole."""

from __future__ import annotations

import random

from fuzz.decoding import decode
from sse_core import EventDecoder, Item
from sse_core.testing.adversarial import split


def check(data: bytes) -> None:
    """Raises AssertionError if this stream can be cut such that it gives something else."""
    for chunks in ([data[at : at + 1] for at in range(len(data))], split(data, random.Random(data))):
        assert decode(EventDecoder(), chunks) == decode(EventDecoder(), [data])
        assert items(chunks) == items([data])


def items(chunks: list[bytes]) -> list[Item]:
    """The events, comments and unknown fields in these chunks."""
    decoder = EventDecoder()
    return [item for chunk in chunks for item in decoder.feed_all(chunk)]
