"""Ring 3: the life of one stream, as a state machine that does no I/O.

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
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import msgspec
from msgspec import Struct

from ..errors import (
    ConnectionFailed,
    Fault,
    ProxyError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    UnsupportedCoding,
)
from ..http.body_source import BodySource
from ..http.exchange import Exchange
from ..http.proxies import Proxies
from ..http.redirects import PreparedRequest, Redirects
from ..http.response import Response
from ..http.url import URL
from ..reading.dialect import T
from ..reading.limits import Limits
from ..reading.message import Message
from ..reading.reader import Mode, Reader
from ..reading.request import Request
from ..reading.verdict import Verdict, verdict_of
from .actions import (
    Acquire,
    Acquired,
    Action,
    Authorize,
    Authorized,
    Deliver,
    Done,
    Failed,
    Fetch,
    Fetched,
    Outcome,
    Reason,
    Receive,
    Received,
    Release,
    Send,
    Sleep,
    Stop,
    Yield,
)
from .attempts import MAX_HELD_BACK, Attempts
from .deadlines import Deadlines
from .fetched import FetchedBody
from .hop import DEFAULT_HEADERS, Hop, merge_headers
from .retrying import Retries
from .route import ConnectSteps, connect_steps
from .states import EDGES, State
from .stats import Stats
from .timing import Timing

if TYPE_CHECKING:
    from ..http.codings import DecodedBody


class Again(Struct, frozen=True):
    """There is to be another attempt, after so many seconds; None stands for at once."""

    delay: float | None


class Session(Generic[T]):
    """One request to the server at `url`, and the stream of `T` that answers it.

    `headers` are the client's own, on top of `DEFAULT_HEADERS`; the request's come on
    top of both. A header of the same name replaces the one below it. `proxies` says
    which URLs are reached through which proxy; `retries`, when a request that failed
    before there was any content is made again: without it, never. `random` is called
    for a number from 0 up to 1 where chance is to decide how long to wait.

    With `authorize`, the session asks for credentials before each attempt, and once more after a 401.
    With `fetch`, it asks for responses in one piece, which another HTTP client gets, in place of connections.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    __slots__ = (
        "_attempts", "_authorizes", "_comments", "_connect_steps", "_decoded", "_fetches", "_held_back",
        "_hop", "_limits", "_proxies", "_reader", "_redirect_refused", "_redirects", "_refused", "_source",
        "_then",
        "_timing", "error", "request", "state", "url", "verdict",
    )  # fmt: skip

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
        self.request = request
        self.url = url
        self.state = State.IDLE
        self.verdict: Verdict | None = None
        """How the stream ended, once that is known."""
        self.error: StreamError | None = None
        """The error that ended the stream, if one did."""
        self._limits = limits
        self._proxies = Proxies() if fetch else proxies
        self._authorizes = authorize
        self._fetches = fetch
        self._timing = Timing(deadlines)
        fields = tuple(merge_headers(DEFAULT_HEADERS, headers, request.headers))
        original = PreparedRequest(url, url.target(request.path), request.method, fields, request.body)
        self._attempts = Attempts(original, retries, request.reconnects, random, self._timing)
        self._then: Stop | Again | PreparedRequest | None = (
            None  # what follows this exchange, once it has ended
        )
        self._refused: Response | None = None  # the 401 after which credentials are asked for once more
        self._held_back: tuple[T, ...] = ()  # chunks that would come again if the request were made again
        self._comments = 0  # in the bodies before this one
        self._reader: Reader[T] = Reader(request, limits=limits)
        self._hop: Hop
        self._source: BodySource
        self._decoded: DecodedBody | None  # the source, if it takes off a content coding
        self._redirects: Redirects | None
        self._prepare_attempt()

    @property
    def response(self) -> Response | None:
        """The head of the response, once it is complete."""
        return self._source.response

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

    def _unexpected_outcome(self, outcome: Outcome) -> RuntimeError:
        return RuntimeError(f"{outcome!r:.100} is no answer in state {self.state.name}")

    # The beginning of an attempt, or of the request that follows a redirect.

    def _prepare_attempt(self) -> None:
        """Prepare to make the request, for the first time or again."""
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
                return self._retry_on_new_connection()
            return self._classify_response(response, body)
        if hop.exchange.error is not None:
            return self._fail(ConnectionFailed(hop.send_error) if hop.send_error else hop.exchange.error)
        self._timing.start_head_deadline(self._reader.detects_content)
        return self._receive(State.AWAITING)

    def _retry_on_new_connection(self) -> Action:
        """Make the same request once more, on a new connection."""
        self._hop.undamaged = False
        self._then = self._hop.prepared
        return self._release()

    def _classify_response(self, response: Response, body: bytes) -> Action:
        """Decide by its head what a response is."""
        if response.status == 401 and self._authorizes and self._refused is None:
            self._refused, self._then = response, Again(None)
            return self._release()
        self._refused = None
        if response.status == 204 and self._attempts.may_resume:
            self._conclude(Verdict.NO_CONTENT)
            return self._release()
        if not self._fetches:
            self._redirects = self._redirects or Redirects(self._limits.max_redirects)
            self._then, self._redirect_refused = self._redirects.follow(self._hop.prepared, response)
            if self._then is not None:
                return self._release()
        reader = self._reader
        reader.begin(response)
        try:
            self._decode_from_here(response)
        except UnsupportedCoding as error:
            if reader.mode is not Mode.REFUSAL:
                self._conclude(Verdict.REFUSED, error)
                return self._release()
        if reader.mode is Mode.REFUSAL:
            self._timing.start_deadline("error_body")
        chunks = self._read(self._decode_start(body))
        if reader.mode is Mode.EVENTS:
            return self._deliver(self._hold_back(chunks))
        return self._continue_collecting(chunks)

    def _decode_from_here(self, response: Response) -> None:
        """Take the content coding off the body, if it has one. Raises UnsupportedCoding."""
        value = None if self._fetches else response.header("content-encoding")
        if value is not None:
            from ..http.codings import DecodedBody, content_decoder  # which most streams do without

            decoder = content_decoder(value, self._limits.max_expansion)
            if decoder is not None:
                self._source = self._decoded = DecodedBody(self._source, decoder)

    def _decode_start(self, body: bytes) -> bytes:
        """Decode what came of the body first; return it as it is if its coding is not what the head says.

        That is only for refusals in plain text: who refuses a request may know nothing of its codings.
        """
        if self._decoded is None:
            return body
        data = self._decoded.decode(body)
        if self._decoded.error is not None and self._reader.mode is Mode.REFUSAL and body.isascii():
            self._source, self._decoded = self._hop.exchange, None
            return body
        return data

    # The body.

    def _read(self, body: bytes) -> list[T]:
        """Read the next bytes of the body, and its end if this was all."""
        source, reader = self._source, self._reader
        content = reader.content
        chunks = reader.feed(body)
        if source.ended or source.error is not None:
            chunks += reader.close(source.error)
        self._timing.record(0, len(chunks), reader.content - content)
        return chunks

    def _received(self, outcome: Received) -> Action:
        """Read events. The same as `_read`, without a call more: this is done for each of them."""
        data, source, reader = outcome.data, self._source, self._reader
        content = reader.content
        chunks = reader.feed(source.receive(data))
        if source.ended or source.error is not None:
            chunks += reader.close(source.error)
        self._timing.record(len(data), len(chunks), reader.content - content)
        if self._attempts.may_retry or reader.verdict is not None:
            chunks = self._hold_back(chunks)
        self._timing.delivered_at = self._timing.now
        if not chunks:
            return self._continue_body()
        self.state = DELIVERING  # as `_deliver` does, without looking: these are two steps for each event
        return Deliver(chunks)

    def _hold_back(self, chunks: list[T]) -> list[T]:
        """Note the end if the body has come to it; return what is to be delivered now."""
        self._held_back += tuple(chunks)
        if len(self._held_back) > MAX_HELD_BACK:
            self._attempts.may_retry = False
        reader = self._reader
        if reader.verdict is not None:
            self._conclude(reader.verdict, reader.error)
        if not isinstance(self._then, Stop) and not reader.content and self._attempts.may_retry:
            return []
        chunks, self._held_back = list(self._held_back), ()
        return chunks

    def _deliver(self, chunks: list[T]) -> Action:
        self._enter(State.DELIVERING)
        self._timing.delivered_at = self._timing.now
        return Deliver(chunks)

    def _continue_body(self, _: Done | None = None) -> Action:
        """Read what has come already and was not decoded yet, and then receive more."""
        timing = self._timing
        timing.app_time += timing.now - timing.delivered_at
        if self._then is not None:
            return self._release()
        if self._decoded is not None and self._decoded.pending:
            return self._decode()
        deadline = timing.start_body_deadline(self._reader.detects_content)
        if deadline is not None and deadline <= timing.now:
            return self._fail(timing.expiry_error())
        self.state = STREAMING  # without looking, too
        return Receive(deadline)

    def _decode(self, _: Done | None = None) -> Action:
        """Decode the next step of what has come, unless a deadline has passed meanwhile."""
        assert self._decoded is not None  # or there would be nothing to decode
        reader, timing = self._reader, self._timing
        if reader.mode is not Mode.REFUSAL:
            timing.start_body_deadline(reader.detects_content)
        if timing.expired():
            return self._fail(timing.expiry_error())
        chunks = self._read(self._decoded.decode())
        if reader.mode is not Mode.EVENTS:
            return self._continue_collecting(chunks)
        if chunks := self._hold_back(chunks):
            return self._deliver(chunks)
        if self._then is not None:
            return self._release()
        if self._decoded.pending:
            return self._enter_with(State.DECODING, Yield())
        timing.delivered_at = timing.now
        return self._continue_body()

    def _collected(self, outcome: Received) -> Action:
        self._timing.record(len(outcome.data), 0, 0)
        if self._reader.is_empty and self._decoded is not None:
            body = self._decode_start(self._hop.exchange.receive(outcome.data))
        else:
            body = self._source.receive(outcome.data)
        return self._continue_collecting(self._read(body))

    def _continue_collecting(self, chunks: list[T]) -> Action:
        """Go on until there is enough of a refusal for a good message, or all of a document."""
        reader = self._reader
        if reader.mode is Mode.EVENTS:  # as its first bytes have told
            return self._deliver(self._hold_back(chunks))
        if reader.verdict is not None:
            chunks = self._hold_back(chunks)
            return self._deliver(chunks) if chunks else self._release()
        if self._decoded is not None and self._decoded.pending:
            return self._enter_with(State.DECODING, Yield())
        if reader.mode is Mode.DOCUMENT:
            self._timing.start_body_deadline(reader.detects_content)
        return self._receive(State.COLLECTING)

    # The end of an attempt.

    def _failed(self, outcome: Failed) -> Action:
        """An action of the transport's failed, or the caller wants no more."""
        match outcome.reason, self.state:
            case Reason.CANCELLED, _:
                return self._fail(StreamClosed())
            case Reason.DEADLINE, _:
                return self._fail(self._timing.expiry_error())
            case Reason.NETWORK, State.SENDING:
                # A server may refuse before it has read everything (RFC 9112, 9.5).
                self._hop.send_error = f"the connection was lost while sending: {outcome.message}"
                return self._receive(State.AWAITING)
            case Reason.NETWORK, State.AWAITING if self._hop.stale:
                return self._retry_on_new_connection()
            case Reason.NETWORK, State.STREAMING if self._may_end_with_connection:
                return self._fail(None)
            case _:
                return self._fail(self._hop.failure(outcome, self.state))

    def _cancelled_delivering(self, outcome: Failed) -> Action:
        """The caller wants no more than was handed over."""
        if outcome.reason is not Reason.CANCELLED:
            raise self._unexpected_outcome(outcome)
        return self._fail(StreamClosed())

    @property
    def _may_end_with_connection(self) -> bool:
        """Whether the end of the connection is the end that the body announced, in whatever way it comes.

        That is so if no framing says where the body ends (RFC 9112, 6.3), and the dialect has had its end.
        """
        response = self.response
        framed = response is None or response.header("content-length") or response.header("transfer-encoding")
        return not framed and self._reader.dialect.may_end

    def _fail(self, error: StreamError | None) -> Action:
        """End the attempt, and use its connection no more."""
        self._hop.undamaged = False
        chunks = self._end_reading(error)
        return self._deliver(chunks) if chunks else self._release()

    def _end_reading(self, error: StreamError | None) -> list[T]:
        """End the attempt with an error, unless what came says better how; return what was held back."""
        reader = self._reader
        if reader.verdict is None:
            self._held_back += tuple(reader.close(error))
            assert reader.verdict is not None  # for it is closed
            self._conclude(reader.verdict, reader.error)
        elif error is not None:
            self._conclude(verdict_of(error), error)
        chunks, self._held_back = list(self._held_back), ()
        return chunks if isinstance(self._then, Stop) and self.verdict is not Verdict.CANCELLED else []

    def _conclude(self, verdict: Verdict, error: StreamError | None = None) -> None:
        """Note how the stream ended, or that there will be another attempt. Only the first end counts."""
        if self._then is not None:
            return
        error = self._in_words(error)
        delay = self._attempts.delay_before_next(verdict, error, self._reader)
        if delay is not None:
            self._then = Again(delay)
            return
        if why := self._attempts.gave_up_because:
            verdict = Verdict.GAVE_UP
            error = error or StreamIncomplete(f"{verdict.value}: {why}")
        if error is not None and error is not self._reader.error:
            self._reader.annotate(error)
        self.verdict, self.error, self._then = verdict, error, STOP

    def _in_words(self, error: StreamError | None) -> StreamError | None:
        """Say in an error what only the request tells about it."""
        if error is not None:
            error.response = error.response or self.response
        if not isinstance(error, StatusError):
            return error
        if self._redirect_refused and error.response is not None:
            message = f"the redirect was not followed: {self._redirect_refused}"
            error = StatusError(message, response=error.response, raw=error.raw)
        if self._hop.forwarded and error.status == 407:
            return ProxyError(f"{self._hop.peer}: {error}", status=407, fault=Fault.CALLER)
        return error

    def _release(self) -> Action:
        self._enter(State.RELEASING)
        return Release(self._hop.reusable and not self._fetches)

    # Between attempts.

    def _released(self, outcome: Done | Failed) -> Action:
        if isinstance(outcome, Failed) and outcome.reason is Reason.CANCELLED:
            return self._cancelled_unconnected(outcome)
        return self._go_on()

    def _go_on(self) -> Action:
        """Do what comes behind an exchange that has ended, and holds no connection."""
        match self._then:
            case Again(delay=int() | float() as delay):
                self._enter(State.WAITING)
                return Sleep(self._timing.now + delay)
            case Again() | PreparedRequest():
                return self._begin_next(Done())
            case _:
                return self._stop()

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

    def _cancelled_unconnected(self, outcome: Failed) -> Action:
        """The caller wants no more while there is no connection."""
        if outcome.reason is not Reason.CANCELLED:
            raise self._unexpected_outcome(outcome)
        return self._fail_unconnected(StreamClosed())

    def _fail_unconnected(self, error: StreamError) -> Action:
        """End the stream, or this attempt at it, while there is no connection."""
        if not isinstance(self._then, Stop):
            self._then = None
        self._end_reading(error)
        return self._go_on()

    def _stop(self) -> Action:
        self._enter(State.STOPPED)
        return Stop()

    # What they share.

    def _enter_with(self, state: State, action: Action) -> Action:
        """Enter the state that goes with an action, unless the action's deadline has passed already."""
        if self._timing.expired():
            return self._fail(self._timing.expiry_error())
        self._enter(state)
        return action

    def _receive(self, state: State) -> Action:
        return self._enter_with(state, Receive(self._timing.current_deadline()))

    def _enter(self, state: State) -> None:
        if state not in EDGES[self.state]:
            raise RuntimeError(f"no edge from {self.state.name} to {state.name}")
        self.state = state

    HANDLERS: ClassVar[Mapping[State, Mapping[type[Outcome], Callable[[Any, Any], Action]]]] = {
        State.IDLE: {Failed: _cancelled_unconnected},
        State.AUTHORIZING: {Authorized: _authorized, Failed: _not_authorized},
        State.ACQUIRING: {Acquired: _acquired, Failed: _failed},
        State.OPENING: {Done: _next_connect_step, Failed: _failed},
        State.SECURING: {Done: _next_connect_step, Failed: _failed},
        State.ASKING_PROXY: {Done: _next_connect_step, Failed: _failed},
        State.AWAITING_PROXY: {Received: _next_connect_step, Failed: _failed},
        State.FETCHING: {Fetched: _fetched, Failed: _failed},
        State.SENDING: {Done: _sent, Failed: _failed},
        State.AWAITING: {Received: _head_received, Failed: _failed},
        State.COLLECTING: {Received: _collected, Failed: _failed},
        State.STREAMING: {Received: _received, Failed: _failed},
        State.DECODING: {Done: _decode, Failed: _cancelled_delivering},
        State.DELIVERING: {Done: _continue_body, Failed: _cancelled_delivering},
        State.RELEASING: {Done: _released, Failed: _released},
        State.WAITING: {Done: _begin_next, Failed: _cancelled_unconnected},
        State.STOPPED: {},
    }
    """What may answer in each state, and what it leads to."""


STOP = Stop()
# To look these up in their classes takes longer, and every event does.
DELIVERING, STREAMING = State.DELIVERING, State.STREAMING
