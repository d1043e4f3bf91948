"""Plain blocking sockets, for programs that use threads or none.

    with Client(base_url, headers=...) as client:
        with client.stream(request) as stream:
            for chunk in stream:
                ...

`sse_adapters.anyio` reads the same with `async` and `await`.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Unpack

from . import resolving, sync_loop
from .base import RECEIVE_SIZE
from .options import NO_OVERRIDES, Auth, NetworkOptions, split_options
from .resolving import LookUp
from .sockets import DEFAULTS, Address, SocketOptions, send_some, shut_down
from .sync_loop import Stream
from .transports import SyncTransport

if TYPE_CHECKING:
    import ssl

    from sse_core import URL

__all__ = ["Client", "Stream", "Transport"]


class Client(sync_loop.Client):
    """Makes streams over TCP connections, and uses these again where possible.

    `base_url` is prefixed to the path of each request; `options` are those of `NetworkOptions`. Leaving the
    client's block closes the streams that are still open. A client may be used from several threads.

    Raises ValueError if the URL is not http or https, and if an SSLContext verifies nobody by mistake.
    """

    def __init__(self, base_url: str, **options: Unpack[NetworkOptions[Auth]]) -> None:
        transport, rest = split_options(base_url, options)
        super().__init__(base_url, partial(Transport, **transport), **rest)


class Transport(SyncTransport):
    """One connection over a socket. A `sync_loop.Transport`; the first three arguments are `TLSBase`'s.

    `abort` ends a wait by shutting the socket down. On Windows that cannot end an attempt to connect.
    """

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
        self._timeout = inf  # the socket's, in seconds
        self._aborted = False
        self._wakeup = Event()  # set by `abort`
        self._look_up_ended: Event | None = None  # set by `abort`, too
        self._lock = Lock()  # between `abort`, and a socket that is set or closed

    @property
    def now(self) -> Callable[[], float]:
        return monotonic

    def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try one address after the other until one accepts, each for an equal share of the time left."""
        self.close()
        self._port = port
        addresses = self._sockets.choose(host, self._find(host, port, deadline))
        failures: list[OSError] = []
        for address in addresses:
            left = len(addresses) - len(failures)
            now = monotonic()
            share = None if deadline is None else now + max(0, deadline - now) / left
            try:
                self._set_socket(self._sockets.new_socket(address))
                self._socket_until(share).connect(address[-1])
                return
            except BlockingIOError:
                failures.append(TimeoutError("timed out"))
            except OSError as exc:
                failures.append(exc)
            self.close()
        raise failures[-1]

    def sleep(self, deadline: float) -> None:
        seconds = deadline - monotonic()
        if self._wakeup.wait(seconds if seconds < LONGEST else None):
            raise ConnectionAbortedError("aborted")

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            self._wakeup.set()
            if self._look_up_ended is not None:
                self._look_up_ended.set()
            if self._socket is not None:
                shut_down(self._socket)

    def close(self) -> None:
        with self._lock:
            self._end_tls()
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _find(self, host: str, port: int, deadline: float | None) -> Sequence[Address]:
        """Return the addresses of a host, which may have to be looked up by its name."""
        if found := self._sockets.parse_address(host, port):
            return found
        ended = Event()
        with self._lock:
            self._look_up_ended = ended
            if self._aborted:
                raise ConnectionAbortedError("aborted")
        look_up = LookUp(host, port, ended.set)
        try:
            resolving.RESOLVER.start(look_up)
            seconds = inf if deadline is None else deadline - monotonic()
            if not ended.wait(seconds if seconds < LONGEST else None):
                raise TimeoutError("timed out")
            if self._aborted:
                raise ConnectionAbortedError("aborted")
            return look_up.result()
        finally:
            look_up.abandoned = True
            self._look_up_ended = None

    def _send(self, data: bytes, deadline: float | None) -> int:
        sock = self._socket_until(-inf)
        sent, count = 0, 1
        while sent < len(data) and count:
            try:
                count = send_some(sock, memoryview(data)[sent:])
                sent += count
            except BlockingIOError:
                wait_for_room_or_input(sock, deadline)
            if self._aborted:
                raise self._closed_error()
        return sent

    def _receive(self, deadline: float | None) -> bytes:
        sock = self._socket
        if sock is None or self._aborted:
            raise self._closed_error()
        seconds = inf if deadline is None else deadline - monotonic()
        if not seconds * 0.5 <= self._timeout <= seconds:
            # A timeout is a system call. A shorter one than needed will do for the next deadlines, too.
            self._set_timeout(sock, seconds * 0.75)
        try:
            try:
                data = sock.recv(RECEIVE_SIZE)
            except TimeoutError as exc:
                if exc.errno is not None:  # the connection has timed out
                    raise
                data = self._socket_until(deadline).recv(RECEIVE_SIZE)
        except BlockingIOError:
            raise TimeoutError("timed out") from None
        if not data and self._aborted:
            raise ConnectionAbortedError("aborted")
        return data

    def _set_socket(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self._aborted:
                raise ConnectionAbortedError("aborted")

    def _socket_until(self, deadline: float | None) -> socket.socket:
        """Return the socket, with the time that is left as its timeout."""
        sock = self._socket
        if sock is None or self._aborted:
            raise self._closed_error()
        self._set_timeout(sock, inf if deadline is None else deadline - monotonic())
        return sock

    def _set_timeout(self, sock: socket.socket, seconds: float) -> None:
        self._timeout = max(0.0, seconds) if seconds < LONGEST else inf
        sock.settimeout(None if self._timeout == inf else self._timeout)

    def _closed_error(self) -> ConnectionAbortedError:
        return ConnectionAbortedError("aborted" if self._aborted else "not connected")


def wait_for_room_or_input(sock: socket.socket, deadline: float | None) -> None:
    """Wait until a socket has room to send, or has something to receive. Raises TimeoutError."""
    seconds = inf if deadline is None else max(0.0, deadline - monotonic())
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN | select.POLLOUT)
        ready = bool(poll.poll(seconds * 1000 if seconds < LONGEST else None))
    else:
        found = select.select([sock], [sock], [sock], seconds if seconds < LONGEST else None)
        ready = any(found)
    if not ready:
        raise TimeoutError("timed out")


LONGEST = 2e6
"""Seconds, 23 days: sockets count milliseconds in 31 bits. A later deadline is none."""
