"""`close` of a stream and of a client, from a thread that is not the reader's, in each state of a stream."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any, TypeAlias

import anyio
import pytest
import trio

import sse_adapters.anyio
import sse_adapters.asyncio
from sse_adapters import async_loop
from sse_core import PoolLimits, Request, Retries, State, StreamClosed, Verdict
from sse_core.dialects import events
from support.runners import (
    EVENTS,
    NATIVE,
    AsyncMemory,
    EventLoop,
    NetworkRunner,
    Remote,
    Threads,
    on_every_network,
    outcome,
    run_without_loop,
)
from support.servers import End, Peer, Server, event, eventually, head, listening, never_accepting, says


@pytest.fixture(autouse=True)
def _no_transports_left() -> Iterator[None]:
    """Collect here what the end of an event loop left of asyncio's transports, which were closed before it.

    asyncio warns of one whose loop ended before it could say so itself, whichever test runs by then.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
START = head(version="1.0") + event("one")
IDLE = says(START, end=End.SILENCE)

debugging = pytest.mark.parametrize(
    "network",
    [
        pytest.param(EventLoop("asyncio in debug mode", "asyncio", debug=True), id="asyncio-debug"),
        pytest.param(EventLoop("native in debug mode", "asyncio", NATIVE, debug=True), id="native-debug"),
    ],
    indirect=True,
)
"""In which asyncio looks whether it is called in the right thread."""


def mute(peer: Peer) -> None:
    """Takes a connection, and does nothing with it."""
    peer.wait_until_gone()


def silent(peer: Peer) -> None:
    """Reads a request, and never answers."""
    peer.read_request()
    peer.wait_until_gone()


def unread(peer: Peer) -> None:
    """Reads nothing, and looks for the end of the connection only."""
    peer.reach("connected")
    peer.wait_for("closed")
    peer.wait_until_gone()


BUSY = says(head("503 Service Unavailable", "Content-Length: 0"))
Making: TypeAlias = Callable[[NetworkRunner, ExitStack], tuple[Any, Any, State]]


def let_end(server: Server) -> None:
    for peer in server.peers:
        peer.reach("closed")


def over(
    script: Any, state: State, request: Request[Any] = EVENTS, tls: bool = False, **options: Any
) -> Making:
    def make(network: NetworkRunner, stack: ExitStack) -> tuple[Any, Any, State]:
        server = stack.enter_context(listening(script))
        url = server.url.replace("http", "https") if tls else server.url
        client = network.client(url, **options)
        stack.callback(let_end, server)
        return client, client.stream(request), state

    return make


def connecting(network: NetworkRunner, stack: ExitStack) -> tuple[Any, Any, State]:
    port = stack.enter_context(never_accepting())
    client = network.client(f"http://127.0.0.1:{port}")
    return client, client.stream(EVENTS), State.OPENING


def queueing(network: NetworkRunner, stack: ExitStack) -> tuple[Any, Any, State]:
    server = stack.enter_context(listening(IDLE))
    client = network.client(server.url, pool=PoolLimits(max_connections=1))
    first = client.stream(EVENTS)
    network.call(network.next, first)
    stack.callback(first.close)
    return client, client.stream(EVENTS), State.ACQUIRING


def authorizing(network: NetworkRunner, stack: ExitStack) -> tuple[Any, Any, State]:
    """A function that blocks goes on to its own end; what is awaited is cancelled."""
    released = Event()
    stack.callback(released.set)

    def wait(attempt: int, refused: object) -> dict[str, str]:
        released.wait()
        return {}

    def release() -> bool:
        released.set()
        return True

    async def wait_async(attempt: int, refused: object) -> dict[str, str]:
        await anyio.sleep_forever()
        raise AssertionError

    blocking = isinstance(network, Threads)
    client = network.client("http://127.0.0.1:1", auth=wait if blocking else wait_async)
    stream = client.stream(EVENTS)
    if blocking:
        stop_soon, close = stream.stop_soon, stream.close
        stream.stop_soon = lambda: (stop_soon(), release())
        stream.close = lambda: (close(), release())
    return client, stream, State.AUTHORIZING


WAITS: dict[str, Making] = {
    "credentials": authorizing,
    "pool": queueing,
    "connection": connecting,
    "tls": over(mute, State.SECURING, tls=True),
    "sending": over(unread, State.SENDING, events.request("/", body=bytes(2**25))),
    "head": over(silent, State.AWAITING),
    "bytes": over(IDLE, State.STREAMING),
    "retry": over(BUSY, State.WAITING, retries=Retries(attempts=3, base=100.0, cap=100.0)),
}
each_wait = pytest.mark.parametrize("making", WAITS.values(), ids=WAITS)


def close_while_it_waits(network: NetworkRunner, making: Making, whole: bool) -> None:
    with ExitStack() as stack:
        client, stream, state = making(network, stack)
        remote = Remote(network, stream)
        if state is State.STREAMING:
            assert remote.next().data == "one"
        reading = remote.start_next()
        eventually(lambda: stream.state is state)
        (client if whole else stream).close()
        with pytest.raises(StreamClosed):
            outcome(reading)
        assert stream.verdict is Verdict.CANCELLED
        stream.close()
        client.close()
        assert not client._pool.books._used_in_all or making is queueing


@on_every_network
@each_wait
@pytest.mark.parametrize("whole", [False, True], ids=["stream", "client"])
def test_close_from_another_thread_ends_whatever_a_stream_waits_for(
    network: NetworkRunner, making: Making, whole: bool
) -> None:
    """B3."""
    close_while_it_waits(network, making, whole)


@debugging
@each_wait
@pytest.mark.parametrize("whole", [False, True], ids=["stream", "client"])
def test_close_from_another_thread_pleases_the_debug_mode_of_asyncio(
    network: NetworkRunner, making: Making, whole: bool
) -> None:
    """B3."""
    close_while_it_waits(network, making, whole)


@on_every_network
def test_streams_that_nobody_reads_just_now_are_closed_from_another_thread(network: NetworkRunner) -> None:
    """B3."""
    with listening(IDLE) as server:
        client = network.client(server.url)
        new, open_ = client.stream(EVENTS), client.stream(EVENTS)
        assert network.call(network.next, open_).data == "one"
        new.close()
        open_.close()
        assert new.verdict is open_.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()
        with pytest.raises(StreamClosed):
            network.call(network.next, open_)
        client.close()


async def read_one(client: Any) -> Any:
    stream = client.stream(EVENTS)
    assert (await anext(stream)).data == "one"
    return stream


LOOPS = {
    "asyncio": (sse_adapters.asyncio, asyncio.run),
    "anyio": (sse_adapters.anyio, asyncio.run),
    "trio": (sse_adapters.anyio, lambda coroutine: trio.run(lambda: coroutine)),
}


@pytest.mark.filterwarnings("ignore:unclosed transport")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("module", "run"), LOOPS.values(), ids=LOOPS)
def test_streams_of_a_loop_that_is_closed_are_closed_in_silence(module: Any, run: Any) -> None:
    """B3."""
    with listening(IDLE) as server:
        client = module.Client(server.url)
        stream = run(read_one(client))
        stream.close()
        client.close()
        assert stream.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()


@pytest.mark.filterwarnings("ignore:unclosed transport")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reader_that_its_loop_has_left_behind_is_no_obstacle() -> None:
    """B3."""
    with listening(IDLE) as server:
        client = sse_adapters.asyncio.Client(server.url)
        loop = asyncio.new_event_loop()
        stream = loop.run_until_complete(read_one(client))
        reading = loop.create_task(anext(stream))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        stream.close()
        client.close()
        assert server.peer().notices_the_end()
        reading._log_destroy_pending = False  # type: ignore[attr-defined]


def test_without_a_known_event_loop_credentials_are_awaited_all_the_same() -> None:
    async def auth(attempt: int, refused: object) -> dict[str, str]:
        return {"Authorization": "Bearer x"}

    transport = AsyncMemory(IDLE)
    client = async_loop.Client("http://memory", lambda: transport, auth=auth)
    assert run_without_loop(read_one(client)).verdict is None
    assert b"Bearer x" in transport.sent
    client.close()
