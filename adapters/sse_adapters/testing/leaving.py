"""Abort, close and cancelling: whoever waits is woken, and nothing is left behind."""

from __future__ import annotations

import os
import socket
import threading
import time
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any

from sse_core import StreamClosed
from sse_core.dialects import events

from .. import async_loop, sync_loop
from .loops import AnyioLoop
from .peers import PATIENCE, Peer, never_accepting, refusing
from .subject import (
    SHORT,
    Subject,
    TransportCheck,
    all_fail,
    at_once,
    open_and_close,
    raises_oserror,
    soon,
    times_out,
)


async def abort_wakes_receive(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.wakes(transport, partial(transport.receive, None))
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_send(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.wakes(transport, partial(transport.send, bytes(2**25), None))
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_open(subject: Subject) -> None:
    transport = subject.transport()
    with never_accepting() as port:
        if port is not None:
            await subject.wakes(transport, partial(transport.open, "127.0.0.1", port, None))
    transport.close()


async def abort_wakes_sleep(subject: Subject) -> None:
    transport = subject.transport()
    await subject.wakes(transport, partial(transport.sleep, transport.now() + 1000))
    transport.close()


async def closing_a_stream_ends_its_reader(subject: Subject) -> None:
    """Also if `abort` resumes the reader before it returns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stream: Any
        if subject.blocking:
            stream = sync_loop.Client(url, subject.make).stream(events.request())
            reading = subject.start(subject.in_thread, stream.__enter__)
        else:
            stream = async_loop.Client(url, subject.make).stream(events.request())
            reading = subject.start(stream.__aenter__)
        peer = Peer(await subject.in_thread(lambda: listener.accept()[0]))
        try:
            await subject.sleep(SHORT)
            stream.close()
            if not await reading.wait(PATIENCE):
                reading.cancel()
                raise AssertionError("the reader waits in vain")
            assert isinstance(reading.error, StreamClosed), f"ended with {reading.error!r}"
            assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"
        finally:
            peer.close()


async def abort_and_close_never_wait(subject: Subject) -> None:
    async def hang_up() -> float:
        async with subject.connected() as (transport, _):
            with times_out(transport) as deadline:
                await transport.send(bytes(2**25), deadline)
            start = transport.now()
            transport.abort()
            transport.close()
            return float(transport.now() - start)

    await at_once(hang_up)


async def after_abort_all_but_close_fails(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.in_thread(peer.send, b"data")
        assert await transport.receive(soon(transport))
        await subject.in_thread(peer.send, b"data")
        transport.abort()
        await all_fail(transport)
        with raises_oserror():
            await transport.sleep(soon(transport))
        transport.abort()
        transport.close()
        with raises_oserror():
            await open_and_close(transport)


async def abort_may_come_before_anything_else(subject: Subject) -> None:
    transport = subject.transport()
    transport.abort()
    with raises_oserror():
        await open_and_close(transport)
    transport.close()


async def without_a_connection_all_but_open_fails(subject: Subject) -> None:
    transport = subject.transport()
    await all_fail(transport)
    transport.close()
    transport.close()
    await all_fail(transport)
    await open_and_close(transport)
    transport.close()
    await all_fail(transport)


async def a_verb_that_is_cancelled_leaves_nothing_behind(subject: Subject) -> None:
    if subject.blocking:
        return  # there is no cancelling a thread
    number, interrupted = 0, True
    while interrupted:
        number += 1
        await cancelled_at(number, subject)  # and have what is kept for the next time
        interrupted, left = await cancelled_at(number, subject)
        assert not left, f"cancelled at wait {number}, it leaves {left}"


async def nothing_is_left_behind(subject: Subject) -> None:
    transports = [subject.transport() for _ in range(ROUNDS)]
    await open_and_close(subject.transport())  # and have what is kept for the next time
    async with Watched(subject) as watched:
        with refusing() as port:
            for transport in transports:
                await open_and_close(transport)
                with raises_oserror():
                    await transport.open("127.0.0.1", port, soon(transport))
                transport.close()
    assert not watched.left(), f"{ROUNDS} connections leave {watched.left()}"


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
    peer.daemon = True
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


async def cancelled_at(number: int, subject: Subject) -> tuple[bool, str]:
    """Have a conversation that is cancelled at its n-th wait. Return whether it was, and what is left."""
    waits = Waits(number)
    async with Watched(subject) as watched:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            task = subject.start(waits.during, converse(subject.transport(), listener))
            waits.cancel = task.cancel
            await task.wait()
    interrupted = waits.left <= 0 and task.error is not None
    if not interrupted:
        task.outcome()
    return interrupted, watched.left()


class Waits:
    """Calls `cancel` when a coroutine waits for the n-th time, on whatever event loop."""

    def __init__(self, number: int) -> None:
        self.left: int = number
        self.cancel: Callable[[], object]

    @types.coroutine
    def during(self, coroutine: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        step: Callable[[Any], Any] = coroutine.send
        sent: Any = None
        while True:
            try:
                waited_for = step(sent)
            except StopIteration:
                return
            self.left -= 1
            if self.left == 0:
                self.cancel()
            try:
                step, sent = coroutine.send, (yield waited_for)
            except BaseException as exc:
                step, sent = coroutine.throw, exc


class Watched:
    """Counts what there is before and after: open files, threads and tasks."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._before: dict[str, int] = {}

    async def __aenter__(self) -> Watched:
        self._before = self._counts()
        return self

    async def __aexit__(self, *_: object) -> None:
        deadline = time.monotonic() + PATIENCE / 10  # an event loop closes in its next turn
        while self.left() and time.monotonic() < deadline:
            await self._subject.sleep(0.01)

    def left(self) -> str:
        """What there is more of now, in words."""
        grown = {what: count - self._before[what] for what, count in self._counts().items()}
        return ", ".join(f"{more} {what}" for what, more in grown.items() if more > 0)

    def _counts(self) -> dict[str, int]:
        counted = {"threads": threading.active_count()}
        if isinstance(self._subject.loop, AnyioLoop):
            counted["tasks"] = self._subject.loop.count_tasks()
        if os.path.isdir("/proc/self/fd"):
            counted["open files"] = len(os.listdir("/proc/self/fd"))
        return counted


ROUNDS = 10
SOME = 2**23
"""Bytes that are more than the system holds for a peer that does not read."""

CHECKS: list[TransportCheck] = [
    abort_wakes_receive,
    abort_wakes_send,
    abort_wakes_open,
    abort_wakes_sleep,
    closing_a_stream_ends_its_reader,
    abort_and_close_never_wait,
    after_abort_all_but_close_fails,
    abort_may_come_before_anything_else,
    without_a_connection_all_but_open_fails,
    a_verb_that_is_cancelled_leaves_nothing_behind,
    nothing_is_left_behind,
]
