"""What observers are told, and that one that fails does no harm."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sse_core import Action, Deadlines, Outcome, PoolLimits, Session, Verdict
from support.runners import EVENTS, EventLoop, NetworkRunner, Remote
from support.servers import CHUNKED, LAST_CHUNK, End, chunked, event, head, listening, says

WHOLE = says(head("200 OK", CHUNKED), *chunked(event("one")), LAST_CHUNK)


class Told:
    """Notes what it is told, and fails at one of these."""

    def __init__(self, session: Session[Any], fails_at: str | None) -> None:
        self.session = session
        self.steps: list[str] = []
        self._fails_at = fails_at

    def action(self, action: Action, now: float) -> None:
        self._note(action)

    def outcome(self, outcome: Outcome, now: float) -> None:
        self._note(outcome)

    def _note(self, step: Action | Outcome) -> None:
        name = type(step).__name__
        self.steps.append(name)
        if name == self._fails_at:
            raise LookupError(name)


class Watching:
    """What a client's `observe` can be; of its streams, the first fails."""

    def __init__(self, fails_at: str | None = None) -> None:
        self.streams: list[Told] = []
        self._fails_at = fails_at

    def __call__(self, session: Session[Any]) -> Told:
        self.streams.append(Told(session, None if self.streams else self._fails_at))
        return self.streams[-1]


def test_every_step_is_told(each_loop: NetworkRunner) -> None:
    watching = Watching()
    with listening(WHOLE) as server:
        result = each_loop.read_url(server.url, observe=watching)
    assert result.data == ["one"]
    steps = watching.streams[0].steps
    assert steps[:7] == ["Acquire", "Acquired", "Open", "Done", "Send", "Done", "Receive"]
    assert steps[-3:] == ["Release", "Done", "Stop"]
    assert watching.streams[0].session.verdict is result.verdict


def test_closing_is_told_where_nothing_was_sent(each_loop: NetworkRunner) -> None:
    watching = Watching()
    client = each_loop.client("http://127.0.0.1:1", observe=watching)
    each_loop.call(each_loop.close, client.stream(EVENTS))
    assert watching.streams[0].steps == ["Failed", "Stop"]


@pytest.mark.parametrize("step", ["Acquire", "Acquired", "Received", "Deliver", "Release", "Stop"])
def test_what_an_observer_raises_ends_the_stream_and_leaves_nothing_behind(
    step: str, each_loop: NetworkRunner
) -> None:
    watching = Watching(step)
    options: dict[str, Any] = {"pool": PoolLimits(max_connections=1), "deadlines": Deadlines(pool=0.0)}
    with listening(WHOLE) as server:
        client = each_loop.client(server.url, observe=watching, **options)
        stream = client.stream(EVENTS)
        with pytest.raises(LookupError):
            each_loop.call(each_loop.read_whole, stream)
        assert watching.streams[0].steps[-1] == step
        assert watching.streams[0].session.verdict is not None
        again = each_loop.call(each_loop.read_whole, client.stream(EVENTS))  # there is room for it
        assert again.data == ["one"]
        each_loop.call(client.close)


@pytest.mark.parametrize("step", ["Failed", "Stop"])
def test_an_observer_that_raises_while_a_client_closes_keeps_nothing_open(
    step: str, each_loop: NetworkRunner
) -> None:
    """B6."""
    watching = Watching(step)
    with listening(says(head("200 OK", CHUNKED), *chunked(event("one")), end=End.SILENCE)) as server:
        client = each_loop.client(server.url, observe=watching)
        streams = [Remote(each_loop, client.stream(EVENTS)) for _ in range(3)]
        for stream in streams:
            assert stream.next().data == "one"
        with pytest.raises(LookupError, match=step):
            each_loop.call(partial(close, each_loop, client))
        assert [stream.verdict for stream in streams] == [Verdict.CANCELLED] * 3
        assert all(peer.notices_the_end() for peer in server.peers)


def close(network: NetworkRunner, client: Any) -> Any:
    """Close a client where it lives, which may be an event loop."""
    if isinstance(network, EventLoop):
        return client.__aexit__(None, None, None)
    return client.close()
