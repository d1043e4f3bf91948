"""Ring 1: bytes in, events out. The event stream grammar of WHATWG HTML, 9.2.5 and 9.2.6.

Three rules hold for every method below.

1. Where the bytes are cut makes no difference: the same bytes give the same events, and an event
   comes out of the call that brings its last byte.
2. Each byte is examined a bounded number of times, however the stream is cut.
3. No bytes raise anything but `EventTooLarge`. At most `max_event_size` bytes are kept for an event,
   and at most `MAX_IGNORED` for a line that is not part of one.

Line ends become LF on arrival: `_normalise` sees to that, and all other methods know LF only. Two
paths read the lines. `_interpret` is the standard's algorithm, line by line. `_whole_blocks` is a
fast path for the two forms that language models send, `data: ...` LF LF, and the same with one
`event: ...` LF before it. Setting `EventDecoder._whole_blocks` to return None switches it off.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import TypeAlias

from ..checks import as_bytes, check_count, check_type
from ..errors import EventTooLarge
from .items import Comment, EndOfStream, Event, Item, UnknownField

BOM = b"\xef\xbb\xbf"
CR, LF = b"\r\n"  # as numbers, for which `CR in data` is faster
MAX_IGNORED = 64 * 1024
"""Bytes that are kept of a comment or an unknown field; the rest of a longer one is dropped."""

MAX_PIECE = 64 * 1024
"""Bytes that are decoded at once. More are cut into pieces, so that all copies stay small."""

LONE_CR = re.compile(rb"\r(?!\n)")
DATA, TYPE = b"data: ", b"event: "
"""How the lines begin that the fast path knows."""
FIELDS = (b"data", b"event", b"id", b"retry")
MAX_DIGITS = 640
"""Digits of the longest `retry` value that is read: the lowest limit that Python can be given for int()."""

Batch: TypeAlias = tuple[str, list[bytes]]
"""The type that some events share, and the `raw` of each. A plain tuple: one is made for every read."""

new_event: Callable[[tuple[bytes, str, str]], Event] = partial(tuple[object].__new__, Event)
"""As `Event(*fields)`, but without a Python call for each (measured)."""


class EventDecoder:
    """Decodes one event stream, or several, one after another: `eof` ends one, and the next begins.

    `last_event_id` is the ID to begin with: when a stream is resumed, the last ID of the connection
    before. `max_event_size` limits the data of one event, in bytes, and likewise its type, its ID and
    a retry value.
    """

    __slots__ = (
        "_after_cr", "_batch_type", "_block_size", "_bom", "_data", "_dropped", "_id", "_line", "_max",
        "_non_events", "_prefix", "_safe_size", "_type", "_type_line", "error", "last_event_id",
        "reconnection_time",
    )  # fmt: skip

    def __init__(self, *, last_event_id: str = "", max_event_size: int = 16 * 2**20) -> None:
        check_type("last_event_id", last_event_id, str, "a str")
        check_count("max_event_size", max_event_size)
        self.last_event_id: str = last_event_id
        """The last event ID string (9.2.6): what to send as `Last-Event-ID` when reconnecting."""
        self.reconnection_time: int | None = None
        """Milliseconds, from the last valid `retry` field, or None."""
        self.error: EventTooLarge | None = None
        """Set once an event is over the limit; nothing is decoded from then on."""
        self._max = max_event_size
        self._safe_size = min(max_event_size, MAX_IGNORED)  # a line up to this size is within every limit
        self._prefix = DATA  # what each block of the last batch began with
        self._batch_type = "message"  # the type of the events in the last batch
        self._begin_stream()

    def _begin_stream(self) -> None:
        self._bom: bytes | None = b""  # the start of what may be a byte order mark; None once that is decided
        self._after_cr = False  # the last byte was a CR: an LF right behind it belongs to the same line end
        self._line: bytes | bytearray = b""  # the unfinished line, up to its limit
        self._dropped = 0  # bytes of the unfinished line that were over its limit
        self._block_size = 0  # bytes of complete lines since the last blank line
        self._type_line = b""  # those lines, if they are a single `event: ` line
        self._data = bytearray()  # the data buffer: each line with its LF
        self._type = ""  # the event type buffer
        self._id = self.last_event_id  # the last event ID buffer
        self._non_events = False  # whether the items decoded last are not all events

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Return the events that these bytes complete.

        Raises EventTooLarge once an event is over the limit. Events before it are not lost: they are
        returned first, and the next call raises.
        """
        items = self._feed(data if isinstance(data, bytes) else as_bytes("data", data))
        if self._non_events:
            self._non_events = False
            items = [item for item in items if isinstance(item, Event)]
        if self.error is not None and not items:
            raise self.error
        return items  # type: ignore[return-value]  # all are events now; `cast` would be a call

    def feed_all(self, data: bytes | bytearray | memoryview) -> list[Item]:
        """As `feed`, with comments and unknown fields in their places between the events."""
        items = self._feed(data if isinstance(data, bytes) else as_bytes("data", data))
        if self.error is not None and not items:
            raise self.error
        return items

    def feed_batch(self, data: bytes) -> Batch | None:
        """As `feed`, but return the type and the raw data of the events, without building each `Event`.

        This works if all of them have one `data: ` line, the same type and no ID of their own. For
        other bytes it returns None and takes nothing: give them to `feed` or `feed_all`.
        """
        if (
            (self._block_size and not self._type_line)
            or self._dropped
            or self._after_cr
            or self._bom is not None
        ):
            return None
        if self.error is not None or len(data) > MAX_PIECE:
            return None
        if CR in data:
            if LONE_CR.search(data):
                return None
            data = data.replace(b"\r", b"")
        values = self._whole_blocks(data)
        return None if values is None else (self._batch_type, values)

    def eof(self) -> EndOfStream:
        """End the stream, and return what its end cuts off: an unfinished event is never dispatched (9.2.6).

        What is fed after that is another stream: that of the next connection, if a client reconnects.
        The last event ID and the reconnection time last; everything else begins anew.
        """
        dropped = self._block_size + len(self._line) + self._dropped + len(self._bom or b"")
        report = EndOfStream(dropped, bool(self._data) or self._line.partition(b":")[0] == b"data")
        self.error = None
        self._begin_stream()
        return report

    def unfinished_field(self) -> UnknownField | None:
        """Return the unfinished line, if it is a field that the standard ignores. `eof` drops it."""
        line = bytes(self._line[:MAX_IGNORED])
        item = ignored_line(line)
        return item if isinstance(item, UnknownField) and line.partition(b":")[0] not in FIELDS else None

    def _feed(self, data: bytes) -> list[Item]:
        if len(data) > MAX_PIECE:
            return [
                item
                for at in range(0, len(data), MAX_PIECE)
                for item in self._feed(data[at : at + MAX_PIECE])
            ]
        if self.error is not None:
            return []
        if self._after_cr or self._bom is not None or CR in data:
            data = self._normalise(data)
        if (not self._block_size or self._type_line) and not self._dropped:
            values = self._whole_blocks(data)
            if values is not None:
                if len(values) == 1:  # measured: faster for the usual case
                    return [new_event((values[0], self._batch_type, self.last_event_id))]
                return list(map(new_event, zip(values, repeat(self._batch_type), repeat(self.last_event_id))))
        items: list[Item] = []
        end = data.rfind(b"\n") + 1
        if end:
            text = self._complete_line(data[:end])
            self._interpret(text, items)
            self._type_line = trailing_type(text)
        self._buffer(data[end:])
        return items

    def _normalise(self, data: bytes) -> bytes:
        """Drop a byte order mark at the very start (9.2.6), and turn every line end into LF."""
        if self._bom is not None:
            data = self._bom + data
            if len(data) < len(BOM) and BOM.startswith(data):
                self._bom = data
                return b""
            self._bom = None
            data = data.removeprefix(BOM)
        if data:
            if self._after_cr:
                data = data.removeprefix(b"\n")
            self._after_cr = data.endswith(b"\r")
        if LONE_CR.search(data):
            return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data.replace(b"\r", b"")  # measured: faster than two calls

    def _whole_blocks(self, data: bytes) -> list[bytes] | None:
        """Return the data of each block, if all blocks are one prefix and one line of data.

        Otherwise return None and take nothing. Proof: the text is split at each LF LF prefix. If no
        piece contains an LF, then each block is exactly the prefix and one line, since any other line
        in it would leave an LF.
        """
        prefix = self._prefix
        if data[-2:] == b"\n\n" and data.startswith(prefix) and not self._line and not self._type_line:
            value = data[len(prefix) : -2]
            if LF not in value and len(data) <= self._safe_size:
                return [value]  # one whole event: how a model's stream mostly comes
        end = data.rfind(b"\n\n") + 2
        if end < 2:
            return None
        text = self._type_line + self._line + data if self._type_line or self._line else data
        end += len(text) - len(data)
        if not text.startswith(prefix):
            prefix = block_prefix(text)
            if not prefix or len(prefix) > MAX_IGNORED:
                return None
        values = text[len(prefix) : end - 2].split(b"\n\n" + prefix)
        if LF in b"".join(values):
            return None
        if end > self._max and max(len(prefix), *map(len, values)) > self._max:
            return None
        type_line, line = b"", text[end:]
        if LF in line:
            type_line, _, line = line.partition(b"\n")
            type_line += b"\n"
            if LF in line or not type_line.startswith(TYPE) or len(type_line) > self._safe_size:
                return None
        if prefix != self._prefix:
            self._prefix, self._batch_type = prefix, type_of(prefix[: -len(DATA)]) or "message"
        if type_line or self._type_line:
            self._type_line, self._block_size, self._type = type_line, len(type_line), type_of(type_line)
        self._line = line
        if len(line) > self._safe_size:
            self._line = b""
            self._buffer(line)
        return values

    def _interpret(self, text: bytes, items: list[Item]) -> None:
        """Interpret whole lines by the standard's algorithm (9.2.6)."""
        lines = text.split(b"\n")
        lines.pop()  # what follows the last line end: nothing
        for line in lines:
            if not line:
                self._dispatch(items)
                continue
            self._block_size += len(line) + 1
            name, _, value = line.partition(b":")
            if name in FIELDS:
                value = value.removeprefix(b" ")
                if not self._within_limit(name, len(value)):
                    break
                self._field(name, value)
            else:
                items.append(ignored_line(line[:MAX_IGNORED]))
                self._non_events = True

    def _field(self, name: bytes, value: bytes) -> None:
        """Process one field (9.2.6)."""
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif value.isdigit():  # retry; on bytes, isdigit() knows the ASCII digits only
            digits = value.lstrip(b"0") or b"0"
            self.reconnection_time = int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS - 1

    def _dispatch(self, items: list[Item]) -> None:
        """Process a blank line: "dispatch the event" (9.2.6)."""
        self.last_event_id = self._id
        if self._data:
            del self._data[-1:]
            items.append(Event(bytes(self._data), self._type or "message", self._id))
            self._data.clear()
        self._type = ""
        self._block_size = 0

    def _complete_line(self, text: bytes) -> bytes:
        """Return the unfinished line, as far as it was kept, and `text`, which has its end."""
        if self._dropped:
            end = text.index(b"\n")
            self._block_size += self._dropped + end
            self._dropped = 0
            text = text[end:]
        text = bytes(self._line) + text
        self._line = b""
        return text

    def _buffer(self, text: bytes) -> None:
        """Append to the unfinished line, within its limit."""
        if self._dropped:
            self._dropped += len(text)
            return
        line: bytes | bytearray = text
        if self._line:
            line = self._line if isinstance(self._line, bytearray) else bytearray(self._line)
            line += text  # a bytearray grows without being copied each time
        self._line = line
        if len(self._data) + len(line) <= self._safe_size:
            return
        for name in FIELDS:
            if line.startswith(name + b":"):
                start = len(name) + 1
                self._within_limit(name, len(line) - start - line.startswith(b" ", start))
                return
        if len(line) > MAX_IGNORED:
            self._dropped = len(line) - MAX_IGNORED
            self._line = line[:MAX_IGNORED]

    def _within_limit(self, name: bytes, size: int) -> bool:
        """Return whether `size` more bytes of a field's value are allowed; if not, set `error`."""
        if name == b"data":
            size += len(self._data)
        if size > self._max:
            self.error = EventTooLarge(self._max, size)
        return self.error is None


def ignored_line(line: bytes) -> Comment | UnknownField:
    """Return a line that the standard ignores, as an item."""
    name, _, value = line.partition(b":")
    if not name:
        return Comment(value)
    return UnknownField(name.decode("utf-8", "replace"), value.removeprefix(b" "))


def block_prefix(text: bytes) -> bytes:
    """Return the start of `text` up to its first data, or `b""` if the fast path does not know its form."""
    if text.startswith(DATA):
        return DATA
    prefix = text[: text.find(b"\n") + 1 + len(DATA)]
    return prefix if prefix.startswith(TYPE) and prefix.endswith(b"\n" + DATA) else b""


def trailing_type(text: bytes) -> bytes:
    """Return what follows the last blank line of `text`, if it is a single `event: ` line."""
    blank = text.rfind(b"\n\n")
    last = text[blank + 2 :]
    if blank < 0 or not last.startswith(TYPE) or last.count(b"\n") > 1 or len(last) > MAX_IGNORED:
        return b""
    return last


def type_of(line: bytes) -> str:
    """Return the type that an `event: ` line names."""
    return line[len(TYPE) : -1].decode("utf-8", "replace")
