"""The other side of the connections that a transport is checked with. All of it blocks."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

R = TypeVar("R")


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self._socket = sock

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_after(self, seconds: float, data: bytes) -> None:
        """Send data later, when the other side waits for room to send."""
        time.sleep(seconds)
        self.send(data)

    def receive(self, size: int = 65536) -> bytes:
        return self._socket.recv(size)

    def receive_exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size and (piece := self.receive(size - len(data))):
            data += piece
        return bytes(data)

    def notices_the_end(self) -> bool:
        """Read on, and return whether the other side has left, one way or another."""
        try:
            while self.receive():
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def stop_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", True, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()

    def close(self) -> None:
        self._socket.close()


class SecurePeer(Peer):
    """The server's end of TLS on a connection, which may be a TLS one itself."""

    def __init__(self, below: Peer, context: ssl.SSLContext) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def handshake(self) -> None:
        self._perform(self._object.do_handshake)

    def send(self, data: bytes) -> None:
        self._perform(self._object.write, data)

    def receive(self, size: int = 65536) -> bytes:
        return self._perform(self._object.read, size)

    def say_goodbye(self) -> None:
        """Send a close_notify, and do not wait for the other one."""
        with suppress(ssl.SSLWantReadError):
            self._object.unwrap()
        self._below.send(self._outgoing.read())

    def close(self) -> None:
        self._below.close()

    def record(self, data: bytes) -> bytes:
        """Return what `send` would send."""
        self._object.write(data)
        return self._outgoing.read()

    def _perform(self, operation: Callable[..., R], *args: Any) -> R:
        while True:
            try:
                result = operation(*args)
            except ssl.SSLWantReadError:
                self._below.send(self._outgoing.read())
                if data := self._below.receive():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._below.send(self._outgoing.read())
                return result


@contextmanager
def refusing() -> Generator[int]:
    """A port of 127.0.0.1 where nobody listens, nor will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def never_accepting() -> Generator[int | None]:
    """A port of 127.0.0.1 that answers no one, since its backlog is full. None where that cannot be had."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(16):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            if not select.select([], [client], [], 0.1)[1]:
                yield listener.getsockname()[1]
                return
        yield None


PATIENCE = 10.0
"""Seconds that anything may take on a busy machine."""
