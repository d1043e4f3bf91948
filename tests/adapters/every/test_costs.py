"""What a start, a stream and a wake-up cost: modules, memory, and calls of functions written in Python.

They are the same on every machine. Each limit is a little above what is needed today, the session's
part included.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
import pytest

from sse_adapters import anyio as anyio_transports
from sse_adapters import async_loop, sync_loop, threads
from sse_adapters.asyncio import Connection
from sse_core.dialects import openai
from support.counting import calls, measured_memory, tracked_objects
from support.servers import CHUNKED, GENEROUS, chunked, event, head, listening, says

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"a token"}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
TOGETHER = 64
TURNS = 50


class Scripted:
    """A transport that brings a head, and then always the same."""

    def __init__(self, data: bytes) -> None:
        self.pieces = [HEAD, CHUNK]
        self.data = data

    def now(self) -> float:
        return 0.0

    def open(self, host: str, port: int, deadline: float | None) -> None: ...
    def start_tls(self, server_name: str, deadline: float | None) -> None: ...
    def sleep(self, deadline: float) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...

    def send(self, data: bytes, deadline: float | None) -> int:
        return len(data)

    def receive(self, deadline: float | None) -> bytes:
        return self.pieces.pop(0) if self.pieces else self.data


class AsyncScripted(Scripted):
    # Another protocol, of which only the coroutines are other than the first's: hence what is ignored.
    async def open(self, host: str, port: int, deadline: float | None) -> None: ...  # type: ignore[override]
    async def start_tls(self, server_name: str, deadline: float | None) -> None: ...  # type: ignore[override]
    async def sleep(self, deadline: float) -> None: ...  # type: ignore[override]

    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        raise NotImplementedError

    async def send(self, data: bytes, deadline: float | None) -> int:  # type: ignore[override]
        return len(data)

    async def receive(self, deadline: float | None) -> bytes:  # type: ignore[override]
        return self.pieces.pop(0) if self.pieces else self.data


def sync_calls(data: bytes, chunks: int) -> int:
    with sync_loop.Client("http://localhost", lambda: Scripted(data)) as client:
        with client.stream(openai.chat(model="m", messages=[])) as stream:
            chunk = iter(stream)
            next(chunk)

            def read() -> None:
                for _ in range(chunks):
                    next(chunk)

            return calls(read)


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def async_calls(data: bytes, chunks: int) -> int:
    async def main() -> int:
        async with async_loop.Client("http://localhost", lambda: AsyncScripted(data)) as client:
            async with client.stream(openai.chat(model="m", messages=[])) as stream:
                await anext(stream)

                async def read() -> None:
                    for _ in range(chunks):
                        await anext(stream)

                return calls(partial(finish, read()))

    return asyncio.run(main())


def test_calls_for_a_wake_up() -> None:
    assert sync_calls(CHUNK, TURNS) <= 25 * TURNS
    assert async_calls(CHUNK, TURNS) <= 25 * TURNS


def test_calls_for_a_chunk_that_is_ready() -> None:
    assert sync_calls(CHUNK * TOGETHER, TURNS * TOGETHER) <= 29 * TURNS
    assert async_calls(CHUNK * TOGETHER, TURNS * TOGETHER) <= 29 * TURNS + TURNS * TOGETHER


@pytest.mark.parametrize("others", [0, 1000])
def test_calls_for_a_stream_however_many_are_open(others: int) -> None:
    request = openai.chat(model="m", messages=[])
    with sync_loop.Client("http://localhost", lambda: Scripted(CHUNK)) as client:

        def first_chunk(stream: sync_loop.Stream[openai.ChatCompletionChunk]) -> None:
            next(stream)
            streams.append(stream)

        streams: list[sync_loop.Stream[openai.ChatCompletionChunk]] = []
        for _ in range(1 + others):  # the first of all fills caches
            first_chunk(client.stream(request))
        streams.pop(0).close()
        assert calls(lambda: first_chunk(client.stream(request))) <= 550
        assert calls(streams[-1].close) <= 135


def test_what_a_stream_takes() -> None:
    request = openai.chat(model="m", messages=[])
    with sync_loop.Client("http://localhost", lambda: Scripted(CHUNK)) as client:

        def stream() -> sync_loop.Stream[openai.ChatCompletionChunk]:
            stream = client.stream(request)
            next(stream)
            return stream

        first = stream()
        before = tracked_objects()
        with measured_memory() as memory:
            streams = [stream() for _ in range(TURNS)]
        assert (tracked_objects() - before) / len(streams) <= 28
        assert memory.kept / len(streams) <= 5_400
        first.close()


def test_what_a_stream_on_an_event_loop_takes() -> None:
    request = openai.chat(model="m", messages=[])

    async def main() -> None:
        async with async_loop.Client("http://localhost", lambda: AsyncScripted(CHUNK)) as client:

            async def stream() -> async_loop.Stream[openai.ChatCompletionChunk]:
                stream = client.stream(request)
                await anext(stream)
                return stream

            first = await stream()
            before = tracked_objects()
            with measured_memory() as memory:
                streams = [await stream() for _ in range(TURNS)]
            assert (tracked_objects() - before) / len(streams) <= 28
            assert memory.kept / len(streams) <= 5_000
            await first.aclose()

    asyncio.run(main())


def test_calls_for_what_threads_receive() -> None:
    transport = threads.Transport()
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport.open("127.0.0.1", server.getsockname()[1], None)
        with server.accept()[0] as peer:
            peer.sendall(EVENT)
            transport.receive(transport.now() + GENEROUS)  # sets the timeout, for the next ones too
            peer.sendall(EVENT)
            now = transport.now
            assert calls(lambda: transport.receive(now() + GENEROUS)) <= 2
        transport.close()


def test_calls_for_what_anyio_receives() -> None:
    async def main() -> None:
        transport = anyio_transports.Transport()
        with socket.create_server(("127.0.0.1", 0)) as server:
            await transport.open("127.0.0.1", server.getsockname()[1], None)

            async def receive() -> None:
                assert await transport.receive(None) == b""

            async with anyio.create_task_group() as group:
                group.start_soon(receive)
                await anyio.wait_all_tasks_blocked()
                server.accept()[0].close()  # what is there from now on, however often one asks
            assert calls(partial(finish, receive())) <= 5
            transport.close()

    anyio.run(main, backend="trio")


def test_calls_for_what_asyncio_receives() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        connection = await Connection.over(ours)
        deadline = asyncio.get_running_loop().time() + GENEROUS

        def receive() -> None:
            connection.receive(deadline)

        def arrive() -> None:
            connection.data_received(EVENT)

        receive()  # sets a timer, for the next ones too
        arrive()
        arrive()
        assert calls(receive) <= 3, "what is there"
        assert calls(receive) <= 3, "what is not"
        assert calls(arrive) <= 1
        connection.close()
        theirs.close()

    asyncio.run(main())


def test_what_a_wait_on_asyncio_takes() -> None:
    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(TURNS)]
        connections = [await Connection.over(ours) for ours, _ in pairs]
        before = tracked_objects()
        waits = [connection.receive(None) for connection in connections]
        assert tracked_objects() - before <= len(waits) + 1, "a future for each"
        pairs[0][1].send(EVENT)
        assert await waits[0] == EVENT
        for (_, theirs), connection in zip(pairs, connections, strict=True):
            theirs.close()
            connection.close()

    asyncio.run(main())


def test_a_wait_on_trio_keeps_nothing_of_the_error_that_led_to_it() -> None:
    async def main() -> None:
        transport = anyio_transports.Transport()
        with socket.create_server(("127.0.0.1", 0)) as server:
            await transport.open("127.0.0.1", server.getsockname()[1], None)

            async def receive() -> None:
                await transport.receive(None)

            async with anyio.create_task_group() as group:
                group.start_soon(receive)
                await anyio.wait_all_tasks_blocked()
                assert not any(isinstance(each, BlockingIOError) for each in gc.get_objects())
                group.cancel_scope.cancel()
            transport.close()

    anyio.run(main, backend="trio")


FIRST = """
import sys

before = set(sys.modules)

from sse_adapters.threads import Client
from sse_core import Proxies
from sse_core.dialects import groq

with Client(sys.argv[1], proxies=Proxies()) as client:
    for text in client.stream(groq.chat(model="m", messages=[])).text():
        print(*(set(sys.modules) - before))
        break
"""
COSTLY = {
    *(
        "anyio",
        "asyncio",
        "base64",
        "calendar",
        "email",
        "encodings.idna",
        "http",
        "logging",
        "random",
        "ssl",
    ),
    *(
        "sse_core.http.codings",
        "sse_core.http.dates",
        "sse_core.http.decompressors",
        "sse_core.events.encoder",
    ),
    *(
        "sse_core.reading.partial_json",
        "sse_core.http.rate_limits",
        "sse_core.events.strict",
        "sse_core.session.transcripts",
    ),
    *(f"sse_core.dialects.{name}" for name in ("anthropic", "cohere", "events", "gemini", "interactions")),
    *(f"sse_core.dialects.{name}" for name in ("completions", "json", "mcp", "responses")),
}
"""Each takes from half a millisecond to ten, in a process that may live for one answer only."""


def test_what_a_first_token_over_http_imports() -> None:
    token = event('{"choices":[{"delta":{"content":"a token"}}]}')
    with listening(says(head("200 OK", CHUNKED), *chunked(token))) as server:
        command = [sys.executable, "-c", FIRST, f"http://127.0.0.1:{server.port}"]
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GENEROUS)
    there = set(run.stdout.split())
    assert there >= {"sse_adapters.threads", "sse_core.dialects.groq", "h11", "msgspec"}
    assert there & COSTLY == set()
