"""TLS for every transport here: each of them only has to send and to receive.

Abstract are `_send(data, deadline)` and `_receive(deadline)`, to which a transport's
`send` and `receive` apply word for word, in the clear. What needs `ssl` is imported with the first
TLS: that takes 5 ms, a seventh of a cold start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from .connections import NO_WAIT
from .options import NO_OVERRIDES, require_verifying

if TYPE_CHECKING:
    import ssl

    from .tls import TLS


class TLSBase:
    """What the two kinds of transport below have in common."""

    def __init__(
        self, ssl_context: ssl.SSLContext | None = None, server_names: Mapping[str, str] = NO_OVERRIDES
    ) -> None:
        self._ssl_context = require_verifying(ssl_context)
        self._server_names = server_names
        self._tls: TLS | None = None

    def _begin_tls(self, server_name: str) -> TLS:
        from .tls import TLS

        # From here on nothing is sent in the clear, even if the handshake fails.
        self._tls = TLS(self._ssl_context, self._server_names.get(server_name, server_name), self._tls)
        return self._tls


class SyncTransport(TLSBase, ABC):
    def start_tls(self, server_name: str, deadline: float | None) -> None:
        tls = self._begin_tls(server_name)
        try:
            while not tls.handshake():
                self._send(tls.outgoing(), deadline)
                tls.feed(self._receive(deadline))
            self._send(tls.outgoing(), deadline)
        except tls.Failure:
            with suppress(OSError):
                self._send(tls.outgoing(), NO_WAIT)  # an alert, which tells the server why
            raise

    def send(self, data: bytes, deadline: float | None) -> None:
        if self._tls is None:
            self._send(data, deadline)
        else:
            for piece in split_data(data):
                self._send(self._tls.encrypt(piece), deadline)

    def receive(self, deadline: float | None) -> bytes:
        tls = self._tls
        if tls is None:
            return self._receive(deadline)
        while (data := tls.decrypt()) is None:
            if answer := tls.outgoing():  # a key update or the like
                self._send(answer, deadline)
            tls.feed(self._receive(deadline))
        return data

    @abstractmethod
    def _send(self, data: bytes, deadline: float | None) -> None: ...

    @abstractmethod
    def _receive(self, deadline: float | None) -> bytes: ...


class AsyncTransport(TLSBase, ABC):
    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        tls = self._begin_tls(server_name)
        try:
            while not tls.handshake():
                await self._send(tls.outgoing(), deadline)
                tls.feed(await self._receive(deadline))
            await self._send(tls.outgoing(), deadline)
        except tls.Failure:
            with suppress(OSError):
                await self._send(tls.outgoing(), NO_WAIT)  # an alert, which tells the server why
            raise

    async def send(self, data: bytes, deadline: float | None) -> None:
        if self._tls is None:
            await self._send(data, deadline)
        else:
            for piece in split_data(data):
                await self._send(self._tls.encrypt(piece), deadline)

    def receive(self, deadline: float | None) -> Awaitable[bytes]:
        # One coroutine less for each resumption to go through.
        return self._receive(deadline) if self._tls is None else self._receive_tls(self._tls, deadline)

    async def _receive_tls(self, tls: TLS, deadline: float | None) -> bytes:
        while (data := tls.decrypt()) is None:
            if answer := tls.outgoing():  # a key update or the like
                await self._send(answer, deadline)
            tls.feed(await self._receive(deadline))
        return data

    @abstractmethod
    async def _send(self, data: bytes, deadline: float | None) -> None: ...

    @abstractmethod
    def _receive(self, deadline: float | None) -> Awaitable[bytes]: ...


def split_data(data: bytes) -> Iterator[memoryview]:
    """Cut data so that no more than a piece of it is in memory twice."""
    view = memoryview(data)
    for start in range(0, len(data), PIECE_SIZE):
        yield view[start : start + PIECE_SIZE]


PIECE_SIZE = 256 * 1024
