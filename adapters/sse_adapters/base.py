"""What the two loops share: everything that does not wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from weakref import WeakSet

from sse_core import (
    URL,
    Action,
    Deadlines,
    Done,
    Failed,
    Limits,
    Message,
    Outcome,
    PoolLimits,
    Proxies,
    Reason,
    Request,
    Response,
    Session,
    State,
    Stats,
    Stop,
    StreamClosed,
    Verdict,
)

from .connections import Connections, SweepAt, X
from .options import NO_HEADERS, Observer, Options

if TYPE_CHECKING:
    from sse_core import RateLimit

T = TypeVar("T")
S = TypeVar("S", bound="StreamBase[Any, Any]")


class StreamBase(Generic[T, X]):
    """The part of a stream that is the same on every runtime."""

    def __init__(self, session: Session[T], connections: Connections[X]) -> None:
        self._session = session
        self._connections = connections
        self._transport: X | None = None
        self._place: str | None = None  # the origin that there is a place in the pool for
        self._cause: OSError | None = None
        self._closing = False
        self._key = [KEY]  # with whoever is inside the session: as good as a lock, at a third of the cost
        self._swap = Lock()  # between abort, and a transport that comes or goes

    @property
    def response(self) -> Response | None:
        """The head of the response: there once the stream's block has been entered."""
        return self._session.response

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """What the head of the response says about how much more the provider will take."""
        from sse_core import rate_limits  # 1 ms, with what else it imports

        return {} if self.response is None else rate_limits(self.response)

    @property
    def request_id(self) -> str | None:
        """The provider's name for the request."""
        return None if self.response is None else self.response.request_id

    @property
    def state(self) -> State:
        """What the stream is waiting for: WAITING, for one, before it is taken up again."""
        return self._session.state

    @property
    def stats(self) -> Stats:
        """What the stream has brought so far, and when."""
        return self._session.stats

    @property
    def message(self) -> Message | None:
        """The chunks so far put together; None where they make no whole."""
        return self._session.message

    @property
    def last_event_id(self) -> str:
        """The last event ID string (WHATWG HTML, 9.2.4); `""` if the server has sent none."""
        return self._session.last_event_id

    @property
    def verdict(self) -> Verdict | None:
        """How the stream ended; None before that."""
        return self._session.verdict

    def __repr__(self) -> str:
        return f"<{described(self, self._session.url)}: {self._session.state.name}>"

    def will_close(self) -> None:
        """Begin nothing more."""
        self._closing = True

    def close(self) -> None:
        """Close the connection now. A blocked reader gets StreamClosed. May be called again."""
        self._closing = True
        try:
            self._key.pop()
        except IndexError:
            with self._swap:
                if self._transport is not None:
                    self._transport.abort()  # and whoever is inside closes it, in _leave at the latest
            return
        try:
            self._cancel()
        finally:
            self._key.append(KEY)

    def __del__(self) -> None:
        self.close()

    def _enter(self) -> None:
        try:
            self._key.pop()
        except IndexError:
            if self._closing:  # by whoever is inside, or wakes whoever is
                raise StreamClosed from None
            raise RuntimeError("this stream is being read by another thread or task") from None

    def _leave(self) -> None:
        self._key.append(KEY)
        if self._closing:
            self.close()

    def _first(self) -> Action:
        """Go on from where the session was left."""
        if self._session.state is DELIVERING:
            return self._session.step(DONE, self._connections.now())
        if self._session.state is State.IDLE:
            self._connections.set_clock()
            return self._session.start(self._connections.now())
        return STOP

    def _failure(self, exc: OSError) -> Failed:
        self._cause = exc
        if isinstance(exc, TimeoutError):
            return Failed(Reason.DEADLINE, str(exc))
        from ssl import SSLCertVerificationError  # 5 ms, which no stream over http needs until it fails

        if isinstance(exc, SSLCertVerificationError):
            return Failed(Reason.CERTIFICATE, exc.verify_message)
        return Failed(Reason.NETWORK, str(exc) or type(exc).__name__)

    def _raise_error(self) -> None:
        """Raise the error that the session ended with, if any."""
        if self._session.error is not None:
            raise self._session.error from self._cause

    def _cancel(self) -> None:
        """Bring the session to its end from wherever it is, without a clock: its event loop may be closed."""
        while self._session.state is not State.STOPPED:
            self._session.step(CANCELLED, NO_MATTER_WHEN)
        self._let_go(reuse=False)

    # The connection.

    def _adopt(self, transport: X) -> X:
        """Make a transport the one that `close` aborts. Raises ConnectionAbortedError if that was called."""
        self._cause = None  # what failed before was with another connection
        with self._swap:
            self._transport = transport
        if self._closing:
            raise ConnectionAbortedError("the stream was closed")
        return transport

    def _connected(self) -> X:
        """Return the transport that Acquire has brought."""
        if self._transport is None:
            raise ConnectionAbortedError("not connected")
        return self._transport

    def _let_go(self, *, reuse: bool) -> None:
        """Give back the connection and the place in the pool, where there are any."""
        with self._swap:
            transport, self._transport = self._transport, None
        place, self._place = self._place, None
        if place is not None:
            kept = reuse and not self._closing
            self._connections.give_back(place, transport, self._session.exchange if kept else None)
        elif transport is not None:
            transport.close()


def described(what: object, url: URL) -> str:
    """Return what a thing is and whose, without what may be secret in a URL."""
    return f"{type(what).__module__}.{type(what).__name__} of {url.scheme}://{url.authority}"


def without_text(chunk: object) -> TypeError:
    return TypeError(f"a chunk of this stream, of type {type(chunk).__name__}, has no text")


class ClientBase(Generic[S, X]):
    """What a client keeps: where to, with which options, its connections, and its open streams."""

    def __init__(
        self, base_url: str, transport: Callable[[], X], options: Options, sweep_at: SweepAt[X]
    ) -> None:
        if unknown := options.keys() - Options.__optional_keys__:
            raise TypeError(f"a client has no option {min(unknown)!r}")
        self._url = URL.parse(base_url)
        self._headers = tuple(options.get("headers", NO_HEADERS).items())
        self._deadlines = options.get("deadlines", Deadlines())
        self._limits = options.get("limits", Limits())
        self._retries = options.get("retries")
        proxies = options.get("proxies")
        self._proxies = Proxies.from_environment(os.environ) if proxies is None else proxies
        self._observe = options.get("observe")
        self._connections = Connections(transport, options.get("pool", PoolLimits()), sweep_at)
        self._streams: WeakSet[S] = WeakSet()
        self._closed = False
        self._lock = Lock()

    def close(self) -> None:
        """Close every stream and every connection, and make no more."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.will_close()  # before another gives it its place
        for stream in streams:
            stream.close()
        self._connections.close()

    def __repr__(self) -> str:
        return f"<{described(self, self._url)}>"

    def _session(self, request: Request[T]) -> Session[T]:
        make = Session if self._observe is None else partial(Observed, self._observe)
        return cast("Callable[..., Session[T]]", make)(
            request,
            self._url,
            headers=self._headers,
            deadlines=self._deadlines,
            limits=self._limits,
            proxies=self._proxies,
            retries=self._retries,
            entropy=entropy,
        )

    def _keep(self, stream: S) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            self._streams.add(stream)


class Observed(Session[T]):
    """A session that tells an observer of each of its steps."""

    def __init__(
        self, observe: Callable[[Session[Any]], Observer], request: Request[T], url: URL, **options: Any
    ) -> None:
        super().__init__(request, url, **options)
        self._observer: Observer | None = observe(self)

    def start(self, now: float) -> Action:
        return self._tell_action(super().start(now), now)

    def step(self, outcome: Outcome, now: float) -> Action:
        self._tell_outcome(outcome, now)
        return self._tell_action(super().step(outcome, now), now)

    def _tell_action(self, action: Action, now: float) -> Action:
        observer, self._observer = self._observer, None  # one that raises is told no more
        if observer is not None:
            observer.action(action, now)
            self._observer = observer
        return action

    def _tell_outcome(self, outcome: Outcome, now: float) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.outcome(outcome, now)
            self._observer = observer


def entropy() -> float:
    """Return a random number from 0 up to 1. `random` has one too, and takes 1 ms to import."""
    return (int.from_bytes(os.urandom(8), "big") >> 11) * 2**-53


KEY = object()
DONE = Done()
STOP = Stop()
DELIVERING = State.DELIVERING  # to look it up takes 70 ns
CANCELLED = Failed(Reason.CANCELLED)
NO_MATTER_WHEN = 0.0
"""The time of an outcome after which nothing has a deadline."""
RECEIVE_SIZE = 64 * 1024
"""Bytes to receive at most at a time."""
