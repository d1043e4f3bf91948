"""What a transport has to do, each thing a coroutine function that fails if it does not.

Written once for both kinds: a transport that blocks is called from threads.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread

from ._peers import PATIENCE, Peer, SecurePeer, never_accepting, refusing

Contract: TypeAlias = Callable[["Case"], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """What is checked: transports that `make` makes. `context` is a TLS server's."""

    make: Callable[[], Any]
    blocking: bool
    context: ssl.SSLContext | None = None

    async def check(self, contract: Contract) -> None:
        with anyio.move_on_after(3 * PATIENCE) as scope:
            await contract(self)
        assert not scope.cancelled_caught, "hangs"

    def transport(self) -> Any:
        """A new transport, whose verbs can be awaited in either case."""
        return InThreads(self.make()) if self.blocking else self.make()

    @asynccontextmanager
    async def connected(self, host: str = "127.0.0.1") -> AsyncGenerator[tuple[Any, Peer]]:
        """A transport that is connected to a peer."""
        transport = self.transport()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as listener:
            try:
                await transport.open(host, listener.getsockname()[1], soon(transport))
                peer = Peer(listener.accept()[0])
                try:
                    yield transport, peer
                finally:
                    peer.close()
            finally:
                transport.close()

    @asynccontextmanager
    async def secured(self, layers: int = 1) -> AsyncGenerator[tuple[Any, SecurePeer]]:
        """A transport that speaks TLS with a peer, or TLS inside TLS."""
        assert self.context is not None
        async with self.connected() as (transport, peer):
            for _ in range(layers):
                peer = SecurePeer(peer, self.context)
                async with anyio.create_task_group() as group:
                    group.start_soon(in_thread, peer.handshake)
                    await transport.start_tls("localhost", soon(transport))
            assert isinstance(peer, SecurePeer)
            yield transport, peer


class InThreads:
    """A transport that blocks, as one that can be awaited."""

    def __init__(self, transport: Any) -> None:
        self.now = transport.now
        self.abort = transport.abort
        self.close = transport.close
        for verb in ("open", "start_tls", "send", "receive", "sleep"):
            setattr(self, verb, partial(in_thread, getattr(transport, verb)))


# Receiving and sending.


async def what_is_sent_arrives(case: Case) -> None:
    every_byte = bytes(range(256))
    async with case.connected() as (transport, peer):
        await transport.send(every_byte, soon(transport))
        assert await in_thread(peer.receive_exactly, 256) == every_byte
        await in_thread(peer.send, every_byte)
        assert await receive_exactly(transport, 256) == every_byte


async def without_a_deadline_there_is_no_limit(case: Case) -> None:
    transport = case.transport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            await transport.open("127.0.0.1", listener.getsockname()[1], None)
            with listener.accept()[0] as sock:
                await transport.send(b"data", None)
                assert await in_thread(sock.recv, 100) == b"data"
                await in_thread(sock.sendall, b"more")
                assert await transport.receive(None)
        finally:
            transport.close()


async def an_ipv6_address_will_do(case: Case) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # there is no IPv6 here
    async with case.connected("::1") as (transport, peer):
        await in_thread(peer.send, b"hello")
        assert await receive_exactly(transport, 5) == b"hello"


async def receive_returns_what_is_there(case: Case) -> None:
    async with case.connected() as (transport, peer):
        for piece in (b"a", b"bc", b"def"):
            await in_thread(peer.send, piece)
            assert await receive_exactly(transport, len(piece)) == piece


async def much_is_received_in_order(case: Case) -> None:
    data = os.urandom(2**20)

    def send() -> None:
        for start in range(0, len(data), 10_007):
            peer.send(data[start : start + 10_007])
        peer.stop_sending()

    received = bytearray()
    async with case.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, send)
        while piece := await transport.receive(soon(transport)):
            received += piece
    assert received == data, "what came is not what was sent"


async def much_is_sent_to_a_slow_reader(case: Case) -> None:
    data = os.urandom(2**20) * 16
    received = bytearray()

    def read_slowly() -> None:
        pause = threading.Event()
        while len(received) < len(data) and (piece := peer.receive(2**18)):
            received.extend(piece)
            pause.wait(0.001)

    async with case.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, read_slowly)
        await transport.send(data, soon(transport))
    assert received == data, "what arrived is not what was sent"


# Ends.


async def the_end_is_no_bytes_again_and_again(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await in_thread(peer.send, b"last")
        peer.close()
        assert await receive_exactly(transport, 4) == b"last"
        for _ in range(2):
            assert await transport.receive(soon(transport)) == b""


async def a_peer_that_stops_sending_may_still_read(case: Case) -> None:
    async with case.connected() as (transport, peer):
        peer.stop_sending()
        assert await transport.receive(soon(transport)) == b""
        await transport.send(b"still there", soon(transport))
        assert await in_thread(peer.receive_exactly, 11) == b"still there"


async def a_reset_is_an_error(case: Case) -> None:
    async with case.connected() as (transport, peer):
        peer.reset()
        with fails():
            await transport.receive(soon(transport))


async def sending_to_a_peer_that_has_left_is_an_error(case: Case) -> None:
    async with case.connected() as (transport, peer):
        peer.close()
        with fails():
            while True:  # the system learns of it by sending
                await transport.send(bytes(65536), soon(transport))
                await anyio.sleep(0.001)
        with fails():
            await transport.send(b"more", soon(transport))


async def a_peer_notices_that_the_transport_was_closed(case: Case) -> None:
    async with case.connected() as (transport, peer):
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


# Opening.


async def a_refused_connection_is_an_error(case: Case) -> None:
    transport = case.transport()
    with refusing() as port, fails():
        await transport.open("127.0.0.1", port, soon(transport))
    transport.close()


async def a_host_that_can_not_be_is_an_error(case: Case) -> None:
    transport = case.transport()
    with fails():
        await transport.open(64 * "x" + ".invalid", 80, soon(transport))
    transport.close()


async def after_a_failure_it_can_be_opened_again(case: Case) -> None:
    transport = case.transport()
    with refusing() as port, fails():
        await transport.open("127.0.0.1", port, soon(transport))
    transport.close()
    await open_and_close(transport)


async def after_close_it_can_be_opened_again(case: Case) -> None:
    transport = case.transport()
    for _ in range(3):
        await open_and_close(transport)


# Deadlines.


async def receive_keeps_its_deadline(case: Case) -> None:
    async with case.connected() as (transport, _):

        async def receive_in_vain() -> float:
            with late(transport) as deadline:
                await transport.receive(deadline)
            return float(transport.now() - deadline)

        await at_once(receive_in_vain)


async def send_keeps_its_deadline(case: Case) -> None:
    async with case.connected() as (transport, _):
        with late(transport) as deadline:
            await transport.send(bytes(2**25), deadline)


async def open_keeps_its_deadline(case: Case) -> None:
    transport = case.transport()
    with never_accepting() as port:
        if port is not None:
            with late(transport) as deadline:
                await transport.open("127.0.0.1", port, deadline)
    transport.close()


async def a_trickle_does_not_stretch_the_deadline_of_a_send(case: Case) -> None:
    over = threading.Event()

    def read_very_slowly() -> None:
        while not over.wait(0.005):  # and yet so much that the sender hears of it again and again
            peer.receive(2**18)

    async with case.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, read_very_slowly)
        try:
            with late(transport) as deadline:
                await transport.send(bytes(2**25), deadline)
        finally:
            over.set()


async def sleep_lasts_until_its_deadline(case: Case) -> None:
    transport = case.transport()
    for seconds in (-1.0, 0.0, SHORT):
        start = transport.now()
        assert await transport.sleep(start + seconds) is None
        in_time(transport, start + max(seconds, 0))

    async def oversleep() -> float:
        deadline = transport.now() + SHORT
        await transport.sleep(deadline)
        return float(transport.now() - deadline)

    await at_once(oversleep)
    transport.close()


async def what_is_to_run_at_a_moment_runs_then(case: Case) -> None:
    if case.blocking:
        return  # a thread can wait for that
    transport = case.transport()
    ran: list[str] = []

    async def run(what: str) -> None:
        ran.append(what)

    start = transport.now()
    transport.call_at(start, partial(run, "what was called off"))()
    transport.call_at(start + SHORT, partial(run, "what was not"))
    with anyio.move_on_after(PATIENCE):
        while "what was not" not in ran:
            await anyio.sleep(SHORT / 10)
    assert ran == ["what was not"], f"ran {' and '.join(ran) or 'nothing'}"
    in_time(transport, start + SHORT)
    transport.close()


async def a_timeout_loses_nothing(case: Case) -> None:
    async with case.connected() as (transport, peer):
        for piece in (b"one", b"two"):
            with late(transport) as deadline:
                await transport.receive(deadline)
            await in_thread(peer.send, piece)
            assert await receive_exactly(transport, 3) == piece


async def a_far_deadline_is_a_deadline(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await in_thread(peer.send, b"data")
        for deadline in (transport.now() + 1e8, inf):
            await transport.send(b"data", deadline)
        assert await transport.receive(transport.now() + 1e8)
        await in_thread(peer.send, b"data")
        assert await transport.receive(inf)


async def when_the_deadline_has_passed_nothing_is_waited_for(case: Case) -> None:
    transport = case.transport()
    with never_accepting() as port:
        if port is not None:
            with fails(TimeoutError):
                await transport.open("127.0.0.1", port, -inf)
    transport.close()
    async with case.connected() as (transport, peer):
        for deadline in (-inf, transport.now() - 1):
            with fails(TimeoutError):
                await transport.receive(deadline)
        await in_thread(peer.send, b"now")
        assert await receive_exactly(transport, 3) == b"now"


async def when_the_deadline_has_passed_what_is_there_is_received(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await in_thread(peer.send, b"there")
        assert await poll(transport) == b"there"
        peer.close()
        assert await poll(transport) == b""


async def when_the_deadline_has_passed_what_fits_is_sent(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await transport.send(b"little", -inf)
        assert await in_thread(peer.receive_exactly, 6) == b"little"
        with fails(TimeoutError):
            await transport.send(bytes(2**25), -inf)


# Abort and close.


async def abort_wakes_receive(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await wakes(transport, partial(transport.receive, None))
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_send(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await wakes(transport, partial(transport.send, bytes(2**25), None))
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_open(case: Case) -> None:
    transport = case.transport()
    with never_accepting() as port:
        if port is not None:
            await wakes(transport, partial(transport.open, "127.0.0.1", port, None))
    transport.close()


async def abort_wakes_sleep(case: Case) -> None:
    transport = case.transport()
    await wakes(transport, partial(transport.sleep, transport.now() + 1000))
    transport.close()


async def abort_and_close_never_wait(case: Case) -> None:
    async def hang_up() -> float:
        async with case.connected() as (transport, _):
            with late(transport) as deadline:
                await transport.send(bytes(2**25), deadline)
            start = transport.now()
            transport.abort()
            transport.close()
            return float(transport.now() - start)

    await at_once(hang_up)


async def after_abort_all_but_close_fails(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await in_thread(peer.send, b"data")
        assert await transport.receive(soon(transport))
        await in_thread(peer.send, b"data")
        transport.abort()
        await all_fail(transport)
        with fails():
            await transport.sleep(soon(transport))
        transport.abort()
        transport.close()
        with fails():
            await open_and_close(transport)


async def abort_may_come_before_anything_else(case: Case) -> None:
    transport = case.transport()
    transport.abort()
    with fails():
        await open_and_close(transport)
    transport.close()


async def without_a_connection_all_but_open_fails(case: Case) -> None:
    transport = case.transport()
    await all_fail(transport)
    transport.close()
    transport.close()
    await all_fail(transport)
    await open_and_close(transport)
    transport.close()
    await all_fail(transport)


async def a_verb_that_is_cancelled_leaves_nothing_behind(case: Case) -> None:
    if case.blocking:
        return  # there is no cancelling a thread
    number, interrupted = 0, True
    while interrupted:
        number += 1
        await cancelled_at(number, case.transport())  # and have what is kept for the next time
        interrupted, left = await cancelled_at(number, case.transport())
        assert not left, f"cancelled at wait {number}, it leaves {left}"


async def nothing_is_left_behind(case: Case) -> None:
    transports = [case.transport() for _ in range(ROUNDS)]
    await open_and_close(case.transport())  # and have what is kept for the next time
    async with Watched() as watched:
        with refusing() as port:
            for transport in transports:
                await open_and_close(transport)
                with fails():
                    await transport.open("127.0.0.1", port, soon(transport))
                transport.close()
    assert not watched.left(), f"{ROUNDS} connections leave {watched.left()}"


# TLS.


async def what_is_sent_over_tls_arrives(case: Case) -> None:
    async with case.secured() as (transport, peer):
        await tell_each_other(transport, peer)
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


async def tls_runs_inside_tls(case: Case) -> None:
    async with case.secured(layers=2) as (transport, peer):
        await tell_each_other(transport, peer)


async def a_goodbye_is_the_end_of_tls(case: Case) -> None:
    async with case.secured() as (transport, peer):
        await in_thread(peer.send, b"last")
        await in_thread(peer.say_goodbye)
        assert await receive_exactly(transport, 4) == b"last"
        assert await transport.receive(soon(transport)) == b""


async def a_connection_that_is_cut_is_no_end_of_tls(case: Case) -> None:
    async with case.secured() as (transport, peer):
        await in_thread(peer.send, b"last")
        peer.close()
        assert await receive_exactly(transport, 4) == b"last"
        with fails():
            await transport.receive(soon(transport))


async def a_certificate_of_another_name_is_an_error(case: Case) -> None:
    assert case.context is not None
    async with case.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, handshake_in_vain, SecurePeer(peer, case.context))
        with fails():
            await transport.start_tls("elsewhere.invalid", soon(transport))
        with fails():
            await transport.send(b"in the clear?", soon(transport))


async def what_is_no_tls_is_an_error(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await in_thread(peer.send, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with fails():
            await transport.start_tls("localhost", soon(transport))


async def start_tls_keeps_its_deadline(case: Case) -> None:
    async with case.connected() as (transport, _):
        with late(transport) as deadline:
            await transport.start_tls("localhost", deadline)


async def abort_wakes_start_tls(case: Case) -> None:
    async with case.connected() as (transport, peer):
        await wakes(transport, partial(transport.start_tls, "localhost", None))
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_receive_over_tls(case: Case) -> None:
    async with case.secured() as (transport, peer):
        await wakes(transport, partial(transport.receive, None))
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


async def half_a_record_is_not_there_yet(case: Case) -> None:
    async with case.connected() as (transport, below):
        assert case.context is not None
        peer = SecurePeer(below, case.context)
        async with anyio.create_task_group() as group:
            group.start_soon(in_thread, peer.handshake)
            await transport.start_tls("localhost", soon(transport))
        record = peer.record(b"whole")
        await in_thread(below.send, record[:10])
        with fails(TimeoutError):
            await transport.receive(-inf)
        with late(transport) as deadline:
            await transport.receive(deadline)
        await in_thread(below.send, record[10:])
        assert await receive_exactly(transport, 5) == b"whole"


CHECKS: list[Contract] = [
    what_is_sent_arrives,
    without_a_deadline_there_is_no_limit,
    an_ipv6_address_will_do,
    receive_returns_what_is_there,
    much_is_received_in_order,
    much_is_sent_to_a_slow_reader,
    the_end_is_no_bytes_again_and_again,
    a_peer_that_stops_sending_may_still_read,
    a_reset_is_an_error,
    sending_to_a_peer_that_has_left_is_an_error,
    a_peer_notices_that_the_transport_was_closed,
    a_refused_connection_is_an_error,
    a_host_that_can_not_be_is_an_error,
    after_a_failure_it_can_be_opened_again,
    after_close_it_can_be_opened_again,
    receive_keeps_its_deadline,
    send_keeps_its_deadline,
    open_keeps_its_deadline,
    a_trickle_does_not_stretch_the_deadline_of_a_send,
    sleep_lasts_until_its_deadline,
    what_is_to_run_at_a_moment_runs_then,
    a_timeout_loses_nothing,
    a_far_deadline_is_a_deadline,
    when_the_deadline_has_passed_nothing_is_waited_for,
    when_the_deadline_has_passed_what_is_there_is_received,
    when_the_deadline_has_passed_what_fits_is_sent,
    abort_wakes_receive,
    abort_wakes_send,
    abort_wakes_open,
    abort_wakes_sleep,
    abort_and_close_never_wait,
    after_abort_all_but_close_fails,
    abort_may_come_before_anything_else,
    without_a_connection_all_but_open_fails,
    a_verb_that_is_cancelled_leaves_nothing_behind,
    nothing_is_left_behind,
]
TLS_CHECKS: list[Contract] = [
    what_is_sent_over_tls_arrives,
    tls_runs_inside_tls,
    a_goodbye_is_the_end_of_tls,
    a_connection_that_is_cut_is_no_end_of_tls,
    a_certificate_of_another_name_is_an_error,
    what_is_no_tls_is_an_error,
    start_tls_keeps_its_deadline,
    abort_wakes_start_tls,
    abort_wakes_receive_over_tls,
    half_a_record_is_not_there_yet,
]


# What the checks are made of.


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that blocks. If it never returns, its thread is left to itself."""
    limiter = anyio.CapacityLimiter(1)  # no limit: this one is for nobody else
    return await anyio.to_thread.run_sync(function, *args, abandon_on_cancel=True, limiter=limiter)


def soon(transport: Any) -> float:
    """A deadline that no transport should need."""
    deadline: float = transport.now() + PATIENCE
    return deadline


@contextmanager
def fails(kind: type[OSError] = OSError) -> Generator[None]:
    """What is done here has to raise OSError, or a kind of it, and nothing else."""
    try:
        yield
    except kind:
        return
    except Exception as exc:
        raise AssertionError(f"raised {exc!r}, not {kind.__name__}") from exc
    raise AssertionError(f"did not raise {kind.__name__}")


@contextmanager
def late(transport: Any) -> Generator[float]:
    """What is done here has to take until the deadline it is given, and then raise TimeoutError."""
    deadline: float = transport.now() + SHORT
    with fails(TimeoutError):
        yield deadline
    in_time(transport, deadline)


def in_time(transport: Any, deadline: float) -> None:
    over = transport.now() - deadline
    assert over > -EARLY, f"was over {-over:.3f} seconds before the deadline"
    assert over < PATIENCE, f"was over {over:.3f} seconds after the deadline"


async def at_once(attempt: Callable[[], Awaitable[float]]) -> None:
    """One attempt of a few must not take seconds too long: all do only where it is not the machine."""
    over = inf
    for _ in range(ATTEMPTS):
        if over >= LATE:
            over = await attempt()
    assert over < LATE, f"took {over:.3f} seconds too long, again and again"


async def receive_exactly(transport: Any, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := await transport.receive(soon(transport))):
        data += piece
    return data


async def poll(transport: Any) -> bytes:
    """Receive without ever waiting, until something is there."""
    deadline = soon(transport)
    while True:
        try:
            data: bytes = await transport.receive(-inf)
        except TimeoutError:
            assert transport.now() < deadline, "what came is never received"
            await anyio.sleep(0.01)
        else:
            return data


async def open_and_close(transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            await transport.open("127.0.0.1", listener.getsockname()[1], soon(transport))
            with listener.accept()[0] as sock:
                sock.sendall(b"hello")
                assert await receive_exactly(transport, 5) == b"hello"
        finally:
            transport.close()


async def converse(transport: Any, listener: socket.socket) -> None:
    """Every verb that can wait does, and then the transport is closed."""
    accepted: list[socket.socket] = []

    def answer() -> None:
        with suppress(OSError), listener.accept()[0] as sock:
            accepted.append(sock)
            received = 0
            while received < SOME and (data := sock.recv(65536)):
                received += len(data)
            sock.sendall(b"hello")

    peer = threading.Timer(SHORT / 10, answer)
    peer.start()
    try:
        await transport.open("127.0.0.1", listener.getsockname()[1], None)
        await transport.sleep(transport.now() + SHORT / 100)
        await transport.send(bytes(SOME), None)
        assert await transport.receive(None)
    finally:
        transport.close()
        with socket.create_connection(listener.getsockname()):  # for a peer that nobody has come to
            while peer.is_alive():
                for sock in accepted:
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)
                peer.join(SHORT / 10)


async def cancelled_at(number: int, transport: Any) -> tuple[bool, str]:
    """Have a conversation that is cancelled at its n-th wait. Return whether it was, and what is left."""
    waits = Waits(number)
    async with Watched() as watched:
        with waits.scope, socket.create_server(("127.0.0.1", 0)) as listener:
            await waits.during(converse(transport, listener))
    return waits.scope.cancelled_caught, watched.left()


async def tell_each_other(transport: Any, peer: Peer) -> None:
    """Small and big, both ways."""
    for data in (b"hello", os.urandom(2**20)):
        async with anyio.create_task_group() as group:
            group.start_soon(transport.send, data, soon(transport))
            assert await in_thread(peer.receive_exactly, len(data)) == data
        async with anyio.create_task_group() as group:
            group.start_soon(in_thread, peer.send, data)
            assert await receive_exactly(transport, len(data)) == data
    await in_thread(peer.send, b"there")
    assert await poll(transport) == b"there"


async def all_fail(transport: Any) -> None:
    for verb in (
        partial(transport.send, b"data"),
        transport.receive,
        partial(transport.start_tls, "localhost"),
    ):
        for deadline in (soon(transport), -inf):
            with fails():
                await verb(deadline)


async def wakes(transport: Any, verb: Callable[[], Awaitable[object]]) -> None:
    """Abort has to end a verb that waits, with OSError."""
    outcome: list[object] = []
    ended = anyio.Event()

    async def run() -> None:
        try:
            outcome.append(await verb())
        except Exception as exc:
            outcome.append(exc)
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await anyio.sleep(SHORT)
        assert not outcome, f"did not wait: {outcome[0]!r}"
        transport.abort()
        with anyio.move_on_after(PATIENCE):
            await ended.wait()
        group.cancel_scope.cancel()
    assert outcome, "abort does not wake it"
    assert isinstance(outcome[0], OSError), f"ended with {outcome[0]!r}, not OSError"


def handshake_in_vain(peer: SecurePeer) -> None:
    try:
        peer.handshake()
    except OSError:
        peer.close()


class Waits:
    """Cancels a coroutine when it waits for the n-th time, on whatever event loop."""

    def __init__(self, number: int) -> None:
        self.scope = anyio.CancelScope()
        self._left = number

    @types.coroutine
    def during(self, coroutine: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        step: Callable[[Any], Any] = coroutine.send
        sent: Any = None
        while True:
            try:
                waited_for = step(sent)
            except StopIteration:
                return
            self._left -= 1
            if self._left == 0:
                self.scope.cancel()
            try:
                step, sent = coroutine.send, (yield waited_for)
            except BaseException as exc:
                step, sent = coroutine.throw, exc


class Watched:
    """Counts what there is before and after: open files, threads and tasks."""

    async def __aenter__(self) -> Watched:
        self._before = counts()
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.move_on_after(PATIENCE / 10):  # an event loop closes in its next turn
            while self.left():
                await anyio.sleep(0.01)

    def left(self) -> str:
        """What there is more of now, in words."""
        grown = {what: count - self._before[what] for what, count in counts().items()}
        return ", ".join(f"{more} {what}" for what, more in grown.items() if more > 0)


def counts() -> dict[str, int]:
    counted = {"tasks": len(anyio.get_running_tasks()), "threads": threading.active_count()}
    if os.path.isdir("/proc/self/fd"):
        counted["open files"] = len(os.listdir("/proc/self/fd"))
    return counted


def cause(exc: BaseException) -> BaseException:
    """The exception, or the first in a group."""
    while isinstance(exc, BaseExceptionGroup):
        exc = cast("BaseExceptionGroup[BaseException]", exc).exceptions[0]
    return exc


SHORT = 0.05
"""Seconds that are waited for in vain."""
EARLY = 0.02
"""Seconds by which clocks may differ."""
LATE = 0.3
"""Seconds that no machine is late by in each of so many attempts."""
ATTEMPTS = 3
ROUNDS = 10
SOME = 2**23
"""Bytes that are more than the system holds for a peer that does not read."""
