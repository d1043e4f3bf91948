"""How the life of a stream ends, or goes on with another request. See `session`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic

from msgspec import Struct

from ..errors import (
    Fault,
    ProxyError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
)
from ..http.body_source import BodySource
from ..http.redirects import PreparedRequest
from ..http.response import Response
from ..reading.dialect import T
from ..reading.reader import Reader
from ..reading.verdict import Verdict, verdict_of
from .actions import Action, Deliver, Done, Failed, Outcome, Reason, Receive, Release, Sleep, Stop
from .attempts import Attempts
from .hop import Hop
from .retrying import asked_wait
from .states import EDGES, State
from .timing import Timing


class Again(Struct, frozen=True):
    """There is to be another attempt, after so many seconds; None stands for at once."""

    delay: float | None


class Lifecycle(ABC, Generic[T]):
    """What holds in every state: how to enter another, to fail, and to let go of a connection."""

    __slots__ = (
        "_attempts", "_fetches", "_held_back", "_hop", "_reader", "_redirect_refused", "_source", "_then",
        "_timing", "error", "state", "verdict",
    )  # fmt: skip

    def __init__(self, reader: Reader[T], attempts: Attempts, timing: Timing, *, fetches: bool) -> None:
        self.state: State = State.IDLE
        self.verdict: Verdict | None = None
        """How the stream ended, once that is known."""
        self.error: StreamError | None = None
        """The error that ended the stream, if one did."""
        self._reader = reader
        self._attempts = attempts
        self._timing = timing
        self._fetches = fetches
        self._then: Stop | Again | PreparedRequest | None = None  # what follows this exchange
        self._held_back: tuple[T, ...] = ()  # chunks that would come again if the request were made again
        self._redirect_refused = ""  # why a redirect was not followed, if this is the response to one
        self._hop: Hop
        self._source: BodySource

    @property
    def response(self) -> Response | None:
        """The head of the response, once it is complete."""
        return self._source.response

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

    def _retry_on_new_connection(self) -> Action:
        """Make the same request once more, on a new connection."""
        self._hop.undamaged = False
        self._then = self._hop.prepared
        return self._release()

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
            error.retry_after = asked_wait(error)
        if not isinstance(error, StatusError):
            return error
        if self._redirect_refused and error.response is not None:
            message = f"the redirect was not followed: {self._redirect_refused}"
            error = StatusError(message, response=error.response, raw=error.raw)
        error.request = f"{self._hop.prepared.method} {self._hop.shown_url}"
        if self._hop.forwarded and error.status == 407:
            return ProxyError(f"{self._hop.peer}: {error}", status=407, fault=Fault.CALLER)
        if self._hop.forwarded:
            error.proxy = self._hop.proxy_origin or ""
        return error

    def _release(self) -> Action:
        self._enter(State.RELEASING)
        return Release(self._hop.reusable and not self._fetches)

    def _deliver(self, chunks: list[T]) -> Action:
        self._enter(State.DELIVERING)
        self._timing.delivered_at = self._timing.now
        return Deliver(chunks)

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

    @abstractmethod
    def _begin_next(self, _: Done) -> Action:
        """Make the next request, if there is time for it."""

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

    def _unexpected_outcome(self, outcome: Outcome) -> RuntimeError:
        return RuntimeError(f"{outcome!r:.100} is no answer in state {self.state.name}")


STOP = Stop()
