"""The interface that every dialect has: it says what a provider's events mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Generic, TypeVar

from ..errors import NotAnEventStream, StatusError, StreamError, StreamIncomplete
from ..events.items import Event, UnknownField
from ..http.response import Response
from .message import Accumulator

T = TypeVar("T")


class Control(Enum):
    """An event that carries no chunk."""

    END = "the end marker: the stream is complete"
    PING = "a keep-alive"
    NOISE = "no chunk: taken for a keep-alive"


class Dialect(ABC, Generic[T]):
    """Turns one stream's events into chunks of type `T`. Each stream needs a new instance.

    The reader looks at the attributes after each call of `read` or `read_batch`.
    """

    may_end: bool = False
    """Whether the body may end here without an end marker: a finish reason has come."""
    ended: bool = False
    """Whether the last chunk was the stream's last: nothing after it is read."""
    ends_with_body: bool = False
    """Whether the dialect has no end marker, so that a body may end after any whole event."""
    accepts_document: bool = False
    """Whether the answer may be one JSON document instead of an event stream; `read_document` reads it."""
    document: bool = False
    """Whether the answer is always one document, and never an event stream.

    Then `read_document` is asked for every 2xx response, and returns one chunk, or raises.
    """
    accepts_any_type: bool = False
    """Whether a 2xx is read as an event stream if its first bytes are one's, whatever its media type."""
    cursor: str | int | None = None
    """After which event the provider can resume the stream; None if the last event ID says so."""

    @abstractmethod
    def read(self, event: Event) -> T | Control:
        """Return the chunk that an event carries, or the Control that it is.

        Raises InvalidChunk if its data is not what the dialect documents, and ApiError if the
        provider reports an error in it.
        """

    def read_batch(self, data: Sequence[bytes], chunks: list[T], type: str = "message") -> int:
        """Decode a batch of ordinary events, append their chunks to `chunks`, and return how many it were.

        This is the fast path. `data` has the data of each event; all of them have the type `type` and
        no ID. Decoding stops at the first event that needs `read`: the caller passes that event and the
        rest to `read`, one by one. By default that is every event.
        """
        return 0

    def __init_subclass__(cls) -> None:
        """A class that overrides `read` alone loses the batch path, which would bypass its `read`."""
        super().__init_subclass__()
        if "read" in vars(cls) and "read_batch" not in vars(cls):
            cls.read_batch = Dialect.read_batch  # type: ignore[method-assign]  # that is the point

    def accumulator(self) -> Accumulator[T] | None:
        """Return a new accumulator for this stream's chunks; None if they are not parts of one answer."""
        return None

    def premature_end(self, reason: str, data: bytes = b"") -> StreamError:
        """Return the error for a stream that ended too early; `reason` says how.

        `data` is the data of the first event, if nothing of an answer was understood: then the error says
        what came instead.
        """
        if data:
            came = f"the first event's data begins with {data[:SHOWN]!r}{describe_body(data)}"
            reason = f"{reason}, and nothing of an answer was understood: {came}"
        return StreamIncomplete(reason)

    def unknown_field(self, field: UnknownField) -> None:
        """Look at a line that the event stream grammar ignores. The default does nothing.

        Raises ApiError if the provider reports an error in it.
        """

    def read_document(self, response: Response, body: bytes) -> Sequence[T] | None:
        """Return the chunks in a response that is one document; None if this body is not an answer.

        Called only if the dialect is a `document`'s or `accepts_document`, for a response whose status is
        2xx. Raises InvalidChunk if the document is not what the dialect documents, and ApiError if the
        provider reports an error in it.
        """
        return None

    def error_for(self, response: Response, body: bytes) -> StreamError:
        """Return the error for a response that is no answer; `body` is the start of its body."""
        if response.status != 200:
            return StatusError(response.reason, response=response, raw=body)
        names = ("content-type", "content-encoding")
        kind = ", ".join(value for name in names if (value := response.header(name))) or "of no type"
        begins = f"it begins with {body[:SHOWN]!r}{describe_body(body)}"
        message = f"the response, {kind}, is no event stream; {begins}"
        return NotAnEventStream(message, response=response, body=body)


def describe_body(body: bytes) -> str:
    """Return a clause that says what the start of a body looks like; empty if it looks like nothing known."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return ", which looks like HTML"
    if text.startswith((b"{", b"[")):
        first, _, rest = text.partition(b"\n")
        lines = first.rstrip().endswith((b"}", b"]")) and rest.lstrip().startswith((b"{", b"["))
        return ", which looks like lines of JSON" if lines else ", which looks like JSON"
    return ", which looks like text" if text and text == text.translate(None, CONTROLS) else ""


CONTROLS = bytes([*range(0x09), *range(0x0E, 0x20)])
"""The control characters that no text has."""
SHOWN = 200
"""How many bytes of a body a message shows."""
