"""Ring 3: the life of one stream, as a state machine that does no I/O.

The adapter performs an action and answers with its outcome, until Stop:

    action = session.start(now)
    while not isinstance(action, Stop):
        action = session.step(perform(action), now)

Four rules hold in every life.

1. The legal moves are `EDGES`, and what may answer in which state is `Session.HANDLERS`. Anything
   else is a mistake of the adapter's, and a RuntimeError.
2. A connection belongs to the session from each Open to the one Release that follows it
   whatever happens; then comes Stop, or the Open for where a redirect leads.
3. The first end counts. `verdict` and `error` are set once, when the end is known; chunks
   that came before it are delivered first.
4. Deadlines are computed when an action is issued, from the `now` of that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any, ClassVar, Generic, TypeAlias

from ._actions import (
    Action,
    Deliver,
    Done,
    Failed,
    Open,
    Opened,
    Outcome,
    Reason,
    Receive,
    Received,
    Release,
    Send,
    StartTLS,
    Stop,
)
from ._codings import CodedBody, coding_of, readable
from ._decoder import EventDecoder
from ._errors import (
    ApiError,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    EventTooLarge,
    InvalidChunk,
    NotAnEventStream,
    ProtocolError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
)
from ._exchange import Exchange, Response
from ._limits import Deadlines, Limits
from ._redirects import Sent, is_redirect, redirected
from ._request import URL, Mark, Request, T
from ._states import EDGES, State, Verdict
from ._version import __version__

Handler: TypeAlias = Callable[[Any, Any], Action]


class Session(Generic[T]):
    """One request to the server at `url`, and the stream of `T` that answers it.

    `headers` are the client's own, on top of `DEFAULT_HEADERS`; the request's come on
    top of both. A header of the same name replaces the one below it.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    def __init__(
        self,
        request: Request[T],
        url: URL,
        *,
        headers: Iterable[tuple[str, str]] = (),
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
    ) -> None:
        self.state = State.IDLE
        self.verdict: Verdict | None = None
        """How the stream ended, once that is known."""
        self.error: StreamError | None = None
        """The error that ended the stream, if one did."""
        self._deadlines = deadlines
        self._limits = limits
        self._dialect = request.dialect()
        self._decoder = EventDecoder(max_event_size=limits.max_event_size)
        self._body_source: Exchange | CodedBody  # the exchange, or `coded` around it
        self._coded: CodedBody | None
        self._redirects = 0
        self._unfollowed = ""  # why a redirect was not followed
        self._body = bytearray()  # what may have to be explained: of a refused response, or before any event
        self._begun = False  # an event has come
        self._now = 0.0
        self._started = 0.0
        self._which = ""  # the deadline that runs
        self._since = 0.0
        self._deadline: float | None = None
        fields = tuple(merged(DEFAULT_HEADERS, headers, request.headers))
        self._ask(Sent(url, url.target(request.path), request.method, fields, request.body))

    @property
    def response(self) -> Response | None:
        """The head of the response, once it is complete."""
        return self._exchange.response

    def start(self, now: float) -> Action:
        """Return the first action. `now` is the adapter's clock, in seconds from any origin.

        Raises RuntimeError if the session was started or stopped before.
        """
        if self.state is not State.IDLE:
            raise RuntimeError(f"start() in state {self.state.name}")
        self._now = self._started = now
        return self._open()

    def step(self, outcome: Outcome, now: float) -> Action:
        """Return the next action, given what came of the last.

        Raises RuntimeError if `outcome` is not an answer to that action.
        """
        self._now = now
        handler = self.HANDLERS[self.state].get(type(outcome))
        if handler is None:
            raise RuntimeError(f"{outcome!r} is no answer in state {self.state.name}")
        return handler(self, outcome)

    # What each outcome leads to.

    def _open(self) -> Action:
        self._enter(State.OPENING)
        self._limit("connect", self._deadlines.connect)
        return Open(self._request.url.host, self._request.url.port, self._deadline)

    def _opened(self, _: Opened) -> Action:
        if self._request.url.scheme == "http":
            return self._send()
        self._enter(State.SECURING)
        self._limit("tls", self._deadlines.tls)
        return StartTLS(self._request.url.host, self._deadline)

    def _secured(self, _: Done) -> Action:
        return self._send()

    def _send(self) -> Action:
        self._enter(State.SENDING)
        self._limit("response_head", self._deadlines.response_head)
        return Send(self._exchange.data_to_send(), self._deadline)

    def _sent(self, _: Done) -> Action:
        return self._receive(State.AWAITING)

    def _head_received(self, outcome: Received) -> Action:
        body = self._exchange.receive(outcome.data)
        response = self._exchange.response
        if response is not None:
            if is_event_stream(response):
                return self._begin(response, body)
            if is_redirect(response) and self._follow(response):
                return self._release()
            self._limit("error_body", self._deadlines.error_body)
            return self._reject(body)
        if self._exchange.error is not None:
            return self._fail(ConnectionFailed(self._lost) if self._lost else self._exchange.error)
        return self._receive(State.AWAITING)

    def _begin(self, response: Response, body: bytes) -> Action:
        """Say that the stream has begun, with the chunks that came with its head."""
        try:
            coding = coding_of(response.header("content-encoding"), self._limits.max_expansion)
        except NotAnEventStream as error:
            self._end(error, Verdict.REFUSED)
            return self._release()
        if coding is not None:
            self._body_source = self._coded = CodedBody(self._exchange, coding)
            body = self._coded.decode(body)
        return self._deliver(self._read(body))

    def _rejected(self, outcome: Received) -> Action:
        return self._reject(self._exchange.receive(outcome.data))

    def _reject(self, body: bytes) -> Action:
        """Go on until there is enough of the body for a good message."""
        self._body += body[: self._limits.max_error_body - len(self._body)]
        enough = len(self._body) >= self._limits.max_error_body
        if enough or self._exchange.ended or self._exchange.error is not None:
            return self._refuse()
        return self._receive(State.REJECTING)

    def _refuse(self) -> Action:
        assert self.response is not None  # its head has come
        coding = self.response.header("content-encoding")
        self._body[:] = readable(coding, bytes(self._body), self._limits.max_error_body)
        self._end(self._explain(), Verdict.REFUSED)
        return self._release()

    def _explain(self) -> StreamError:
        """Let the dialect find words for a response that is no event stream."""
        assert self.response is not None  # its head has come
        if self._unfollowed:
            message = f"the redirect was not followed: {self._unfollowed}"
            return StatusError(message, response=self.response, raw=bytes(self._body))
        return self._dialect.refusal(self.response, bytes(self._body))

    def _received(self, outcome: Received) -> Action:
        chunks = self._read(self._body_source.receive(outcome.data))
        return self._deliver(chunks) if chunks else self._go_on(outcome)

    def _go_on(self, _: Done | Received) -> Action:
        """Read what has come already and was not decoded yet, and then receive more."""
        while self._coded is not None and self._coded.pending and self.verdict is None:
            if chunks := self._read(self._coded.decode()):
                return self._deliver(chunks)
        if self.verdict is not None:
            return self._release()
        self._limit("between_bytes", self._deadlines.between_bytes)
        return self._receive(State.STREAMING)

    def _released(self, outcome: Done | Failed) -> Action:
        if isinstance(outcome, Failed) and outcome.reason is Reason.CANCELLED:
            self._end(StreamClosed("the stream was closed before its end"))
        if self.verdict is None and self._redirect is not None:
            self._ask(self._redirect)
            return self._open()
        self._enter(State.STOPPED)
        return Stop()

    def _failed(self, outcome: Failed) -> Action:
        """An action of the transport's failed, or the caller wants no more."""
        match outcome.reason, self.state:
            case Reason.CANCELLED, _:
                return self._fail(StreamClosed("the stream was closed before its end"))
            case _, State.REJECTING:  # what has come of the body has to do
                return self._refuse()
            case Reason.DEADLINE, _:
                return self._fail(DeadlineExceeded(self._which, self._now - self._since))
            case Reason.CERTIFICATE, _:
                return self._fail(CertificateRejected(f"{self._request.url.authority}: {outcome.message}"))
            case _, State.SENDING:  # a server may refuse before it has read everything (RFC 9112, 9.5)
                self._lost = f"the connection was lost while sending: {outcome.message}"
                return self._receive(State.AWAITING)
            case _, State.STREAMING:
                return self._fail(BodyTruncated(f"the connection was lost: {outcome.message}"))
            case _:
                where = f"{self._request.url.authority}, {self.state.value}"
                return self._fail(ConnectionFailed(self._lost or f"{where}: {outcome.message}"))

    def _undelivered(self, outcome: Failed) -> Action:
        if outcome.reason is not Reason.CANCELLED:
            raise RuntimeError(f"{outcome!r} is no answer to Deliver")
        return self._failed(outcome)

    def _abandoned(self, _: Failed) -> Action:
        """The caller wants no more before anything was asked for."""
        self._end(StreamClosed("the stream was closed before it began"))
        self._enter(State.STOPPED)
        return Stop()

    # What they share.

    def _ask(self, sent: Sent) -> None:
        """Prepare for a request."""
        self._request = sent
        self._redirect: Sent | None = None  # the request to make next
        self._lost = ""  # what went wrong while sending
        self._exchange = Exchange(
            sent.method,
            sent.target,
            merged([("Host", sent.url.authority)], sent.headers),
            sent.body,
            max_head_size=self._limits.max_head_size,
        )
        self._body_source = self._exchange
        self._coded = None

    def _follow(self, response: Response) -> bool:
        """Return whether a redirect is to be followed."""
        self._redirects += 1
        if self._redirects > self._limits.max_redirects:
            self._unfollowed = f"it is one more than {self._limits.max_redirects}"
            return False
        try:
            self._redirect = redirected(self._request, response)
        except ValueError as exc:
            self._unfollowed = str(exc)
        return not self._unfollowed

    def _read(self, body: bytes) -> list[T]:
        """Return the chunks that a part of the body brings, and note the end if it brings that too."""
        chunks: list[T] = []
        read = self._dialect.read
        try:
            events = self._decoder.feed(body)
            if not self._begun:
                self._begun = bool(events)
                self._body += body[: self._limits.max_error_body - len(self._body)]
            for event in events:
                chunk = read(event)
                if not isinstance(chunk, Mark):
                    chunks.append(chunk)
                elif chunk is Mark.END:
                    self.verdict = Verdict.COMPLETE
                    return chunks
        except StreamError as error:
            self._end(error)
            return chunks
        if broken := self._decoder.error or self._body_source.error:
            self._end(broken)
        elif self._body_source.ended:
            self._body_ended()
        return chunks

    def _body_ended(self) -> None:
        report = self._decoder.eof()
        if not self._begun and self._body.lstrip().startswith(DOCUMENT):
            self._end(self._explain(), Verdict.REFUSED)
        elif self._dialect.finished:
            self.verdict = Verdict.FINISHED
        elif report.unfinished_event:
            message = f"{Verdict.EVENT_CUT.value}: {report.dropped} bytes were dropped"
            self._end(StreamIncomplete(message), Verdict.EVENT_CUT)
        elif self._dialect.ends_with_body:
            self.verdict = Verdict.FINISHED
        else:
            self._end(StreamIncomplete(Verdict.UNFINISHED.value))

    def _end(self, error: StreamError, verdict: Verdict | None = None) -> None:
        """Note the error that ends the stream, unless its end is known already."""
        if self.verdict is None:
            self.verdict = verdict or next(name for kind, name in VERDICTS if isinstance(error, kind))
            self.error = error
            error.response = error.response or self.response

    def _fail(self, error: StreamError) -> Action:
        self._end(error)
        return self._release()

    def _release(self) -> Action:
        self._enter(State.RELEASING)
        return Release()

    def _deliver(self, chunks: list[T]) -> Action:
        self._enter(State.DELIVERING)
        return Deliver(chunks)

    def _receive(self, state: State) -> Action:
        self._enter(state)
        return Receive(self._deadline)

    def _limit(self, which: str, seconds: float | None) -> None:
        """Set the deadline of the next actions: `seconds` from now, or `total` where that is sooner."""
        self._which, self._since = which, self._now
        self._deadline = None if seconds is None or seconds == inf else self._now + seconds
        total = self._deadlines.total
        if total is not None and (self._deadline is None or self._started + total < self._deadline):
            self._which, self._since = "total", self._started
            self._deadline = self._started + total

    def _enter(self, state: State) -> None:
        if state not in EDGES[self.state]:
            raise RuntimeError(f"no edge from {self.state.name} to {state.name}")
        self.state = state

    HANDLERS: ClassVar[Mapping[State, Mapping[type[Outcome], Handler]]] = {
        State.IDLE: {Failed: _abandoned},
        State.OPENING: {Opened: _opened, Failed: _failed},
        State.SECURING: {Done: _secured, Failed: _failed},
        State.SENDING: {Done: _sent, Failed: _failed},
        State.AWAITING: {Received: _head_received, Failed: _failed},
        State.REJECTING: {Received: _rejected, Failed: _failed},
        State.STREAMING: {Received: _received, Failed: _failed},
        State.DELIVERING: {Done: _go_on, Failed: _undelivered},
        State.RELEASING: {Done: _released, Failed: _released},
        State.STOPPED: {},
    }
    """What may answer in each state, and what it leads to."""


def is_event_stream(response: Response) -> bool:
    """Whether a response is the start of an event stream (WHATWG HTML, 9.2.3)."""
    media_type, _, _ = (response.header("content-type") or "").partition(";")
    return response.status == 200 and media_type.strip().lower() == "text/event-stream"


def merged(*sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put header sections together: a name in a later one replaces those before it."""
    fields: dict[str, list[tuple[str, str]]] = {}
    for section in sections:
        own: dict[str, list[tuple[str, str]]] = {}
        for name, value in section:
            own.setdefault(name.lower(), []).append((name, value))
        fields.update(own)
    return [field for same_name in fields.values() for field in same_name]


DEFAULT_HEADERS = (
    ("User-Agent", f"sse-core/{__version__}"),
    ("Accept", "text/event-stream"),
    ("Accept-Encoding", "identity"),  # proxies that compress hold events back, so it is for the caller to ask
    ("Cache-Control", "no-cache"),
    ("Connection", "close"),
)

DOCUMENT = (b"{", b"[", b"<")
"""How JSON and HTML begin, and no line that means anything in an event stream."""

VERDICTS: tuple[tuple[type[StreamError], Verdict], ...] = (
    (ApiError, Verdict.ERROR_EVENT),
    (ConnectionFailed, Verdict.UNREACHABLE),
    (BodyTruncated, Verdict.BODY_CUT),
    (StreamIncomplete, Verdict.UNFINISHED),
    (DeadlineExceeded, Verdict.DEADLINE),
    (StreamClosed, Verdict.CANCELLED),
    (ProtocolError, Verdict.INVALID),
    (EventTooLarge, Verdict.INVALID),
    (InvalidChunk, Verdict.INVALID),
)
"""The verdict that each error stands for; the first that fits."""
