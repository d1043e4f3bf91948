"""What a decoder gives: events, and whatever else a stream says."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias


class Event(NamedTuple):
    """One dispatched event: the fields of the standard's MessageEvent that the stream decides.

    `raw` is the data as it came, without the final line end; lines are joined by LF.
    `type` is `"message"` unless the stream named another; `last_event_id` is the last ID
    that the stream had set by then, `""` if none.
    """

    raw: bytes
    type: str = "message"
    last_event_id: str = ""

    @property
    def data(self) -> str:
        """The data as text: UTF-8, with U+FFFD for what is not valid (WHATWG Encoding)."""
        try:
            return self.raw.decode()  # a fifth less than with "replace"
        except UnicodeDecodeError:
            return self.raw.decode("utf-8", "replace")


class Comment(NamedTuple):
    """A line that began with a colon: `raw` is what followed it. Servers send them as keep-alives."""

    raw: bytes


class UnknownField(NamedTuple):
    """A field that the standard ignores. Some servers report errors in one called `error`."""

    name: str
    raw: bytes


class Flaw(Enum):
    """What a stream can have that the standard (WHATWG HTML, 9.2.6) passes over in silence."""

    INVALID_UTF8 = "bytes that are not UTF-8, read as U+FFFD"
    NUL_IN_ID = "an id with a NUL in it, ignored"
    RETRY_NOT_DIGITS = "a retry value that is not ASCII digits only, ignored"
    RETRY_TOO_LARGE = "a retry value with more digits than are kept"
    TYPE_WITHOUT_DATA = "a block that names a type but has no data, which makes no event"


class Forgiven(NamedTuple):
    """A flaw, and the start of the line that has it; for a block without data, the type it named."""

    flaw: Flaw
    raw: bytes


class EndOfStream(NamedTuple):
    """What the end of the stream cut off: `dropped` bytes since the last blank line.

    Line ends count as one byte. The standard drops such an unfinished block;
    `unfinished_event` tells whether it held data, so that an event was lost with it.
    """

    dropped: int
    unfinished_event: bool


Item: TypeAlias = Event | Comment | UnknownField | Forgiven
