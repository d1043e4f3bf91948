"""Every vector of a response, on the short way through its chunks and without it, cut in every way."""

from __future__ import annotations

import pytest

from sse_core import Exchange
from sse_core.testing.exchanges import ExchangeVector, complaint, load
from sse_core.testing.vectors import chunkings
from support.core import PlainExchange

pytestmark = pytest.mark.usefixtures("unmeasured")
VECTORS = load()


BEYOND_H11 = {
    "extension-behind-white-space",
    "extension-behind-white-space-of-the-last-chunk",
    "extension-among-white-space",
}
"""What is accepted without h11, and h11 refuses."""
SOONER_THAN_H11 = {
    "at-once-size-with-lf-alone",
    "at-once-size-that-is-none",
    "at-once-size-behind-space",
    "at-once-size-with-a-sign",
    "at-once-event-without-chunks",
    "at-once-two-sizes",
    "at-once-trailer-without-colon",
    "at-once-response-behind-the-last-chunk",
}
"""What is refused without h11 at once, and h11 refuses at the end of the line (A8)."""


def test_what_is_said_of_h11_is_so() -> None:
    refused = {
        vector.name for vector in VECTORS if complaint(new(PlainExchange, vector), vector, [vector.octets])
    }
    assert refused == BEYOND_H11 | SOONER_THAN_H11


def new(kind: type[Exchange], vector: ExchangeVector) -> Exchange:
    return kind(vector.method, "/", [("Host", "localhost")])


@pytest.mark.parametrize(
    ("kind", "vector"),
    [
        pytest.param(kind, vector, id=f"{vector.name}-{kind.__name__}")
        for kind in (Exchange, PlainExchange)
        for vector in VECTORS
        if kind is Exchange or vector.name not in BEYOND_H11 | SOONER_THAN_H11
    ],
)
def test_every_chunking_of_every_vector(kind: type[Exchange], vector: ExchangeVector) -> None:
    for pieces in chunkings(vector.octets, seed=len(vector.octets)):
        exchange = new(kind, vector)
        assert complaint(exchange, vector, pieces) is None, pieces
        if exchange.error is not None:
            assert exchange.error.response is exchange.response
            assert 10 < len(str(exchange.error)) <= 100
