"""Drives sessions with transports whose verbs block: for threads, or anything that looks like them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from inspect import iscoroutinefunction
from itertools import chain
from math import inf
from threading import TIMEOUT_MAX, Timer, current_thread
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar, Unpack, cast
from weakref import ref

from sse_core import (
    Acquire,
    Acquired,
    Authorize,
    Authorized,
    Chunk,
    Deliver,
    Fetch,
    Fetched,
    IdleConnection,
    Message,
    Open,
    Outcome,
    Receive,
    Received,
    Release,
    Request,
    Response,
    Send,
    Session,
    Sleep,
    StartTLS,
    Stop,
    Yield,
)

from .base import (
    ANSWERED_EARLY,
    CANCELLED,
    DELIVERING,
    DONE,
    LOOK_AGAIN,
    ClientBase,
    StreamBase,
    T,
    auth_fields,
    clear_locals,
    no_text_error,
    only_value,
    require_document,
)
from .connections import NO_WAIT, BaseTransport, ConnectionPool, Slot, do_nothing
from .options import AsyncAuth, Auth, FetchOptions, Options, StreamOptions

__all__ = ["Client", "FetchClient", "Fetcher", "Stream", "Transport"]

C = TypeVar("C", bound=Chunk)
TransportAction: TypeAlias = Acquire | Authorize | Fetch | Open | StartTLS | Send | Yield | Sleep | Release
"""The actions that `_perform` performs. Receive is not among them: it is by far the most frequent."""


class Transport(BaseTransport, Protocol):
    """One connection, as a few verbs. The session decides which of them is called when.

    - One verb runs at a time, but `abort` may be called during another. After `close` there may be
      another `open`.
    - A verb raises OSError and nothing else, and TimeoutError once its deadline has passed.
    - A deadline is a moment on the clock of `now`, or None for no limit. If it has already passed, a verb
      still does what it can without waiting: `receive(-math.inf)` returns the bytes that are there.
      `receive` loses nothing by a TimeoutError; another verb may have been done in part.
    - After `abort` every verb that can wait raises OSError.
    - `abort` may come from any thread.

    `sse_adapters.testing.check_transport` checks a transport for all of this.
    """

    def open(self, host: str, port: int, deadline: float | None) -> None:
        """Connect to a host name or address."""
        ...

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        """Speak TLS from here on, with a peer whose certificate is valid for `server_name`.

        Called a second time for TLS inside TLS: the first is with a proxy, the second through it.
        """
        ...

    def send(self, data: bytes, deadline: float | None) -> int:
        """Send the data, and return how many bytes were sent.

        That is fewer than all only if the peer has sent something while this had to wait for room: it may be
        an answer, which `receive` returns. Another `send` has to begin with the rest of the data.
        """
        ...

    def receive(self, deadline: float | None) -> bytes:
        """Return what has arrived, at least one byte, or `b""` once the peer has ended the connection.

        Under TLS the end is the peer's close_notify; a connection that ends without one is an OSError.
        """
        ...

    def sleep(self, deadline: float) -> None:
        """Wait until the deadline. Needs no connection."""
        ...


class Fetcher(BaseTransport, Protocol):
    """One request to another HTTP client, and its response, as a few verbs.

    - `fetch` comes first, once. Connecting, TLS, proxies, redirects, content codings and pooling are the
      other client's.
    - A verb raises OSError and nothing else, and TimeoutError once its deadline has passed. A deadline is a
      moment on the clock of `now`, or None for no limit.
    - After `abort`, which may come from any thread, a verb that waits raises OSError.
    - `close` gives the response back, whether its body has ended or not. It never waits.

    `sse_adapters.testing.check_fetcher` checks a fetcher for all of this.
    """

    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        """Send the request, and return the head of its response, whatever its status."""
        ...

    def receive(self, deadline: float | None) -> bytes:
        """Return what has arrived of the body, at least one byte, or `b""` at its end.

        A body that ends before the end that its framing announced is an OSError.
        """
        ...

    def sleep(self, deadline: float) -> None:
        """Wait until the deadline. Needs no response."""
        ...


class Stream(StreamBase[T, Transport]):
    """The answer to one request: an iterator of its chunks, and a context manager.

    Entering the block sends the request and waits for the head of the response. Leaving it, closing the
    stream from any thread, or dropping it closes the connection at once. A stream fails with a
    StreamError, which comes after the chunks that arrived before it.
    """

    def __init__(
        self, session: Session[T], pool: ConnectionPool[Transport], auth: AsyncAuth | None = None
    ) -> None:
        super().__init__(session, pool, auth)
        self._ready: Iterator[T] = iter(())  # chunks that were delivered and not yet taken

    def __enter__(self) -> Self:
        if self.response is None:
            self._drive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        # Not self, but an iterator written in C: `next()` then runs no Python code for a chunk that is ready.
        return chain.from_iterable(chain((self._ready,), iter(self._drive, None)))

    def __next__(self) -> T:
        for chunk in self._ready:
            return chunk
        while (ready := self._drive()) is not None:
            for chunk in ready:
                return chunk
        raise StopIteration

    def text(self: Stream[C]) -> Text:
        """Iterate over the text alone, as it arrives.

        The iterator raises TypeError if the chunks of this dialect have no `text`.
        """
        return Text(self)

    def batches(self) -> Batches[T]:
        """Iterate over lists of the chunks that arrived together."""
        return Batches(self._next_batch)

    def final(self) -> Message:
        """Read to the end of the stream, and return its chunks accumulated to one message.

        Raises TypeError if this dialect has no accumulator, and EventTooLarge if the answer is over
        `max_answer_size`.
        """
        for _ in self.batches():
            pass
        return self._session.complete_message()

    def _next_batch(self) -> list[T]:
        """Return the chunks that are ready, or else the next ones; an empty list at the end."""
        batch = list(self._ready)
        while not batch and (ready := self._drive()) is not None:
            batch = list(ready)
        return batch

    def _drive(self) -> Iterator[T] | None:
        """Perform actions until chunks are delivered, and return these; None at the end of the stream."""
        session = self._session
        self._require_free()
        try:
            with self._stepping:
                try:
                    for chunk in self._ready:  # another iterator has left these
                        self._ready = chain((chunk,), self._ready)
                        return self._ready
                    action = self._first_action()
                    # Not a `match`, which was measured to be slower for classes with such a metaclass.
                    while session.state is not DELIVERING:
                        outcome: Outcome
                        if isinstance(action, Receive):
                            try:
                                outcome = Received(self._receive(action.deadline))
                            except OSError as exc:
                                outcome = self._failure(exc)
                        elif isinstance(action, Stop):
                            self._raise_error()
                            return None
                        else:
                            assert not isinstance(action, Deliver)
                            outcome = self._perform(action)
                        action = session.step(CANCELLED if self._closing else outcome, self._pool.now())
                    assert isinstance(action, Deliver)
                    self._ready = iter(action.chunks)
                    return self._ready
                except BaseException as exc:
                    self._cancel()
                    clear_locals(exc)
                    raise
        finally:
            if self._closing:
                self.close()

    def _receive(self, deadline: float | None) -> bytes:
        if self._transport is None:
            raise ConnectionAbortedError("not connected")
        return self._transport.receive(deadline)

    def _perform(self, action: TransportAction) -> Outcome:
        try:
            match action:
                case Acquire():
                    return Acquired(self._acquire(action.pool_key, action.fresh, action.deadline))
                case Authorize(attempt, refused):
                    return self._authorize(attempt, refused)
                case Fetch():
                    fetcher = as_fetcher(self._set_transport(self._pool.make()))
                    return Fetched(fetcher.fetch(action, action.deadline))
                case Open(host, port, deadline):
                    self._require_transport().open(host, port, deadline)
                case StartTLS(server_name, deadline):
                    self._require_transport().start_tls(server_name, deadline)
                case Send(data, deadline):
                    if self._require_transport().send(data, deadline) < len(data):
                        return ANSWERED_EARLY
                case Yield():
                    pass
                case Sleep(deadline):
                    self._set_transport(self._pool.make()).sleep(deadline)
                case _ as release:
                    self._release(reuse=release.reuse)
        except OSError as exc:
            return self._failure(exc)
        return DONE

    def _authorize(self, attempt: int, refused: Response | None) -> Outcome:
        assert self._auth is not None  # or the session would not ask
        try:
            headers = self._auth(attempt, refused)
        except OSError as exc:
            return self._no_credentials(exc)
        if isinstance(headers, Coroutine):
            headers.close()
        if isinstance(headers, Awaitable):
            raise TypeError(AWAITABLE_AUTH)
        return Authorized(auth_fields(headers))

    def _acquire(self, pool_key: str, fresh: bool, deadline: float | None) -> bool:
        """Take a slot in the pool, and set a transport; return whether that is connected already."""
        pool = self._pool
        self._claim(pool_key, deadline)
        if not fresh:
            reused = self._reuse(pool_key, deadline)
            if reused is not None:
                self._set_transport(reused)
                return True
        pool.make_room(pool_key)
        self._set_transport(pool.make())
        return False

    def _claim(self, pool_key: str, deadline: float | None) -> None:
        """Take a slot in the pool, and wait until one is free. Release gives it back, and ends the wait."""
        wakeup = self._set_transport(self._pool.make())
        slot = self._slot = Slot(self._pool, pool_key)
        self._pool.claim(slot, wakeup.abort)
        limit = inf if deadline is None else deadline
        with suppress(ConnectionAbortedError):  # raised by `sleep` when it is woken
            while not slot.granted and (now := self._pool.now()) < limit:
                wakeup.sleep(min(limit, now + LOOK_AGAIN))
        if self._closing or not slot.granted:
            raise TimeoutError("timed out")

    def _reuse(self, pool_key: str, deadline: float | None) -> Transport | None:
        """Return an idle connection whose last response has ended, and nothing has come since; else None."""
        pool = self._pool
        for idle, limit in pool.idle_candidates(pool_key, deadline):
            ready = False
            try:
                drain(idle, pool, limit)
                ready = idle.ready  # decides alone: once put back, another thread may make it ready
            finally:
                if not ready:
                    pool.put_back(idle)
            if ready:
                return idle.connection
        return None


def drain(idle: IdleConnection[Transport], pool: ConnectionPool[Transport], deadline: float) -> None:
    """Receive on an idle connection until it is ready, and check that nothing arrives after that."""
    try:
        while idle.ready or pool.is_worth_draining(idle):
            idle.receive(idle.connection.receive(NO_WAIT if idle.ready else deadline))
    except TimeoutError:
        pass
    except OSError:
        idle.lost = True
    except BaseException:
        idle.lost = True  # an interrupted verb leaves a connection that can only be closed
        raise


def sweep(weak: ref[ConnectionPool[Transport]]) -> None:
    """Drain the overdue connections a last time; keep those that are ready, and close the others."""
    pool = weak()
    if pool is None:
        return
    overdue = pool.overdue()
    try:
        for idle in overdue:
            drain(idle, pool, NO_WAIT)
    finally:
        for idle in overdue:
            pool.put_back_overdue(idle)
        pool.schedule_next_sweep()


def schedule_sweep(pool: ConnectionPool[Transport], when: float) -> Callable[[], None]:
    timer = Timer(min(when - pool.now(), TIMEOUT_MAX), sweep, (ref(pool),))
    timer.daemon = True

    def cancel() -> None:
        timer.cancel()
        if timer is not current_thread():
            timer.join()

    try:
        timer.start()
    except RuntimeError:  # the system can start no more threads
        return do_nothing
    return cancel


class Batches(Generic[T]):
    """An iterator of lists of chunks, which ends at the first empty one."""

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
    """An iterator of the text of chunks; those without text are left out."""

    def __init__(self, stream: Stream[Any]) -> None:
        self._stream = stream

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        for chunk in self._stream:
            try:
                text = chunk.text
            except AttributeError as exc:
                raise no_text_error(chunk) from exc
            if text:
                return str(text)
        raise StopIteration


class Client(ClientBase[Stream[Any], Transport]):
    """Makes streams over connections that `transport` makes, and uses them again where possible.

    `base_url` is prefixed to the path of each request. Leaving the client's block closes the
    streams that are still open, and every connection. A client may be used from several threads.

    Raises ValueError if the URL is not http or https, and if the environment names a proxy that cannot
    be used.
    """

    def __init__(
        self, base_url: str, transport: Callable[[], Transport], **options: Unpack[Options[Auth]]
    ) -> None:
        if iscoroutinefunction(options.get("auth")):
            raise TypeError(AWAITABLE_AUTH)
        super().__init__(base_url, transport, options, schedule_sweep)

    def stream(self, request: Request[T], **options: Unpack[StreamOptions]) -> Stream[T]:
        """Return the stream of the answer to `request`. Nothing is sent until it is entered or read.

        The options replace the client's own for this stream; headers come on top of them. Raises ValueError
        if HTTP/1.1 cannot carry the request, and RuntimeError if the client is closed.
        """
        stream = self._new_stream(self._session(request, options))
        self._register(stream)
        return stream

    def _new_stream(self, session: Session[T]) -> Stream[T]:
        return Stream(session, self._pool, self._auth)

    def call(self, request: Request[T], **options: Unpack[StreamOptions]) -> T:
        """Return the answer to a request whose answer is one document, such as `json.document` makes.

        The options are those of `stream`, and so are the errors: any status but a 2xx is a StatusError.
        Raises TypeError for a request whose answer is a stream, before it is sent.
        """
        require_document(request)
        with self.stream(request, **options) as stream:
            return only_value(request, list(stream))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class FetchClient(Client):
    """Makes streams over responses that another HTTP client gets, each by a Fetcher that `fetcher` makes.

    Everything else is as with a Client: attempts, deadlines, verdicts, errors and observers.
    """

    fetches = True

    def __init__(
        self, base_url: str, fetcher: Callable[[], Fetcher], **options: Unpack[FetchOptions[Auth]]
    ) -> None:
        super().__init__(base_url, cast("Callable[[], Transport]", fetcher), **options)


def as_fetcher(transport: Transport) -> Fetcher:
    """The transports of a FetchClient are fetchers."""
    return cast("Fetcher", transport)


AWAITABLE_AUTH = "auth is to be awaited, which only asynchronous clients do"
