"""Plain blocking sockets, for programs that use threads or none.

with Client(base_url, headers=...) as client:
    with client.stream(request) as stream:
        for chunk in stream:
            ...
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from threading import Lock
from time import monotonic

from sse_core import Deadlines, Limits

from . import sync_loop
from ._base import NO_HEADERS, RECEIVE_SIZE, secured
from .sync_loop import Stream

__all__ = ["Client", "Stream", "Transport"]


class Client(sync_loop.Client):
    """Makes streams over TCP connections, one for each.

    `base_url` is what request paths are added to; `headers` go with every request.
    `ssl_context` decides whom to trust over https: by default whom the system trusts. Its
    `OP_IGNORE_UNEXPECTED_EOF` is cleared, so that a connection that is cut is noticed.
    Leaving the client's block closes the streams that are still open. A client may be
    used from several threads. Raises ValueError for a URL that is not http or https.
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
    """One TCP connection. A `sync_loop.Transport`.

    `abort` ends a wait by shutting the socket down. What it cannot end is the look-up
    of a name, which the system does not let anyone interrupt.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context
        self._socket: socket.socket | None = None
        self._aborted = False
        self._lock = Lock()  # between abort, and a socket that comes or goes

    def now(self) -> float:
        return monotonic()

    def open(self, host: str, port: int, deadline: float | None) -> None:
        """Try the addresses of the host in the system's order until one accepts."""
        failure = OSError(f"no address for {host!r}")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                sock = self._adopt(socket.socket(family, kind, protocol))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                self._ready(deadline).connect(address)
            except OSError as exc:
                failure = exc
                self.close()
            else:
                return
        raise failure

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        tls = secured(self._ready(deadline), server_name, self._ssl_context)
        self._adopt(tls)
        tls.do_handshake()

    def send(self, data: bytes, deadline: float | None) -> None:
        self._ready(deadline).sendall(data)

    def receive(self, deadline: float | None) -> bytes:
        return self._ready(deadline).recv(RECEIVE_SIZE)

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                with suppress(OSError):  # it need not be connected
                    # The socket's own shutdown: SSLSocket's would also forget that it speaks TLS.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _adopt(self, sock: socket.socket) -> socket.socket:
        with self._lock:
            self._socket = sock
            if self._aborted:
                raise ConnectionAbortedError("aborted")
        return sock

    def _ready(self, deadline: float | None) -> socket.socket:
        """Return the socket, with the time that is left as its timeout."""
        if self._socket is None:
            raise ConnectionAbortedError("not connected")
        if deadline is None:
            self._socket.settimeout(None)
        else:
            seconds = deadline - monotonic()
            if seconds <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(seconds)
        return self._socket
