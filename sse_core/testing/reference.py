"""The reference decoder: the standard's own algorithm, slow and obvious.

It is a transcription of the WHATWG HTML standard, sections 9.2.5 (parsing an event stream) and
9.2.6 (interpreting an event stream), one byte at a time, each step naming its clause. Read it
with the standard beside you, believe it, and then hold faster decoders against it.

Three things need saying that the standard does not say in so many words.

**Bytes first, text later.** The standard decodes the stream as UTF-8 and then looks for lines,
colons, spaces and digits. Here the order is turned round: lines and fields are found in the
bytes, and a value is decoded when it is used. The outcome is the same. All the syntax is ASCII,
an ASCII byte is never part of a longer UTF-8 sequence, and where one interrupts a sequence the
Encoding Standard replaces what came before it and reads the ASCII byte afresh. So decoding in
pieces that were cut at ASCII bytes cannot differ from decoding the whole; and the bytes as they
came are at hand for `Event.raw`.

**A line ends as soon as it can.** After a CR nobody knows yet whether an LF will follow, and
waiting to find out would hold back an event that has already arrived. A CR therefore ends its
line at once, and an LF directly behind it is swallowed when it comes.

**Numbers have a bound.** The standard lets a reconnection time have any number of digits. We stop
counting at 640 of them, see `ReferenceDecoder.reconnection_time`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Event", "ReferenceDecoder", "Report"]


class Event(NamedTuple):
    """One dispatched event (9.2.6, "dispatch the event").

    `raw` is the data before UTF-8 decoding: lines joined by LF, whatever they were ended by. It
    differs from `data.encode()` only where the stream was not valid UTF-8.
    """

    type: str
    data: str
    last_event_id: str
    raw: bytes


class Report(NamedTuple):
    """What the end of the stream cut off.

    A block is what stands between two blank lines. `dropped` counts the bytes of the block that
    no blank line finished: its fields, its comments, and one for each of its line ends, CRLF too;
    but neither the byte order mark nor the blank line before it. It is 0 when nothing was left over.

    `unfinished_event` tells whether an event was lost with those bytes: whether the block had a
    `data` field, be it complete or broken off. An unfinished line is judged as it stands, so
    `data: hal` and `data` count, `dat` and a comment do not.
    """

    dropped: int
    unfinished_event: bool


class ReferenceDecoder:
    """Turns the bytes of an event stream into its events, however the bytes are cut.

    Each event comes out of the `feed` that brought its last byte. No input raises.

    `last_event_id` is the last event ID string of the event source, the value to send when
    reconnecting. A blank line sets it, whether or not it also dispatches an event; the end of the
    stream never does. To carry on where an earlier connection ended, pass its value in. (The
    standard starts each connection with an empty buffer, so that the first event without an id
    would forget where the source had got to. Browsers begin with the value they have, and so do
    we.)

    `reconnection_time` is the last valid `retry` in milliseconds, or None before the first. A
    number of more than 640 digits, not counting zeros in front, is taken as the largest that has
    640. That many digits `int()` converts under every setting of the interpreter's limit, and in
    no time worth mentioning; it is also more milliseconds than there will be.
    """

    def __init__(self, *, last_event_id: str = "") -> None:
        self.last_event_id: str = last_event_id
        self.reconnection_time: int | None = None

        # 9.2.6: a stream has these three buffers. The first two begin empty, and so does the
        # third when it is a source's first connection.
        self._data_buffer = bytearray()
        self._type_buffer = ""
        self._id_buffer = last_event_id

        self._line = bytearray()  # the line that is arriving, without its end
        self._after_cr = False  # the last byte was a CR
        self._received = 0  # bytes since the start of the stream
        self._block = 0  # bytes since the last blank line, CR LF being one
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete, in order.

        RuntimeError: the stream has ended.
        """
        if self._ended:
            raise RuntimeError("the stream has ended: eof() was called before this feed()")
        events: list[Event] = []
        for byte in data:
            event = self._receive(byte)
            if event is not None:
                events.append(event)
        return events

    def eof(self) -> Report:
        """Ends the stream and tells what was left over; asked again, it says the same."""
        # 9.2.6: at the end of the file pending data is thrown away. An event without its blank
        # line is not dispatched, a line without its end is not a line, an id not yet committed
        # is forgotten.
        self._ended = True
        name, _ = self._split(bytes(self._line))
        return Report(
            dropped=self._block,
            unfinished_event=bool(self._data_buffer) or name == b"data",
        )

    def _receive(self, byte: int) -> Event | None:
        """9.2.5: a line ends with CR LF, with LF, or with CR."""
        self._received += 1
        if byte == LF and self._after_cr:
            # The second half of a CR LF.
            self._after_cr = False
            return None
        self._after_cr = byte == CR
        self._block += 1
        if byte in (CR, LF):
            return self._end_line()
        self._line.append(byte)
        # 9.2.5 allows one byte order mark in front of everything, and 9.2.6 says to use "UTF-8
        # decode", which takes it off. Anywhere else it is a character like any other.
        if self._received == 3 and bytes(self._line) == BOM:
            self._line.clear()
            self._block = 0
        return None

    def _end_line(self) -> Event | None:
        """9.2.6: what to do with each line, in the standard's order."""
        line = bytes(self._line)
        self._line.clear()
        # The line is empty: dispatch the event.
        if not line:
            self._block = 0
            return self._dispatch()
        # The line starts with a colon: ignore it.
        if line.startswith(b":"):
            return None
        # The line contains a colon, or it does not: process the field.
        name, value = self._split(line)
        self._process(name, value)
        return None

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        """9.2.6: the field's name and value."""
        # With a colon: the name is what stands before the first one, the value what stands after
        # it, without its first character if that is a space. One space, and only a space.
        if b":" in line:
            name, _, value = line.partition(b":")
            if value.startswith(b" "):
                value = value[1:]
            return name, value
        # Without a colon: the whole line is the name, and the value is empty.
        return line, b""

    def _process(self, name: bytes, value: bytes) -> None:
        """9.2.6, "process the field": names are compared literally, case and all."""
        if name == b"event":
            # Set the event type buffer to the value.
            self._type_buffer = self._decode(value)
        elif name == b"data":
            # Append the value to the data buffer, then an LF.
            self._data_buffer += value + b"\n"
        elif name == b"id":
            # Unless the value has a NUL in it, set the last event ID buffer to the value.
            if b"\0" not in value:
                self._id_buffer = self._decode(value)
        # If the value is ASCII digits and nothing else, read it in base ten. (No digits at all are
        # no number.) It counts from now on, blank line or not.
        elif name == b"retry" and value and all(digit in b"0123456789" for digit in value):
            self.reconnection_time = self._number(value)
        # Any other name: ignore the field.

    def _dispatch(self) -> Event | None:
        """9.2.6, "dispatch the event", steps 1 to 8."""
        # Step 1: the source's last event ID string becomes the buffer's. The buffer stays.
        self.last_event_id = self._id_buffer
        # Step 2: with no data there is no event; forget its type.
        if not self._data_buffer:
            self._type_buffer = ""
            return None
        # Step 3: take one LF off the end of the data.
        raw = bytes(self._data_buffer).removesuffix(b"\n")
        # Steps 4 to 6: make the event; its type is "message" unless the buffer says otherwise.
        event = Event(
            type=self._type_buffer or "message",
            data=self._decode(raw),
            last_event_id=self.last_event_id,
            raw=raw,
        )
        # Step 7: empty the data and the type buffer.
        self._data_buffer.clear()
        self._type_buffer = ""
        # Step 8: dispatch it.
        return event

    def _decode(self, value: bytes) -> str:
        """9.2.6 by way of the Encoding Standard: each maximal malformed part becomes U+FFFD."""
        return value.decode("utf-8", errors="replace")

    def _number(self, digits: bytes) -> int:
        """9.2.6, field `retry`: base ten. The bound is ours."""
        digits = digits.lstrip(b"0")
        if len(digits) > MOST_DIGITS:
            return int(b"9" * MOST_DIGITS)
        return int(digits or b"0")


LF = 0x0A
CR = 0x0D
BOM = b"\xef\xbb\xbf"

MOST_DIGITS = 640  # the lowest that sys.set_int_max_str_digits() accepts
