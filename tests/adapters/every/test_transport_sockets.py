"""How the transports here connect: several addresses, Unix sockets, and event loops that end."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters import sockets as _sockets
from sse_adapters.testing.peers import refusing
from sse_core import ConnectionFailed, DeadlineExceeded, Deadlines, Verdict
from support.names import Names
from support.runners import EVENTS, EventLoop, NetworkRunner, on_every_network
from support.servers import (
    CHUNKED,
    GENEROUS,
    LAST_CHUNK,
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

WHOLE = says(head("200 OK", CHUNKED), *chunked(event("one"), event("two")), LAST_CHUNK)
SHORT = 0.02
V4, V6 = socket.AF_INET, socket.AF_INET6


# Addresses in turns.


def address(family: int, name: str) -> _sockets.Address:
    return (family, socket.SOCK_STREAM, 0, "", (name, 80))


def test_the_families_take_turns_and_the_first_stays_first() -> None:
    found = [address(V6, "a"), address(V6, "b"), address(V6, "c"), address(V4, "d")]
    names = [entry[-1][0] for entry in _sockets.alternate_families("host", found)]
    assert names == ["a", "d", "b", "c"]


def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _sockets.parse_address("127.0.0.1", 80)[0][-1] == ("127.0.0.1", 80)
    assert _sockets.parse_address("::1", 80)[0][0] is V6
    assert _sockets.parse_address("localhost", 80) == ()


# Several addresses, of which not all answer.


def test_an_address_that_does_not_answer_does_not_keep_the_next_from_being_tried(
    network: NetworkRunner, names: Names
) -> None:
    with never_accepting() as port, listening(WHOLE) as server:
        names.ports += [port, server.port]
        result = network.read_url("http://somewhere.test", deadlines=Deadlines(connect=1))
    assert result.data == ["one", "two"]


def test_an_address_that_refuses_is_followed_by_the_next_at_once(
    event_loop: EventLoop, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sse_adapters.anyio, sse_adapters.asyncio):
        monkeypatch.setattr(module, "ATTEMPT_DELAY", 2 * GENEROUS)
    with refusing() as port, listening(WHOLE) as server, event_loop.running():
        names.ports += [port, port, server.port]
        result = event_loop.read_url("http://somewhere.test", deadlines=Deadlines(connect=GENEROUS))
    assert result.data == ["one", "two"]


def test_the_first_of_several_to_answer_wins_and_the_others_are_closed(
    event_loop: EventLoop, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sse_adapters.anyio, sse_adapters.asyncio):
        monkeypatch.setattr(module, "ATTEMPT_DELAY", 0)
    with listening(WHOLE) as server, event_loop.running():
        names.ports += [server.port] * 5
        result = event_loop.read_url("http://somewhere.test")
        assert result.data == ["one", "two"]
        eventually(lambda: all(peer.closed for peer in server.peers))
        asked = [peer for peer in server.peers if peer.received]
        assert len(asked) == 1


def test_addresses_that_all_stay_silent_end_with_the_deadline(network: NetworkRunner, names: Names) -> None:
    with never_accepting() as port:
        names.ports += [port, port, port]
        started = time.monotonic()
        result = network.read_url("http://somewhere.test", deadlines=Deadlines(connect=0.1))
        assert time.monotonic() - started < GENEROUS
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "connect"


def test_addresses_that_all_refuse_are_one_failed_connection(network: NetworkRunner, names: Names) -> None:
    with refusing() as port:
        names.ports += [port, port, port]
        result = network.read_url("http://somewhere.test")
    assert type(result.error) is ConnectionFailed
    assert isinstance(result.error.__cause__, ConnectionRefusedError)


def test_a_bug_in_the_race_is_not_hidden(
    event_loop: EventLoop, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, address: Any) -> socket.socket:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(_sockets.SocketOptions, "new_socket", fail)
    names.ports.append(1)
    with event_loop.running(), pytest.raises((ZeroDivisionError, ExceptionGroup)):
        event_loop.read_url("http://somewhere.test")


# Unix sockets.


@pytest.fixture
def unix_server() -> Iterator[tuple[Server, Path]]:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("there are no Unix sockets here")
    with TemporaryDirectory() as folder:  # pytest's own are too deep for a socket's path
        path = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with ServerOfPath(path, listener).running() as server:
                yield server, path


class ServerOfPath(Server):
    """A server on a Unix socket."""

    def __init__(self, path: Path, listener: socket.socket) -> None:
        super().__init__(WHOLE, listener, None)
        self._path = path

    def wake(self) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self._path))


@on_every_network
def test_a_stream_comes_over_a_unix_socket(network: NetworkRunner, unix_server: tuple[Server, Path]) -> None:
    server, path = unix_server
    for uds in (path, str(path)):
        result = network.read_url("http://somewhere.test/v1", uds=uds)
        assert (result.data, result.verdict) == (["one", "two"], Verdict.FINISHED)
    assert b"GET /v1/stream HTTP/1.1\r\nHost: somewhere.test\r\n" in server.peer().received


def test_no_proxy_of_the_environment_leads_to_a_unix_socket(
    network: NetworkRunner, unix_server: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    _, path = unix_server
    assert network.read_url("http://somewhere.test", uds=path).data == ["one", "two"]


def test_small_writes_are_not_held_back() -> None:
    with _sockets.DEFAULTS.new_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ())) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.gettimeout() == 0


def test_a_unix_socket_that_is_not_there_is_a_failed_connection(network: NetworkRunner) -> None:
    for uds in ("/nowhere/at/all", "\ud800", ""):
        result = network.read_url("http://localhost", uds=uds)
        assert type(result.error) is ConnectionFailed


def test_where_there_are_no_unix_sockets_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX", raising=False)
    stream = sse_adapters.threads.Client("http://localhost", uds="/some/socket").stream(EVENTS)
    with pytest.raises(ConnectionFailed, match="has no Unix sockets"):
        next(stream)


# The portal.


def test_one_loop_serves_the_threads_of_a_client_and_ends_with_it() -> None:
    before = threading.active_count()
    data: list[str] = []
    with listening(WHOLE) as server:
        with sse_adapters.portal.Client(server.url) as client:

            def read() -> None:
                with client.stream(EVENTS) as stream:
                    data.extend(chunk.data for chunk in stream)

            readers = [threading.Thread(target=read) for _ in range(8)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join(GENEROUS)
            loops = [thread for thread in threading.enumerate() if thread.name == LOOP]
            assert len(loops) == 1
    eventually(lambda: threading.active_count() <= before)
    assert sorted(data) == ["one"] * 8 + ["two"] * 8


def test_a_client_that_is_never_used_has_no_thread() -> None:
    before = threading.active_count()
    with sse_adapters.portal.Client("http://localhost") as client:
        client.stream(EVENTS)
        assert threading.active_count() == before
    client.close()


def test_a_backend_that_there_is_not_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no such backend: 'curio'"):
        sse_adapters.portal.Client("http://localhost", backend="curio")


def test_a_loop_that_is_stopped_ends_what_runs_on_it_and_takes_no_more() -> None:
    loop = sse_adapters.portal.EventLoop("asyncio")
    transport = sse_adapters.portal.Transport(loop, sse_adapters.anyio.Transport())
    failed: list[Exception] = []

    def sleep() -> None:
        try:
            transport.sleep(transport.now() + GENEROUS)
        except Exception as exc:
            failed.append(exc)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    eventually(lambda: any(thread.name == LOOP for thread in threading.enumerate()))
    settle()
    loop.stop()
    sleeper.join(GENEROUS)
    assert [type(exc) for exc in failed] == [ConnectionAbortedError]
    with pytest.raises(ConnectionAbortedError, match="has been stopped"):
        transport.sleep(0)
    transport.abort()
    transport.close()
    loop.stop()


def test_a_loop_that_stops_this_moment_is_a_stopped_one() -> None:
    loop = sse_adapters.portal.EventLoop("asyncio")
    transport = sse_adapters.portal.Transport(loop, sse_adapters.anyio.Transport())
    transport.sleep(0)
    running = loop._running
    assert running is not None
    running.portal.call(running.portal.stop)
    with pytest.raises(ConnectionAbortedError, match="has been stopped"):
        transport.sleep(0)
    transport.abort()
    transport.close()


LOOP = "sse event loop"
"""The name of a portal's thread."""


# What asyncio's own transport keeps.


def test_what_is_the_event_loops_is_touched_in_its_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    class Connection(sse_adapters.asyncio.Connection):
        def _release(self) -> None:
            super()._release()
            threads.append(threading.get_ident())

    monkeypatch.setattr(sse_adapters.asyncio, "Connection", Connection)
    transport = sse_adapters.asyncio.Transport()
    with start_blocking_portal() as portal, socket.create_server(("127.0.0.1", 0)) as listener:
        portal.call(transport.open, "127.0.0.1", listener.getsockname()[1], None)
        transport.close()  # as a finaliser does
        eventually(lambda: bool(threads))
        assert threads == [portal.call(threading.get_ident)]


def test_a_closed_connection_leaves_the_peer_room_to_send() -> None:
    """Or it would wait for room, and hear of nothing: a closed socket's window opens no more."""
    held = [b"before"]
    options: list[tuple[Any, ...]] = []

    class Socket(socket.socket):
        """Gets more while it is shut down."""

        def recv(self, *_: int) -> bytes:
            if not held:
                raise BlockingIOError
            return held.pop()

        def shutdown(self, how: int) -> None:
            assert not held, "what had come before"
            held.append(b"in between")

        def setsockopt(self, *option: Any) -> None:
            options.append(option)

    async def main() -> None:
        ours, theirs = socket.socketpair()
        connection = await sse_adapters.asyncio.Connection.over(Socket(fileno=ours.detach()))
        connection.close()
        assert not held
        assert options == [(socket.SOL_SOCKET, socket.SO_LINGER, _sockets.RESET)]
        theirs.close()

    asyncio.run(main())


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop for which time passes when it is told to."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    async def skip(self, seconds: float) -> None:
        self.ahead += seconds
        for _ in range(2):  # timers that are due go off in the turn after the next
            await asyncio.sleep(0)


def test_a_timer_outlasts_its_wait_and_does_no_harm() -> None:
    loop = JumpingLoop()

    async def main() -> None:
        transport = sse_adapters.asyncio.Transport()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            await transport.open("127.0.0.1", listener.getsockname()[1], None)
            with listener.accept()[0] as peer:
                for size in (1, 2):
                    peer.sendall(bytes(size))
                    assert len(await transport.receive(transport.now() + SHORT)) == size
                await loop.skip(2 * SHORT)  # nobody waits when it goes off
                reading = asyncio.ensure_future(transport.receive(transport.now() + SHORT))
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
                reading = asyncio.ensure_future(transport.receive(None))
                await loop.skip(2 * SHORT)  # the timer of the last one goes off
                assert not reading.done()
                reading.cancel()
                await asyncio.wait([reading])
                reading = asyncio.ensure_future(transport.receive(transport.now() + SHORT))
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
                reading = asyncio.ensure_future(transport.receive(transport.now() + 3 * SHORT))
                await loop.skip(2 * SHORT)  # the timer of the last one goes off, too early for this
                assert not reading.done()
                await loop.skip(2 * SHORT)
                with pytest.raises(TimeoutError):
                    await reading
            transport.close()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())


def test_what_the_loop_tells_nobody_is_there_for_whoever_asks() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        connection = await sse_adapters.asyncio.Connection.over(ours)
        connection.pause_writing()
        connection.resume_writing()
        await connection.send(b"sent", None)
        assert theirs.recv(10) == b"sent"
        connection.data_received(b"received")
        connection.connection_lost(ConnectionResetError("reset"))
        assert await connection.receive(None) == b"received"
        with pytest.raises(ConnectionResetError):
            await connection.receive(None)
        connection.close()
        theirs.close()

    asyncio.run(main())


def test_sending_lasts_until_the_system_has_taken_everything() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        filled = 0
        with suppress(BlockingIOError):
            while True:
                filled += ours.send(bytes(2**16))
        connection = await sse_adapters.asyncio.Connection.over(ours)
        sending = asyncio.ensure_future(connection.send(b"x", None))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not sending.done()
        theirs.setblocking(False)
        received = 0
        while received < filled + 1:
            with suppress(BlockingIOError):
                received += len(theirs.recv(2**20))
            await asyncio.sleep(0)
        await sending
        connection.close()
        theirs.close()

    asyncio.run(main())


def test_a_connection_is_closed_at_once_in_its_own_thread() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        connection = await sse_adapters.asyncio.Connection.over(ours)
        connection.close()
        assert ours.fileno() == -1
        theirs.close()

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # which no closed loop can close
def test_a_connection_that_outlasts_its_loop_is_closed_in_any_thread() -> None:
    ours, theirs = socket.socketpair()

    async def main() -> sse_adapters.asyncio.Connection:
        return await sse_adapters.asyncio.Connection.over(ours)

    connection = asyncio.run(main())
    with ThreadPoolExecutor() as pool:
        pool.submit(connection.close).result(GENEROUS)
    assert ours.fileno() == -1
    theirs.close()
    del connection
    gc.collect()


def test_a_wait_that_was_dropped_leaves_no_error_behind() -> None:
    async def main() -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        ours, theirs = socket.socketpair()
        connection = await sse_adapters.asyncio.Connection.over(ours)

        async def wait() -> None:
            await connection.receive(None)

        dropped = wait()
        dropped.send(None)
        dropped.close()
        connection.close()
        await asyncio.sleep(0)  # the loop tells the connection of its end
        await asyncio.sleep(0)
        gc.collect()
        assert not complaints
        theirs.close()

    asyncio.run(main())


def test_a_socket_that_is_gone_is_no_connection() -> None:
    async def main() -> None:
        sock = socket.socket()
        sock.close()
        with pytest.raises(OSError, match=r"Bad file descriptor|not a socket"):
            await sse_adapters.asyncio.Connection.over(sock)

    asyncio.run(main())


def test_of_two_that_connect_at_once_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        connected: list[socket.socket] = []
        gate = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(SHORT, gate.set_result, None)

        async def connect(address: Any, sockets: Any) -> socket.socket:
            await gate
            connected.append(socket.socket())
            return connected[-1]

        monkeypatch.setattr(sse_adapters.asyncio, "connect", connect)
        monkeypatch.setattr(sse_adapters.asyncio, "ATTEMPT_DELAY", 0)
        winner = await sse_adapters.asyncio.first_connected(
            [address(V4, "a"), address(V4, "b")], _sockets.DEFAULTS
        )
        assert [sock.fileno() >= 0 for sock in connected] == [sock is winner for sock in connected]
        assert len(connected) == 2
        winner.close()

    asyncio.run(main())


# The time that a plain socket waits.


class Timed:
    """A socket that keeps its timeouts, and brings or raises what it is given, a timeout when that is all."""

    def __init__(self, *outcomes: bytes | OSError) -> None:
        self.timeouts: list[float | None] = []
        self.outcomes = list(outcomes)

    def settimeout(self, seconds: float | None) -> None:
        self.timeouts.append(seconds)

    def recv(self, size: int) -> bytes:
        outcome = self.outcomes.pop(0) if self.outcomes else TimeoutError("timed out")
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    def close(self) -> None: ...


def over(sock: Timed) -> sse_adapters.threads.Transport:
    transport: Any = sse_adapters.threads.Transport()
    transport._socket = sock
    return transport  # type: ignore[no-any-return]


def test_a_timeout_is_set_once_for_many_waits_alike() -> None:
    sock = Timed(*[b"data"] * 20)
    transport = over(sock)
    for _ in range(10):
        transport.receive(transport.now() + 120)
    assert len(sock.timeouts) == 1
    for _ in range(5):
        transport.receive(transport.now() + 10)
    assert len(sock.timeouts) == 2
    for _ in range(5):
        transport.receive(None)
    assert sock.timeouts[2:] == [None]
    assert all(seconds is None or seconds < 120 for seconds in sock.timeouts)


def test_a_wait_that_ends_too_soon_goes_on_to_its_deadline() -> None:
    sock = Timed(TimeoutError("timed out"), b"data")
    transport = over(sock)
    assert transport.receive(transport.now() + 100) == b"data"
    first, rest = sock.timeouts
    assert first is not None and rest is not None
    assert first == pytest.approx(75, abs=1) and rest == pytest.approx(100, abs=1)
    with pytest.raises(TimeoutError):
        transport.receive(transport.now() + 1)


def test_a_connection_that_times_out_is_no_wait_that_ends_too_soon() -> None:
    lost = TimeoutError(errno.ETIMEDOUT, "the connection timed out")
    transport = over(Timed(lost, b""))
    with pytest.raises(TimeoutError) as caught:
        transport.receive(transport.now() + 100)
    assert caught.value is lost
