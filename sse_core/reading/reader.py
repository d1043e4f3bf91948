"""What the body of a response says: from its bytes to chunks, and how it came to its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic

from ..errors import (
    StreamError,
    StreamIncomplete,
)
from ..events.decoder import WINDOW, EventDecoder
from ..events.items import Event, Item, UnknownField
from ..http.exchange import Exchange
from ..http.response import Response
from ..session.timing import Timing
from .answer import Answer
from .dialect import Control, T
from .limits import Limits
from .verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from ..http.codings import CodedBody


class Body(Generic[T]):
    """The body that `exchange` receives, which adds to `answer`.

    Nothing more is to be read once `verdict` is set.
    """

    __slots__ = (
        "_answer", "_begun", "_decoder", "_dialect", "_exchange", "_limits", "_read_up_to", "_start",
        "_stopped", "_timing", "coded", "content", "error", "source", "verdict",
    )  # fmt: skip

    def __init__(
        self, exchange: Exchange, answer: Answer[T], limits: Limits, timing: Timing, last_event_id: str
    ) -> None:
        self.verdict: Verdict | None = None
        """How the stream ended, once that is known."""
        self.error: StreamError | None = None
        """What ended it, if it was an error."""
        self.content = 0
        """How many chunks brought content."""
        self.coded: CodedBody | None = None
        """What is compressed, where something is: while it is `pending`, there is more to `decode`."""
        self._exchange = exchange
        self._answer = answer
        self._dialect = answer.dialect
        self._limits = limits
        self._timing = timing
        self.source: Exchange | CodedBody = exchange
        """What receives the body: the exchange, or `coded` around it."""
        self._decoder = EventDecoder(last_event_id=last_event_id, max_event_size=limits.max_event_size)
        self._begun = False  # an event has come
        self._read_up_to = last_event_id  # the last ID as of the last event that was read
        self._stopped = False  # by an event or a field, whatever was decoded behind it
        self._start = bytearray()  # what has come before the first event: it may have to be explained

    @property
    def last_event_id(self) -> str:
        """Where to take the stream up again (WHATWG HTML, 9.2.4)."""
        return self._read_up_to if self._stopped else self._decoder.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the server asks to wait before that, in milliseconds."""
        return self._decoder.reconnection_time

    @property
    def finished(self) -> bool:
        """Whether it came to an end that the stream had announced."""
        return self.verdict is Verdict.FINISHED and self._dialect.may_end

    def begin(self, response: Response, data: bytes) -> list[T]:
        """Return the chunks in `data`, what of the body came together with the head.

        Raises NotAnEventStream for a content coding that cannot be decoded.
        """
        value = response.header("content-encoding")
        if value is not None:
            from ..http.codings import CodedBody, decoding_of  # 1.5 ms, and we ask for none

            decoding = decoding_of(value, self._limits.max_expansion)
            if decoding is not None:
                self.source = self.coded = CodedBody(self._exchange, decoding)
                data = self.coded.decode(data)
        return self.read(data, 0)

    @property
    def may_begin_again(self) -> bool:
        """Whether nothing would come twice if the stream began again from its start."""
        return not self._answer.would_repeat

    def read(self, data: bytes, size: int) -> list[T]:
        """Return the chunks in what `source` made of `size` bytes of the connection."""
        chunks: list[T] = []
        try:
            if len(data) <= WINDOW:
                self._decode(data, chunks)
            else:
                for at in range(0, len(data), WINDOW):
                    if self.verdict is None:
                        self._decode(data[at : at + WINDOW], chunks)
        except StreamError as error:
            self.error = error
            self.verdict = verdict_of(error)
        if not self._begun:
            self._start += data[: self._limits.max_error_body - len(self._start)]
        if self.verdict is None:
            if broken := self._decoder.error or self.source.error:
                self.error, self.verdict = broken, verdict_of(broken)
            elif self.source.ended:
                self._end()
        content = self._answer.add(chunks, len(data))
        self.content += content
        self._timing.came(size, len(chunks), content)
        return chunks

    def _decode(self, data: bytes, chunks: list[T]) -> None:
        """Append the chunks in these bytes, up to the terminal marker. Raises StreamError for no chunk."""
        decoder = self._decoder
        plain = decoder.feed_plain(data)
        if plain is None:
            self._take(decoder.feed_all(data), chunks)
            return
        self._begun = True
        self._read_up_to = decoder.last_event_id
        read = self._dialect.read_batch(plain, chunks, decoder.plain_type)
        if read < len(plain):
            self._take([Event(raw, decoder.plain_type, self._read_up_to) for raw in plain[read:]], chunks)

    def _take(self, items: Sequence[Item], chunks: list[T]) -> None:
        """Turn events into chunks, one by one."""
        dialect = self._dialect
        read = dialect.read
        self._stopped = True  # unless it comes to the end of them
        for item in items:
            if isinstance(item, Event):
                self._begun = True
                self._read_up_to = item.last_event_id
                chunk = read(item)
                if not isinstance(chunk, Control):
                    chunks.append(chunk)
                if dialect.ended or chunk is Control.END:
                    self.verdict = Verdict.COMPLETE
                    return
            elif isinstance(item, UnknownField):
                dialect.unknown_field(item)
            else:  # a comment, for this decoder gives nothing else
                self._timing.stats.comments += 1
        self._stopped = False

    def _end(self) -> None:
        """Say how the stream ended, now that the body has."""
        report = self._decoder.eof()
        self.error = self._reported_last()
        if self.error is not None:
            self.verdict = verdict_of(self.error)
        elif not self._begun and is_document(self._start):
            self.verdict = Verdict.REFUSED
            assert self._exchange.response is not None  # or there were no body
            self.error = self._dialect.error_for(self._exchange.response, bytes(self._start))
        elif self._dialect.may_end:
            self.verdict = Verdict.FINISHED
        elif report.unfinished_event:
            self.verdict = Verdict.EVENT_CUT
            self.error = StreamIncomplete(f"{Verdict.EVENT_CUT.value}: {report.dropped} bytes were dropped")
        elif self._dialect.ends_with_body:
            self.verdict = Verdict.FINISHED
        else:
            self.verdict = Verdict.UNFINISHED
            self.error = StreamIncomplete(Verdict.UNFINISHED.value)

    def _reported_last(self) -> StreamError | None:
        """Return the error that the body's last line reports, if it has no end and belongs to no event."""
        field = self._decoder.unfinished_field()
        try:
            if field is not None:
                self._dialect.unknown_field(field)
        except StreamError as error:
            return error
        return None


def is_event_stream(response: Response) -> bool:
    """Whether a response is the start of an event stream (WHATWG HTML, 9.2.3)."""
    media_type, _, _ = (response.header("content-type") or "").partition(";")
    return response.status == 200 and media_type.strip().lower() == "text/event-stream"


def is_document(start: bytes | bytearray) -> bool:
    """Whether a body is something else than an event stream: no line of it is a comment or a field."""
    text = start.removeprefix(b"\xef\xbb\xbf")
    return bool(text.strip()) and not FIELD.search(text)


NAME = r"d(a(t(a)?)?)?|e(v(e(n(t)?)?)?)?|i(d)?|r(e(t(r(y)?)?)?)?"
FIELD = re.compile(rf"(^|[\r\n])(:|(data|event|id|retry)[:\r\n]|({NAME})\Z)".encode())
"""How a line that the standard knows begins, or the start of one that is cut off (WHATWG HTML, 9.2.6)."""
