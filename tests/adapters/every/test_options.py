"""The options of one request: each comes before the client's, and the pool stays one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sse_adapters import async_loop, sync_loop
from sse_adapters.transcripts import AsyncReplayClient, Recorder, ReplayClient
from sse_core import (
    Action,
    DeadlineExceeded,
    Deadlines,
    Divergence,
    EventTooLarge,
    Limits,
    Outcome,
    Reconnects,
    Retries,
    Session,
    StatusError,
)
from sse_core.dialects import events
from support.keepalive import ANSWER, say, talking
from support.runners import (
    EVENTS,
    AsyncMemory,
    NetworkRunner,
    SyncMemory,
    on_both_kinds,
    read,
    read_async,
    run_without_loop,
)
from support.servers import head, says

BUSY = say(head("503 Service Unavailable", "Content-Length: 0"))
AT_ONCE = Retries(attempts=1, base=0)


@on_both_kinds
def test_a_deadline_of_one_request(network: NetworkRunner) -> None:
    with talking(network, lambda peer: peer.wait_until_gone(), deadlines=Deadlines(total=60)) as talk:
        error = talk.ask(deadlines=Deadlines(response_head=0.05)).error
    assert isinstance(error, DeadlineExceeded)
    assert error.which == "response_head"


@on_both_kinds
def test_a_limit_of_one_request(network: NetworkRunner) -> None:
    with talking(network, ANSWER, limits=Limits(max_event_size=3)) as talk:
        assert isinstance(talk.ask(limits=Limits(max_event_size=2)).error, EventTooLarge)
        assert talk.ask().data == ["one", "two"]


@on_both_kinds
def test_the_retries_of_one_request(network: NetworkRunner) -> None:
    with talking(network, BUSY, ANSWER) as talk:
        assert talk.ask(retries=AT_ONCE).data == ["one", "two"]
    with talking(network, BUSY, ANSWER, retries=AT_ONCE) as talk:
        assert isinstance(talk.ask(retries=None).error, StatusError)
        assert len(talk.requests) == 1
    with talking(network, BUSY, BUSY, ANSWER) as talk:
        assert isinstance(talk.ask().error, StatusError)
        assert talk.ask(retries=AT_ONCE).data == ["one", "two"]


@on_both_kinds
def test_the_headers_of_one_request_come_on_top(network: NetworkRunner) -> None:
    request = events.request(headers=(("X-A", "request"), ("X-B", "request")))
    with talking(network, ANSWER, headers={"X-B": "client", "X-C": "client"}) as talk:
        talk.ask(request, headers={"x-a": "option", "X-D": "option"})
        talk.ask(request)
    first, second = (sent.decode().lower().split("\r\n") for sent in talk.requests)
    assert {"x-a: option", "x-b: request", "x-c: client", "x-d: option"} < set(first)
    assert "x-a: request" not in first
    assert {"x-a: request", "x-b: request", "x-c: client"} < set(second)
    assert "x-d: option" not in second


class Counter:
    """An observer that counts."""

    def __init__(self) -> None:
        self.actions = 0

    def __call__(self, session: Session[Any]) -> Counter:
        return self

    def action(self, action: Action, now: float) -> None:
        self.actions += 1

    def outcome(self, outcome: Outcome, now: float) -> None: ...


@on_both_kinds
def test_the_observer_of_one_request_stands_for_the_clients(network: NetworkRunner) -> None:
    clients, own = Counter(), Counter()
    with talking(network, ANSWER, observe=clients) as talk:
        talk.ask(observe=own)
        assert own.actions > 0 == clients.actions
        talk.ask(observe=None)
        assert clients.actions == 0
        talk.ask()
        assert clients.actions > 0


@on_both_kinds
def test_requests_with_options_of_their_own_share_the_pool(network: NetworkRunner) -> None:
    with talking(network, ANSWER) as talk:
        talk.ask()
        talk.ask(deadlines=Deadlines(total=60), limits=Limits(), retries=Retries(), headers={"X-A": "1"})
        talk.ask(observe=Counter())
        assert talk.connections == [0, 0, 0]


@on_both_kinds
def test_a_source_takes_no_retries_and_those_of_the_client_do_not_concern_it(network: NetworkRunner) -> None:
    source = events.source(reconnects=Reconnects(attempts=0))
    with talking(network, BUSY, retries=AT_ONCE) as talk:
        with pytest.raises(ValueError, match=r"a request that reconnects takes no retries: its `reconnects`"):
            talk.stream(source, retries=AT_ONCE)
        assert not talk.requests
        assert talk.ask(source).error is not None
        assert talk.ask(source, retries=None).error is not None
        assert len(talk.requests) == 2, "one attempt each"


RECORDED: dict[str, Any] = {"headers": {"X-A": "1"}, "retries": AT_ONCE, "limits": Limits(max_event_size=3)}
SAID = (head("503 Busy", "Content-Length: 0"), head(), b"data: one\n\n")


def replay(path: Path, **options: Any) -> Any:
    with ReplayClient("http://memory", path) as client:
        return read(client.stream(EVENTS, **options))


def replay_async(path: Path, **options: Any) -> Any:
    async def main() -> Any:
        async with AsyncReplayClient("http://memory", path) as client:
            return await read_async(client.stream(EVENTS, **options))

    return anyio.run(main)


def record(path: Path) -> Any:
    with sync_loop.Client("http://memory", lambda: SyncMemory(says(*SAID))) as client:
        return read(client.stream(EVENTS, observe=Recorder(path), **RECORDED))


def record_async(path: Path) -> Any:
    async def main() -> Any:
        async with async_loop.Client("http://memory", lambda: AsyncMemory(says(*SAID))) as client:
            return await read_async(client.stream(EVENTS, observe=Recorder(path), **RECORDED))

    return run_without_loop(main())


@pytest.mark.parametrize(("recorded", "replayed"), [(record, replay), (record_async, replay_async)])
def test_a_replay_has_the_same_options(
    recorded: Callable[..., Any], replayed: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    assert recorded(path).verdict is not None
    again = replayed(path, **RECORDED)
    assert again.verdict is recorded(path).verdict
    with pytest.raises(Divergence):
        replayed(path, **{**RECORDED, "headers": {"X-A": "2"}})
