"""What a provider's events mean: the interface that every dialect has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Generic, TypeVar

from ..errors import NotAnEventStream, StatusError, StreamError
from ..events.items import Event, UnknownField
from ..http.response import Response
from .message import Accumulator

T = TypeVar("T")


class Mark(Enum):
    """What an event means that is not a chunk."""

    END = "the stream's terminal marker"
    PING = "a keep-alive"


class Dialect(ABC, Generic[T]):
    """What a provider's events mean. One instance reads one stream."""

    finished: bool = False
    """Whether the stream may end here without its terminal marker: a finish reason has been seen."""
    ends_with_body: bool = False
    """Whether streams have no terminal marker, and end with the body, after a whole event."""

    complete: bool = False
    """Whether the chunk returned last is the stream's last: its own terminal marker."""
    reads_documents: bool = False
    """Whether the answer may come as one document in place of an event stream, for `single` to read."""
    document: bool = False
    """Whether the answer is one document and never an event stream."""
    accepts_any_type: bool = False
    """Whether a 2xx is read as an event stream if its first bytes are one's, whatever its media type."""
    cursor: str | int | None = None
    """Where the provider would take the stream up again, if it is not the last event ID that says so."""

    @abstractmethod
    def read(self, event: Event) -> T | Mark:
        """Return the chunk that an event carries, or what else it means.

        Raises InvalidChunk for data that is not what the dialect documents, and
        ApiError for an event in which the provider reports an error.
        """

    def read_plain(self, data: Sequence[bytes], chunks: list[T], type: str = "message") -> int:
        """Append the chunks of events of type `type` without an ID, up to one that is special.

        `data` has the `raw` of each. Returns how many were read; the others go to `read`. The
        short way, for dialects that have one: by default every event is special.
        """
        return 0

    def __init_subclass__(cls, *, keeps_short_way: bool = False) -> None:
        """Let a class that has a `read` of its own see every event, but if the short way does the same."""
        if "read" in vars(cls) and "read_plain" not in vars(cls) and not keeps_short_way:
            cls.read_plain = Dialect.read_plain  # type: ignore[method-assign]  # that is the point

    def accumulator(self) -> Accumulator[T] | None:
        """Return what puts this stream's chunks together, or None where they make no whole."""
        return None

    def unknown_field(self, field: UnknownField) -> None:
        """Look at a field that the event stream grammar ignores; by default, ignore it too.

        Raises ApiError for one in which the provider reports an error.
        """

    def single(self, response: Response, body: bytes) -> Sequence[T] | None:
        """Return the chunks in a whole body that is no event stream, or None if that is not to be.

        Called if the dialect `reads_documents`. Raises InvalidChunk for a body that is not what
        the dialect documents.
        """
        return None

    def refusal(self, response: Response, body: bytes) -> StreamError:
        """Describe a response that is not a 200 event stream, by its head and the start of its body."""
        if response.status != 200:
            return StatusError(response.reason, response=response, raw=body)
        names = ("content-type", "content-encoding")
        kind = ", ".join(value for name in names if (value := response.header(name))) or "of no type"
        message = f"the response, {kind}, is no event stream; it begins with {body[:SHOWN]!r}{likeness(body)}"
        return NotAnEventStream(message, response=response, body=body)


def likeness(body: bytes) -> str:
    """Say what the start of a body looks like."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return ", which looks like HTML"
    if text.startswith((b"{", b"[")):
        first, _, rest = text.partition(b"\n")
        lines = first.rstrip().endswith((b"}", b"]")) and rest.lstrip().startswith((b"{", b"["))
        return ", which looks like lines of JSON" if lines else ", which looks like JSON"
    return ", which looks like text" if text and text == text.translate(None, CONTROLS) else ""


CONTROLS = bytes([*range(0x09), *range(0x0E, 0x20)])
SHOWN = 200
"""Bytes of a body that a message shows."""
