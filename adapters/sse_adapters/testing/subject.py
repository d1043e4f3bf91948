"""What is checked, and what the checks are made of."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from math import inf
from typing import Any, TypeAlias, cast

from .loops import EventLoop, Tasks
from .peers import PATIENCE, Peer, SecurePeer

TransportCheck: TypeAlias = Callable[["Subject"], Awaitable[None]]
"""A check: it fails with an exception."""


class HangError(AssertionError):
    """A check did not come to its end."""


class Subject(Tasks):
    """The transports that `make` makes, on an event loop. `context` is that of a TLS server."""

    def __init__(
        self, make: Callable[[], Any], loop: EventLoop, blocking: bool, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(loop)
        self.make = make
        self.blocking = blocking
        self.context = context

    async def check(self, check: TransportCheck) -> None:
        task = self.start(check, self)
        if not await task.wait(3 * PATIENCE):
            task.cancel()
            await task.wait(PATIENCE)
            raise HangError("hangs")
        task.outcome()

    def transport(self) -> Any:
        """A new transport, whose verbs can be awaited even if they block."""
        return InThreads(self.make(), self) if self.blocking else self.make()

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
                async with self.meanwhile(self.in_thread, peer.handshake):
                    await transport.start_tls("localhost", soon(transport))
            assert isinstance(peer, SecurePeer)
            yield transport, peer

    async def poll(self, transport: Any) -> bytes:
        """Receive without ever waiting, until something is there."""
        deadline = soon(transport)
        while True:
            try:
                data: bytes = await transport.receive(-inf)
            except TimeoutError:
                assert transport.now() < deadline, "what came is never received"
                await self.sleep(0.01)
            else:
                return data

    async def wakes(self, transport: Any, verb: Callable[[], Awaitable[object]]) -> None:
        """Abort has to end a verb that waits, with OSError."""
        task = self.start(verb)
        await self.sleep(SHORT)
        assert not task.ended, f"did not wait: {task.error or task.result!r}"
        transport.abort()
        if not await task.wait(PATIENCE):
            task.cancel()
            raise AssertionError("abort does not wake it")
        assert isinstance(task.error, OSError), f"ended with {task.error or task.result!r}, not OSError"


class InThreads:
    """A transport or a fetcher that blocks, as one that can be awaited."""

    def __init__(self, transport: Any, tasks: Tasks) -> None:
        self.now: Callable[[], float] = transport.now
        self.abort: Callable[[], None] = transport.abort
        self.close: Callable[[], None] = transport.close
        for verb in ("open", "start_tls", "send", "fetch", "receive", "sleep"):
            if hasattr(transport, verb):
                setattr(self, verb, partial(tasks.in_thread, getattr(transport, verb)))


def soon(transport: Any) -> float:
    """A deadline that no transport should need."""
    deadline: float = transport.now() + PATIENCE
    return deadline


@contextmanager
def raises_oserror(kind: type[OSError] = OSError) -> Generator[None]:
    """The block has to raise OSError, or this kind of it, and nothing else."""
    try:
        yield
    except kind:
        return
    except Exception as exc:
        raise AssertionError(f"raised {exc!r}, not {kind.__name__}") from exc
    raise AssertionError(f"did not raise {kind.__name__}")


@contextmanager
def times_out(transport: Any) -> Generator[float]:
    """The block has to take until the deadline that it is given, and then raise TimeoutError."""
    deadline: float = transport.now() + SHORT
    with raises_oserror(TimeoutError):
        yield deadline
    in_time(transport, deadline)


def in_time(transport: Any, deadline: float) -> None:
    over = transport.now() - deadline
    assert over > -EARLY, f"was over {-over:.3f} seconds before the deadline"
    assert over < PATIENCE, f"was over {over:.3f} seconds after the deadline"


async def at_once(attempt: Callable[[], Awaitable[float]]) -> None:
    """One of a few attempts must not take seconds too long: if all do, it is not the machine."""
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


async def send_all(transport: Any, data: bytes) -> None:
    """Send all of the data to a peer that has not said anything."""
    sent = await transport.send(data, soon(transport))
    assert sent == len(data), f"sent {sent!r} of {len(data)} bytes"


async def open_and_close(transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            await transport.open("127.0.0.1", listener.getsockname()[1], soon(transport))
            with listener.accept()[0] as sock:
                sock.sendall(b"hello")
                assert await receive_exactly(transport, 5) == b"hello"
        finally:
            transport.close()


async def all_fail(transport: Any) -> None:
    for verb in (
        partial(transport.send, b"data"),
        transport.receive,
        partial(transport.start_tls, "localhost"),
    ):
        for deadline in (soon(transport), -inf):
            with raises_oserror():
                await verb(deadline)


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
