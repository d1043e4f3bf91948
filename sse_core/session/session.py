"""Ring 3: the life of one stream, as a state machine that does no I/O.

The adapter performs an action and answers with its outcome, until Stop:

    action = session.start(now)
    while not isinstance(action, Stop):
        action = session.step(perform(action), now)

Five rules hold in every life.

1. The legal moves are `EDGES`, and what may answer in which state is `Session.HANDLERS`. Anything
   else is a mistake of the adapter's, and a RuntimeError.
2. A connection belongs to the session from each Acquire to the one Release that follows it
   whatever happens; then comes Stop, Sleep before another attempt, or the next Acquire.
3. The first end counts. `verdict` and `error` are set once, when the end is known; chunks
   that came before it are delivered first.
4. Deadlines are computed when an action is issued, from the `now` of that moment, and are
   never in the past.
5. Nothing is delivered twice: as long as a request may be made once more, chunks without
   content are held back, and after the first with content, or `MAX_HELD` without, it is made
   no more. A stream that is taken up where it broke off goes on behind its last event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Generic

from ..errors import (
    ApiError,
    ConnectionFailed,
    NotAnEventStream,
    ProxyError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    UnsupportedCoding,
)
from ..http.exchange import Exchange
from ..http.proxies import Proxies
from ..http.redirects import PreparedRequest, Redirects
from ..http.response import Response
from ..http.url import URL
from ..reading.answer import Answer
from ..reading.dialect import T
from ..reading.document import Document
from ..reading.limits import Limits
from ..reading.message import Message
from ..reading.reader import Body, is_event_stream
from ..reading.request import Request
from ..reading.verdict import Verdict, verdict_of
from .actions import (
    Acquire,
    Acquired,
    Action,
    Deliver,
    Done,
    Failed,
    Outcome,
    Reason,
    Receive,
    Received,
    Release,
    Send,
    Sleep,
    Stop,
)
from .attempts import MAX_HELD, Attempts
from .deadlines import Deadlines
from .hop import DEFAULT_HEADERS, Hop, merged
from .retrying import Retries
from .route import way_through
from .states import EDGES, State
from .stats import Stats
from .timing import Timing


class Session(Generic[T]):
    """One request to the server at `url`, and the stream of `T` that answers it.

    `headers` are the client's own, on top of `DEFAULT_HEADERS`; the request's come on
    top of both. A header of the same name replaces the one below it. `proxies` says
    which URLs are reached through which proxy; `retries`, when a request that failed
    before there was any content is made again: without it, never. `entropy` is called
    for a number from 0 up to 1 where chance is to decide how long to wait.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    __slots__ = (
        "_answer", "_attempts", "_body", "_deadlines", "_document", "_held", "_hop", "_limits", "_next",
        "_pause", "_proxies", "_redirects", "_timing", "_way", "error", "request", "state", "url", "verdict",
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
        entropy: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.request = request
        self.url = url
        self.state = State.IDLE
        self.verdict: Verdict | None = None
        """How the stream ended, once that is known."""
        self.error: StreamError | None = None
        """The error that ended the stream, if one did."""
        self._deadlines = deadlines
        self._limits = limits
        self._proxies = proxies
        self._timing = Timing(deadlines)
        fields = tuple(merged(DEFAULT_HEADERS, headers, request.headers))
        original = PreparedRequest(url, url.target(request.path), request.method, fields, request.body)
        self._attempts = Attempts(original, retries, request.reconnects, entropy, self._timing)
        self._pause: float | None = None  # how long to wait before another attempt, if there is to be one
        self._held: tuple[T, ...] = ()  # chunks that would come again if the request were made again
        self._next: PreparedRequest | None = None  # where a redirect leads, or the same request once more
        self._hop: Hop
        self._answer: Answer[T]
        self._body: Body[T]
        self._redirects: Redirects | None
        self._begin_attempt()

    @property
    def response(self) -> Response | None:
        """The head of the response, once it is complete."""
        return self._hop.exchange.response

    @property
    def exchange(self) -> Exchange:
        """The exchange that goes on, or was the last: what is left of its response is for it to read."""
        return self._hop.exchange

    @property
    def stats(self) -> Stats:
        """What the stream has brought so far, and when."""
        return self._timing.stats

    @property
    def message(self) -> Message | None:
        """The chunks so far put together; None where they make no whole."""
        return self._answer.message

    def whole(self) -> Message:
        """Return all chunks put together.

        Raises TypeError where they make no whole, and EventTooLarge where it went over `max_answer_size`.
        """
        return self._answer.whole()

    @property
    def last_event_id(self) -> str:
        """Where the stream could be taken up again (WHATWG HTML, 9.2.4); `""` if the server has not said."""
        return self._body.last_event_id

    def start(self, now: float) -> Action:
        """Return the first action. `now` is the adapter's clock, in seconds from any origin.

        Raises RuntimeError if the session was started or stopped before.
        """
        if self.state is not State.IDLE:
            raise RuntimeError(f"start() in state {self.state.name}")
        self._timing.start(now)
        return self._acquire()

    def step(self, outcome: Outcome, now: float) -> Action:
        """Return the next action, given what came of the last.

        Raises RuntimeError if `outcome` is not an answer to that action.
        """
        handler = self.HANDLERS[self.state].get(type(outcome))
        if handler is None:
            raise self._no_answer(outcome)
        self._timing.now = now
        return handler(self, outcome)

    def _no_answer(self, outcome: Outcome) -> RuntimeError:
        return RuntimeError(f"{outcome!r:.100} is no answer in state {self.state.name}")

    # Getting through to the server.

    def _acquire(self) -> Action:
        self._enter(State.ACQUIRING)
        return Acquire(self._hop.origin, self._hop.fresh, self._timing.limit("pool", self._deadlines.pool))

    def _acquired(self, outcome: Acquired) -> Action:
        if outcome.reused and self._hop.fresh:
            raise RuntimeError(f"{outcome!r} is no answer to Acquire(fresh=True)")
        self._hop.reused = outcome.reused
        if outcome.reused:
            return self._send()
        self._way = way_through(self._hop, self._deadlines, self._limits, self._timing)
        return self._go_through(None)

    def _go_through(self, outcome: Done | Received | None) -> Action:
        try:
            state, action = self._way.send(outcome)
        except StopIteration:
            del self._way  # 0.3 KB
            return self._send()
        except ProxyError as error:
            return self._fail(error)
        return self._issue(state, action)

    # The request, and the head of its response.

    def _send(self) -> Action:
        self._timing.ask()
        deadline = self._timing.limit_head(knows_content=self._answer.knows_content)
        return self._issue(State.SENDING, Send(self._hop.exchange.data_to_send(), deadline))

    def _sent(self, _: Done) -> Action:
        return self._receive(State.AWAITING)

    def _head_received(self, outcome: Received) -> Action:
        if not outcome.data and self._hop.stale:
            return self._replace()
        self._hop.answered = True
        self._timing.came(len(outcome.data), 0, 0)
        body = self._hop.exchange.receive(outcome.data)
        response = self._hop.exchange.response
        if response is not None:
            return self._judge(response, body)
        if self._hop.exchange.error is not None:
            return self._fail(
                ConnectionFailed(self._hop.lost) if self._hop.lost else self._hop.exchange.error
            )
        self._timing.limit_head(knows_content=self._answer.knows_content)
        return self._receive(State.AWAITING)

    def _replace(self) -> Action:
        """Make the same request once more, on a new connection."""
        self._hop.intact = False
        self._next = self._hop.sent
        return self._release()

    def _judge(self, response: Response, body: bytes) -> Action:
        """Decide by its head what a response is."""
        if is_event_stream(response):
            try:
                chunks = self._body.begin(response, body)
            except UnsupportedCoding as error:
                self._end(Verdict.REFUSED, error)
                return self._release()
            return self._deliver(self._sift(chunks))
        if response.status == 204 and self._attempts.may_reconnect:
            self._end(Verdict.NO_CONTENT)
            return self._release()
        self._redirects = self._redirects or Redirects(self._limits.max_redirects)
        self._next, unfollowed = self._redirects.follow(self._hop.sent, response)
        if self._next is not None:
            return self._release()
        self._document = Document(self._hop.exchange, self._answer.dialect, self._limits, unfollowed)
        self._timing.limit("error_body", self._deadlines.error_body)
        return self._reject(body)

    def _rejected(self, outcome: Received) -> Action:
        self._timing.came(len(outcome.data), 0, 0)
        return self._reject(self._hop.exchange.receive(outcome.data))

    def _reject(self, body: bytes) -> Action:
        """Go on until there is enough of the body for a good message, or all of an answer."""
        self._document.add(body)
        answer = self._document.is_answer
        if self._document.is_enough or (self._timing.is_over() and not answer):
            return self._refuse()
        if answer:
            self._timing.limit("between_bytes", self._deadlines.between_bytes)
        return self._receive(State.REJECTING)

    def _refuse(self) -> Action:
        """Say why this is no event stream, unless the dialect can read it all the same."""
        try:
            chunks = self._document.read()
        except StreamError as error:
            refused = isinstance(error, ApiError | NotAnEventStream)
            self._end(Verdict.REFUSED if refused else verdict_of(error), error)
            return self._release()
        self._end(Verdict.COMPLETE)
        self._timing.came(0, len(chunks), len(chunks))
        return self._deliver(list(chunks))

    # The stream.

    def _received(self, outcome: Received) -> Action:
        data, body = outcome.data, self._body
        chunks = body.read(body.source.receive(data), len(data))
        if self._attempts.may_start_over or body.verdict is not None:
            chunks = self._sift(chunks)
        self._timing.left = self._timing.now
        if not chunks:
            return self._go_on()
        self.state = DELIVERING  # as `_deliver` does, without looking: these are two steps for each event
        return Deliver(chunks)

    def _sift(self, chunks: list[T]) -> list[T]:
        """Note the end if the body has come to it; return what is to be delivered now."""
        self._held += tuple(chunks)
        if len(self._held) > MAX_HELD:
            self._attempts.may_start_over = False
        if self._body.verdict is not None:
            self._end(self._body.verdict, self._body.error)
        if self.verdict is None and not self._body.content and self._attempts.may_start_over:
            return []
        chunks, self._held = list(self._held), ()
        return chunks

    def _deliver(self, chunks: list[T]) -> Action:
        self._enter(State.DELIVERING)
        self._timing.left = self._timing.now
        return Deliver(chunks)

    def _go_on(self, _: Done | None = None) -> Action:
        """Read what has come already and was not decoded yet, and then receive more."""
        timing = self._timing
        timing.away += timing.now - timing.left
        body = self._body
        while body.coded is not None and body.coded.pending and not self._is_over:
            if chunks := self._sift(body.read(body.coded.decode(), 0)):
                return self._deliver(chunks)
        if self.verdict is not None or self._pause is not None:
            return self._release()
        deadline = timing.limit_stream(self._answer.knows_content)
        if deadline is not None and deadline <= timing.now:
            return self._fail(timing.exceeded())
        self.state = STREAMING  # without looking, too
        return Receive(deadline)

    # The end of an attempt.

    def _failed(self, outcome: Failed) -> Action:
        """An action of the transport's failed, or the caller wants no more."""
        match outcome.reason, self.state:
            case Reason.CANCELLED, _:
                return self._fail(StreamClosed())
            case _, State.REJECTING if not self._document.is_answer:  # what has come has to do
                self._hop.intact = False
                return self._refuse()
            case Reason.DEADLINE, _:
                return self._fail(self._timing.exceeded())
            case Reason.NETWORK, State.SENDING:
                # A server may refuse before it has read everything (RFC 9112, 9.5).
                self._hop.lost = f"the connection was lost while sending: {outcome.message}"
                return self._receive(State.AWAITING)
            case Reason.NETWORK, State.AWAITING if self._hop.stale:
                return self._replace()
            case _:
                return self._fail(self._hop.failure(outcome, self.state))

    def _given_up(self, outcome: Failed) -> Action:
        """The caller wants no more than was handed over."""
        if outcome.reason is not Reason.CANCELLED:
            raise self._no_answer(outcome)
        return self._fail(StreamClosed())

    def _fail(self, error: StreamError) -> Action:
        """End the attempt, and use its connection no more."""
        self._hop.intact = False
        self._end(verdict_of(error), error)
        if self._held and self.verdict not in (None, Verdict.CANCELLED):
            return self._deliver(self._sift([]))
        return self._release()

    def _end(self, verdict: Verdict, error: StreamError | None = None) -> None:
        """Note how the stream ended, or that there will be another attempt. Only the first end counts."""
        if self._is_over:
            return
        if error is not None:
            error.response = error.response or self.response
        self._pause = self._attempts.after(verdict, error, self._body)
        if self._pause is not None:
            return
        if why := self._attempts.gave_up:
            verdict = Verdict.GAVE_UP
            error = error or StreamIncomplete(f"{verdict.value}: {why}", response=self.response)
        if error is not None:
            self._answer.tell(error, self._body.last_event_id)
        self.verdict, self.error = verdict, error

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is wanted of this attempt."""
        return self.verdict is not None or self._pause is not None

    def _release(self) -> Action:
        self._enter(State.RELEASING)
        return Release(self._hop.reusable)

    # Between attempts.

    def _released(self, outcome: Done | Failed) -> Action:
        if isinstance(outcome, Failed) and outcome.reason is Reason.CANCELLED:
            return self._abandon(outcome)
        if self.verdict is not None:
            return self._stop()
        if self._pause is not None:
            self._enter(State.WAITING)
            return Sleep(self._timing.now + self._pause)
        return self._go_again(outcome)

    def _go_again(self, _: Done | Failed) -> Action:
        """Make the next request, if there is time for it."""
        if not self._timing.has_room_for(0):
            self._pause = None
            self._timing.limit("total", None)
            self._end(Verdict.DEADLINE, self._timing.exceeded())
            return self._stop()
        if self._next is None:
            self._begin_attempt()
        else:
            self._ask(self._next, fresh=self._hop.stale)
        return self._acquire()

    def _abandon(self, outcome: Failed) -> Action:
        """The caller wants no more while there is no connection."""
        if outcome.reason is not Reason.CANCELLED:
            raise self._no_answer(outcome)
        self._pause = None
        self._end(Verdict.CANCELLED, StreamClosed())
        return self._stop()

    def _stop(self) -> Action:
        self._enter(State.STOPPED)
        return Stop()

    def _begin_attempt(self) -> None:
        """Prepare to make the request, for the first time or again."""
        self._attempts.begin()
        self._pause = None
        self._held = ()
        self._redirects = None
        if not self._attempts.last_event_id:
            self._answer = Answer(self.request.dialect(), self._limits)
        self._ask(self._attempts.request)

    def _ask(self, sent: PreparedRequest, *, fresh: bool = False) -> None:
        """Prepare for one exchange."""
        self._next = None
        self._hop = Hop(sent, self._proxies, self._limits, fresh=fresh)
        exchange, last_event_id = self._hop.exchange, self._attempts.last_event_id
        self._body = Body(exchange, self._answer, self._limits, self._timing, last_event_id)

    # What they share.

    def _issue(self, state: State, action: Action) -> Action:
        """Enter the state that goes with an action, unless the action's deadline has passed already."""
        if self._timing.is_over():
            return self._fail(self._timing.exceeded())
        self._enter(state)
        return action

    def _receive(self, state: State) -> Action:
        return self._issue(state, Receive(self._timing.deadline()))

    def _enter(self, state: State) -> None:
        if state not in EDGES[self.state]:
            raise RuntimeError(f"no edge from {self.state.name} to {state.name}")
        self.state = state

    HANDLERS: ClassVar[Mapping[State, Mapping[type[Outcome], Callable[[Any, Any], Action]]]] = {
        State.IDLE: {Failed: _abandon},
        State.ACQUIRING: {Acquired: _acquired, Failed: _failed},
        State.OPENING: {Done: _go_through, Failed: _failed},
        State.SECURING: {Done: _go_through, Failed: _failed},
        State.GREETING: {Done: _go_through, Failed: _failed},
        State.TUNNELLING: {Received: _go_through, Failed: _failed},
        State.SENDING: {Done: _sent, Failed: _failed},
        State.AWAITING: {Received: _head_received, Failed: _failed},
        State.REJECTING: {Received: _rejected, Failed: _failed},
        State.STREAMING: {Received: _received, Failed: _failed},
        State.DELIVERING: {Done: _go_on, Failed: _given_up},
        State.RELEASING: {Done: _released, Failed: _released},
        State.WAITING: {Done: _go_again, Failed: _abandon},
        State.STOPPED: {},
    }
    """What may answer in each state, and what it leads to."""


# To look these up in their classes takes 70 ns each time.
DELIVERING, STREAMING = State.DELIVERING, State.STREAMING
