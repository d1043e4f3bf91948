"""Drives a session with a transport whose verbs are coroutines. Imports no runtime, so any will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from sse_core import (
    Action,
    Deadlines,
    Deliver,
    Limits,
    Open,
    Opened,
    Outcome,
    Receive,
    Received,
    Request,
    Send,
    Session,
    StartTLS,
    Stop,
)

from ._base import DONE, NO_HEADERS, ClientBase, Closable, StreamBase, T

__all__ = ["Client", "Stream", "Transport"]


class Transport(Closable, Protocol):
    """One connection, as a few verbs. The session says which one comes when, and checks the deadlines itself.

    - One verb at a time, but for `abort`. After `close` there may be another `open`.
    - Each raises OSError and nothing else, TimeoutError when it is late.
    - A deadline is a moment on the clock of `now`, or None. When it has passed, what can be
      done without waiting is done all the same: `receive(-math.inf)` returns what is there.
      After a TimeoutError, all but `receive` may have been done in part.
    - After `abort` everything but `close` raises OSError.
    - `abort` comes from a task of the same event loop. A verb that is cancelled leaves a
      transport that can be closed, and nothing else behind.

    `sse_adapters.testing.check_transport` checks all this, and more.
    """

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        """Connect to a host name or address."""
        ...

    async def start_tls(self, server_name: str, deadline: float | None) -> None:
        """Speak TLS from here on, with a peer that proves to be `server_name`.

        Comes a second time for TLS inside TLS: the first with a proxy, the second through it.
        """
        ...

    async def send(self, data: bytes, deadline: float | None) -> None:
        """Send all of it."""
        ...

    async def receive(self, deadline: float | None) -> bytes:
        """Return what has come, at least one byte; `b""` at the end, which under TLS is a proper one."""
        ...

    async def sleep(self, deadline: float) -> None:
        """Wait until then. Needs no connection."""
        ...


class Stream(StreamBase[T]):
    """The answer to one request: an asynchronous iterator of its chunks, and a context manager.

    Entering the block sends the request and waits for the head of the response. Leaving
    it, closing the stream from any task, cancelling its reader, or dropping it closes the
    connection at once. Every way for a stream to fail is a StreamError; chunks that came
    before it are handed out first.
    """

    def __init__(self, session: Session[T], transport: Transport) -> None:
        super().__init__(session, transport)
        self._transport = transport

    async def __aenter__(self) -> Self:
        if self.response is None:
            await self._drive()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def aclose(self) -> None:
        """As `close`."""
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        for chunk in self._ready:
            return chunk
        while await self._drive():
            for chunk in self._ready:
                return chunk
        raise StopAsyncIteration

    async def _drive(self) -> bool:
        """Go on until chunks are delivered, or to the end of the stream; return whether they are."""
        self._enter()
        try:
            action = self._first()
            while True:
                match action:
                    case Deliver(chunks):
                        self._ready = iter(chunks)
                        return True
                    case Stop():
                        self._raise_error()
                        return False
                    case _:
                        action = self._answer(await self._perform(action))
        except BaseException:
            self._cancel()
            raise
        finally:
            self._leave()

    async def _perform(self, action: Action) -> Outcome:
        try:
            match action:
                case Receive(deadline):
                    return Received(await self._transport.receive(deadline))
                case Open(host, port, deadline):
                    await self._transport.open(host, port, deadline)
                    return Opened()
                case StartTLS(server_name, deadline):
                    await self._transport.start_tls(server_name, deadline)
                case Send(data, deadline):
                    await self._transport.send(data, deadline)
                case _:  # Release, for Deliver and Stop are the loop's own
                    self._transport.close()
        except OSError as exc:
            return self._failure(exc)
        return DONE


class Client(ClientBase[Stream[Any]]):
    """Makes streams, each over a connection of its own that `transport` makes.

    `base_url` is what request paths are added to; `headers` go with every request.
    Leaving the client's block closes the streams that are still open. Raises ValueError
    for a URL that is not http or https.
    """

    def __init__(
        self,
        base_url: str,
        transport: Callable[[], Transport],
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
    ) -> None:
        super().__init__(base_url, headers=headers, deadlines=deadlines, limits=limits)
        self._transport = transport

    def stream(self, request: Request[T]) -> Stream[T]:
        """Return the stream that will answer `request`; nothing is sent before it is entered or read.

        Raises ValueError for a request that HTTP/1.1 cannot carry, and RuntimeError if the
        client is closed.
        """
        stream = Stream(self._session(request), self._transport())
        self._keep(stream)
        return stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
