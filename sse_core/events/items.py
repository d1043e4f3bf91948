"""What a decoder returns: events, and everything else that a stream contains."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias


class Event(NamedTuple):
    """One dispatched event: the fields of the standard's MessageEvent that the stream sets.

    `raw` is the data as it came, its lines joined by LF, without the final line end. `type` is
    `"message"` unless the stream named another. `last_event_id` is the last ID that the stream had
    set by then, or `""`.
    """

    raw: bytes
    type: str = "message"
    last_event_id: str = ""

    @property
    def data(self) -> str:
        """The data as text: UTF-8, with U+FFFD for what is not valid (WHATWG Encoding)."""
        try:
            return self.raw.decode()  # measured: faster than with "replace"
        except UnicodeDecodeError:
            return self.raw.decode("utf-8", "replace")


class Comment(NamedTuple):
    """A line that begins with a colon; `raw` is the rest of it. Servers send comments as keep-alives."""

    raw: bytes


class UnknownField(NamedTuple):
    """A field that the standard ignores. Some servers report errors in one called `error`."""

    name: str
    raw: bytes


class Flaw(Enum):
    """A flaw in a stream that the standard (WHATWG HTML, 9.2.6) tolerates silently."""

    INVALID_UTF8 = "bytes that are not UTF-8, read as U+FFFD"
    NUL_IN_ID = "an id with a NUL in it, ignored"
    RETRY_NOT_DIGITS = "a retry value that is not ASCII digits only, ignored"
    RETRY_TOO_LARGE = "a retry value with more digits than are read"
    TYPE_WITHOUT_DATA = "a block that names a type but has no data, which makes no event"


class Violation(NamedTuple):
    """A flaw, and the start of the line that has it; for a block without data, the type that it named."""

    flaw: Flaw
    raw: bytes


class EndOfStream(NamedTuple):
    """What the end of the stream cut off: `dropped` bytes since the last blank line.

    A line end counts as one byte. The standard drops such an unfinished block. `unfinished_event`
    tells whether the block had data, so that an event was lost with it.
    """

    dropped: int
    unfinished_event: bool


Item: TypeAlias = Event | Comment | UnknownField | Violation
