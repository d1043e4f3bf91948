"""asyncio alone, uvloop included, with nothing between the event loop's own protocols and the stream.

    async with Client(base_url, headers=...) as client:
        async with client.stream(request) as stream:
            async for chunk in stream:
                ...

A wait costs less than through anyio, since the socket stays registered with the event loop,
and since it is one future. The price is that the loop receives ahead of the reader, up to
`BUFFER_SIZE`. The client of `sse_adapters.anyio` has the same connections on asyncio; this one
has them without anyio.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, Unpack, cast

from . import async_loop, forking, resolving
from .async_loop import Stream
from .options import NO_OVERRIDES, AsyncAuth, NetworkOptions, split_options
from .resolving import LookUp
from .sockets import (
    ATTEMPT_DELAY,
    DEFAULTS,
    RESET,
    Address,
    SocketOptions,
    shut_down,
)
from .transports import AsyncTransport

if TYPE_CHECKING:
    from sse_core import URL

__all__ = ["Client", "Stream", "Transport"]

R = TypeVar("R")


class Client(async_loop.Client):
    """Makes streams over TCP connections, which are used again where possible.

    `base_url` is what request paths are added to; `options` are those of `NetworkOptions`.
    Leaving the client's block closes the streams that are still open; do so before the
    event loop is closed. Raises ValueError for a URL that is not http or https, and for an
    SSLContext that verifies nobody because nobody told it to.
    """

    def __init__(self, base_url: str, **options: Unpack[NetworkOptions[AsyncAuth]]) -> None:
        transport, rest = split_options(base_url, options)
        super().__init__(base_url, partial(Transport, **transport), **rest)


class Transport(AsyncTransport):
    """One connection over a socket. An `async_loop.Transport`; the first three arguments are `TLSBase`'s."""

    _connection: Connection | None = None

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
        self._waiting: asyncio.Timeout | None = None
        self._aborted = False

    @property
    def now(self) -> Callable[[], float]:
        """The clock of the event loop that runs."""
        return asyncio.get_running_loop().time

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try the addresses of the host, each a little after the one before, until one accepts (RFC 8305)."""
        self.close()
        self._port = port
        self._connection = await self._within(deadline, self._open(host, port))

    async def sleep(self, deadline: float) -> None:
        with suppress(TimeoutError):
            await self._within(deadline, asyncio.get_running_loop().create_future())

    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        loop = asyncio.get_running_loop()

        def start() -> None:
            task = loop.create_task(function())
            BACKGROUND.add(task)
            task.add_done_callback(BACKGROUND.discard)

        return loop.call_at(when, start).cancel

    def abort(self) -> None:
        self._aborted = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(-math.inf)
        if self._connection is not None:
            self._connection.abort()

    def close(self) -> None:
        self._end_tls()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:  # the event loop would keep it
            self._connection.close()

    async def _open(self, host: str, port: int) -> Connection:
        addresses = self._sockets.parse_address(host, port) or await look_up(host, port)
        sock = await first_connected(self._sockets.choose(host, addresses), self._sockets)
        return await Connection.over(sock)

    async def _send(self, data: bytes, deadline: float | None) -> int:
        if self._connection is None or self._aborted:
            raise self._closed_error()
        return await self._connection.send(data, deadline)

    def _receive(self, deadline: float | None) -> asyncio.Future[bytes]:
        if self._connection is None or self._aborted:
            raise self._closed_error()
        return self._connection.receive(deadline)

    def _closed_error(self) -> ConnectionAbortedError:
        return ConnectionAbortedError("aborted" if self._aborted else "not connected")

    async def _within(self, deadline: float | None, wait: Awaitable[R]) -> R:
        """Wait for something until the deadline passes, or `abort` is called."""
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline) as self._waiting:
                if self._aborted:
                    self._waiting.reschedule(-math.inf)
                return await wait
        except TimeoutError:
            if self._aborted:
                raise ConnectionAbortedError("aborted") from None
            raise TimeoutError("timed out") from None
        finally:
            self._waiting = None


class Connection(asyncio.Protocol):
    """What has come over one connection, and the one who waits for more, or for room to send.

    What comes while someone waits for it is the result of the future that is waited for, without a
    buffer, a coroutine and a turn of its own in between: of many connections, that much less is touched.
    """

    __slots__ = (
        "_alarm", "_can_write", "_deadline", "_ended", "_failure", "_loop", "_offset", "_process",
        "_reading",
        "_received", "_receiver", "_sender", "_socket", "_thread", "_timer", "_transport",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._process = forking.current
        self._socket = sock
        self._received = b""  # not a list: several pieces are rare, and measured to be no slower
        self._offset = 0  # bytes of that already taken: to cut them off each time would copy all the others
        self._reading = True
        self._ended = False  # by the peer
        self._can_write = True
        self._failure: OSError | None = None
        self._receiver: asyncio.Future[bytes] | None = None
        self._sender: asyncio.Future[None] | None = None
        self._deadline = math.inf  # of either, for there is one of them at a time
        self._alarm = math.inf  # when the timer goes off
        self._timer: asyncio.Handle | None = None

    @classmethod
    async def over(cls, sock: socket.socket) -> Connection:
        """Return the connection of a connected socket, which is closed if that fails."""
        connection = cls(sock)
        try:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                await connection._loop.create_connection(lambda: connection, sock=sock)
            else:
                await connection._loop.create_unix_connection(lambda: connection, sock=sock)
        except BaseException:
            sock.close()
            raise
        return connection

    async def send(self, data: bytes, deadline: float | None) -> int:
        """Send data piece by piece, until all of it is sent, or something was received while it had to wait.

        A piece that was begun counts as sent: the event loop has taken all of it.
        """
        sent = 0
        while sent < len(data) and self._failure is None:
            piece = memoryview(data)[sent : sent + PIECE_SIZE]
            self._transport.write(piece)
            sent += len(piece)
            if self._transport.is_closing():  # The write failed, and so the loop reads no more.
                with suppress(OSError):  # But the peer may have said why it left.
                    self._add(self._socket.recv(BUFFER_SIZE))
            while self._failure is None and (not self._can_write or self._transport.is_closing()):
                if self._received or self._ended:
                    return sent
                self._set_deadline(deadline)
                self._sender = self._loop.create_future()
                await self._sender
        if self._failure is not None:
            raise self._failure
        return sent

    def receive(self, deadline: float | None) -> asyncio.Future[bytes]:
        if self._failure is not None and not self._received:
            raise self._failure
        waiter: asyncio.Future[bytes] = asyncio.Future(loop=self._loop)  # one call less than `create_future`
        if self._received or self._ended:
            waiter.set_result(self._take())
        else:
            self._set_deadline(deadline)
            self._receiver = waiter
        return waiter

    def abort(self) -> None:
        shut_down(self._socket)
        self._fail(ConnectionAbortedError("aborted"))

    def close(self) -> None:
        """Close the socket at once: the event loop would do so in its next turn, if it has one.

        In another thread, where a finaliser may run, only the loop may touch what is the loop's. In a forked
        child nobody may: the system's side of the loop is the parent's, too.
        """
        if self._process is not forking.current:
            return
        discard_input(self._socket)  # a peer that waits for room to send would not hear of a shutdown
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # all that can be done on uvloop
        if discard_input(self._socket):  # it may have been full again, and an orphan opens its window no more
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if self._loop.is_running() and self._thread != get_ident():
            with suppress(RuntimeError):  # the event loop has been closed this moment
                self._loop.call_soon_threadsafe(self._release)
        else:
            self._release()

    def _release(self) -> None:
        self._receiver = self._sender = None  # who waited is gone, and would not look at an error
        if self._timer is not None:
            self._timer.cancel()
        with suppress(RuntimeError):  # the event loop is closed
            self._transport.abort()
        self._socket.close()

    def _take(self) -> bytes:
        """Return what has come, up to a limit: the chunks in more than that leave the processor's caches."""
        data = self._received[self._offset : self._offset + BUFFER_SIZE]
        self._offset += len(data)
        held = len(self._received) - self._offset
        if not held:
            self._received, self._offset = b"", 0
        if not self._reading and held < BUFFER_SIZE:
            self._reading = True
            self._transport.resume_reading()
        return data

    def _add(self, data: bytes) -> None:
        self._received, self._offset = self._received[self._offset :] + data, 0

    def _set_deadline(self, deadline: float | None) -> None:
        """Say until when is waited. When that has passed, the loop gets one turn to find it."""
        try:
            belongs = self._loop is asyncio.get_running_loop()
        except RuntimeError:  # what runs is trio
            belongs = False
        if not belongs:  # a kept connection can outlast its event loop
            raise ConnectionAbortedError("the connection belongs to another event loop")
        self._deadline = math.inf if deadline is None else deadline
        if self._deadline < self._alarm:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._alarm = self._deadline
        self._timer = self._loop.call_at(self._alarm, self._check_deadline)

    def _check_deadline(self) -> None:
        """A timer outlasts its wait, since the next deadline is seldom sooner: one for each is dear."""
        self._alarm = math.inf
        if is_waiting(self._receiver) or is_waiting(self._sender):
            if self._deadline - self._loop.time() < TICK:
                self._fail_waiters(TimeoutError("timed out"))
            elif self._deadline < math.inf:
                self._set_alarm()

    def _fail(self, failure: OSError) -> None:
        """Let nobody wait any more, now or later."""
        self._failure = failure
        self._fail_waiters(failure)

    def _fail_waiters(self, error: OSError) -> None:
        """End a wait with an error."""
        receiver, sender = self._receiver, self._sender
        self._receiver = self._sender = None  # or the error would hold this, and this the error
        if is_waiting(receiver):
            receiver.set_exception(error)
        if is_waiting(sender):
            sender.set_exception(error)

    def _wake_sender(self) -> None:
        if is_waiting(self._sender):
            self._sender.set_result(None)

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # to send is to hand all of it to the system

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        self._receiver = None
        if receiver is not None and not receiver.done() and len(data) <= BUFFER_SIZE:
            receiver.set_result(data)
            return
        self._add(data)
        if is_waiting(receiver):
            receiver.set_result(self._take())
        self._wake_sender()
        if len(self._received) >= BUFFER_SIZE:
            self._reading = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        if is_waiting(self._receiver):
            self._receiver.set_result(b"")
        self._wake_sender()
        return True  # the peer may still read

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._wake_sender()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._failure is None:
            self._fail(exc if isinstance(exc, OSError) else ConnectionAbortedError("connection lost"))


def discard_input(sock: socket.socket) -> bool:
    """Drop what has been received; return whether there was anything."""
    left = MAX_RECEIVED
    with suppress(OSError):
        while left > 0 and (data := sock.recv(BUFFER_SIZE)):
            left -= len(data)
    return left < MAX_RECEIVED


def is_waiting(waiter: asyncio.Future[R] | None) -> TypeGuard[asyncio.Future[R]]:
    """Whether nothing has come of a wait yet, and nobody has called it off."""
    return waiter is not None and not waiter.done()


async def look_up(host: str, port: int) -> Sequence[Address]:
    """Look a name up in a thread, which is left to itself if this is cancelled. Raises OSError."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def notify() -> None:
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(ended.set)

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

    async def attempt(address: Address) -> None:
        try:
            connected.append(await connect(address, sockets))
        except OSError as exc:
            failures.append(exc)

    rest = iter(addresses)
    attempts: set[asyncio.Task[None]] = set()
    try:
        while not connected:
            address = next(rest, None)
            if address is not None:
                attempts.add(asyncio.create_task(attempt(address)))
            elif not attempts:
                raise failures[-1]
            delay = None if address is None else ATTEMPT_DELAY
            done, attempts = await asyncio.wait(attempts, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what nobody has foreseen
        return connected.pop(0)
    finally:
        for sock in connected:
            sock.close()
        for task in attempts:
            task.cancel()
        if attempts:
            await asyncio.wait(attempts)


async def connect(address: Address, sockets: SocketOptions) -> socket.socket:
    sock = sockets.new_socket(address)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address[-1])
    except BaseException:
        sock.close()
        raise
    return sock


BACKGROUND: set[asyncio.Task[None]] = set()
"""Tasks that nobody else keeps: an event loop does not."""
BUFFER_SIZE = 64 * 1024
"""Bytes to hold for the reader before the peer has to wait."""
PIECE_SIZE = 256 * 1024
"""Bytes to hand to the event loop at a time."""
MAX_RECEIVED = 16 * 2**20
"""Bytes that a system may hold for a reader."""
TICK = 0.001
"""Seconds. uvloop rounds deadlines to milliseconds."""
