"""What the two loops share: everything that does not wait."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from sse_core import (
    URL,
    Action,
    Deadlines,
    Done,
    Failed,
    Limits,
    Outcome,
    Reason,
    Request,
    Response,
    Session,
    State,
    Stop,
    Verdict,
)

T = TypeVar("T")
S = TypeVar("S", bound="StreamBase[Any]")
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Closable(Protocol):
    """The verbs of a transport that never wait."""

    def now(self) -> float:
        """The clock that deadlines are told by, in seconds."""
        ...

    def abort(self) -> None:
        """Shut the connection down and wake whoever waits for it, who then gets any result or OSError.

        Comes while another thread or task is inside a verb, and from that other one.
        Whatever comes later, but for `close`, may fail with OSError.
        """
        ...

    def close(self) -> None:
        """Close the connection if there is one. Nobody is inside another verb; may come twice."""
        ...


class StreamBase(Generic[T]):
    """The part of a stream that is the same on every runtime."""

    def __init__(self, session: Session[T], transport: Closable) -> None:
        self._session = session
        self._closable = transport
        self._ready: Iterator[T] = iter(())  # what was delivered and is not yet handed out
        self._cause: OSError | None = None
        self._closing = False
        self._inside = Lock()  # held by whoever is inside the session; never waited for

    @property
    def response(self) -> Response | None:
        """The head of the response: there once the stream's block has been entered."""
        return self._session.response

    @property
    def verdict(self) -> Verdict | None:
        """How the stream ended; None before that."""
        return self._session.verdict

    def close(self) -> None:
        """Close the connection now. A blocked reader gets StreamClosed. May be called again."""
        self._closing = True
        if self._inside.acquire(blocking=False):
            try:
                self._cancel()
            finally:
                self._inside.release()
        else:
            self._closable.abort()  # and whoever is inside closes it, in _leave at the latest

    def __del__(self) -> None:
        self.close()

    def _enter(self) -> None:
        if not self._inside.acquire(blocking=False):
            raise RuntimeError("this stream is being read by another thread or task")

    def _leave(self) -> None:
        self._inside.release()
        if self._closing:
            self.close()

    def _first(self) -> Action:
        """Go on from where the session was left."""
        match self._session.state:
            case State.IDLE:
                return self._session.start(self._closable.now())
            case State.DELIVERING:
                return self._answer(DONE)
            case _:
                return STOP

    def _answer(self, outcome: Outcome) -> Action:
        return self._session.step(CANCELLED if self._closing else outcome, self._closable.now())

    def _failure(self, exc: OSError) -> Failed:
        self._cause = exc
        match exc:
            case TimeoutError():
                return Failed(Reason.DEADLINE, str(exc))
            case ssl.SSLCertVerificationError():
                return Failed(Reason.CERTIFICATE, exc.verify_message)
            case _:
                return Failed(Reason.NETWORK, str(exc) or type(exc).__name__)

    def _raise_error(self) -> None:
        """Raise the error that the session ended with, if any."""
        if self._session.error is not None:
            raise self._session.error from self._cause

    def _cancel(self) -> None:
        """Bring the session to its end from wherever it is, without a clock: its event loop may be closed."""
        while self._session.state is not State.STOPPED:
            self._session.step(CANCELLED, NO_MATTER_WHEN)
        self._closable.close()


class ClientBase(Generic[S]):
    """What a client keeps: where to, with which headers and limits, and its open streams."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
    ) -> None:
        self._url = URL.parse(base_url)
        self._headers = tuple(headers.items())
        self._deadlines = deadlines
        self._limits = limits
        self._streams: WeakSet[S] = WeakSet()
        self._closed = False
        self._lock = Lock()

    def close(self) -> None:
        """Close every stream that is still open, and make no more."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__module__}.{type(self).__name__} of {self._url.scheme}://{self._url.authority}>"
        )

    def _session(self, request: Request[T]) -> Session[T]:
        return Session(
            request, self._url, headers=self._headers, deadlines=self._deadlines, limits=self._limits
        )

    def _keep(self, stream: S) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            self._streams.add(stream)


DONE = Done()
STOP = Stop()
CANCELLED = Failed(Reason.CANCELLED)
NO_MATTER_WHEN = 0.0
"""The time of an outcome after which nothing has a deadline."""
RECEIVE_SIZE = 64 * 1024
"""Bytes to receive at most at a time."""
