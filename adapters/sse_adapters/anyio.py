"""asyncio and trio, through anyio.

    async with Client(base_url, headers=...) as client:
        async with client.stream(request) as stream:
            async for chunk in stream:
                ...

The transport waits for plain non-blocking sockets with `anyio.wait_readable` rather than
use anyio's socket streams. So it can be closed without waiting, from a finaliser too; a
cancelled wait loses nothing; and on asyncio and trio it costs less for each wait, since
no data passes through a protocol's buffers.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar, TypeVarTuple

import anyio
from anyio.lowlevel import checkpoint

from sse_core import Deadlines, Limits

from . import async_loop
from ._base import NO_HEADERS, RECEIVE_SIZE, secured
from .async_loop import Stream

__all__ = ["Client", "Stream", "Transport"]

R = TypeVar("R")
Args = TypeVarTuple("Args")
Wait: TypeAlias = Callable[[socket.socket], Awaitable[None]]


class Client(async_loop.Client):
    """Makes streams over TCP connections, one for each.

    `base_url` is what request paths are added to; `headers` go with every request.
    `ssl_context` decides whom to trust over https: by default whom the system trusts. Its
    `OP_IGNORE_UNEXPECTED_EOF` is cleared, so that a connection that is cut is noticed.
    Leaving the client's block closes the streams that are still open. Raises ValueError
    for a URL that is not http or https.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        transport = partial(Transport, ssl_context)
        super().__init__(base_url, transport, headers=headers, deadlines=deadlines, limits=limits)


class Transport:
    """One TCP connection. An `async_loop.Transport`."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context
        self._socket: socket.socket | None = None
        self._waiting: anyio.CancelScope | None = None
        self._aborted = False

    def now(self) -> float:
        return anyio.current_time()

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try the addresses of the host in the system's order until one accepts."""
        failure = OSError(f"no address for {host!r}")
        for family, kind, protocol, _, address in await self._within(deadline, look_up, host, port):
            self._socket = socket.socket(family, kind, protocol)
            try:
                self._socket.setblocking(False)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                with suppress(BlockingIOError):
                    self._socket.connect(address)
                await self._within(deadline, anyio.wait_writable, self._socket)
                error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error))
            except OSError as exc:
                failure = exc
                self.close()
            else:
                return
        raise failure

    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        self._socket = tls = secured(self._connected(), server_name, self._ssl_context)
        await self._when_ready(deadline, anyio.wait_readable, tls.do_handshake)

    async def send(self, data: bytes, deadline: float | None) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[await self._when_ready(deadline, anyio.wait_writable, self._connected().send, rest) :]

    async def receive(self, deadline: float | None) -> bytes:
        return await self._when_ready(deadline, anyio.wait_readable, self._connected().recv, RECEIVE_SIZE)

    def abort(self) -> None:
        self._aborted = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._socket is not None:
            with suppress(OSError):  # it need not be connected
                # The socket's own shutdown: SSLSocket's would also forget that it speaks TLS.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionAbortedError("not connected")
        return self._socket

    async def _when_ready(
        self, deadline: float | None, wait: Wait, attempt: Callable[[*Args], R], *args: *Args
    ) -> R:
        """Attempt an operation on the socket, and wait for it where that would block."""
        if deadline is not None and self.now() >= deadline:
            raise TimeoutError("timed out")  # though a fast peer would never have to be waited for
        waited = False
        while True:
            try:
                result = attempt(*args)
            except BlockingIOError:
                await self._within(deadline, wait, self._connected())
            except ssl.SSLWantReadError:
                await self._within(deadline, anyio.wait_readable, self._connected())
            except ssl.SSLWantWriteError:
                await self._within(deadline, anyio.wait_writable, self._connected())
            else:
                if not waited:
                    await checkpoint()  # a fast peer must not keep other tasks from running
                return result
            waited = True

    async def _within(self, deadline: float | None, wait: Callable[[*Args], Awaitable[R]], *args: *Args) -> R:
        """Wait for something until the deadline passes, or `abort` is called."""
        with anyio.CancelScope(deadline=math.inf if deadline is None else deadline) as scope:
            self._waiting = scope
            if self._aborted:
                scope.cancel()
            try:
                return await wait(*args)
            finally:
                self._waiting = None
        if self._aborted:
            raise ConnectionAbortedError("aborted")
        raise TimeoutError("timed out")


async def look_up(host: str, port: int) -> Sequence[tuple[Any, Any, int, str, Any]]:
    """Return the addresses of a host; at once if it is one."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
