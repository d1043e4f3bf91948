"""Plain blocking sockets, for programs that use threads or none.

    with Client(base_url, headers=...) as client:
        with client.stream(request) as stream:
            for chunk in stream:
                ...

`sse_adapters.anyio` reads the same with `async` and `await`.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from functools import partial
from math import inf
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Unpack

from . import sync_loop
from .base import RECEIVE_SIZE
from .options import NO_OVERRIDES, NetworkOptions, split_options
from .sockets import (
    Address,
    UnixPath,
    alternate_families,
    encode_host,
    new_socket,
    parse_address,
    shut_down,
    unix_socket,
)
from .sync_loop import Stream
from .transports import SyncTransport

if TYPE_CHECKING:
    import ssl

__all__ = ["Client", "Stream", "Transport"]


class Client(sync_loop.Client):
    """Makes streams over TCP connections, which are used again where possible.

    `base_url` is what request paths are added to; `options` are those of `NetworkOptions`.
    Leaving the client's block closes the streams that are still open. A client may be
    used from several threads. Raises ValueError for a URL that is not http or https, and
    for an SSLContext that verifies nobody because nobody told it to.
    """

    def __init__(self, base_url: str, **options: Unpack[NetworkOptions]) -> None:
        transport, rest = split_options(base_url, options)
        super().__init__(base_url, partial(Transport, **transport), **rest)


class Transport(SyncTransport):
    """One TCP connection, or one to the Unix socket `uds`. A `sync_loop.Transport`.

    `server_names` has what certificates must say for the hosts that are its keys.

    `abort` ends a wait by shutting the socket down. What it cannot end is the look-up
    of a name, which the system does not let anyone interrupt; nor, on Windows, an attempt
    to connect.
    """

    def __init__(
        self,
        ssl_context: ssl.SSLContext | None = None,
        *,
        server_names: Mapping[str, str] = NO_OVERRIDES,
        uds: UnixPath | None = None,
    ) -> None:
        super().__init__(ssl_context, server_names)
        self._uds = uds
        self._socket: socket.socket | None = None
        self._timeout = inf  # the socket's, in seconds
        self._aborted = False
        self._wakeup = Event()  # goes off then
        self._lock = Lock()  # between abort, and a socket that comes or goes

    now = staticmethod(monotonic)

    def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try one address after the other until one accepts, with an equal share of the time for each."""
        self.close()
        addresses = unix_socket(self._uds) if self._uds is not None else resolve(host, port)
        failures: list[OSError] = []
        for address in addresses:
            left = len(addresses) - len(failures)
            now = monotonic()
            share = None if deadline is None else now + max(0, deadline - now) / left
            try:
                self._set_socket(new_socket(address))
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
            if self._socket is not None:
                shut_down(self._socket)

    def close(self) -> None:
        with self._lock:
            self._tls = None
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _send(self, data: bytes, deadline: float | None) -> None:
        try:
            self._socket_until(deadline).sendall(data)
        except BlockingIOError:
            raise TimeoutError("timed out") from None

    def _receive(self, deadline: float | None) -> bytes:
        sock = self._socket
        if sock is None or self._aborted:
            raise self._closed_error()
        seconds = inf if deadline is None else deadline - monotonic()
        if not seconds * 0.5 <= self._timeout <= seconds:
            # Too soon, so that it does for the next waits too: to set it takes a system call, 3 us.
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


def resolve(host: str, port: int) -> Sequence[Address]:
    if found := parse_address(host, port):
        return found
    return alternate_families(host, socket.getaddrinfo(encode_host(host), port, type=socket.SOCK_STREAM))


LONGEST = 2e6
"""Seconds, 23 days: sockets count milliseconds in 31 bits. A later deadline is none."""
