"""The two loops and what they ask of a transport, in memory."""

from __future__ import annotations

import types
from collections.abc import Callable, Generator
from threading import Timer
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from sse_adapters import async_loop, sync_loop
from sse_adapters.base import random
from sse_core import ConnectionFailed, Deadlines, StreamClosed, Verdict
from support.runners import EVENTS, AsyncMemory, SyncMemory, run_without_loop
from support.servers import CHUNKED, LAST_CHUNK, End, Script, chunked, event, head, says

WHOLE = says(head("200 OK", CHUNKED), *chunked(event("one"), event("two")), LAST_CHUNK)


class Interrupted(BaseException):
    """Whatever may break in: a cancellation, or a key."""


def test_a_random_number_may_be_any_below_one() -> None:
    drawn = [random() for _ in range(200)]
    assert all(0 <= number < 1 for number in drawn)
    assert min(drawn) < 0.25 and max(drawn) > 0.75


def test_a_sweep_that_is_called_off_leaves_no_thread() -> None:
    with sync_loop.Client("http://memory", lambda: SyncMemory(WHOLE)) as client:
        pool: Any = client._pool  # pyright: ignore[reportPrivateUsage]
        cancel = sync_loop.schedule_sweep(pool, pool.now() + 1000)
        assert any(isinstance(thread, Timer) for thread in enumerate_threads())
        cancel()
        assert not any(isinstance(thread, Timer) for thread in enumerate_threads())


# The order of things.


def test_the_verbs_come_in_order_and_close_comes_last() -> None:
    transport = SyncMemory(WHOLE)
    with sync_loop.Client("https://memory:8443/v1", lambda: transport) as client:
        with client.stream(EVENTS) as stream:
            assert transport.log == ["open memory 8443", "start_tls memory"]
            assert [chunk.data for chunk in stream] == ["one", "two"]
    assert transport.log[2:] == ["close"] * len(transport.log[2:])
    assert len(transport.log) > 2
    assert transport.sent.startswith(b"GET /v1/stream HTTP/1.1\r\nHost: memory:8443\r\n")


def test_the_verbs_come_in_order_without_an_event_loop_as_well() -> None:
    transport = AsyncMemory(WHOLE)

    async def main() -> list[str]:
        async with async_loop.Client("https://memory", lambda: transport) as client:
            async with client.stream(EVENTS) as stream:
                assert transport.log == ["open memory 443", "start_tls memory"]
                return [chunk.data async for chunk in stream]

    assert run_without_loop(main()) == ["one", "two"]
    assert transport.log[2:] == ["close"] * len(transport.log[2:])


@pytest.mark.parametrize("client", [sync_loop.Client, async_loop.Client])
def test_a_url_that_is_not_http_is_refused_at_once(client: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="http or https"):
        client("ftp://example.test", SyncMemory)


@pytest.mark.parametrize("client", [sync_loop.Client, async_loop.Client])
def test_an_option_that_there_is_not_is_refused_at_once(client: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="'deadline'"):
        client("http://memory", SyncMemory, deadline=Deadlines(total=1))


@pytest.mark.parametrize("client", [sync_loop.Client, async_loop.Client])
def test_a_request_that_http_cannot_carry_is_refused_before_there_is_a_transport(
    client: Callable[..., Any],
) -> None:
    made: list[str] = []
    good = client("http://memory", lambda: made.append("a transport"))
    with pytest.raises(ValueError, match="not the caller's to set"):
        good.stream(EVENTS, headers={"Content-Length": "9"})
    assert not made


def test_all_who_iterate_over_a_stream_share_its_chunks() -> None:
    pieces = [event("a"), event("b") + event("c"), event("d")]
    script = says(head("200 OK", CHUNKED), *chunked(*pieces), LAST_CHUNK)
    with sync_loop.Client("http://memory", lambda: SyncMemory(script)) as client:
        stream = client.stream(EVENTS)
        first, second = iter(stream), iter(stream)
        seen = [next(first), next(second), *first]
        assert [each.data for each in seen] == ["a", "b", "c", "d"]
        stream = client.stream(EVENTS)
        seen.clear()
        for chunk in stream:
            seen += [chunk, *[next(stream) for _ in range(chunk.data == "a")]]
        assert [each.data for each in seen] == ["a", "b", "c", "d"]


# What breaks in.


class Breaking(SyncMemory):
    """Raises in place of its n-th verb."""

    def __init__(self, script: Script, exc: BaseException, verbs: int) -> None:
        super().__init__(script)
        self._exc = exc
        self._verbs = verbs

    def do(self, verb: str) -> None:
        super().do(verb)
        self._verbs -= 1
        if self._verbs == 0:
            raise self._exc

    def send(self, data: bytes, deadline: float | None) -> int:
        self.do("send")
        return super().send(data, deadline)

    def receive(self, deadline: float | None) -> bytes:
        self.do("receive")
        return super().receive(deadline)


VERBS = 3 + len(WHOLE.pieces)


@pytest.mark.parametrize("exc", [Interrupted(), ZeroDivisionError("a bug of the transport's")])
@pytest.mark.parametrize("verbs", range(1, VERBS + 1))
def test_what_breaks_into_a_verb_closes_the_connection_and_gets_out(exc: BaseException, verbs: int) -> None:
    transport = Breaking(WHOLE, exc, verbs)
    stream = sync_loop.Client("https://memory", lambda: transport).stream(EVENTS)
    with pytest.raises(type(exc)), stream:
        list(stream)
    assert transport.log[-1] == "close"
    assert stream.verdict is Verdict.CANCELLED
    with pytest.raises(StreamClosed):
        next(stream)


def test_a_stream_is_whole_when_nothing_breaks_in() -> None:
    transport = Breaking(WHOLE, Interrupted(), VERBS + 1)
    with sync_loop.Client("https://memory", lambda: transport).stream(EVENTS) as stream:
        assert [chunk.data for chunk in stream] == ["one", "two"]
    assert stream.verdict is Verdict.FINISHED


@types.coroutine
def turn() -> Generator[None, None, None]:
    """Give others a turn, whoever they are."""
    yield


class Waiting(AsyncMemory):
    """Waits once in each verb."""

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        await turn()
        await super().open(host, port, deadline)

    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        await turn()
        await super().start_tls(server_name, deadline)

    async def send(self, data: bytes, deadline: float | None) -> int:
        await turn()
        return await super().send(data, deadline)

    async def receive(self, deadline: float | None) -> bytes:
        await turn()
        return await super().receive(deadline)


@pytest.mark.parametrize("turns", range(1, VERBS + 1))
def test_what_breaks_into_a_wait_closes_the_connection_and_gets_out(turns: int) -> None:
    transport = Waiting(WHOLE)
    stream = async_loop.Client("https://memory", lambda: transport).stream(EVENTS)

    async def read() -> None:
        async with stream:
            async for _ in stream:
                pass

    reading = read()
    for _ in range(turns):
        reading.send(None)
    with pytest.raises(Interrupted):
        reading.throw(Interrupted())
    assert transport.log[-1] == "close"
    assert stream.verdict is Verdict.CANCELLED


@pytest.mark.parametrize("turns", range(1, VERBS + 1))
def test_closing_during_a_wait_aborts_it_and_ends_the_stream(turns: int) -> None:
    transport = Waiting(WHOLE)
    stream = async_loop.Client("https://memory", lambda: transport).stream(EVENTS)

    async def read() -> None:
        async for _ in stream:
            pass

    reading = read()
    for _ in range(turns):
        reading.send(None)
    assert "abort" not in transport.log
    stream.close()
    assert transport.log[-1] == "abort"  # it is not closed while someone is inside
    with pytest.raises(StreamClosed):
        reading.send(None)
    assert transport.log[-1] == "close"
    assert stream.verdict is Verdict.CANCELLED


def test_a_failure_without_words_is_told_by_its_name() -> None:
    transport = Breaking(WHOLE, BrokenPipeError(), 1)
    stream = sync_loop.Client("http://memory", lambda: transport).stream(EVENTS)
    with pytest.raises(ConnectionFailed, match="BrokenPipeError"):
        next(stream)


def test_a_transport_that_fails_to_close_does_no_harm() -> None:
    class Stubborn(SyncMemory):
        refusals = 1

        def close(self) -> None:
            super().close()
            self.refusals -= 1
            if self.refusals >= 0:
                raise OSError("not now")

    transport = Stubborn(WHOLE)
    stream = sync_loop.Client("http://memory", lambda: transport).stream(EVENTS)
    assert [chunk.data for chunk in stream] == ["one", "two"]
    assert stream.verdict is Verdict.FINISHED


# The transports of these tests.


def test_a_silent_memory_needs_a_deadline() -> None:
    with pytest.raises(AssertionError, match="take forever"):
        SyncMemory(says(end=End.SILENCE)).receive(None)
