"""Drives a session with a transport whose verbs block: threads, or anything that looks like them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from math import inf
from threading import TIMEOUT_MAX, Timer, current_thread
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
from .connections import AT_ONCE, Closable, Connections, do_nothing
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
    - `abort` may come from any thread.

    `sse_adapters.testing.check_transport` checks all this, and more.
    """

    def open(self, host: str, port: int, deadline: float | None) -> None:
        """Connect to a host name or address."""
        ...

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        """Speak TLS from here on, with a peer that proves to be `server_name`.

        Comes a second time for TLS inside TLS: the first with a proxy, the second through it.
        """
        ...

    def send(self, data: bytes, deadline: float | None) -> None:
        """Send all of it."""
        ...

    def receive(self, deadline: float | None) -> bytes:
        """Return what has come, at least one byte; `b""` at the end, which under TLS is a proper one."""
        ...

    def sleep(self, deadline: float) -> None:
        """Wait until then. Needs no connection."""
        ...


class Stream(StreamBase[T, Transport]):
    """The answer to one request: an iterator of its chunks, and a context manager.

    Entering the block sends the request and waits for the head of the response. Leaving
    it, closing the stream from any thread, or dropping it closes the connection at once.
    Every way for a stream to fail is a StreamError; chunks that came before it are
    handed out first.
    """

    def __init__(self, session: Session[T], connections: Connections[Transport]) -> None:
        super().__init__(session, connections)
        self._ready: Iterator[T] = iter(())  # what was delivered and is not yet handed out

    def __enter__(self) -> Self:
        if self.response is None:
            self._drive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        # In place of self, what calls no Python for a chunk that is ready: 0.02 us in place of 0.1.
        return chain.from_iterable(chain((self._ready,), iter(self._drive, None)))

    def __next__(self) -> T:
        for chunk in self._ready:
            return chunk
        while (ready := self._drive()) is not None:
            for chunk in ready:
                return chunk
        raise StopIteration

    def text(self: Stream[C]) -> Text:
        """Iterate over the text alone, as it comes.

        The iterator raises TypeError for a dialect whose chunks have no `text`.
        """
        return Text(self)

    def batches(self) -> Batches[T]:
        """Iterate over lists of all the chunks that came together."""
        return Batches(self._next_batch)

    def final(self) -> Message:
        """Read to the end of the stream, and return its chunks put together.

        Raises TypeError for a dialect whose chunks make no whole, and EventTooLarge for an answer
        over `max_answer_size`.
        """
        for _ in self.batches():
            pass
        return self._session.whole()

    def _next_batch(self) -> list[T]:
        """Return what is ready, or what is delivered next; nothing at the end."""
        batch = list(self._ready)
        while not batch and (ready := self._drive()) is not None:
            batch = list(ready)
        return batch

    def _drive(self) -> Iterator[T] | None:
        """Go on until chunks are delivered, and return them; None at the end of the stream."""
        session = self._session
        self._enter()
        try:
            for chunk in self._ready:  # another iterator has left some
                self._ready = chain((chunk,), self._ready)
                return self._ready
            action = self._first()
            # Not a `match`: to see that an action is of another class costs 1 us for each event.
            while session.state is not DELIVERING:
                outcome: Outcome
                if isinstance(action, Receive):
                    try:
                        outcome = Received(self._connected().receive(action.deadline))
                    except OSError as exc:
                        outcome = self._failure(exc)
                elif isinstance(action, Stop):
                    self._raise_error()
                    return None
                else:
                    assert not isinstance(action, Deliver)
                    outcome = self._perform(action)
                action = session.step(CANCELLED if self._closing else outcome, self._connections.now())
            assert isinstance(action, Deliver)
            self._ready = iter(action.chunks)
            return self._ready
        except BaseException:
            self._cancel()
            raise
        finally:
            self._leave()

    def _perform(self, action: Effect) -> Outcome:
        try:
            match action:
                case Acquire(origin, fresh, deadline):
                    return Acquired(self._acquire(origin, fresh, deadline))
                case Open(host, port, deadline):
                    self._connected().open(host, port, deadline)
                case StartTLS(server_name, deadline):
                    self._connected().start_tls(server_name, deadline)
                case Send(data, deadline):
                    self._connected().send(data, deadline)
                case Sleep(deadline):
                    self._adopt(self._connections.make()).sleep(deadline)
                case _ as release:
                    self._let_go(reuse=release.reuse)
        except OSError as exc:
            return self._failure(exc)
        return DONE

    def _acquire(self, origin: str, fresh: bool, deadline: float | None) -> bool:
        """Get a place in the pool, and return whether there is a connection with it."""
        connections = self._connections
        self._claim(origin, deadline)
        if not fresh:
            reused = self._reuse(origin, deadline)
            if reused is not None:
                self._adopt(reused)
                return True
        connections.make_room(origin)
        self._adopt(connections.make())
        return False

    def _claim(self, origin: str, deadline: float | None) -> None:
        """Get a place in the pool, if it has to be by waiting for it."""
        alarm = self._adopt(self._connections.make())
        waiter = self._connections.claim(origin, alarm.abort)
        try:
            if not waiter.granted:
                with suppress(ConnectionAbortedError):  # which is how the alarm goes off
                    alarm.sleep(inf if deadline is None else deadline)
            if self._closing or not waiter.granted:
                raise TimeoutError("timed out")
        except BaseException:
            self._connections.withdraw(waiter)
            raise
        self._place = origin

    def _reuse(self, origin: str, deadline: float | None) -> Transport | None:
        """Find an idle connection on which the last response has come to its end, and nothing after it."""
        connections = self._connections
        for idle, patience in connections.candidates(origin, deadline):
            ready = False
            try:
                drain(idle, connections, patience)
                ready = idle.ready  # once it is put back, another may make it so, for itself
            finally:
                if not ready:
                    connections.put_back(idle)
            if ready:
                return idle.connection
        return None


def drain(idle: IdleConnection[Transport], connections: Connections[Transport], deadline: float) -> None:
    """Receive what comes on an idle connection until it is ready; then there should be no more."""
    try:
        while idle.ready or connections.is_worth_draining(idle):
            idle.receive(idle.connection.receive(AT_ONCE if idle.ready else deadline))
    except TimeoutError:
        pass
    except OSError:
        idle.lost = True
    except BaseException:
        idle.lost = True  # for who breaks into a verb leaves nothing but what can be closed
        raise


def sweep(weak: ref[Connections[Transport]]) -> None:
    """Drain once more what has had its time for that, and keep what is ready by now."""
    connections = weak()
    if connections is None:
        return
    overdue = connections.overdue()
    try:
        for idle in overdue:
            drain(idle, connections, AT_ONCE)
    finally:
        for idle in overdue:
            connections.put_back_overdue(idle)
        connections.watch()


def sweep_at(connections: Connections[Transport], when: float) -> Callable[[], None]:
    timer = Timer(min(when - connections.now(), TIMEOUT_MAX), sweep, (ref(connections),))
    timer.daemon = True

    def call_off() -> None:
        timer.cancel()
        if timer is not current_thread():
            timer.join()

    try:
        timer.start()
    except RuntimeError:  # there can be no more threads
        return do_nothing
    return call_off


class Batches(Generic[T]):
    """An iterator of lists of chunks, up to the first that is empty."""

    def __init__(self, next_batch: Callable[[], list[T]]) -> None:
        self._next_batch = next_batch

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[T]:
        batch = self._next_batch()
        if not batch:
            raise StopIteration
        return batch


class Text:
    """An iterator of the text of chunks, without those that have none."""

    def __init__(self, stream: Stream[Any]) -> None:
        self._stream = stream

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        for chunk in self._stream:
            try:
                text = chunk.text
            except AttributeError as exc:
                raise without_text(chunk) from exc
            if text:
                return str(text)
        raise StopIteration


class Client(ClientBase[Stream[Any], Transport]):
    """Makes streams, over connections that `transport` makes, and that are used again where possible.

    `base_url` is what request paths are added to. Leaving the client's block closes the
    streams that are still open, and every connection. A client may be
    used from several threads.

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
