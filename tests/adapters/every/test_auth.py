"""Credentials are asked for before each attempt, and once more after a 401."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sse_adapters import async_loop, sync_loop
from sse_adapters.transcripts import Recorder
from sse_core import (
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    PoolLimits,
    Reconnects,
    Response,
    Retries,
    StatusError,
    StreamClosed,
    Verdict,
)
from sse_core.dialects import events
from support.keepalive import ANSWER, Conversation, say, talking
from support.runners import (
    EVENTS,
    AsyncMemory,
    EventLoop,
    NetworkRunner,
    SyncMemory,
    Threads,
    on_both_kinds,
    read,
)
from support.servers import eventually, head, listening, says

SECRET = "s3cret"
UNAUTHORIZED = say(
    head("401 Unauthorized", "Content-Length: 2", "X-Refused: 1", kind="application/json"), b"{}"
)
BUSY = say(head("503 Service Unavailable", "Content-Length: 0"))
AT_ONCE = Retries(attempts=2, base=0)


class Tokens:
    """Gives a new token whenever it is asked, as a function or, on an event loop, as a coroutine function."""

    def __init__(self, network: NetworkRunner, *failures: BaseException) -> None:
        self.asked: list[tuple[int, int | None]] = []
        """With which numbers and statuses."""
        self.failures = list(failures)
        self.auth: Callable[..., Any] = self.wait if isinstance(network, EventLoop) else self.give

    def give(self, attempt: int, refused: Response | None) -> Mapping[str, str]:
        self.asked.append((attempt, None if refused is None else refused.status))
        if self.failures:
            raise self.failures.pop(0)
        return {"authorization": f"Bearer {SECRET}-{len(self.asked)}"}

    async def wait(self, attempt: int, refused: Response | None) -> Mapping[str, str]:
        await anyio.lowlevel.checkpoint()
        return self.give(attempt, refused)


def tokens_of(talk: Conversation) -> list[str]:
    """The token that each request was sent with."""
    lines = [line for sent in talk.requests for line in sent.decode().split("\r\n")]
    return [line.partition(" ")[2] for line in lines if line.lower().startswith("authorization: ")]


@on_both_kinds
def test_each_attempt_has_credentials_of_its_own(network: NetworkRunner) -> None:
    tokens = Tokens(network)
    headers = {"Authorization": "Bearer clients"}
    with talking(network, BUSY, BUSY, ANSWER, auth=tokens.auth, headers=headers, retries=AT_ONCE) as talk:
        assert talk.ask().data == ["one", "two"]
        assert tokens.asked == [(1, None), (2, None), (3, None)]
        assert tokens_of(talk) == [f"Bearer {SECRET}-{number}" for number in (1, 2, 3)]
        talk.ask()
        assert tokens.asked[-1] == (1, None)


@on_both_kinds
def test_a_401_asks_once_more_at_once(network: NetworkRunner) -> None:
    tokens = Tokens(network)
    with talking(network, UNAUTHORIZED, ANSWER, auth=tokens.auth) as talk:
        assert talk.ask().data == ["one", "two"]
        assert tokens.asked == [(1, None), (2, 401)]
        assert tokens_of(talk) == [f"Bearer {SECRET}-1", f"Bearer {SECRET}-2"]


@on_both_kinds
def test_a_second_401_is_an_error(network: NetworkRunner) -> None:
    tokens = Tokens(network)
    with talking(network, UNAUTHORIZED, auth=tokens.auth, retries=AT_ONCE) as talk:
        error = talk.ask().error
        assert isinstance(error, StatusError)
        assert (error.status, tokens.asked) == (401, [(1, None), (2, 401)])
        assert SECRET not in f"{error!r} {error}"


@on_both_kinds
def test_a_401_without_auth_is_an_error_at_once(network: NetworkRunner) -> None:
    with talking(network, UNAUTHORIZED, ANSWER) as talk:
        assert isinstance(talk.ask().error, StatusError)
        assert len(talk.requests) == 1


@on_both_kinds
def test_what_auth_raises_reaches_the_reader_and_leaves_nothing_open(network: NetworkRunner) -> None:
    tokens = Tokens(network, KeyError("no such vault"), SystemExit(3))
    with talking(network, ANSWER, auth=tokens.auth, pool=PoolLimits(max_connections=1)) as talk:
        stream = talk.client.stream(EVENTS)
        with pytest.raises(KeyError, match="no such vault"):
            network.call(network.enter, stream)
        assert (stream.verdict, str(stream.state)) == (Verdict.CANCELLED, "State.STOPPED")
        if isinstance(network, Threads):
            with pytest.raises(SystemExit):
                talk.ask()
        tokens.failures.clear()
        assert not talk.server.peers
        assert talk.ask().data == ["one", "two"]


@on_both_kinds
@pytest.mark.parametrize("cause", [OSError("the vault is sealed"), TimeoutError("the vault is sealed")])
def test_an_oserror_is_a_failed_connection_and_retried(network: NetworkRunner, cause: OSError) -> None:
    with talking(network, ANSWER, auth=Tokens(network, cause).auth) as talk:
        error = talk.ask().error
        assert isinstance(error, ConnectionFailed)
        assert (str(error), error.__cause__) == ("no credentials: the vault is sealed", cause)
        assert not talk.server.peers
    tokens = Tokens(network, cause)
    with talking(network, ANSWER, auth=tokens.auth, retries=AT_ONCE) as talk:
        assert talk.ask().data == ["one", "two"]
        assert tokens.asked == [(1, None), (2, None)]


@on_both_kinds
def test_an_oserror_without_words_is_named(network: NetworkRunner) -> None:
    with talking(network, ANSWER, auth=Tokens(network, BrokenPipeError()).auth) as talk:
        assert str(talk.ask().error) == "no credentials: BrokenPipeError"


@on_both_kinds
@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (None, "what auth returns has to be a mapping of names to values, not None"),
        (f"Bearer {SECRET}", "what auth returns has to be a mapping of names to values, not str"),
        (
            {"Authorization": None},
            "the value of 'Authorization' in what auth returns has to be a str, not None",
        ),
        ({"Authorization": SECRET.encode()}, "the value of 'Authorization' in what auth .*, not bytes"),
        ({"Authorization": "Bearer "}, "the value of 'Authorization' in what auth returns has no key in it"),
        ({"Authorization": f"{SECRET}\n"}, "the value of 'Authorization' .* that no header can carry"),
    ],
)
def test_what_auth_returns_is_checked(network: NetworkRunner, headers: Any, words: str) -> None:
    def auth(attempt: int, refused: Response | None) -> Any:
        return headers

    with talking(network, ANSWER, auth=auth) as talk:
        with pytest.raises((TypeError, ValueError), match=f"^{words}$") as caught:
            talk.ask()
        assert SECRET not in str(caught.value)
        assert not talk.server.peers


def test_a_blocking_client_refuses_a_coroutine_function() -> None:
    async def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        raise AssertionError

    untyped: Any = auth
    with pytest.raises(TypeError, match="auth is to be awaited, which only asynchronous clients do"):
        sync_loop.Client("http://memory", lambda: SyncMemory(says()), auth=untyped)


class Awaited:
    """What has to be awaited, without being a coroutine."""

    def __await__(self) -> Any:
        yield


@pytest.mark.parametrize("value", ["coroutine", "awaitable"])
def test_a_blocking_client_awaits_nothing_that_auth_returns(value: str) -> None:
    async def coroutine() -> Mapping[str, str]:
        raise AssertionError

    def auth(attempt: int, refused: Response | None) -> Any:
        return coroutine() if value == "coroutine" else Awaited()

    memory = SyncMemory(says())
    with sync_loop.Client("http://memory", lambda: memory, auth=auth) as client:
        with pytest.raises(TypeError, match="only asynchronous clients"):
            read(client.stream(EVENTS))
    assert not memory.log


def test_a_function_does_for_an_asynchronous_client() -> None:
    asked: list[int] = []

    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        asked.append(attempt)
        return {"Authorization": f"Bearer {SECRET}"}

    async def main() -> None:
        memory = AsyncMemory(says(head(), b"data: one\n\n"))
        async with async_loop.Client("http://memory", lambda: memory, auth=auth) as client:
            assert [event.data async for event in client.stream(EVENTS)] == ["one"]
        assert f"Authorization: Bearer {SECRET}".encode() in memory.sent

    anyio.run(main)
    assert asked == [1]


@on_both_kinds
def test_no_transcript_and_no_repr_has_the_credentials(network: NetworkRunner, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"

    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        return {"X-Own": SECRET, "Authorization": f"Bearer {SECRET}"}

    with talking(network, UNAUTHORIZED, ANSWER, auth=auth, observe=Recorder(path)) as talk:
        stream = talk.stream()
        stream.enter()
        assert SECRET not in f"{stream.stream!r} {talk.client!r}"
        stream.leave()
        assert all(SECRET.encode() in sent for sent in talk.requests)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["type"] for line in lines].count("Authorized") == 2
    assert SECRET not in path.read_text()


@on_both_kinds
def test_a_total_deadline_that_passes_meanwhile_ends_the_stream(network: NetworkRunner) -> None:
    passed = Event()

    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        passed.wait(0.1)
        return {}

    with talking(network, ANSWER, auth=auth, deadlines=Deadlines(total=0.05)) as talk:
        error = talk.ask().error
        assert isinstance(error, DeadlineExceeded)
        assert error.which == "total"
        assert not talk.server.peers


def test_closing_a_stream_that_asks_for_credentials_ends_it_when_it_has_them() -> None:
    asking, closed = Event(), Event()

    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        asking.set()
        assert closed.wait(20)
        return {}

    def close() -> None:
        assert asking.wait(20)
        stream.close()
        closed.set()

    memory = SyncMemory(says())
    with sync_loop.Client("http://memory", lambda: memory, auth=auth) as client:
        stream = client.stream(EVENTS)
        thread = Thread(target=close)
        thread.start()
        with pytest.raises(StreamClosed):
            next(stream)
        thread.join()
    assert (stream.verdict, memory.log) == (Verdict.CANCELLED, [])


def test_cancelling_a_task_that_asks_for_credentials() -> None:
    async def main() -> None:
        asking = anyio.Event()

        async def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
            asking.set()
            await anyio.sleep_forever()
            raise AssertionError

        memory = AsyncMemory(says())
        async with async_loop.Client("http://memory", lambda: memory, auth=auth) as client:
            stream = client.stream(EVENTS)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.__aenter__)
                await asking.wait()
                tasks.cancel_scope.cancel()
            assert (stream.verdict, memory.log) == (Verdict.CANCELLED, [])

    anyio.run(main)


# Two recipes.


@on_both_kinds
def test_a_token_that_expires_within_the_life_of_a_source(network: NetworkRunner) -> None:
    """The server ends each connection after an event, and takes each token once."""
    tokens = Tokens(network)
    used: set[bytes] = set()

    def serve(peer: Any) -> None:
        peer.read_request()
        token = bytes(peer.received).lower().partition(b"authorization: ")[2].partition(b"\r\n")[0]
        number = len(used)
        if token in used or (number == 2 and SECRET.encode() + b"-3" in token):
            peer.send(head("401 Unauthorized", "Content-Length: 0"))
        elif number == 4:
            peer.send(head("204 No Content"))
        else:
            used.add(token)
            peer.send(head(), b"id: %d\ndata: %d\n\n" % (number, number))

    source = events.source(reconnects=Reconnects(delay=0, min_delay=0))
    with listening(serve) as server:
        result = network.read_url(server.url, source, auth=tokens.auth)
    assert (result.data, result.verdict) == (["0", "1", "2", "3"], Verdict.NO_CONTENT)
    assert tokens.asked == [(1, None), (2, None), (3, None), (4, 401), (5, None), (6, None)]
    assert len(used) == 4


@on_both_kinds
def test_the_number_of_the_retry_in_a_header(network: NetworkRunner) -> None:
    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        return {"X-Retry-Count": str(attempt - 1)}

    with talking(network, BUSY, BUSY, ANSWER, auth=auth, retries=AT_ONCE) as talk:
        talk.ask()
    counts = [sent.decode().partition("X-Retry-Count: ")[2][0] for sent in talk.requests]
    assert counts == ["0", "1", "2"]


@on_both_kinds
def test_a_redirect_to_another_origin_takes_no_credentials_along(network: NetworkRunner) -> None:
    with listening(says(head(), b"data: one\n\n")) as there:
        moved = say(head("307 Temporary Redirect", f"Location: {there.url}/x", "Content-Length: 0"))
        with talking(network, moved, auth=Tokens(network).auth) as talk:
            assert talk.ask().data == ["one"]
        eventually(lambda: len(there.peers) == 1)
        assert SECRET.encode() not in there.peer().received
