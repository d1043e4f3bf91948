"""Bases for transports: each has to send and to receive, and these add TLS to it.

A subclass has to define `_send(data, deadline)` and `_receive(deadline)`, with the contract of `send` and
`receive` in `sync_loop.Transport` and `async_loop.Transport`, but without TLS, besides the verbs that TLS
has no part in. What needs `ssl` is imported when the first connection needs TLS.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from .connections import NO_WAIT
from .options import NO_OVERRIDES, require_verifying

if TYPE_CHECKING:
    import ssl

    from sse_core import URL

    from .tls import TLS

__all__ = ["AsyncTransport", "SyncTransport", "TLSBase"]


class TLSBase(ABC):
    """What the blocking and the asynchronous base have in common.

    `ssl_context` says whom to trust, by default whom the system trusts. `server_names` maps the names of
    servers to those for which their certificates have to be valid instead. With `own`, the client certificate
    of the context is shown to that URL's origin only; otherwise to every server that asks for one.
    """

    def __init__(
        self,
        ssl_context: ssl.SSLContext | None = None,
        *,
        server_names: Mapping[str, str] = NO_OVERRIDES,
        own: URL | None = None,
    ) -> None:
        self._ssl_context = require_verifying(ssl_context)
        self._server_names = server_names
        self._own = own
        self._port: int | None = None
        """The port of the server; None if it is not known, since a proxy leads to it."""
        self._tls: TLS | None = None
        self._unsent = b""  # ciphertext: the rest of a `send` that was interrupted
        self._encrypted = 0  # bytes of data in that ciphertext
        self._without_data = 0  # bytes received since the last data

    @property
    @abstractmethod
    def now(self) -> Callable[[], float]:
        """The clock of all deadlines, in seconds. An ordinary method will do."""

    def _begin_tls(self, server_name: str) -> TLS:
        from .tls import TLS, without_client_certificate

        context = self._ssl_context
        if context is not None and not self._is_own(server_name):
            context = without_client_certificate(context)
        # From here on nothing is sent in the clear, even if the handshake fails.
        self._tls = TLS(context, self._server_names.get(server_name, server_name), self._tls)
        self._port = None
        return self._tls

    def _is_own(self, server_name: str) -> bool:
        own = self._own
        return own is None or (own.server_name == server_name and self._port in (own.port, None))

    def _end_tls(self) -> None:
        """Forget TLS: the connection is closed."""
        self._tls = None
        self._unsent, self._encrypted, self._without_data = b"", 0, 0

    def _encrypt(self, tls: TLS, data: memoryview) -> int:
        """Encrypt the next piece, unless an interrupted `send` has done so; return how much data that is."""
        if not self._encrypted:
            piece = data[:PIECE_SIZE]  # one at a time, so that not all of the data is in memory twice
            tls.encrypt(piece)
            self._encrypted = len(piece)
        return self._encrypted

    def _count(self, received: bytes, deadline: float | None) -> None:
        """Take notice of bytes that were no data, but messages of TLS, or parts of them.

        Raises TimeoutError if the deadline has passed, and ConnectionAbortedError if there were too many of
        them: a peer could go on forever.
        """
        self._without_data += len(received)
        if self._without_data > MAX_WITHOUT_DATA:
            raise ConnectionAbortedError("the peer sends TLS messages without data")
        if deadline is not None and NO_WAIT < deadline <= self.now():
            raise TimeoutError("timed out")


class SyncTransport(TLSBase):
    """A base for transports whose verbs block."""

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        tls = self._begin_tls(server_name)
        try:
            while not tls.handshake():
                if self._flush(tls, deadline):
                    received = self._receive(deadline)
                    tls.feed(received)
                    self._count(received, deadline)
            self._flush_all(tls, deadline)
        except tls.Failure:
            with suppress(OSError):
                self._send(self._unsent + tls.outgoing(), NO_WAIT)  # an alert: it tells the server why
            raise
        self._without_data = 0

    def send(self, data: bytes, deadline: float | None) -> int:
        tls = self._tls
        if tls is None:
            self._port = None
            return self._send(data, deadline)
        sent = 0
        while sent < len(data):
            size = self._encrypt(tls, memoryview(data)[sent:])
            if not self._flush_all(tls, deadline):
                break
            self._encrypted = 0
            sent += size
        return sent

    def receive(self, deadline: float | None) -> bytes:
        tls = self._tls
        if tls is None:
            return self._receive(deadline)
        data = tls.decrypt()
        while data is None:
            self._unsent += tls.outgoing()  # a key update, for example
            received = b""
            if not self._unsent or self._encrypted or self._flush_all(tls, deadline):
                received = self._receive(deadline)
                tls.feed(received)
            data = tls.decrypt()
            if data is None:
                self._count(received, deadline)
        self._without_data = 0
        return data

    def _flush_all(self, tls: TLS, deadline: float | None) -> bool:
        """Send what TLS has to send. Return False if data was received before all was sent."""
        while not self._flush(tls, deadline):
            if tls.has_data():
                return False
        return True

    def _flush(self, tls: TLS, deadline: float | None) -> bool:
        """Send what TLS has to send. Return False if anything was received before all was sent."""
        self._unsent += tls.outgoing()
        if self._unsent:
            self._unsent = self._unsent[self._send(self._unsent, deadline) :]
        if not self._unsent:
            return True
        received = self._receive(NO_WAIT)
        tls.feed(received)
        if not tls.has_data():
            self._count(received, deadline)
        return False

    @abstractmethod
    def _send(self, data: bytes, deadline: float | None) -> int: ...

    @abstractmethod
    def _receive(self, deadline: float | None) -> bytes: ...


class AsyncTransport(TLSBase):
    """A base for transports whose verbs are coroutines."""

    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        tls = self._begin_tls(server_name)
        try:
            while not tls.handshake():
                if await self._flush(tls, deadline):
                    received = await self._receive(deadline)
                    tls.feed(received)
                    self._count(received, deadline)
            await self._flush_all(tls, deadline)
        except tls.Failure:
            with suppress(OSError):
                await self._send(self._unsent + tls.outgoing(), NO_WAIT)  # an alert: it tells the server why
            raise
        self._without_data = 0

    async def send(self, data: bytes, deadline: float | None) -> int:
        tls = self._tls
        if tls is None:
            self._port = None
            return await self._send(data, deadline)
        sent = 0
        while sent < len(data):
            size = self._encrypt(tls, memoryview(data)[sent:])
            if not await self._flush_all(tls, deadline):
                break
            self._encrypted = 0
            sent += size
        return sent

    def receive(self, deadline: float | None) -> Awaitable[bytes]:
        # Without TLS this is one coroutine less to resume at each wake-up.
        return self._receive(deadline) if self._tls is None else self._receive_tls(self._tls, deadline)

    async def _receive_tls(self, tls: TLS, deadline: float | None) -> bytes:
        data = tls.decrypt()
        while data is None:
            self._unsent += tls.outgoing()  # a key update, for example
            received = b""
            if not self._unsent or self._encrypted or await self._flush_all(tls, deadline):
                received = await self._receive(deadline)
                tls.feed(received)
            data = tls.decrypt()
            if data is None:
                self._count(received, deadline)
        self._without_data = 0
        return data

    async def _flush_all(self, tls: TLS, deadline: float | None) -> bool:
        """Send what TLS has to send. Return False if data was received before all was sent."""
        while not await self._flush(tls, deadline):
            if tls.has_data():
                return False
        return True

    async def _flush(self, tls: TLS, deadline: float | None) -> bool:
        """Send what TLS has to send. Return False if anything was received before all was sent."""
        self._unsent += tls.outgoing()
        if self._unsent:
            self._unsent = self._unsent[await self._send(self._unsent, deadline) :]
        if not self._unsent:
            return True
        received = await self._receive(NO_WAIT)
        tls.feed(received)
        if not tls.has_data():
            self._count(received, deadline)
        return False

    @abstractmethod
    async def _send(self, data: bytes, deadline: float | None) -> int: ...

    @abstractmethod
    def _receive(self, deadline: float | None) -> Awaitable[bytes]: ...


PIECE_SIZE = 256 * 1024
MAX_WITHOUT_DATA = 256 * 1024
"""Bytes of TLS that may be received between data: a chain of certificates may have a good part of that."""
