"""Ring 3: the life of one stream, as a state machine that does no I/O.

The machine is built in three layers: `lifecycle` has what holds in every state, `receiving` what becomes of
a response, and this module how the response is got.

The adapter performs an action and answers with its outcome, until Stop:

    action = session.start(now)
    while not isinstance(action, Stop):
        action = session.step(perform(action), now)

Five rules hold in every life.

1. The legal moves are `EDGES`, and what may answer in which state is `Session.HANDLERS`. Anything
   else is a mistake of the adapter's, and a RuntimeError.
2. A connection belongs to the session from each Acquire or Fetch to the one Release that follows it
   whatever happens; then comes Stop, Sleep before another attempt, or the next beginning.
3. The first end counts. `verdict` and `error` are set once, when the end is known; chunks
   that came before it are delivered first.
4. Deadlines are computed when an action is issued, from the `now` of that moment, and are
   never in the past.
5. Nothing is delivered twice: as long as a request may be made once more, chunks without
   content are held back, and after the first with content, or `MAX_HELD_BACK` without, it is made
   no more. A stream that is resumed where it broke off goes on behind its last event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, ClassVar, Generic

import msgspec

from ..checks import as_pairs, check_callable, check_headers, check_type
from ..errors import (
    ConnectionFailed,
    ProxyError,
    StreamClosed,
)
from ..http.exchange import Exchange
from ..http.proxies import Proxies
from ..http.redirects import PreparedRequest
from ..http.url import URL
from ..reading.dialect import T
from ..reading.limits import Limits
from ..reading.message import Message
from ..reading.reader import Reader
from ..reading.request import Request
from .actions import (
    Acquire,
    Acquired,
    Action,
    Authorize,
    Authorized,
    Done,
    Failed,
    Fetch,
    Fetched,
    Outcome,
    Reason,
    Received,
    Send,
)
from .attempts import Attempts
from .deadlines import Deadlines
from .fetched import FetchedBody
from .hop import DEFAULT_HEADERS, Hop, merge_headers
from .lifecycle import Lifecycle
from .receiving import Receiving
from .retrying import Retries
from .route import ConnectSteps, connect_steps
from .states import State
from .stats import Stats
from .timing import Timing


class Session(Receiving[T], Generic[T]):
    """One request to the server at `url`, and the stream of `T` that answers it.

    `headers` are the client's own, on top of `DEFAULT_HEADERS`; the request's come on
    top of both. A header of the same name replaces the one below it. `proxies` says
    which URLs are reached through which proxy; `retries`, when a request that failed
    before there was any content is made again: without it, never. `random` is called
    for a number from 0 up to 1 where chance is to decide how long to wait.

    With `authorize`, the session asks for credentials before each attempt, and once more after a 401.
    With `fetch`, it asks for responses in one piece, which another HTTP client gets, in place of connections.

    Raises ValueError for a request that HTTP/1.1 cannot carry, and TypeError for an argument of another type.
    """

    __slots__ = ("_comments", "_connect_steps", "_proxies", "request", "url")

    def __init__(
        self,
        request: Request[T],
        url: URL,
        *,
        headers: Iterable[tuple[str, str]] = (),
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
        proxies: Proxies = Proxies(),
        retries: Retries | None = None,
        random: Callable[[], float] = lambda: 0.5,
        authorize: bool = False,
        fetch: bool = False,
    ) -> None:
        check_type("request", request, Request, "a Request")
        check_type("url", url, URL, "a URL, such as URL.parse(text)")
        headers = as_pairs("headers", headers)
        check_headers("headers", headers)
        check_type("deadlines", deadlines, Deadlines, "Deadlines")
        check_type("limits", limits, Limits, "Limits")
        check_type("proxies", proxies, Proxies, "Proxies")
        check_type("retries", retries, (Retries, NoneType), "Retries or None")
        check_callable("random", random, "a function that returns a number")
        timing = Timing(deadlines)
        fields = tuple(merge_headers(DEFAULT_HEADERS, headers, request.headers))
        original = PreparedRequest(url, url.target(request.path), request.method, fields, request.body)
        attempts = Attempts(original, retries, request.reconnects, random, timing)
        reader = Reader(request, limits=limits)
        super().__init__(reader, attempts, timing, limits, authorizes=authorize, fetches=fetch)
        self.request: Request[T] = request
        self.url: URL = url
        self._proxies = Proxies() if fetch else proxies
        self._comments = 0  # in the bodies before this one
        attempts.begin()
        self._prepare_exchange(original)

    @property
    def exchange(self) -> Exchange:
        """The exchange that goes on, or was the last: what is left of its response is for it to read."""
        return self._hop.exchange

    @property
    def stats(self) -> Stats:
        """What the stream has brought so far, and when."""
        stats = self._timing.stats
        stats.comments = self._comments + self._reader.comments
        return stats

    @property
    def message(self) -> Message | None:
        """The chunks so far put together.

        None if this dialect has no accumulator, or the answer is over `max_answer_size`.
        """
        return self._reader.message

    def complete_message(self) -> Message:
        """Return all chunks put together.

        Raises TypeError if this dialect has no accumulator, and EventTooLarge if the answer is over
        `max_answer_size`.
        """
        return self._reader.complete_message()

    @property
    def last_event_id(self) -> str:
        """Where the stream could be resumed (WHATWG HTML, 9.2.4); `""` if the server has not said."""
        return self._reader.last_event_id

    def start(self, now: float) -> Action:
        """Return the first action. `now` is the adapter's clock, in seconds from any origin.

        Raises RuntimeError if the session was started or stopped before.
        """
        if self.state is not State.IDLE:
            raise RuntimeError(f"start() in state {self.state.name}")
        self._timing.start(now)
        return self._begin()

    def step(self, outcome: Outcome, now: float) -> Action:
        """Return the next action, given what came of the last.

        Raises RuntimeError if `outcome` is not an answer to that action, and ValueError for credentials
        that no header can carry.
        """
        handler = self.HANDLERS[self.state].get(type(outcome))
        if handler is None:
            raise self._unexpected_outcome(outcome)
        self._timing.now = now
        return handler(self, outcome)

    # The beginning of an attempt, or of the request that follows a redirect.

    def _prepare_attempt(self) -> None:
        """Prepare to make the request again."""
        self._attempts.begin()
        self._held_back = ()
        self._redirects = None
        self._comments += self._reader.comments
        if self._attempts.last_event_id:
            self._reader.resume()
        else:
            self._reader = Reader(self.request, limits=self._limits)
        self._prepare_exchange(self._attempts.request)

    def _prepare_exchange(self, prepared: PreparedRequest, *, fresh: bool = False) -> None:
        self._then = None
        self._redirect_refused = ""
        self._hop = Hop(prepared, self._proxies, self._limits, fresh=fresh)
        self._source, self._decoded = self._hop.exchange, None

    def _begin(self) -> Action:
        """Begin an attempt."""
        if not self._authorizes:
            return self._get_response()
        deadline = self._timing.start_deadline("total")
        self._enter(State.AUTHORIZING)
        return Authorize(self.stats.attempts, self._refused, deadline)

    def _not_authorized(self, outcome: Failed) -> Action:
        match outcome.reason:
            case Reason.CANCELLED:
                return self._fail_unconnected(StreamClosed())
            case Reason.DEADLINE if self._timing.expired():
                return self._fail_unconnected(self._timing.expiry_error())
            case _:  # or a time limit of its own has passed
                return self._fail_unconnected(ConnectionFailed(f"no credentials: {outcome.message}"))

    def _authorized(self, outcome: Authorized) -> Action:
        if not self._timing.allows(0):
            return self._fail_unconnected(self._timing.expiry_error())
        request = self._attempts.request
        headers = tuple(merge_headers(request.headers, outcome.headers))
        self._prepare_exchange(msgspec.structs.replace(request, headers=headers))
        return self._get_response()

    def _begin_next(self, _: Done) -> Action:
        """Make the next request, if there is time for it."""
        if not self._timing.allows(0):
            self._timing.start_deadline("total")
            return self._fail_unconnected(self._timing.expiry_error())
        if isinstance(self._then, PreparedRequest):
            self._prepare_exchange(self._then, fresh=self._hop.stale)
            return self._get_response()
        self._prepare_attempt()
        return self._begin()

    def _get_response(self) -> Action:
        return self._fetch() if self._fetches else self._acquire()

    def _fetch(self) -> Action:
        sent = self._hop.prepared
        self._timing.request_sent()
        deadline = self._timing.start_head_deadline(self._reader.detects_content)
        self._enter(State.FETCHING)
        return Fetch(sent.method, self._hop.origin + sent.target, sent.headers, sent.body, deadline)

    def _fetched(self, outcome: Fetched) -> Action:
        self._timing.record_head()
        self._source = FetchedBody(outcome.response)
        return self._classify_response(outcome.response, b"")

    def _acquire(self) -> Action:
        hop = self._hop
        deadline = self._timing.start_deadline("pool")
        self._enter(State.ACQUIRING)
        return Acquire(hop.origin, hop.fresh, deadline, hop.proxy_origin)

    def _acquired(self, outcome: Acquired) -> Action:
        if outcome.reused and self._hop.fresh:
            raise RuntimeError(f"{outcome!r} is no answer to Acquire(fresh=True)")
        self._hop.reused = outcome.reused
        if outcome.reused:
            return self._send()
        self._connect_steps: ConnectSteps = connect_steps(self._hop, self._limits, self._timing)
        return self._next_connect_step(None)

    def _next_connect_step(self, outcome: Done | Received | None) -> Action:
        try:
            state, action = self._connect_steps.send(outcome)
        except StopIteration:
            del self._connect_steps  # a stream may live for long, and needs it no more
            return self._send()
        except ProxyError as error:
            return self._fail(error)
        return self._enter_with(state, action)

    # The request, and the head of its response.

    def _send(self) -> Action:
        self._timing.request_sent()
        deadline = self._timing.start_head_deadline(self._reader.detects_content)
        return self._enter_with(State.SENDING, Send(self._hop.exchange.data_to_send(), deadline))

    def _sent(self, _: Done) -> Action:
        return self._receive(State.AWAITING)

    def _head_received(self, outcome: Received) -> Action:
        hop = self._hop
        if not outcome.data and hop.stale:
            return self._retry_on_new_connection()
        stale, hop.response_begun = hop.stale, True
        self._timing.record(len(outcome.data), 0, 0)
        body = hop.exchange.receive(outcome.data)
        response = hop.exchange.response
        if response is not None:
            if response.status == 408 and stale:  # the server was closing the connection already
                hop.response_begun = False
                return self._retry_on_new_connection()
            return self._classify_response(response, body)
        if hop.exchange.error is not None:
            return self._fail(ConnectionFailed(hop.send_error) if hop.send_error else hop.exchange.error)
        self._timing.start_head_deadline(self._reader.detects_content)
        return self._receive(State.AWAITING)

    HANDLERS: ClassVar[Mapping[State, Mapping[type[Outcome], Callable[[Any, Any], Action]]]] = {
        State.IDLE: {Failed: Lifecycle[Any]._cancelled_unconnected},
        State.AUTHORIZING: {Authorized: _authorized, Failed: _not_authorized},
        State.ACQUIRING: {Acquired: _acquired, Failed: Lifecycle[Any]._failed},
        State.OPENING: {Done: _next_connect_step, Failed: Lifecycle[Any]._failed},
        State.SECURING: {Done: _next_connect_step, Failed: Lifecycle[Any]._failed},
        State.ASKING_PROXY: {Done: _next_connect_step, Failed: Lifecycle[Any]._failed},
        State.AWAITING_PROXY: {Received: _next_connect_step, Failed: Lifecycle[Any]._failed},
        State.FETCHING: {Fetched: _fetched, Failed: Lifecycle[Any]._failed},
        State.SENDING: {Done: _sent, Failed: Lifecycle[Any]._failed},
        State.AWAITING: {Received: _head_received, Failed: Lifecycle[Any]._failed},
        State.COLLECTING: {Received: Receiving[Any]._collected, Failed: Lifecycle[Any]._failed},
        State.STREAMING: {Received: Receiving[Any]._received, Failed: Lifecycle[Any]._failed},
        State.DECODING: {Done: Receiving[Any]._decode, Failed: Lifecycle[Any]._cancelled_delivering},
        State.DELIVERING: {Done: Receiving[Any]._continue_body, Failed: Lifecycle[Any]._cancelled_delivering},
        State.RELEASING: {Done: Lifecycle[Any]._released, Failed: Lifecycle[Any]._released},
        State.WAITING: {Done: _begin_next, Failed: Lifecycle[Any]._cancelled_unconnected},
        State.STOPPED: {},
    }
    """What may answer in each state, and what it leads to."""
