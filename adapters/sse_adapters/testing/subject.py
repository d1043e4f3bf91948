"""What is checked, and what the checks are made of."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread

from .peers import PATIENCE, Peer, SecurePeer

TransportCheck: TypeAlias = Callable[["Subject"], Awaitable[None]]
"""A check: it raises_oserror with an exception."""


class HangError(AssertionError):
    """A check has not come to its end."""


@dataclass(frozen=True)
class Subject:
    """What is checked: transports that `make` makes. `context` is a TLS server's."""

    make: Callable[[], Any]
    blocking: bool
    context: ssl.SSLContext | None = None

    async def check(self, contract: TransportCheck) -> None:
        with anyio.move_on_after(3 * PATIENCE) as scope:
            await contract(self)
        if scope.cancelled_caught:
            raise HangError("hangs")

    def transport(self) -> Any:
        """A new transport, whose verbs can be awaited in either subject."""
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


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that blocks. If it never returns, its thread is left to itself."""
    limiter = anyio.CapacityLimiter(1)  # no limit: this one is for nobody else
    return await anyio.to_thread.run_sync(function, *args, abandon_on_cancel=True, limiter=limiter)


def soon(transport: Any) -> float:
    """A deadline that no transport should need."""
    deadline: float = transport.now() + PATIENCE
    return deadline


@contextmanager
def raises_oserror(kind: type[OSError] = OSError) -> Generator[None]:
    """What is done here has to raise OSError, or a kind of it, and nothing else."""
    try:
        yield
    except kind:
        return
    except Exception as exc:
        raise AssertionError(f"raised {exc!r}, not {kind.__name__}") from exc
    raise AssertionError(f"did not raise {kind.__name__}")


@contextmanager
def times_out(transport: Any) -> Generator[float]:
    """What is done here has to take until the deadline it is given, and then raise TimeoutError."""
    deadline: float = transport.now() + SHORT
    with raises_oserror(TimeoutError):
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


async def all_fail(transport: Any) -> None:
    for verb in (
        partial(transport.send, b"data"),
        transport.receive,
        partial(transport.start_tls, "localhost"),
    ):
        for deadline in (soon(transport), -inf):
            with raises_oserror():
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
"""Seconds that no machine is times_out by in each of so many attempts."""
ATTEMPTS = 3
