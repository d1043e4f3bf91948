"""What becomes of a response, from its head to its last byte. See `session`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from ..errors import UnsupportedCoding
from ..http.redirects import Redirects
from ..http.response import Response
from ..reading.dialect import T
from ..reading.limits import Limits
from ..reading.reader import Mode, Reader
from ..reading.verdict import Verdict
from .actions import Action, Deliver, Done, Receive, Received, Stop, Yield
from .attempts import MAX_HELD_BACK, Attempts
from .lifecycle import Again, Lifecycle
from .states import State
from .timing import Timing

if TYPE_CHECKING:
    from ..http.codings import DecodedBody


class Receiving(Lifecycle[T], Generic[T]):
    """Classifies responses and reads their bodies: COLLECTING, STREAMING, DECODING and DELIVERING."""

    __slots__ = ("_authorizes", "_decoded", "_limits", "_redirects", "_refused")

    state: State

    def __init__(
        self,
        reader: Reader[T],
        attempts: Attempts,
        timing: Timing,
        limits: Limits,
        *,
        authorizes: bool,
        fetches: bool,
    ) -> None:
        super().__init__(reader, attempts, timing, fetches=fetches)
        self._limits = limits
        self._authorizes = authorizes
        self._redirects: Redirects | None = None
        self._refused: Response | None = None  # the 401 after which credentials are asked for once more
        self._decoded: DecodedBody | None = None  # the source, if it takes off a content coding

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
        if self._decoded is not None:
            body = self._decoded.decode(body)
        chunks = self._read(body)
        if reader.mode is Mode.EVENTS:
            return self._deliver(self._hold_back(chunks))
        return self._continue_collecting(chunks)

    def _decode_from_here(self, response: Response) -> None:
        """Take the content coding off the body, if it has one. Raises UnsupportedCoding.

        Who refuses a request may know nothing of its codings: a refusal may be coded otherwise than it says.
        """
        value = None if self._fetches else response.header("content-encoding")
        if value is not None:
            from ..http.codings import DecodedBody, content_decoder  # which most streams do without

            lenient = self._reader.mode is Mode.REFUSAL or self._reader.dialect.accepts_any_type
            decoder = content_decoder(value, self._limits.max_expansion, lenient=lenient)
            if decoder is not None:
                self._source = self._decoded = DecodedBody(self._source, decoder)

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
        self._start_deadline()
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
        return self._continue_collecting(self._read(self._source.receive(outcome.data)))

    def _continue_collecting(self, chunks: list[T]) -> Action:
        """Go on until there is enough of a refusal for a good message, or all of a document."""
        reader = self._reader
        if reader.mode is Mode.EVENTS:  # as its first bytes have told
            return self._deliver(self._hold_back(chunks))
        if reader.verdict is not None:
            chunks = self._hold_back(chunks)
            return self._deliver(chunks) if chunks else self._release()
        self._start_deadline()
        if self._decoded is not None and self._decoded.pending:
            return self._enter_with(State.DECODING, Yield())
        return self._receive(State.COLLECTING)

    def _start_deadline(self) -> None:
        """Set the deadline for more of the body, which for a refusal is one for all of it."""
        reader = self._reader
        if reader.mode is Mode.REFUSAL and not reader.may_be_events:
            self._timing.start_error_body_deadline()
        else:
            self._timing.start_body_deadline(reader.detects_content)


# To look these up in their classes takes longer, and every event does.
DELIVERING, STREAMING = State.DELIVERING, State.STREAMING
