"""Every vector of a response, on the short way through its chunks and without it, cut in every way."""

from __future__ import annotations

import pytest

from sse_core import Exchange
from sse_core.testing.exchanges import ExchangeVector, complaint, load
from sse_core.testing.vectors import chunkings
from support_core import PlainExchange

VECTORS = load()


@pytest.mark.parametrize("kind", [Exchange, PlainExchange])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_chunking_of_every_vector(kind: type[Exchange], vector: ExchangeVector) -> None:
    for pieces in chunkings(vector.octets, seed=len(vector.octets)):
        exchange = kind(vector.method, "/", [("Host", "localhost")])
        assert complaint(exchange, vector, pieces) is None, pieces
        if exchange.error is not None:
            assert exchange.error.response is exchange.response
            assert 10 < len(str(exchange.error)) <= 100
