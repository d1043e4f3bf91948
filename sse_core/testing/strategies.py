"""Hypothesis strategies: streams with the events they must give, adversarial streams, chunkings.

    @given(streams_with_events(), st.data())
    def test_mine(case, data):
        stream, events = case
        assert mine(data.draw(chunkings(stream))) == events

The only module that needs Hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from sse_core.events.items import Event
from sse_core.testing.adversarial import NOT_UTF_8, PIECES

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "StreamWithEvents",
    "adversarial_streams",
    "chunkings",
    "encodable_events",
    "streams_with_events",
]


class StreamWithEvents(NamedTuple):
    """A stream and what must come of it: its events, and what stands at its end."""

    stream: bytes
    events: list[Event]
    last_event_id: str
    reconnection_time: int | None


def encodable_events() -> SearchStrategy[Event]:
    """Events that survive being encoded: no CR in the data, no CR, LF or NUL in the rest."""
    return st.builds(
        Event,
        st.lists(_values(exclude=b"\r\n"), min_size=1, max_size=4).map(b"\n".join),
        st.just("message") | _names().filter(bool),
        st.just("") | _names(),
    )


@st.composite
def streams_with_events(draw: st.DrawFn) -> StreamWithEvents:
    """A stream in the whole freedom of the grammar, built from the events it must give.

    Nothing is decoded to know them, so this is a second opinion on the reference decoder. Lines
    end in LF, CR or CR LF, mixed; spaces after colons, byte order mark, comments, unknown fields,
    retries, blocks without data and an unfinished last block come and go.
    """
    written = _Stream(draw)
    if draw(st.booleans()):
        written.stream = b"\xef\xbb\xbf"
    for _ in range(draw(st.integers(0, 5))):
        written.block()
    events, last_event_id = list(written.events), written.last_event_id
    if draw(st.booleans()):
        written.block(finished=False)
    return StreamWithEvents(written.stream, events, last_event_id, written.reconnection_time)


def adversarial_streams() -> SearchStrategy[bytes]:
    """Streams made to break decoders: all that means something, its near misses, and random bytes."""
    piece = st.sampled_from([*PIECES, *NOT_UTF_8]) | st.binary(max_size=3)
    return st.lists(piece, max_size=24).map(b"".join)


@st.composite
def chunkings(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """A way to cut this stream: whole, byte by byte, or in some pieces, of which some may be empty."""
    cuts = draw(
        st.sampled_from([[], list(range(1, len(stream)))])
        | st.lists(st.integers(0, len(stream)), max_size=8).map(sorted)
    )
    return [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


class _Stream:
    """A stream that is being written, and what it means so far."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.stream = b""
        self.events: list[Event] = []
        self.last_event_id = ""
        self.reconnection_time: int | None = None

    def block(self, *, finished: bool = True) -> None:
        """Write a block: fields in any order, several of a kind, and mostly a blank line."""
        data: list[bytes] = []
        type, last_event_id = "message", self.last_event_id
        for name in self.draw(st.lists(st.sampled_from(_LINES), max_size=6)):
            match name:
                case b"data":
                    data.append(self.field(name, _values(exclude=b"\r\n")))
                case b"event":
                    type = self.field(name, _utf_8()).decode() or "message"
                case b"id":
                    value = self.field(name, _utf_8() | st.just(b"\0") | st.just(b"a\0b"))
                    last_event_id = last_event_id if b"\0" in value else value.decode()
                case b"retry":
                    self.reconnection_time = int(self.field(name, st.from_regex(rb"\A[0-9]{1,20}\Z")))
                case _:
                    self.line(name)
        if not finished:
            self.stream += self.draw(st.sampled_from([b"", b"data", b"data: x", b":", b"id: lost"]))
            return
        self.line(b"")
        self.last_event_id = last_event_id
        if data:
            self.events.append(Event(b"\n".join(data), type, last_event_id))

    def field(self, name: bytes, values: SearchStrategy[bytes]) -> bytes:
        """Write a field and return its value."""
        value = self.draw(values)
        if not value and self.draw(st.booleans()):
            self.line(name)
        else:
            space = b" " if value.startswith(b" ") else self.draw(st.sampled_from([b" ", b""]))
            self.line(name + b":" + space + value)
        return value

    def line(self, text: bytes) -> None:
        """Write a line. After a CR, an LF would be the second half of its line end."""
        if not text and self.stream.endswith(b"\r"):
            self.stream += self.draw(st.sampled_from([b"\r", b"\r\n"]))
        else:
            self.stream += text + self.draw(st.sampled_from([b"\n", b"\r", b"\r\n"]))


_LINES = [
    b"data",
    b"data",
    b"data",
    b"event",
    b"id",
    b"retry",
    b":",
    b": data: x",
    b"error: x",
    b"Data: x",
    b" ",
]


def _values(*, exclude: bytes) -> SearchStrategy[bytes]:
    """Bytes of any kind, but for these."""
    any_bytes = st.lists(st.sampled_from([*PIECES, *NOT_UTF_8]), max_size=3).map(b"".join) | st.binary(
        max_size=8
    )
    return any_bytes.map(lambda value: value.translate(None, exclude))


def _names() -> SearchStrategy[str]:
    """Text for types and IDs: anything but CR, LF, NUL and half a surrogate pair."""
    return st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


def _utf_8() -> SearchStrategy[bytes]:
    return _names().map(str.encode)
