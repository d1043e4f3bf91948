"""Checks the lines of a head or of trailers as they come (RFC 9112, 4 and 5).

h11 looks at a head when all of it is there. What can be no head, such as the banner of another
protocol, may never have an end, and would be waited for; and with some heads h11's patterns go back
over what they have matched, which takes quadratic time. So h11 gets what has been checked here. No
byte is examined more than a few times, however the bytes are cut.
"""

from __future__ import annotations

import re
from enum import Enum

from ..errors import ProtocolError


class Place(Enum):
    """Where in a line the next byte is."""

    STATUS = "in the version or the status code"
    AFTER_STATUS = "right behind the status code"
    START = "at the start of a line"
    NAME = "in the name of a field"
    VALUE = "in the value of a field, or in a reason phrase"
    LINE_END = "behind a CR"
    LAST_LINE_END = "behind the CR of a blank line"
    END = "behind the blank line"


class HeadScanner:
    """Checks one head, with its status line, or without one the trailers of a chunked body."""

    __slots__ = ("_line", "_may_fold", "_place")

    def __init__(self, *, status_line: bool) -> None:
        self._place = Place.STATUS if status_line else Place.START
        self._line = b""  # the unfinished line, up to `SHOWN` bytes
        self._may_fold = False  # there is a field that the next line may continue

    def feed(self, data: bytes) -> None:
        """Check the next bytes, up to the blank line. Raises ProtocolError for what can be no head."""
        at = 0
        while at < len(data) and self._place is not Place.END:
            if self._place is Place.START and (line := FIELD_LINE.match(data, at)):
                self._may_fold, at = True, line.end()
                continue
            end = self._next(data, at)
            self._line += data[at:end][: SHOWN - len(self._line)]
            if self._place is Place.START:
                self._line = b""
            at = end

    def _next(self, data: bytes, at: int) -> int:
        """Check some bytes, at least one; return where the next are. They are all in the same place."""
        byte = data[at : at + 1]
        match self._place:
            case Place.STATUS:
                end = min(at + len(STATUS) - len(self._line), len(data))
                start = self._line + data[at:end]
                if not STATUS_LINE.fullmatch(start + STATUS[len(start) :]):
                    raise self._illegal(data, at)
                if len(start) == len(STATUS):
                    self._place = Place.AFTER_STATUS
                return end
            case Place.AFTER_STATUS if byte in b" \r\n":
                self._place = Place.VALUE
                return at + (byte == b" ")
            case Place.START if byte in b"\r\n":
                self._place = Place.LAST_LINE_END if byte == b"\r" else Place.END
            case Place.START if byte not in b" \t" and TOKEN.match(byte):
                self._place = Place.NAME
            case Place.START if byte in b" \t" and self._may_fold:
                self._place = Place.VALUE
            case Place.NAME if byte == b":":
                self._place, self._may_fold = Place.VALUE, True
            case Place.NAME if name := TOKEN.match(data, at):
                return name.end()
            case Place.VALUE if value := VALUE.match(data, at):
                return value.end()
            case Place.VALUE if byte == b"\r":
                self._place = Place.LINE_END
            case Place.VALUE | Place.LINE_END if byte == b"\n":
                self._place = Place.START
            case Place.LAST_LINE_END if byte == b"\n":
                self._place = Place.END
            case _:
                raise self._illegal(data, at)
        return at + 1

    def _illegal(self, data: bytes, at: int) -> ProtocolError:
        line = (self._line + data[at : at + SHOWN])[:SHOWN].partition(b"\n")[0].removesuffix(b"\r")
        in_status_line = self._place in (Place.STATUS, Place.AFTER_STATUS) or line.startswith(b"HTTP/")
        if in_status_line and (version := VERSION.match(line)):
            number = version[1].decode()
            # RFC 9110, 2.5: another major version is another protocol; no other minor one exists.
            return ProtocolError(f"HTTP version {number!r} is neither 1.0 nor 1.1")
        return ProtocolError(f"illegal {'status' if in_status_line else 'header'} line: {line!r}")


STATUS = b"HTTP/1.1 200"
"""A start of a status line that completes any shorter one which is right so far."""
STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}")
VERSION = re.compile(rb"HTTP/(?!1\.[01])([0-9]\.[0-9])")
TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++")  # RFC 9110, 5.6.2
VALUE = re.compile(rb"[^\0\r\n\v\f]++")
FIELD_LINE = re.compile(TOKEN.pattern + rb":[^\0\r\n\v\f]*+\r?\n")
FOLDS = rb"(?:[ \t][^\0\r\n\v\f]*+\r?\n)*+"
WHOLE_HEAD = re.compile(
    STATUS_LINE.pattern + rb"(?: [^\0\r\n\v\f]*+)?\r?\n(?:" + FIELD_LINE.pattern + FOLDS + rb")*+\r?\n"
)
"""A head with its blank line. Most come in one piece, and are checked by this alone: it is faster."""
SHOWN = 60
"""Bytes of a line that a message shows."""
