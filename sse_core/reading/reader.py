"""Parses a response body into chunks, and decides how it ended.

A body is one of three things, by the head of its response (WHATWG HTML, 9.2.3) and the dialect:

- events, which become chunks as they come;
- a document, which is the whole answer in one piece, and becomes a chunk when it is complete;
- a refusal, of which the start is kept, to say what came instead of an answer.

Where the head does not decide, the first bytes do: a body without a Response, one whose media type
says something else than its bytes, and a document under the media type of a stream.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from types import NoneType
from typing import Any, Generic, NoReturn

from ..checks import check_type
from ..errors import (
    ApiError,
    BodyTruncated,
    EventTooLarge,
    StreamClosed,
    StreamError,
    StreamIncomplete,
)
from ..events.decoder import MAX_PIECE, EventDecoder
from ..events.items import Event, Item, UnknownField
from ..http.media_types import media_type
from ..http.response import Response
from .dialect import Control, Dialect, T
from .limits import Limits
from .message import Message
from .message_builder import MessageBuilder
from .request import Request
from .verdict import Verdict, verdict_of


class Mode(Enum):
    """What the body of a response is."""

    EVENTS = "an event stream"
    DOCUMENT = "an answer in one piece"
    REFUSAL = "neither"


class Reader(Generic[T]):
    """Reads one stream of `T` from the bytes of its body, whoever receives them.

        reader = Reader(request, response=head)
        for data in body:
            for chunk in reader.feed(data): ...
        for chunk in reader.close(): ...
        reader.verdict, reader.error, reader.message

    `what` is the request that the body answers, or a dialect made for this one stream. `response` is the
    head of the response: its status and media type decide what the body is. Without it, the body is
    taken for a 200 that its first bytes describe. The bytes are those of the body itself: without
    chunked framing and without a content coding, which HTTP clients take off.

    `last_event_id` is the ID to begin with, if an earlier stream is resumed.

    Nothing here waits or knows of time: deadlines, retries and statistics are a Session's.
    Raises TypeError for a `what` that is neither.
    """

    __slots__ = (
        "_begun", "_builder", "_decoder", "_first_data", "_last_read_id", "_limits", "_prefix",
        "_received", "_response", "_stopped_early", "chunks", "comments", "content", "detects_content",
        "dialect", "error", "may_be_events", "mode", "verdict",
    )  # fmt: skip

    def __init__(
        self,
        what: Request[T] | Dialect[T],
        *,
        response: Response | None = None,
        limits: Limits = Limits(),
        last_event_id: str = "",
    ) -> None:
        self.dialect: Dialect[T] = dialect_of(what)
        """What reads the events."""
        check_type("limits", limits, Limits, "Limits")
        self._limits = limits
        self._builder = MessageBuilder(self.dialect, limits)
        self.detects_content: bool = self._builder.detects_content
        """Whether content is told from other chunks, so that deadlines may be set for it."""
        self._begin_body(last_event_id)
        if response is not None:
            self.begin(response)

    def _begin_body(self, last_event_id: str) -> None:
        self.mode = DOCUMENT if self.dialect.document else EVENTS
        """What the body is, as far as is known yet."""
        self.may_be_events: bool = False
        """Whether it may be events although the head says something else: its first bytes will tell."""
        self.verdict: Verdict | None = None
        """How the stream ended; None before that."""
        self.error: StreamError | None = None
        """The error that ended it, if one did."""
        self.chunks: int = 0
        """How many chunks this body has brought."""
        self.content: int = 0
        """How many of them brought content; all of them, if the dialect does not tell."""
        self.comments: int = 0
        """How many comments this body has brought."""
        self._response: Response | None = None
        self._decoder = EventDecoder(last_event_id=last_event_id, max_event_size=self._limits.max_event_size)
        self._begun = False  # an event has come
        self._last_read_id = last_event_id  # the last event ID as of the last event that was read
        self._stopped_early = False  # by an event or a field, whatever was decoded behind it
        self._prefix = bytearray()  # the start of the body until it is understood, or all of a document
        self._first_data = b""  # the start of the first data that no end marker is, until then
        self._received = 0  # the size of that, whether it was kept or not

    @property
    def message(self) -> Message | None:
        """The chunks so far put together.

        None if this dialect has no accumulator, or the answer is over `Limits.max_answer_size`.
        """
        return self._builder.message

    def complete_message(self) -> Message:
        """Return all chunks put together.

        Raises TypeError if this dialect has no accumulator, and EventTooLarge if the answer is over
        `Limits.max_answer_size`.
        """
        return self._builder.complete_message()

    @property
    def last_event_id(self) -> str:
        """The last event ID string (WHATWG HTML, 9.2.4): where to resume; `""` if there was none."""
        return self._last_read_id if self._stopped_early else self._decoder.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the server's `retry` field asks to wait before resuming, in milliseconds."""
        return self._decoder.reconnection_time

    @property
    def would_repeat(self) -> bool:
        """Whether chunks have come that would come again from the start of the stream."""
        return self._builder.would_repeat

    def begin(self, response: Response) -> None:
        """Take the head of the response, before any of its body. The constructor does so if it has one."""
        check_type("response", response, Response, "a Response")
        self._response = response
        self.mode = mode_of(response, self.dialect)
        self.may_be_events = self.mode is not EVENTS and may_be_events(response, self.dialect)

    def resume(self, response: Response | None = None) -> None:
        """Expect another body, of the response that resumes the stream behind `last_event_id`.

        The dialect, the message and the last event ID go on; everything else begins anew.
        """
        self._begin_body(self.last_event_id)
        if response is not None:
            self.begin(response)

    def feed(self, data: bytes) -> list[T]:
        """Return the chunks that are complete with these bytes of the body.

        An error never takes away the chunks before it: they are returned, `error` and `verdict` are set,
        and the next call raises that StreamError. Bytes that come once `verdict` is set are ignored.
        """
        if self.verdict is not None:
            if self.error is not None:
                raise self.error
            return []
        if self.mode is not EVENTS:
            return self._sniff(data) if self.may_be_events else self._collect(data)
        chunks: list[T] = []
        if not self._begun:
            self._keep(data)
        try:
            if len(data) <= MAX_PIECE:
                self._decode(data, chunks)
            else:
                for at in range(0, len(data), MAX_PIECE):
                    if self.verdict is None:
                        self._decode(data[at : at + MAX_PIECE], chunks)
        except StreamError as error:
            self._conclude(error)
        except (AttributeError, TypeError):  # looked at only now, since every read would pay for it
            check_type("data", data, bytes, "bytes")
            raise
        if self.verdict is None and self._decoder.error is not None:
            self._conclude(self._decoder.error)
        self.chunks += len(chunks)
        self.content += self._builder.add(chunks, len(data))
        self.detects_content = self._builder.detects_content
        if self._prefix and self.content:
            self._prefix, self._first_data = bytearray(), b""  # the stream explains itself by now
        if self.verdict is not None:
            self._judge_end()
        return chunks

    def close(self, error: Exception | None = None) -> list[T]:
        """Say that the body has ended, or that `error` broke it off; return the chunks complete only now.

        Those are the chunks of a document. `verdict` and `error` tell how the stream ended: this raises no
        StreamError. An `error` of another kind is the cause of a BodyTruncated. It may be called again.
        """
        check_type("error", error, (Exception, NoneType), "an exception or None")
        if self.may_be_events:
            self._read_start(self.mode)  # it was too short for events
        if self.verdict is not None:
            return []
        if error is not None and not isinstance(error, StreamError):
            broken = BodyTruncated(f"the body broke off: {str(error) or type(error).__name__}")
            broken.__cause__ = error
            error = broken
        chunks: list[T] = []
        try:
            if isinstance(error, StreamClosed):
                raise error
            if self.mode is EVENTS:
                self._end(error, chunks)
            else:
                self._read_collected(error, chunks)
        except StreamError as exc:
            self._conclude(exc)
        self.chunks += len(chunks)
        self.content += self._builder.add(chunks, 0)
        self._judge_end()
        return chunks

    def annotate(self, error: StreamError) -> None:
        """Say in an error that others raise what had come before it, as in those from here."""
        error.response = error.response or self._response
        self._builder.annotate(error, self.last_event_id)

    # Events.

    def _decode(self, data: bytes, chunks: list[T]) -> None:
        """Append the chunks in these bytes, up to the terminal marker. Raises StreamError for no chunk."""
        decoder = self._decoder
        batch = decoder.feed_batch(data)
        if batch is None:
            self._read_items(decoder.feed_all(data), chunks)
            return
        type, events = batch
        self._begun = True
        self._last_read_id = decoder.last_event_id
        read = self.dialect.read_batch(events, chunks, type)
        if read and not (self.content or self._first_data):
            self._first_data = events[0][:SNIFFED]
        if read < len(events):
            self._read_items([Event(raw, type, self._last_read_id) for raw in events[read:]], chunks)

    def _read_items(self, items: Sequence[Item], chunks: list[T]) -> None:
        """Turn events into chunks, one by one."""
        dialect = self.dialect
        read = dialect.read
        self._stopped_early = True  # True while an event may end the loop
        for item in items:
            if isinstance(item, Event):
                self._begun = True
                self._last_read_id = item.last_event_id
                chunk = read(item)
                if chunk is not Control.END and not (self.content or self._first_data):
                    self._first_data = item.raw[:SNIFFED]
                if not isinstance(chunk, Control):
                    chunks.append(chunk)
                if dialect.ended or chunk is Control.END:
                    self.verdict = Verdict.COMPLETE
                    return
            elif isinstance(item, UnknownField):
                dialect.unknown_field(item)
            else:  # a comment, for this decoder gives nothing else
                self.comments += 1
        self._stopped_early = False

    def _end(self, error: StreamError | None, chunks: list[T]) -> None:
        """Decide how an event stream ended, now that its body has. Raises the StreamError that it is."""
        if error is not None:
            raise error
        self._read_last_line()
        report = self._decoder.eof()
        if not self._begun and has_no_event_lines(self._prefix):
            self._read_document(chunks)
        elif self.dialect.may_end:
            self.verdict = Verdict.FINISHED
        elif report.unfinished_event:
            self.verdict = Verdict.EVENT_CUT
            raise StreamIncomplete(f"{Verdict.EVENT_CUT.value}: {report.dropped} bytes were dropped")
        elif self.dialect.ends_with_body:
            self.verdict = Verdict.FINISHED
        else:
            raise self._premature_end()

    def _judge_end(self) -> None:
        """Look at the end of a stream once more, now that all its chunks are counted.

        An end marker is no success if nothing was understood of what came before it: then the end is judged
        as that of the body would be.
        """
        if self.verdict is Verdict.COMPLETE and self.mode is EVENTS and not self._builder.understood:
            before_data, _, _ = self._prefix.partition(b"data:")
            if self._first_data:
                self.verdict, self.error = Verdict.UNFINISHED, self._premature_end()
            elif has_no_event_lines(before_data):
                error = self.dialect.error_for(self._head, bytes(before_data[: self._limit]))
                self.verdict, self.error = Verdict.REFUSED, error
        if self.error is not None:
            self.annotate(self.error)

    def _premature_end(self) -> StreamError:
        came = b"" if self._builder.understood else self._first_data
        return self.dialect.premature_end(Verdict.UNFINISHED.value, came)

    def _read_last_line(self) -> None:
        """Raise the error that the body's last line reports, if it has no end and belongs to no event."""
        field = self._decoder.unfinished_field()
        if field is not None:
            self.dialect.unknown_field(field)

    # Documents and refusals.

    def _sniff(self, data: bytes) -> list[T]:
        """Look whether a body is events although its head says something else."""
        self._prefix += data
        is_events = begins_with_event_line(self._prefix[:SNIFFED])
        if is_events is None and len(self._prefix) < SNIFFED:
            return []
        return self._read_start(EVENTS if is_events else self.mode)

    def _read_start(self, mode: Mode) -> list[T]:
        """Read what has come, now that it is known what it is."""
        self.mode, self.may_be_events = mode, False
        start, self._prefix = bytes(self._prefix), bytearray()
        return self.feed(start)

    def _collect(self, data: bytes) -> list[T]:
        """Keep what comes until the end, or until it is enough to say what it is."""
        self._keep(data)
        if self.mode is DOCUMENT and not self.dialect.document and not looks_like_json(self._prefix):
            self.mode = REFUSAL
        if self.mode is REFUSAL and self._received >= self._limit:
            return self.close()
        if self._received <= self._limit:
            return []
        what, limited_by = "a document", "max_document_size"
        return self.close(EventTooLarge(self._limit, self._received, what=what, limited_by=limited_by))

    def _keep(self, data: bytes) -> None:
        check_type("data", data, bytes, "bytes")
        self._received += len(data)
        self._prefix += data[: max(self._limit, SNIFFED)]
        del self._prefix[max(self._limit, SNIFFED) :]  # the limit may be another one by now

    @property
    def _limit(self) -> int:
        """How many bytes are of use, by what the body seems to be."""
        dialect, limits = self.dialect, self._limits
        may_be_document = dialect.document or (dialect.accepts_document and looks_like_json(self._prefix))
        refused = self.mode is REFUSAL or not may_be_document
        return limits.max_error_body if refused else limits.max_document_size

    def _read_collected(self, error: StreamError | None, chunks: list[T]) -> None:
        """Read a document or a refusal, as far as it has come. Raises the StreamError that it is."""
        if self.mode is DOCUMENT:
            if error is not None:
                raise error
            self._read_document(chunks)
        else:
            self._refuse()

    def _read_document(self, chunks: list[T]) -> None:
        """Read a whole body that is no event stream."""
        may_answer = self.dialect.document or self.dialect.accepts_document
        if may_answer and self._received <= self._limit:
            head = self._head
            if self._response is None and looks_like_json(self._prefix):
                head = Response(200, headers=(("content-type", "application/json"),))
            try:
                found = self.dialect.read_document(head, bytes(self._prefix))
            except ApiError:
                self.verdict = Verdict.REFUSED
                raise
            if found is not None:
                chunks += found
                self.verdict = Verdict.COMPLETE
                return
        self._refuse()

    def _refuse(self) -> NoReturn:
        """Raise what a body says that stands in place of an answer."""
        self.verdict = Verdict.REFUSED
        raise self.dialect.error_for(self._head, bytes(self._prefix[: self._limit]))

    @property
    def _head(self) -> Response:
        return self._response or Response(200)

    def _conclude(self, error: StreamError) -> None:
        """Note the error that ends the stream."""
        self.error = error
        if self.verdict is None:
            self.verdict = verdict_of(error)


def dialect_of(what: Request[T] | Dialect[T]) -> Dialect[T]:
    """Return the dialect that reads the answer to a request, or the one that is given."""
    if isinstance(what, Request):
        dialect = what.dialect()
        check_type("what Request.dialect makes", dialect, Dialect, "a Dialect")
        return dialect
    check_type("what", what, Dialect, "a Request, or a dialect made for this stream")
    return what


def mode_of(response: Response, dialect: Dialect[Any]) -> Mode:
    """Return what the body of a response is, by its head."""
    if is_event_stream(response) and not dialect.document:
        return EVENTS
    may_answer = dialect.document or dialect.accepts_document
    return DOCUMENT if may_answer and 200 <= response.status < 300 else REFUSAL


def may_be_events(response: Response, dialect: Dialect[Any]) -> bool:
    """Whether the body may be an event stream though its head says something else."""
    return dialect.accepts_any_type and not dialect.document and 200 <= response.status <= 206


def is_event_stream(response: Response) -> bool:
    """Whether a response is the start of an event stream (WHATWG HTML, 9.2.3)."""
    stated = media_type(response)
    return response.status == 200 and stated is not None and stated.essence == "text/event-stream"


def begins_with_event_line(start: bytes | bytearray) -> bool | None:
    """Whether the first line of a body that is not blank is a comment or a field; None if that is open."""
    text = bytes(start).removeprefix(BOM)
    if not text.strip() or BOM.startswith(start):
        return None
    if FIRST_LINE.match(text):
        return True
    return None if PARTIAL_FIELD.fullmatch(text) else False


def has_no_event_lines(start: bytes | bytearray) -> bool:
    """Whether a body is something else than an event stream: no line of it is a comment or a field."""
    text = start.removeprefix(BOM)
    return bool(text.strip()) and not FIELD.search(text)


def looks_like_json(start: bytes | bytearray) -> bool:
    """Whether a body may be an object or an array as JSON."""
    text = start[:SNIFFED].removeprefix(BOM).lstrip()
    return not text or BOM.startswith(text) or text.startswith((b"{", b"["))


BOM = b"\xef\xbb\xbf"
NAME = r"d(a(t(a)?)?)?|e(v(e(n(t)?)?)?)?|i(d)?|r(e(t(r(y)?)?)?)?"
FIELD = re.compile(rf"(^|[\r\n])(:|(data|event|id|retry)[:\r\n]|({NAME})\Z)".encode())
"""How a line that the standard knows begins, or the start of one that is cut off (WHATWG HTML, 9.2.6)."""
BLANK_LINES = r"(\s*[\r\n])?"
FIRST_LINE = re.compile(rf"{BLANK_LINES}(:|(data|event|id|retry):)".encode())
PARTIAL_FIELD = re.compile(rf"{BLANK_LINES}({NAME})".encode())
SNIFFED = 1024
"""Bytes of a body that are looked at to see what it is."""

# To look these up in their class takes longer, and every read does.
EVENTS, DOCUMENT, REFUSAL = Mode.EVENTS, Mode.DOCUMENT, Mode.REFUSAL
