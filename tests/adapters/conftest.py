"""What the tests of the adapters are run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.names import Names
from support.runners import (
    EVENT_LOOPS,
    MEMORY_RUNNERS,
    NETWORK_RUNNERS,
    THREADS,
    EventLoop,
    NetworkRunner,
    Runner,
)
from support.tls import Authority


@pytest.fixture(params=[*NETWORK_RUNNERS, *MEMORY_RUNNERS])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Every way to run a client, over a network or in memory."""
    runner = request.param
    if isinstance(runner, NetworkRunner):
        with runner.running():
            yield runner
    else:
        yield runner


@pytest.fixture(params=NETWORK_RUNNERS)
def network(request: pytest.FixtureRequest) -> Iterator[NetworkRunner]:
    """Every runtime that has a transport here; `on_every_network` adds some more."""
    with request.param.running() as runner:
        yield runner


@pytest.fixture(params=[THREADS, EVENT_LOOPS[0]])
def each_loop(request: pytest.FixtureRequest) -> Iterator[NetworkRunner]:
    """One runtime for each of the two loops: for rules of the session, which every runtime shares."""
    with request.param.running() as runner:
        yield runner


@pytest.fixture(params=EVENT_LOOPS)
def event_loop(request: pytest.FixtureRequest) -> EventLoop:
    """Every event loop, for tests that are coroutines: they pass its `backend` to `anyio.run`."""
    event_loop: EventLoop = request.param
    return event_loop


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A private authority, which no system trusts."""
    return Authority.found()


@pytest.fixture
def secure(authority: Authority) -> dict[str, Any]:
    """The options of a client that trusts the authority."""
    return {"ssl_context": authority.client}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)
