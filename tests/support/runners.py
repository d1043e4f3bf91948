"""Every way to run a client, under one control, so that a test is written once.

A `Runner` reads what a script says. Those that are a `NetworkRunner` do so over real
connections, and also let a test take a stream step by step: each step blocks the test's
thread, or goes on beside it as a future, while the stream itself lives where its runtime
wants it: on a thread, or in a task of an event loop in the background.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters import async_loop, sync_loop
from sse_core import Message, Request, Response, StreamError, Verdict
from sse_core.dialects import events
from support.servers import GENEROUS, End, Script, listening

T = TypeVar("T")
EVENTS = events.request("/stream")


@dataclass(frozen=True)
class Result:
    """What came of reading a stream to its end."""

    chunks: list[Any]
    verdict: Verdict | None
    error: StreamError | None
    response: Response | None
    request: bytes = b""
    """What the server got, as far as it is known."""
    message: Message | None = None

    @property
    def data(self) -> list[str]:
        return [chunk.data for chunk in self.chunks]


def read(stream: sync_loop.Stream[Any]) -> Result:
    chunks: list[Any] = []
    error = None
    try:
        with stream:
            for chunk in stream:
                chunks.append(chunk)  # noqa: PERF402 - those before an error count
    except StreamError as exc:
        error = exc
    return Result(chunks, stream.verdict, error, stream.response, message=stream.message)


async def read_async(stream: async_loop.Stream[Any]) -> Result:
    chunks: list[Any] = []
    error = None
    try:
        async with stream:
            async for chunk in stream:
                chunks.append(chunk)  # noqa: PERF401 - those before an error count
    except StreamError as exc:
        error = exc
    return Result(chunks, stream.verdict, error, stream.response, message=stream.message)


class Runner(ABC):
    """One way to run a client."""

    name: str

    @abstractmethod
    def read(self, script: Script, request: Request[Any] = EVENTS, **options: Any) -> Result:
        """Read what a server says that plays this script."""


# Over a network.


class Remote:
    """A stream that is taken step by step. `next` gives None at the end."""

    def __init__(self, runner: NetworkRunner, stream: Any) -> None:
        self.stream = stream
        self._runner = runner

    @property
    def verdict(self) -> Verdict | None:
        verdict: Verdict | None = self.stream.verdict
        return verdict

    def enter(self) -> None:
        self._runner.call(self._runner.enter, self.stream)

    def next(self) -> Any:
        return self._runner.call(self._runner.next, self.stream)

    def leave(self) -> None:
        self._runner.call(self._runner.leave, self.stream)

    def close(self) -> None:
        self._runner.call(self._runner.close, self.stream)

    def start_entering(self) -> Future[None]:
        return self._runner.start(self._runner.enter, self.stream)

    def start_next(self) -> Future[Any]:
        return self._runner.start(self._runner.next, self.stream)


class NetworkRunner(Runner):
    """The verbs that a `Remote` needs, plain functions or coroutine functions alike."""

    module: ModuleType
    """The client's."""
    enter: Callable[[Any], Any]
    next: Callable[[Any], Any]
    leave: Callable[[Any], Any]
    close: Callable[[Any], Any]
    read_whole: Callable[[Any], Any]

    @abstractmethod
    def client(self, url: str, **options: Any) -> Any:
        """A client of this runtime's."""

    @abstractmethod
    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function of this runtime's to its end."""

    @abstractmethod
    def start(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run a function of this runtime's beside the test, in a thread or a task."""

    @abstractmethod
    def running(self) -> Any:
        """The context in which this runner may be used."""

    def stream(self, url: str, request: Request[Any] = EVENTS, **options: Any) -> Remote:
        return Remote(self, self.client(url, **options).stream(request))

    def read_url(self, url: str, request: Request[Any] = EVENTS, **options: Any) -> Result:
        client = self.client(url, **options)
        try:
            result: Result = self.call(self.read_whole, client.stream(request))
        finally:
            self.call(client.close)
        return result

    def read(
        self,
        script: Script,
        request: Request[Any] = EVENTS,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> Result:
        with listening(script, tls=tls) as server:
            result = self.read_url(server.url, request, **options)
            return Result(
                result.chunks, result.verdict, result.error, result.response, bytes(server.peer().received)
            )


class Threads(NetworkRunner):
    """`sse_adapters.threads`; what is started beside the test has a thread of its own."""

    name = "threads"
    module = sse_adapters.threads
    read_whole = staticmethod(read)

    @staticmethod
    def enter(stream: sync_loop.Stream[Any]) -> None:
        stream.__enter__()

    @staticmethod
    def next(stream: sync_loop.Stream[Any]) -> Any:
        return next(stream, None)

    @staticmethod
    def leave(stream: sync_loop.Stream[Any]) -> None:
        stream.__exit__(None, None, None)

    @staticmethod
    def close(stream: sync_loop.Stream[Any]) -> None:
        stream.close()

    def client(self, url: str, **options: Any) -> Any:
        return self.module.Client(url, **options)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    def start(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    @contextmanager
    def running(self) -> Generator[Threads]:
        with ThreadPoolExecutor() as self._pool:
            yield self


class Portal(Threads):
    """`sse_adapters.portal`, whose threads wait for an event loop that it runs itself."""

    module = sse_adapters.portal

    def __init__(self, name: str, backend: str, **backend_options: Any) -> None:
        self.name = name
        self._options: dict[str, Any] = {"backend": backend, "backend_options": backend_options}

    def client(self, url: str, **options: Any) -> Any:
        return self._clients.enter_context(super().client(url, **self._options, **options))

    @contextmanager
    def running(self) -> Generator[Portal]:
        # Every client is closed, since that ends its thread.
        with super().running(), ExitStack() as self._clients:
            yield self


class EventLoop(NetworkRunner):
    """A module for asynchronous programs on one of anyio's event loops, which runs in a background thread."""

    read_whole = staticmethod(read_async)

    def __init__(
        self, name: str, backend: str, module: ModuleType = sse_adapters.anyio, **backend_options: Any
    ) -> None:
        self.name = name
        self.module = module
        self.backend: dict[str, Any] = {"backend": backend, "backend_options": backend_options}
        self._portal: BlockingPortal

    @staticmethod
    async def enter(stream: async_loop.Stream[Any]) -> None:
        await stream.__aenter__()

    @staticmethod
    async def next(stream: async_loop.Stream[Any]) -> Any:
        return await anext(stream, None)

    @staticmethod
    async def leave(stream: async_loop.Stream[Any]) -> None:
        await stream.__aexit__(None, None, None)

    @staticmethod
    async def close(stream: async_loop.Stream[Any]) -> None:
        await stream.aclose()

    def client(self, url: str, **options: Any) -> Any:
        return self.module.Client(url, **options)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return self._portal.call(function, *args)

    def start(self, function: Callable[..., Awaitable[T]], *args: Any) -> Future[T]:
        return self._portal.start_task_soon(function, *args)

    @contextmanager
    def running(self) -> Generator[EventLoop]:
        with start_blocking_portal(**self.backend) as self._portal:
            yield self


# In memory.


class Memory:
    """The parts of a transport that replays a script, on a clock that silence moves to the deadline."""

    def __init__(self, script: Script) -> None:
        self.sent: bytes = b""
        self.log: list[str] = []
        self._script = script
        self._pieces = iter(script.pieces)
        self._time = 0.0

    def now(self) -> float:
        return self._time

    def abort(self) -> None:
        self.log.append("abort")

    def close(self) -> None:
        self.log.append("close")

    def do(self, verb: str) -> None:
        self.log.append(verb)

    def take(self, deadline: float | None) -> bytes:
        for piece in self._pieces:
            return piece
        match self._script.end:
            case End.CLOSE:
                return b""
            case End.RESET:
                raise ConnectionResetError("reset by peer")
            case End.SILENCE:
                assert deadline is not None, "this would take forever"
                self._time = deadline
                raise TimeoutError("timed out")


class SyncMemory(Memory):
    """A `sync_loop.Transport`."""

    def open(self, host: str, port: int, deadline: float | None) -> None:
        self.do(f"open {host} {port}")

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        self.do(f"start_tls {server_name}")

    def send(self, data: bytes, deadline: float | None) -> int:
        self.sent += data
        return len(data)

    def receive(self, deadline: float | None) -> bytes:
        return self.take(deadline)

    def sleep(self, deadline: float) -> None:
        self._time = max(self._time, deadline)


class AsyncMemory(Memory):
    """An `async_loop.Transport`, which needs no event loop since it never waits."""

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        self.do(f"open {host} {port}")

    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        self.do(f"start_tls {server_name}")

    async def send(self, data: bytes, deadline: float | None) -> int:
        self.sent += data
        return len(data)

    async def receive(self, deadline: float | None) -> bytes:
        return self.take(deadline)

    async def sleep(self, deadline: float) -> None:
        self._time = max(self._time, deadline)

    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        return lambda: None  # that moment never comes


def run_without_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("it waits for something")


@dataclass
class SyncInMemory(Runner):
    """`sync_loop` with a transport that a user has written."""

    name: str = "memory"

    def read(self, script: Script, request: Request[Any] = EVENTS, **options: Any) -> Result:
        transport = SyncMemory(script)
        with sync_loop.Client("http://memory", lambda: transport, **options) as client:
            result = read(client.stream(request))
        return finished(result, transport)


@dataclass
class AsyncInMemory(Runner):
    """`async_loop` with a transport that a user has written, on no event loop at all."""

    name: str = "async memory"

    def read(self, script: Script, request: Request[Any] = EVENTS, **options: Any) -> Result:
        transport = AsyncMemory(script)
        client = async_loop.Client("http://memory", lambda: transport, **options)
        result = run_without_loop(read_async(client.stream(request)))
        client.close()
        return finished(result, transport)


def finished(result: Result, transport: Memory) -> Result:
    assert transport.log[0] == "open memory 80"
    assert transport.log[-1] == "close"
    return Result(result.chunks, result.verdict, result.error, result.response, transport.sent)


needs_uvloop = pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
NATIVE = sse_adapters.asyncio
EVENT_LOOPS: list[Any] = [
    pytest.param(EventLoop("asyncio", "asyncio"), id="asyncio"),
    pytest.param(EventLoop("uvloop", "asyncio", use_uvloop=True), id="uvloop", marks=needs_uvloop),
    pytest.param(EventLoop("trio", "trio"), id="trio"),
]
THREADS: Any = pytest.param(Threads(), id="threads")
BLOCKING: list[Any] = [THREADS, pytest.param(Portal("portal", "asyncio"), id="portal")]
NETWORK_RUNNERS: list[Any] = [*BLOCKING, *EVENT_LOOPS]
REARRANGED: list[Any] = [
    pytest.param(Portal("portal to trio", "trio"), id="portal-trio"),
    pytest.param(EventLoop("native asyncio", "asyncio", NATIVE), id="native-asyncio"),
    pytest.param(
        EventLoop("native uvloop", "asyncio", NATIVE, use_uvloop=True), id="native-uvloop", marks=needs_uvloop
    ),
]
"""Clients made of the same parts: on asyncio, those above have the connections of `sse_adapters.asyncio`.

One test of each kind is for them too, and so is the contract of transports.
"""
MEMORY_RUNNERS: list[Any] = [
    pytest.param(SyncInMemory(), id="memory"),
    pytest.param(AsyncInMemory(), id="async-memory"),
]


on_both_kinds = pytest.mark.parametrize("network", [BLOCKING[0], EVENT_LOOPS[0]], indirect=True)
"""A blocking client and an asynchronous one, for what transports have no part in."""
on_every_network = pytest.mark.parametrize("network", [*NETWORK_RUNNERS, *REARRANGED], indirect=True)


def outcome(future: Future[T]) -> T:
    """What came of a step that was started beside the test."""
    return future.result(GENEROUS)
