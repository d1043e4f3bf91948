"""TLS without I/O, and whom to trust.

`ssl.SSLObject` speaks TLS into and out of memory. So one implementation serves every
transport, and one TLS runs inside another, which `ssl.SSLSocket` cannot do. It is no
slower: a read from `SSLSocket` takes two system calls for each record.
"""

from __future__ import annotations

import ssl
from functools import cache


class TLS:
    """The client's side of one TLS connection, over a transport or over another TLS.

    Whatever goes wrong is a `Failure`. A connection that ends without the peer's
    close_notify was cut (RFC 8446, section 6.1), and that is never taken for an end: some
    versions of Python, 3.11.2 for one, tell OpenSSL 3 otherwise.
    """

    Failure = ssl.SSLError

    def __init__(self, context: ssl.SSLContext | None, server_name: str, below: TLS | None = None) -> None:
        context = context or default_ssl_context()
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        except ValueError as exc:
            raise ssl.SSLError(f"no server name: {server_name!r}") from exc
        self._failure: ssl.SSLError | None = None  # what came after data that was handed out first

    def handshake(self) -> bool:
        """Go on with the handshake as far as what came allows; return whether it is complete."""
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                if not self._take_from_below():
                    return False
            else:
                return True

    def feed(self, data: bytes) -> None:
        """Take what the transport has received, `b""` at its end."""
        if self._below is not None:
            self._below.feed(data)
        else:
            self._take(data)

    def decrypt(self) -> bytes | None:
        """Return what has come, `b""` at the peer's close_notify, None if more has to be fed first."""
        while True:
            data = self._read()
            if data is not None or not self._take_from_below():
                return data

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """Return what the transport has to send so that the peer gets the data."""
        self._object.write(data)
        return self.outgoing()

    def outgoing(self) -> bytes:
        """Return what the transport has to send, which may be nothing."""
        data = self._outgoing.read()
        if self._below is None:
            return data
        return self._below.encrypt(data) if data else self._below.outgoing()

    def _read(self) -> bytes | None:
        """Return every record that is there: small writes of the peer's come as one, as without TLS."""
        if self._failure is not None:
            raise self._failure
        pieces: list[bytes] = []
        try:
            while not pieces or self._incoming.pending or self._object.pending():
                piece = self._object.read(READ_SIZE)
                if not piece:
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            if not pieces:
                return None
        except ssl.SSLError as exc:
            if not pieces:
                raise
            self._failure = exc
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take_from_below(self) -> bool:
        data = None if self._below is None else self._below.decrypt()
        if data is not None:
            self._take(data)
        return data is not None

    def _take(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


@cache
def default_ssl_context() -> ssl.SSLContext:
    """The system's trust, made when first needed, since that takes a while."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


READ_SIZE = 16 * 1024
"""Bytes to decrypt at a time: what a record holds at most (RFC 8446, section 5.1)."""
