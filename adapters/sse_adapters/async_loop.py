"""Drives a session with a transport whose verbs are coroutines. Imports no runtime, so any will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from math import inf
from threading import get_ident
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar, Unpack
from weakref import ref

from sse_core import (
    Acquire,
    Acquired,
    Chunk,
    Deliver,
    IdleConnection,
    Message,
    Open,
    Outcome,
    Receive,
    Received,
    Release,
    Request,
    Send,
    Session,
    Sleep,
    StartTLS,
    Stop,
)

from .base import CANCELLED, DELIVERING, DONE, ClientBase, StreamBase, T, without_text
from .connections import AT_ONCE, Closable, Connections
from .options import Options

__all__ = ["Client", "Stream", "Transport"]

C = TypeVar("C", bound=Chunk)
Effect: TypeAlias = Acquire | Open | StartTLS | Send | Sleep | Release
"""The actions that the transport and the pool are there for, but for Receive, of which there are many."""


class Transport(Closable, Protocol):
    """One connection, as a few verbs. The session says which one comes when, and checks the deadlines itself.

    - One verb at a time, but for `abort`. After `close` there may be another `open`.
    - Each raises OSError and nothing else, TimeoutError when it is late.
    - A deadline is a moment on the clock of `now`, or None. When it has passed, what can be
      done without waiting is done all the same: `receive(-math.inf)` returns what is there.
      After a TimeoutError, all but `receive` may have been done in part.
    - After `abort` every verb that may wait raises OSError.
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

    def receive(self, deadline: float | None) -> Awaitable[bytes]:
        """Return what has come, at least one byte; `b""` at the end, which under TLS is a proper one."""
        ...

    async def sleep(self, deadline: float) -> None:
        """Wait until then. Needs no connection."""
        ...

    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        """Have a coroutine run at that moment, whatever else happens. Needs no connection.

        Return a function that calls it off. Where the event loop is closed first, it does not run.
        """
        ...


class Stream(StreamBase[T, Transport]):
    """The answer to one request: an asynchronous iterator of its chunks, and a context manager.

    Entering the block sends the request and waits for the head of the response. Leaving
    it, closing the stream from any task, cancelling its reader, or dropping it closes the
    connection at once. Every way for a stream to fail is a StreamError; chunks that came
    before it are handed out first.
    """

    def __init__(self, session: Session[T], connections: Connections[Transport]) -> None:
        super().__init__(session, connections)
        self._ready: list[T] = []  # what was delivered and is not yet handed out, the next one last

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
        while not self._ready:
            if not await self._drive():
                raise StopAsyncIteration
        return self._ready.pop()

    def text(self: Stream[C]) -> Text:
        """Iterate over the text alone, as it comes.

        The iterator raises TypeError for a dialect whose chunks have no `text`.
        """
        return Text(self)

    def batches(self) -> Batches[T]:
        """Iterate over lists of all the chunks that came together."""
        return Batches(self._next_batch)

    async def final(self) -> Message:
        """Read to the end of the stream, and return its chunks put together.

        Raises TypeError for a dialect whose chunks make no whole, and EventTooLarge for an answer
        over `max_answer_size`.
        """
        async for _ in self.batches():
            pass
        return self._session.whole()

    async def _next_batch(self) -> list[T]:
        """Return what is ready, or what is delivered next; nothing at the end."""
        while not self._ready and await self._drive():
            pass
        batch, self._ready = self._ready[::-1], []
        return batch

    async def _drive(self) -> bool:
        """Go on until chunks are delivered, or to the end of the stream; return whether they are."""
        session = self._session
        self._enter()
        try:
            action = self._first()
            # Not a `match`: to see that an action is of another class costs 1 us for each event.
            while session.state is not DELIVERING:
                outcome: Outcome
                if isinstance(action, Receive):
                    try:
                        outcome = Received(await self._connected().receive(action.deadline))
                    except OSError as exc:
                        outcome = self._failure(exc)
                elif isinstance(action, Stop):
                    self._raise_error()
                    return False
                else:
                    assert not isinstance(action, Deliver)
                    outcome = await self._perform(action)
                action = session.step(CANCELLED if self._closing else outcome, self._connections.now())
            assert isinstance(action, Deliver)
            self._ready = action.chunks[::-1]
            return True
        except BaseException:
            self._cancel()
            raise
        finally:
            self._leave()

    async def _perform(self, action: Effect) -> Outcome:
        try:
            match action:
                case Acquire(origin, fresh, deadline):
                    return Acquired(await self._acquire(origin, fresh, deadline))
                case Open(host, port, deadline):
                    await self._connected().open(host, port, deadline)
                case StartTLS(server_name, deadline):
                    await self._connected().start_tls(server_name, deadline)
                case Send(data, deadline):
                    await self._connected().send(data, deadline)
                case Sleep(deadline):
                    await self._adopt(self._connections.make()).sleep(deadline)
                case _ as release:
                    self._let_go(reuse=release.reuse)
        except OSError as exc:
            return self._failure(exc)
        return DONE

    async def _acquire(self, origin: str, fresh: bool, deadline: float | None) -> bool:
        """Get a place in the pool, and return whether there is a connection with it."""
        connections = self._connections
        await self._claim(origin, deadline)
        if not fresh:
            reused = await self._reuse(origin, deadline)
            if reused is not None:
                self._adopt(reused)
                return True
        connections.make_room(origin)
        self._adopt(connections.make())
        return False

    async def _claim(self, origin: str, deadline: float | None) -> None:
        """Get a place in the pool, if it has to be by waiting for it."""
        alarm = self._adopt(self._connections.make())
        thread, limit = get_ident(), inf if deadline is None else deadline

        def wake() -> None:
            if get_ident() == thread:  # an event loop is for its own thread, and finalisers run in any
                alarm.abort()

        waiter = self._connections.claim(origin, wake)
        try:
            with suppress(ConnectionAbortedError):  # which is how the alarm goes off
                while not waiter.granted and (now := self._connections.now()) < limit:
                    await alarm.sleep(min(limit, now + LOOK_AGAIN))
            if self._closing or not waiter.granted:
                raise TimeoutError("timed out")
        except BaseException:
            self._connections.withdraw(waiter)
            raise
        self._place = origin

    async def _reuse(self, origin: str, deadline: float | None) -> Transport | None:
        """Find an idle connection on which the last response has come to its end, and nothing after it."""
        connections = self._connections
        for idle, patience in connections.candidates(origin, deadline):
            ready = False
            try:
                await drain(idle, connections, patience)
                ready = idle.ready  # once it is put back, another may make it so, for itself
            finally:
                if not ready:
                    connections.put_back(idle)
            if ready:
                return idle.connection
        return None


async def drain(
    idle: IdleConnection[Transport], connections: Connections[Transport], deadline: float
) -> None:
    """Receive what comes on an idle connection until it is ready; then there should be no more."""
    try:
        while idle.ready or connections.is_worth_draining(idle):
            idle.receive(await idle.connection.receive(AT_ONCE if idle.ready else deadline))
    except TimeoutError:
        pass
    except OSError:
        idle.lost = True
    except BaseException:
        idle.lost = True  # for who breaks into a verb leaves nothing but what can be closed
        raise


async def sweep(weak: ref[Connections[Transport]]) -> None:
    """Drain once more what has had its time for that, and keep what is ready by now."""
    connections = weak()
    if connections is None:
        return
    overdue = connections.overdue()
    try:
        for idle in overdue:
            await drain(idle, connections, AT_ONCE)
    finally:
        for idle in overdue:
            connections.put_back_overdue(idle)
        connections.watch()


def sweep_at(connections: Connections[Transport], when: float) -> Callable[[], None]:
    return connections.make().call_at(when, partial(sweep, ref(connections)))


class Batches(Generic[T]):
    """An iterator of lists of chunks, up to the first that is empty."""

    def __init__(self, next_batch: Callable[[], Awaitable[list[T]]]) -> None:
        self._next_batch = next_batch

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[T]:
        batch = await self._next_batch()
        if not batch:
            raise StopAsyncIteration
        return batch


class Text:
    """An iterator of the text of chunks, without those that have none."""

    def __init__(self, stream: Stream[Any]) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        async for chunk in self._stream:
            try:
                text = chunk.text
            except AttributeError as exc:
                raise without_text(chunk) from exc
            if text:
                return str(text)
        raise StopAsyncIteration


class Client(ClientBase[Stream[Any], Transport]):
    """Makes streams, over connections that `transport` makes, and that are used again where possible.

    `base_url` is what request paths are added to. Leaving the client's block closes the
    streams that are still open, and every connection.

    Raises ValueError for a URL that is not http or https, and for a proxy in the
    environment that cannot be used.
    """

    def __init__(self, base_url: str, transport: Callable[[], Transport], **options: Unpack[Options]) -> None:
        super().__init__(base_url, transport, options, sweep_at)

    def stream(self, request: Request[T]) -> Stream[T]:
        """Return the stream that will answer `request`; nothing is sent before it is entered or read.

        Raises ValueError for a request that HTTP/1.1 cannot carry, and RuntimeError if the
        client is closed.
        """
        stream = Stream(self._session(request), self._connections)
        self._keep(stream)
        return stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


LOOK_AGAIN = 1.0
"""Seconds after which whoever waits for a place looks whether it was granted in another thread."""
