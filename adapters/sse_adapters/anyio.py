"""asyncio and trio, through anyio.

    async with Client(base_url, headers=...) as client:
        async with client.stream(request) as stream:
            async for chunk in stream:
                ...

On asyncio, uvloop included, the client's connections are those of `sse_adapters.asyncio`: a
wait through anyio costs 40 to 50 us more of cold CPU there, since the socket has to be
registered with the event loop each time, and a cancel scope entered.

The transport here is for trio, and for whoever asks for it. It waits for plain non-blocking
sockets with `anyio.wait_readable` rather than use anyio's socket streams. So it can be closed
without waiting, from a finaliser too; and a cancelled wait loses nothing.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

import anyio
from anyio.lowlevel import checkpoint

from . import async_loop, resolving
from . import asyncio as native
from .async_loop import Stream
from .base import RECEIVE_SIZE
from .options import NO_OVERRIDES, AsyncAuth, NetworkOptions, TransportOptions, split_options
from .resolving import LookUp
from .sockets import (
    ATTEMPT_DELAY,
    DEFAULTS,
    Address,
    SocketOptions,
    send_some,
    shut_down,
)
from .transports import AsyncTransport

if TYPE_CHECKING:
    from sse_core import URL

__all__ = ["Client", "Stream", "Transport"]

A = TypeVar("A")
R = TypeVar("R")
Args = TypeVarTuple("Args")


class Client(async_loop.Client):
    """Makes streams over TCP connections, which are used again where possible.

    `base_url` is what request paths are added to; `options` are those of `NetworkOptions`.
    Leaving the client's block closes the streams that are still open. Raises ValueError
    for a URL that is not http or https, and for an SSLContext that verifies nobody because
    nobody told it to.
    """

    def __init__(self, base_url: str, **options: Unpack[NetworkOptions[AsyncAuth]]) -> None:
        transport, rest = split_options(base_url, options)
        super().__init__(base_url, partial(new_transport, **transport), **rest)


def new_transport(**options: Unpack[TransportOptions]) -> async_loop.Transport:
    """Return a transport for the event loop that runs here."""
    return native.Transport(**options) if on_asyncio() else Transport(**options)


def on_asyncio() -> bool:
    try:
        return asyncio.current_task() is not None  # there is none where trio is asyncio's guest
    except RuntimeError:
        return False


class Transport(AsyncTransport):
    """One connection over a socket. An `async_loop.Transport`; the first three arguments are `TLSBase`'s."""

    def __init__(
        self,
        ssl_context: ssl.SSLContext | None = None,
        *,
        server_names: Mapping[str, str] = NO_OVERRIDES,
        own: URL | None = None,
        sockets: SocketOptions = DEFAULTS,
    ) -> None:
        super().__init__(ssl_context, server_names=server_names, own=own)
        self._sockets = sockets
        self._socket: socket.socket | None = None
        self._waiting: anyio.CancelScope | None = None
        self._waited = True  # since the last attempt
        self._aborted = False

    @property
    def now(self) -> Callable[[], float]:
        """The clock of the event loop that runs here: anyio looks for it each time, in 8 calls."""
        if on_asyncio():
            return asyncio.get_running_loop().time
        import trio

        return trio.current_time

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try the addresses of the host, each a little after the one before, until one accepts (RFC 8305)."""
        self.close()
        self._port = port
        await self._within(deadline, self._open, host, port)

    async def sleep(self, deadline: float) -> None:
        with suppress(TimeoutError):
            await self._within(deadline, anyio.sleep_forever)

    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        if on_asyncio():
            return native.Transport().call_at(when, function)
        import trio

        scope = trio.CancelScope()

        async def wait() -> None:
            with scope:
                await trio.sleep_until(when)
                await function()

        trio.lowlevel.spawn_system_task(wait)
        return scope.cancel

    def abort(self) -> None:
        self._aborted = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._socket is not None:
            shut_down(self._socket)

    def close(self) -> None:
        self._end_tls()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _open(self, host: str, port: int) -> None:
        addresses = self._sockets.parse_address(host, port) or await look_up(host, port)
        self._socket = await first_connected(self._sockets.choose(host, addresses), self._sockets)

    async def _send(self, data: bytes, deadline: float | None) -> int:
        sent, count = 0, 1
        while sent < len(data) and count:
            rest = memoryview(data)[sent:]
            count = await self._when_ready(deadline, room_or_input, send_some, rest)
            sent += count
        return sent

    def _receive(self, deadline: float | None) -> Coroutine[Any, Any, bytes]:
        return self._when_ready(deadline, anyio.wait_readable, socket.socket.recv, RECEIVE_SIZE)

    async def _when_ready(
        self,
        deadline: float | None,
        wait: Callable[[socket.socket], Awaitable[None]],
        attempt: Callable[[socket.socket, A], R],
        argument: A,
    ) -> R:
        """Attempt an operation on the socket, and wait for it where that would block."""
        if not self._waited:
            await checkpoint()  # a fast peer must not keep other tasks from running
        self._waited = False
        while True:
            sock = self._require_socket()
            try:
                return attempt(sock, argument)
            except BlockingIOError:
                self._waited = True
            try:  # out here, where that error is kept no more
                with self._until(deadline):
                    await wait(sock)
                    continue
            finally:
                self._waiting = None
            raise self._too_late()

    def _require_socket(self) -> socket.socket:
        if self._aborted:
            raise ConnectionAbortedError("aborted")
        if self._socket is None:
            raise ConnectionAbortedError("not connected")
        return self._socket

    async def _within(self, deadline: float | None, wait: Callable[[*Args], Awaitable[R]], *args: *Args) -> R:
        """Wait for something until the deadline passes, or `abort` is called."""
        try:
            with self._until(deadline):
                return await wait(*args)
        finally:
            self._waiting = None
        raise self._too_late()

    def _until(self, deadline: float | None) -> anyio.CancelScope:
        """Return a scope that is cancelled when the deadline passes, or `abort` is called."""
        self._waiting = anyio.CancelScope(deadline=math.inf if deadline is None else deadline)
        if self._aborted:
            self._waiting.cancel()
        return self._waiting

    def _too_late(self) -> OSError:
        return ConnectionAbortedError("aborted") if self._aborted else TimeoutError("timed out")


async def room_or_input(sock: socket.socket) -> None:
    """Wait until a socket has room to send, or has something to receive."""

    async def wait(ready: Callable[[socket.socket], Awaitable[None]]) -> None:
        await ready(sock)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(wait, anyio.wait_writable)
        group.start_soon(wait, anyio.wait_readable)


async def look_up(host: str, port: int) -> Sequence[Address]:
    """Look a name up in a thread, which is left to itself if this is cancelled. Raises OSError."""
    if on_asyncio():
        return await native.look_up(host, port)
    import trio

    token = trio.lowlevel.current_trio_token()
    ended = trio.Event()

    def notify() -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(ended.set)

    look_up = LookUp(host, port, notify)
    try:
        resolving.RESOLVER.start(look_up)
        await ended.wait()
        return look_up.result()
    finally:
        look_up.abandoned = True


async def first_connected(addresses: Sequence[Address], sockets: SocketOptions) -> socket.socket:
    """Return the first socket that connects (RFC 8305, section 5); all others are closed."""
    connected: list[socket.socket] = []
    failures: list[OSError] = []

    async def attempt(address: Address, failed: anyio.Event) -> None:
        try:
            connected.append(await connect(address, sockets))
            group.cancel_scope.cancel()
        except OSError as exc:
            failures.append(exc)
            failed.set()

    try:
        async with anyio.create_task_group() as group:
            for address in addresses:
                failed = anyio.Event()
                group.start_soon(attempt, address, failed)
                with anyio.move_on_after(ATTEMPT_DELAY):
                    await failed.wait()
        if not connected:
            raise failures[-1]
        return connected.pop(0)
    finally:
        for sock in connected:
            sock.close()


async def connect(address: Address, sockets: SocketOptions) -> socket.socket:
    sock = sockets.new_socket(address)
    try:
        with suppress(BlockingIOError):
            sock.connect(address[-1])
        await anyio.wait_writable(sock)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
    except BaseException:
        sock.close()
        raise
    return sock
