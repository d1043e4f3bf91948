"""Clients and streams are not copied, and what was never made complains to nobody."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sse_adapters import sync_loop
from sse_adapters.connections import ConnectionPool
from support.runners import EVENTS, NetworkRunner, on_every_network


@pytest.fixture(autouse=True)
def no_complaints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No finaliser may fail."""
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    yield
    gc.collect()
    assert not complaints


@on_every_network
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_and_a_stream_are_not_copied(
    duplicate: Callable[[Any], Any], network: NetworkRunner
) -> None:
    """B7."""
    client = network.client("http://127.0.0.1:1")
    with pytest.raises(TypeError, match="client has connections, and cannot be copied or pickled"):
        duplicate(client)
    stream = client.stream(EVENTS)
    with pytest.raises(TypeError, match="stream has a connection, and cannot be copied or pickled"):
        duplicate(stream)
    with pytest.raises(TypeError, match="pool has connections, and cannot be copied or pickled"):
        duplicate(client._pool)
    network.call(network.close, stream)


def test_what_a_constructor_has_not_finished_is_finalised_in_silence() -> None:
    """B7."""

    class Stream(sync_loop.Stream[Any]):
        def __init__(self) -> None:
            raise LookupError

    with pytest.raises(LookupError):
        Stream()
    ConnectionPool.__new__(ConnectionPool)
