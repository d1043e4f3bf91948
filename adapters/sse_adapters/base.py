"""What the two loops share: a stream and a client, apart from everything that waits.

`StreamBase` owns a session, and the transport that the session's actions are performed on. `close` may come
at any moment: from any thread, from a finaliser, from a signal handler. One lock keeps the stream safe, which
whoever reads it holds for a step, and `_closing`, which is set before anything else is done to close it:

- If somebody has the lock, `close` aborts the transport. That wakes the reader, which then closes the stream.
- If nobody has it, `close` takes it. A reader that was faster sees `_closing` first of all, and ends at once.

A signal handler may also raise an exception at any point. So the lock is taken by `with`, which none can come
between, after a look at whether it is free; and whatever closes a stream can be done again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast
from weakref import WeakSet

import msgspec

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
from sse_core.checks import check_callable, check_type, wrong_type
from sse_core.session.hop import merge_headers

from .connections import ConnectionPool, ScheduleSweep, Slot, X, close_quietly
from .event_loops import HERE
from .forking import FORKED
from .options import (
    NO_HEADERS,
    AsyncAuth,
    FetchOptions,
    Observer,
    Options,
    SessionOptions,
    StreamOptions,
    check_header_mapping,
    check_options,
    parse_base_url,
)

if TYPE_CHECKING:
    from sse_core import RateLimit

T = TypeVar("T")
S = TypeVar("S", bound="StreamBase[Any, Any]")


class StreamBase(Generic[T, X]):
    """A stream, apart from what waits: what it knows about itself, and how it is closed."""

    _post = HERE  # calls functions on the stream's event loop

    def __init__(self, session: Session[T], pool: ConnectionPool[X], auth: AsyncAuth | None = None) -> None:
        self._session = session
        self._pool = pool
        self._auth = auth
        self._transport: X | None = None
        self._slot: Slot | None = None  # in the pool
        self._cause: OSError | None = None
        self._closing = False
        self._stepping = Lock()

    @property
    def response(self) -> Response | None:
        """The head of the response; None until the stream's block has been entered."""
        return self._session.response

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """The provider's rate limits, as the head of the response reports them."""
        from sse_core import rate_limits  # imported when asked for: few are, and it imports more

        return {} if self.response is None else rate_limits(self.response)

    @property
    def request_id(self) -> str | None:
        """The provider's ID of the request; None if it sent none."""
        return None if self.response is None else self.response.request_id

    @property
    def state(self) -> State:
        """What the stream is doing; WAITING, for example, before another attempt."""
        return self._session.state

    @property
    def stats(self) -> Stats:
        """What has been received so far, and when."""
        return self._session.stats

    @property
    def message(self) -> Message | None:
        """The chunks so far, accumulated.

        None if this dialect has no accumulator, or the answer is over `max_answer_size`.
        """
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
        return f"<{describe(self, self._session.url)}: {self._session.state.name}>"

    def stop_soon(self) -> None:
        """Let the next action end the stream. `close` also wakes a reader that waits."""
        self._closing = True

    def close(self) -> None:
        """Close the connection now. A blocked reader gets StreamClosed. May be called again."""
        self._closing = True
        if self._stepping.locked():
            # It cannot be another stream's by now, since one that is closing keeps none for the pool.
            if (transport := self._transport) is not None:
                self._post(transport.abort)  # wakes the reader, which closes the stream
            return
        with self._stepping:
            self._cancel()

    def after_fork(self) -> None:
        """Leave an open stream to the parent, in a child."""
        if self._session.state in (State.IDLE, State.STOPPED):
            self._stepping = Lock()
            return
        self._stepping = OF_PARENT
        self._closing = True
        self._transport = None
        if self._slot is not None:
            self._slot.returned = True  # it is in the parent's books
            self._slot = None
        if isinstance(self._session, ObservedSession):
            self._session.observer = None

    def __del__(self) -> None:
        if hasattr(self, "_stepping"):  # or the constructor has failed
            self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stream has a connection, and cannot be copied or pickled")

    def _require_free(self) -> None:
        """Raise an error if somebody reads or closes the stream, or the process that opened it has it."""
        if self._stepping.locked():
            if self._stepping is OF_PARENT:
                raise RuntimeError("this stream was opened by the process that this one is a fork of")
            if self._closing:  # the reader is about to close the stream
                raise StreamClosed
            raise RuntimeError("this stream is being read by another thread or task")

    def _first_action(self) -> Action:
        """Return the next action of a session that was left between two steps."""
        if self._closing:
            self._cancel()
        if self._session.state is DELIVERING:
            return self._session.step(DONE, self._pool.now())
        if self._session.state is State.IDLE:
            self._begin()
            return self._session.start(self._pool.now())
        return STOP

    def _begin(self) -> None:
        """Called before the first action."""
        self._pool.use_current_clock()

    def _failure(self, exc: OSError) -> Failed:
        """Return the outcome of an action that a transport failed to perform."""
        self._cause = exc
        if isinstance(exc, TimeoutError):
            return Failed(Reason.DEADLINE, str(exc))
        from .tls import TLS, is_refusal  # imported late: streams over http need it only to fail

        if isinstance(exc, TLS.Failure) and is_refusal(exc):
            return Failed(Reason.CERTIFICATE, getattr(exc, "verify_message", "") or str(exc))
        return Failed(Reason.NETWORK, str(exc) or type(exc).__name__)

    def _no_credentials(self, exc: OSError) -> Failed:
        """Return the outcome of an Authorize for which there are none. Its time is not a transport's."""
        self._cause = exc
        return Failed(Reason.NETWORK, str(exc) or type(exc).__name__)

    def _raise_error(self) -> None:
        """Raise the error that the session ended with, if any."""
        if self._session.error is not None:
            raise self._session.error from self._cause

    def _cancel(self) -> None:
        """Bring the session to its end, and release the connection. Raises what an observer raises."""
        try:
            self._stop_session()
        except BaseException:  # by an observer, which is told no more
            self._stop_session()
            raise
        finally:
            self._release(reuse=False)

    def _stop_session(self) -> None:
        """Cancel whatever the session waits for. Reads no clock, whose event loop may be closed."""
        while self._session.state is not State.STOPPED:
            self._session.step(CANCELLED, ANY_TIME)

    # The connection.

    def _set_transport(self, transport: X) -> X:
        """Make this the transport that `close` aborts. Raises ConnectionAbortedError if that was called."""
        self._cause = None  # an earlier failure was another connection's
        self._transport = transport
        if self._closing:
            raise ConnectionAbortedError("the stream was closed")
        return transport

    def _require_transport(self) -> X:
        """Return the transport that Acquire has set. Raises ConnectionAbortedError if there is none."""
        if self._transport is None:
            raise ConnectionAbortedError("not connected")
        return self._transport

    def _release(self, *, reuse: bool) -> None:
        """Give back the connection and the slot in the pool, if this stream has them."""
        transport = self._transport
        if reuse:
            self._transport = None  # so that from here on no `close` aborts it, unless that is seen here:
        keep = reuse and not self._closing
        if transport is not None and not keep:
            close_quietly(transport)
        self._transport = None
        slot = self._slot
        if slot is not None:
            self._pool.give_back(slot, transport if keep else None, self._session.exchange if keep else None)
        self._slot = None


def describe(what: object, url: URL) -> str:
    """Name an object and its server, without the parts of a URL that may be secret."""
    return f"{type(what).__module__}.{type(what).__name__} of {url.scheme}://{url.authority}"


def clear_locals(error: BaseException) -> None:
    """Clear the local variables of the functions that an error has left, and those of its causes.

    What was sent is among them, with its credentials; some programs report or print all local variables.
    """
    errors: list[BaseException | None] = [error]
    for each in errors:
        if each is not None:
            traceback = each.__traceback__
            while traceback is not None:
                with suppress(RuntimeError):  # the function is still running
                    traceback.tb_frame.clear()
                traceback = traceback.tb_next
            errors += [new for new in (each.__cause__, each.__context__) if new not in errors]


def auth_fields(headers: object) -> tuple[tuple[str, str], ...]:
    """Return the header fields that `auth` has given.

    Raises TypeError for anything else, and ValueError for headers that cannot be sent.
    """
    check_header_mapping("what auth returns", headers)
    return tuple(cast("Mapping[str, str]", headers).items())


def require_document(request: Request[Any]) -> None:
    """Raise TypeError for a request whose answer is a stream, before it is made."""
    check_type("request", request, Request, "a Request, such as json.document(type, path)")
    if not request.dialect().document:
        raise TypeError(f"the answer to {request!r} is a stream: use stream() in place of call()")


def only_value(request: Request[Any], chunks: Sequence[T]) -> T:
    """Return the one chunk of an answer that is a document. Raises TypeError if its dialect made others."""
    if len(chunks) != 1:
        raise TypeError(f"the dialect of {request!r} made {len(chunks)} chunks of a document, and not one")
    return chunks[0]


def no_text_error(chunk: object) -> TypeError:
    return TypeError(f"a chunk of this stream, of type {type(chunk).__name__}, has no text")


class ClientBase(Generic[S, X]):
    """A client, apart from what waits: its URL and options, its pool of connections, and its open streams."""

    fetches: bool = False
    """Whether another HTTP client gets the responses, in place of transports."""

    def __init__(
        self,
        base_url: str,
        transport: Callable[[], X],
        options: Options[Any],
        schedule_sweep: ScheduleSweep[X],
    ) -> None:
        if self.fetches:
            check_options(options, FetchOptions.__optional_keys__, "a FetchClient", "its HTTP client's")
        else:
            check_options(options, Options.__optional_keys__, "this client", "its transports'")
        check_callable("what makes transports", transport, "a class or a function")
        self._url = parse_base_url(base_url)
        self._auth: AsyncAuth | None = options.get("auth")
        proxies = Proxies() if self.fetches else options.get("proxies")
        self._session_options = SessionOptions(
            headers=tuple(options.get("headers", NO_HEADERS).items()),
            deadlines=options.get("deadlines", Deadlines()),
            limits=options.get("limits", Limits()),
            proxies=Proxies.from_environment(os.environ) if proxies is None else proxies,
            retries=options.get("retries"),
            random=random,
            authorize=self._auth is not None,
            fetch=self.fetches,
        )
        self._observe = options.get("observe")
        self._pool = ConnectionPool(transport, options.get("pool", PoolLimits()), schedule_sweep)
        self._streams: WeakSet[S] = WeakSet()
        self._closed = False
        self._lock = Lock()
        FORKED.add(self)

    def after_fork(self) -> None:
        """Begin with no connection, in a child whose parent has them."""
        self._lock = Lock()
        for stream in list(self._streams):
            stream.after_fork()
        self._pool.after_fork()

    def close(self) -> None:
        """Close every stream and every connection. The client makes no more of either."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.stop_soon()  # first all of them, or one would begin with the slot that another gives back
        errors: list[BaseException] = []
        for stream in streams:
            try:
                stream.close()
            except BaseException as exc:  # raised by an observer: the other streams are closed all the same
                errors.append(exc)
        self._pool.close()
        if errors:
            raise errors[0]

    def __repr__(self) -> str:
        return f"<{describe(self, self._url)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client has connections, and cannot be copied or pickled")

    def _session(self, request: Request[T], options: StreamOptions) -> Session[T]:
        """Return the session of a request, whose own options come before the client's."""
        check_type("request", request, Request, "a Request, such as events.request(path)")
        check_options(options, StreamOptions.__optional_keys__, "a request", "its client's")
        if request.reconnects is not None and options.get("retries") is not None:
            raise ValueError("a request that reconnects takes no retries: its `reconnects` stands for them")
        observe = options.pop("observe", self._observe)
        if headers := options.pop("headers", None):
            fields = tuple(merge_headers(request.headers, headers.items()))
            request = msgspec.structs.replace(request, headers=fields)
        session_options = cast("SessionOptions", {**self._session_options, **options})
        if observe is None:
            return Session(request, self._url, **session_options)
        session = ObservedSession(request, self._url, **session_options)
        session.observer = observe(session)
        if not hasattr(session.observer, "action") or not hasattr(session.observer, "outcome"):
            raise wrong_type("what observe returns", session.observer, "an Observer")
        return session

    def _register(self, stream: S) -> None:
        """Remember a stream, to close it with the client. Raises RuntimeError if that is closed."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            self._streams.add(stream)


class ObservedSession(Session[T]):
    """A session that tells an observer about each of its steps. An observer that raises is told no more."""

    observer: Observer | None = None

    def start(self, now: float) -> Action:
        return self._report_action(super().start(now), now)

    def step(self, outcome: Outcome, now: float) -> Action:
        self._report_outcome(outcome, now)
        return self._report_action(super().step(outcome, now), now)

    def _report_action(self, action: Action, now: float) -> Action:
        observer, self.observer = self.observer, None
        if observer is not None:
            observer.action(action, now)
            self.observer = observer
        return action

    def _report_outcome(self, outcome: Outcome, now: float) -> None:
        observer, self.observer = self.observer, None
        if observer is not None:
            observer.outcome(outcome, now)
            self.observer = observer


def random() -> float:
    """Return a random number, at least 0 and below 1. Python's module `random` is slower to import."""
    return (int.from_bytes(os.urandom(8), "big") >> 11) * 2**-53


OF_PARENT = Lock()
"""The lock of a stream that was open when this process was forked: the parent's reader has it for ever."""
OF_PARENT.acquire()
DONE = Done()
STOP = Stop()
DELIVERING = State.DELIVERING  # measured: a global is looked up faster than an enum's member
CANCELLED = Failed(Reason.CANCELLED)
ANSWERED_EARLY = Failed(Reason.NETWORK, "the server answered before it had read all of the request")
"""The outcome of a Send that was interrupted. The session then reads the answer (RFC 9112, 9.5)."""
ANY_TIME = 0.0
"""The time of an outcome that ends the session whenever it comes."""
LOOK_AGAIN = 1.0
"""Seconds after which a stream that waits for a slot looks whether it has got one, though nobody woke it:
whoever granted it may have been interrupted before that."""
RECEIVE_SIZE = 64 * 1024
"""Bytes to receive at most at a time."""
