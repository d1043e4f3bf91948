"""Streams that end early: however that happens, the server notices at once, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import sse_adapters.anyio
import sse_adapters.portal
from sse_adapters import async_loop
from sse_adapters.testing.leaving import Waits
from sse_core import Deadlines, PoolLimits, Request, StreamClosed, Verdict
from sse_core.dialects import events
from support.names import Names
from support.runners import (
    BLOCKING,
    EVENT_LOOPS,
    EVENTS,
    EventLoop,
    NetworkRunner,
    Threads,
    on_every_network,
    outcome,
)
from support.servers import (
    CHUNKED,
    GENEROUS,
    LAST_CHUNK,
    End,
    Peer,
    Server,
    chunked,
    event,
    eventually,
    head,
    listening,
    never_accepting,
    says,
    settle,
)
from support.tls import Authority

START = head(version="1.0") + event("one")
STREAM = [event("one"), event("two")]
IDLE = says(START, end=End.SILENCE)
"""One event, and then nothing."""


def endless(peer: Peer) -> None:
    """More events than anyone can read."""
    peer.read_request()
    peer.send(START)
    peer.flood(event("x" * 1000))


either_server = pytest.mark.parametrize("script", [IDLE, endless], ids=["idle", "endless"])


def of_runtime(network: NetworkRunner, sync: Callable[..., Any], asynchronous: Callable[..., Any]) -> Any:
    return sync if isinstance(network, Threads) else asynchronous


# Leaving of one's own accord.


@either_server
def test_leaving_the_block_closes_the_connection(network: NetworkRunner, script: Any) -> None:
    with listening(script) as server:
        remote = network.stream(server.url)
        remote.enter()
        assert remote.next().data == "one"
        assert remote.verdict is None
        remote.leave()
        assert remote.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()


def until_nothing_fits(peer: Peer) -> None:
    """As many events as there is room for, while nobody reads."""
    peer.read_request()
    peer.send(START)
    peer.socket.settimeout(0.1)
    with suppress(TimeoutError):
        peer.flood(event("x" * 1000))
    peer.socket.settimeout(None)
    peer.reach("full")
    peer.flood(event("x" * 1000))


def break_and_drop(client: Any, server: Server, cue: str | None) -> bool:
    stream = client.stream(EVENTS)
    for _ in stream:
        break
    if cue:
        server.peer().wait_for(cue)
    del stream
    return server.peer().notices_the_end()


async def break_and_drop_async(client: Any, server: Server, cue: str | None) -> bool:
    stream = client.stream(EVENTS)
    async for _ in stream:
        break
    if cue:
        server.peer().wait_for(cue)
    del stream
    return server.peer().notices_the_end()  # which blocks the loop: it takes no help from there


@pytest.mark.parametrize(
    ("script", "cue"),
    [(IDLE, None), (endless, None), (until_nothing_fits, "full")],
    ids=["idle", "endless", "full"],
)
def test_dropping_a_stream_closes_the_connection_without_the_garbage_collector(
    network: NetworkRunner, script: Any, cue: str | None
) -> None:
    gc.disable()
    try:
        with listening(script) as server:
            drop = of_runtime(network, break_and_drop, break_and_drop_async)
            assert network.call(drop, network.client(server.url), server, cue)
    finally:
        gc.enable()


def fail_inside(stream: Any) -> None:
    with stream:
        raise LookupError("the user's own")


async def fail_inside_async(stream: Any) -> None:
    async with stream:
        raise LookupError("the user's own")


@either_server
def test_an_exception_in_the_block_closes_the_connection(network: NetworkRunner, script: Any) -> None:
    with listening(script) as server:
        remote = network.stream(server.url)
        fail = of_runtime(network, fail_inside, fail_inside_async)
        with pytest.raises(LookupError, match="the user's own"):
            network.call(fail, remote.stream)
        assert remote.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()


def leave_client(client: Any) -> Any:
    with client:
        stream = client.stream(EVENTS)
        next(stream)
    return stream


async def leave_client_async(client: Any) -> Any:
    async with client:
        stream = client.stream(EVENTS)
        await anext(stream)
    return stream


def test_leaving_the_clients_block_closes_its_streams(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        leave = of_runtime(network, leave_client, leave_client_async)
        stream = network.call(leave, network.client(server.url))
        assert stream.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()


def test_closing_the_client_closes_every_stream_that_is_open(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        client = network.client(server.url)
        streams = [client.stream(EVENTS) for _ in range(3)]
        for stream in streams[:2]:
            network.call(network.next, stream)
        network.call(client.close)
        assert [stream.verdict for stream in streams] == [Verdict.CANCELLED] * 3
        assert [server.peer(number).notices_the_end() for number in range(2)] == [True] * 2
        assert len(server.peers) == 2


def test_a_closed_client_makes_no_more_streams(network: NetworkRunner) -> None:
    client = network.client("http://localhost/")
    network.call(client.close)
    with pytest.raises(RuntimeError, match="the client is closed"):
        client.stream(EVENTS)


def test_closing_twice_is_harmless(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        remote = network.stream(server.url)
        remote.next()
        for close in (remote.close, remote.close, remote.leave, lambda: network.call(remote.stream.close)):
            close()
            assert remote.verdict is Verdict.CANCELLED
        assert server.peer().notices_the_end()


def test_a_closed_stream_can_not_be_read(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        remote = network.stream(server.url)
        remote.next()
        remote.close()
        for _ in range(2):
            with pytest.raises(StreamClosed, match="before its end"):
                remote.next()
        remote.enter()  # as it was: the head of the response is there
        assert remote.verdict is Verdict.CANCELLED


def test_a_stream_closed_before_it_was_entered_never_connects(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        remote = network.stream(server.url)
        remote.close()
        assert remote.verdict is Verdict.CANCELLED
        with pytest.raises(StreamClosed, match="before its end"):
            remote.enter()
        with pytest.raises(StreamClosed, match="before its end"):
            remote.next()
        assert not server.peers


def test_closing_after_the_end_changes_nothing(network: NetworkRunner) -> None:
    with listening(says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK)) as server:
        remote = network.stream(server.url)
        assert [remote.next().data, remote.next().data, remote.next()] == ["one", "two", None]
        remote.close()
        assert remote.next() is None
        assert remote.verdict is Verdict.FINISHED


def test_a_stream_that_is_never_entered_leaves_nothing(network: NetworkRunner) -> None:
    with listening(IDLE) as server:
        network.stream(server.url)
        assert not server.peers


def test_a_client_and_a_stream_show_where_they_go_and_no_header(network: NetworkRunner) -> None:
    client = network.client("https://example.test:8443/v1", headers={"Authorization": "Bearer secret"})
    assert repr(client) == f"<{network.module.__name__}.Client of https://example.test:8443>"
    stream = client.stream(EVENTS)
    assert repr(stream) == f"<{type(stream).__module__}.Stream of https://example.test:8443: IDLE>"
    network.call(network.close, stream)
    assert repr(stream).endswith(": STOPPED>")


# While somebody waits for it.


@dataclass
class Stage:
    """A stream that waits for something in particular, once it is entered and read."""

    url: str = ""
    request: Request[Any] = EVENTS
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    server: Server | None = None
    cue: str = ""
    """What the server's script reaches when the client waits, or is about to."""

    def wait_until_reached(self) -> None:
        if self.server and self.cue:
            self.server.peer().wait_for(self.cue)
        settle()

    def server_notices_the_end(self) -> bool:
        if self.server is None:
            return True
        self.server.peer().reach("closed")
        return self.server.peer().notices_the_end()


@contextmanager
def connecting(_: Authority) -> Generator[Stage]:
    with never_accepting() as port:
        yield Stage(f"http://127.0.0.1:{port}")


@contextmanager
def securing(authority: Authority) -> Generator[Stage]:
    def accept(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.reach("accepted")
        peer.wait_until_gone()

    with listening(accept) as server:
        url = server.url.replace("http:", "https:")
        yield Stage(url, options={"ssl_context": authority.client}, server=server, cue="accepted")


@contextmanager
def sending(_: Authority) -> Generator[Stage]:
    def read_a_little(peer: Peer) -> None:
        peer.socket.recv(1024)
        peer.reach("asked")
        peer.wait_for("closed")
        peer.wait_until_gone()

    with listening(read_a_little) as server:
        request = events.request(method="POST", body=bytes(16 * 2**20))
        yield Stage(server.url, request, server=server, cue="asked")


def hesitate(peer: Peer) -> None:
    peer.read_request()
    peer.reach("asked")
    peer.wait_until_gone()


@contextmanager
def awaiting(_: Authority) -> Generator[Stage]:
    with listening(hesitate) as server:
        yield Stage(server.url, server=server, cue="asked")


@contextmanager
def rejecting(_: Authority) -> Generator[Stage]:
    def hesitate_with_the_body(peer: Peer) -> None:
        peer.read_request()
        peer.send(head("500 Oops", "Content-Length: 100"))
        peer.reach("said")
        peer.wait_until_gone()

    with listening(hesitate_with_the_body) as server:
        yield Stage(server.url, server=server, cue="said")


def pause(peer: Peer) -> None:
    peer.read_request()
    peer.send(head(version="1.0"))
    peer.reach("said")
    peer.wait_until_gone()


@contextmanager
def streaming(_: Authority) -> Generator[Stage]:
    with listening(pause) as server:
        yield Stage(server.url, server=server, cue="said")


@contextmanager
def streaming_securely(authority: Authority) -> Generator[Stage]:
    with listening(pause, tls=authority.server) as server:
        yield Stage(server.url, options={"ssl_context": authority.client}, server=server, cue="said")


STAGES = [connecting, securing, sending, awaiting, rejecting, streaming, streaming_securely]


@pytest.fixture(params=STAGES, ids=[stage.__name__ for stage in STAGES])
def stage(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Stage]:
    with request.param(authority) as stage:
        yield stage


@on_every_network
def test_closing_wakes_whoever_waits(network: NetworkRunner, stage: Stage) -> None:
    remote = network.stream(stage.url, stage.request, **stage.options)
    waiting = remote.start_next()
    stage.wait_until_reached()
    assert not waiting.done()
    remote.close()
    with pytest.raises(StreamClosed):
        outcome(waiting)
    assert remote.verdict is Verdict.CANCELLED
    assert stage.server_notices_the_end()


def test_closing_the_client_wakes_whoever_waits(network: NetworkRunner) -> None:
    with listening(hesitate) as server:
        client = network.client(server.url)
        waiting = network.start(network.enter, client.stream(EVENTS))
        server.peer().wait_for("asked")
        network.call(client.close)
        with pytest.raises(StreamClosed):
            outcome(waiting)
        assert server.peer().notices_the_end()


def test_closing_ends_a_stream_that_is_read_at_full_speed(network: NetworkRunner) -> None:
    with listening(endless) as server:
        read = of_runtime(network, read_for_ever, read_for_ever_async)
        for number in range(5):
            remote = network.stream(server.url)
            reading = network.start(read, remote.stream)
            peer = server.peer(number)
            eventually(partial(peer.has_sent, 1000))
            remote.close()
            with pytest.raises(StreamClosed):
                outcome(reading)
            assert peer.notices_the_end()


def read_for_ever(stream: Any) -> None:
    for _ in stream:
        pass


async def read_for_ever_async(stream: Any) -> None:
    async for _ in stream:
        pass


def test_closing_wakes_whoever_looks_up_a_name(network: NetworkRunner, names: Names) -> None:
    names.answer.clear()
    remote = network.stream("http://somewhere.test")
    waiting = remote.start_entering()
    assert names.asked.wait(GENEROUS)
    remote.close()
    names.answer.set()  # threads cannot be woken from this before
    with pytest.raises(StreamClosed):
        outcome(waiting)
    assert remote.verdict is Verdict.CANCELLED


def test_no_other_address_is_tried_once_the_stream_is_closed(network: NetworkRunner, names: Names) -> None:
    with never_accepting() as port, listening(IDLE) as server:
        names.ports += [port, port, server.port]
        remote = network.stream("http://somewhere.test", deadlines=Deadlines(connect=3 * GENEROUS))
        waiting = remote.start_entering()
        assert names.asked.wait(GENEROUS)
        settle()
        remote.close()
        with pytest.raises(StreamClosed):
            outcome(waiting)
        assert all(peer.notices_the_end() for peer in server.peers)


def test_a_stream_has_one_reader_at_a_time(network: NetworkRunner) -> None:
    with listening(hesitate) as server:
        remote = network.stream(server.url)
        waiting = remote.start_entering()
        server.peer().wait_for("asked")
        for read in (remote.next, remote.enter):
            with pytest.raises(RuntimeError, match="being read by another"):
                read()
        assert not waiting.done()
        remote.close()
        with pytest.raises(StreamClosed):
            outcome(waiting)


# Interrupted from the keyboard.


@contextmanager
def interrupt_after(seconds: float) -> Generator[None]:
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals do not reach a blocked thread here")
@pytest.mark.parametrize("network", BLOCKING, indirect=True)
def test_a_keyboard_interrupt_closes_the_connection(network: NetworkRunner, stage: Stage) -> None:
    stream = network.client(stage.url, **stage.options).stream(stage.request)
    with interrupt_after(0.15), pytest.raises(KeyboardInterrupt):
        next(stream)
    assert stream.verdict is Verdict.CANCELLED
    assert stage.server_notices_the_end()
    with pytest.raises(StreamClosed):
        next(stream)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals do not reach a blocked thread here")
def test_a_verb_that_is_interrupted_has_ended_before_anyone_may_close() -> None:
    ended = threading.Event()

    class Inner(sse_adapters.anyio.Transport):
        async def sleep(self, deadline: float) -> None:
            try:
                await super().sleep(deadline)
            finally:
                ended.set()

    loop = sse_adapters.portal.EventLoop("asyncio")
    transport = sse_adapters.portal.Transport(loop, Inner())
    try:
        with interrupt_after(0.15), pytest.raises(KeyboardInterrupt):
            transport.sleep(transport.now() + GENEROUS)
        assert ended.is_set()
    finally:
        loop.stop()


# Cancelled by the event loop.


async def wait_until_reached(stage: Stage) -> None:
    await anyio.to_thread.run_sync(stage.wait_until_reached)


def test_leaving_a_cancel_scope_closes_the_connection(event_loop: EventLoop, stage: Stage) -> None:
    async def main() -> None:
        stream = event_loop.client(stage.url, **stage.options).stream(stage.request)
        async with anyio.create_task_group() as group:
            group.start_soon(anext, stream)
            await wait_until_reached(stage)
            assert stream.verdict is None
            group.cancel_scope.cancel()
        assert stream.verdict is Verdict.CANCELLED
        assert stage.server_notices_the_end()
        with pytest.raises(StreamClosed):
            await anext(stream)

    anyio.run(main, **event_loop.backend)


def test_time_that_is_up_closes_the_connection(event_loop: EventLoop, stage: Stage) -> None:
    async def main() -> None:
        stream = event_loop.client(stage.url, **stage.options).stream(stage.request)
        with anyio.move_on_after(0.1) as scope:
            async with stream:
                async for _ in stream:
                    pytest.fail("nothing comes")
        assert scope.cancelled_caught
        assert stream.verdict is Verdict.CANCELLED
        assert stage.server_notices_the_end()

    anyio.run(main, **event_loop.backend)


@pytest.mark.parametrize("event_loop", [loop for loop in EVENT_LOOPS if loop.id != "trio"])
def test_cancelling_an_asyncio_task_closes_the_connection(event_loop: EventLoop, stage: Stage) -> None:
    async def main() -> None:
        stream = event_loop.client(stage.url, **stage.options).stream(stage.request)
        task = asyncio.ensure_future(anext(stream))
        await wait_until_reached(stage)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stream.verdict is Verdict.CANCELLED
        assert stage.server_notices_the_end()

    anyio.run(main, **event_loop.backend)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not listed here")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cancelling_at_any_wait_leaves_nothing_behind(
    event_loop: EventLoop, scheme: str, authority: Authority
) -> None:
    options: dict[str, Any] = {"ssl_context": authority.client} if scheme == "https" else {}
    script = says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK, end=End.SILENCE)
    tls = authority.server_for("localhost") if scheme == "https" else None

    async def main(server: Server) -> int:
        client = event_loop.client(server.url_of("localhost"), pool=PoolLimits(max_idle=0), **options)
        assert len([chunk async for chunk in client.stream(EVENTS)]) == 2  # and keep files open that stay so
        with anyio.fail_after(GENEROUS):
            while not all(peer.closed for peer in server.peers):
                await anyio.sleep(0.001)
        before = open_files()
        number, interrupted = 0, True
        while interrupted:
            number += 1
            stream = client.stream(EVENTS)
            waits, scope = Waits(number), anyio.CancelScope()
            waits.cancel = scope.cancel
            with scope:
                await waits.during(read_for_ever_async(stream))
            interrupted = scope.cancelled_caught
            assert stream.verdict is (Verdict.CANCELLED if interrupted else Verdict.FINISHED)
        with anyio.fail_after(GENEROUS):
            while open_files() > before or not all(peer.closed for peer in server.peers):
                await anyio.sleep(0.001)
        return number

    with listening(script, tls=tls) as server:
        # The name, the connection, and at least once the response.
        assert anyio.run(main, server, **event_loop.backend) > 3


# What an event loop has to bear with.


def test_a_stream_that_need_not_be_waited_for_lets_other_tasks_run(
    event_loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse_adapters.anyio, "RECEIVE_SIZE", 100)

    def say_all_at_once(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(version="1.0") + event("x" * 92) * 400)
        peer.reach("said")

    async def main(server: Server) -> None:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                await anyio.lowlevel.checkpoint()
                turns += 1

        client = async_loop.Client(server.url, sse_adapters.anyio.Transport)
        async with client.stream(EVENTS) as stream:
            server.peer().wait_for("said")
            async with anyio.create_task_group() as group:
                group.start_soon(take_turns)
                assert len([chunk async for chunk in stream]) == 400
                group.cancel_scope.cancel()
        assert turns > 100, "hardly anyone else had a turn"

    with listening(say_all_at_once) as server:
        anyio.run(main, server, **event_loop.backend)


@pytest.mark.filterwarnings("ignore:unclosed (transport|resource):ResourceWarning")  # as asyncio sees it
@pytest.mark.parametrize("end", ["drop", "close the stream", "close the client"])
def test_a_stream_may_outlive_its_event_loop(event_loop: EventLoop, end: str) -> None:
    with listening(IDLE) as server:
        client = event_loop.client(server.url)

        kept: list[Any] = []

        async def main() -> None:
            kept.append(client.stream(EVENTS))
            assert (await anext(kept[0])).data == "one"

        anyio.run(main, **event_loop.backend)
        stream = kept.pop()
        match end:
            case "close the stream":
                stream.close()
            case "close the client":
                client.close()
            case _:
                pass
        del stream
        assert server.peer().notices_the_end()
    gc.collect()  # what asyncio has to say of it, it says here


def test_several_streams_are_read_side_by_side(event_loop: EventLoop) -> None:
    script = says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK)
    data: list[str] = []

    async def main(server: Server) -> None:
        client = event_loop.client(server.url)

        async def read() -> None:
            async with client.stream(EVENTS) as stream:
                data.extend([chunk.data async for chunk in stream])

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(read)

    with listening(script) as server:
        anyio.run(main, server, **event_loop.backend)
    assert sorted(data) == ["one"] * 10 + ["two"] * 10


def test_a_client_may_be_used_from_several_threads() -> None:
    script = says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK)
    with listening(script) as server, ExitStack() as stack:
        threads = stack.enter_context(Threads().running())
        client = stack.enter_context(threads.client(server.url))
        read = [threads.start(lambda: [c.data for c in client.stream(EVENTS)]) for _ in range(10)]
        assert [outcome(future) for future in read] == [["one", "two"]] * 10
