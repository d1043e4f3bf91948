"""Every vector, for three decoders, cut in every way: the same result, and each event with its last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sse_core import EventDecoder
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.vectors import Decoder, Vector, chunkings, complaint, load

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.usefixtures("unmeasured")
VECTORS = load()


class LineByLine(EventDecoder):
    """The decoder with its fast path switched off."""

    def _whole_blocks(self, data: bytes) -> None:
        return None


@pytest.mark.parametrize("decoder", [EventDecoder, LineByLine, ReferenceDecoder])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_chunking_of_every_vector(decoder: Callable[[], Decoder], vector: Vector) -> None:
    for chunks in chunkings(vector.octets, seed=len(vector.octets)):
        assert complaint(decoder(), vector, chunks) is None, chunks


def test_all_vectors_at_once() -> None:
    """Streams that end between blocks, one behind another, give the events of all of them."""
    finished = [v for v in VECTORS if not v.dropped and not v.octets.startswith(b"\xef\xbb\xbf")]
    decoder, reference = EventDecoder(), ReferenceDecoder()
    for vector in finished:
        found = decoder.feed(vector.octets)
        expected = reference.feed(vector.octets)
        assert [(e.raw, e.type, e.last_event_id) for e in found] == [
            (e.raw, e.type, e.last_event_id) for e in expected
        ]
    assert decoder.last_event_id == reference.last_event_id
    assert decoder.reconnection_time == reference.reconnection_time
