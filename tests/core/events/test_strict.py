"""The strict decoder: the lenient one's events, and a report of what was forgiven."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Event, EventDecoder, EventTooLarge, Flaw, StrictEventDecoder, Violation

FRAGMENTS = [
    b"data",
    b"id",
    b"retry",
    b"event",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\0",
    b"7",
    b"x",
    b"\xff",
    b"\xc3\xa9",
]


@pytest.mark.parametrize(
    ("stream", "forgiven"),
    [
        (b"data: \xff\n\n", Violation(Flaw.INVALID_UTF8, b"data: \xff")),
        (b": \xc3\n", Violation(Flaw.INVALID_UTF8, b": \xc3")),
        (b"id: a\0b\n", Violation(Flaw.NUL_IN_ID, b"id: a\0b")),
        (b"retry: 5s\n", Violation(Flaw.RETRY_NOT_DIGITS, b"retry: 5s")),
        (b"retry\n", Violation(Flaw.RETRY_NOT_DIGITS, b"retry")),
        (b"retry: " + b"9" * 641 + b"\n", Violation(Flaw.RETRY_TOO_LARGE, b"retry: " + b"9" * 641)),
        (b"event: ping\n\n", Violation(Flaw.TYPE_WITHOUT_DATA, b"ping")),
    ],
)
def test_a_flaw_is_reported_with_the_line_that_has_it(stream: bytes, forgiven: Violation) -> None:
    items = StrictEventDecoder().feed_all(stream)
    assert [item for item in items if isinstance(item, Violation)] == [forgiven]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: \xc3\xa9\nid: 1\nevent: tick\nretry: 5\n\n",
        b"id: 1\n\n",
        b"id\ndata\n\n",
        b": a comment\n\n",
        b"retry: " + b"0" * 700 + b"1\n",
    ],
)
def test_what_the_standard_provides_for_is_no_flaw(stream: bytes) -> None:
    assert not [item for item in StrictEventDecoder().feed_all(stream) if isinstance(item, Violation)]


def test_a_report_comes_before_the_event_that_it_concerns() -> None:
    items = StrictEventDecoder().feed_all(b"data: a\n\ndata: \xff\n\n")
    assert items == [Event(b"a"), Violation(Flaw.INVALID_UTF8, b"data: \xff"), Event(b"\xff")]


def test_the_limit_is_the_same_and_nothing_is_read_behind_it() -> None:
    decoder = StrictEventDecoder(max_event_size=3)
    assert decoder.feed(b"data: abc\n\ndata: abcd\n\ndata: x\n\n") == [Event(b"abc")]
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: x\n\n")


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.data())
def test_its_events_are_those_of_the_lenient_decoder(fragments: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(fragments)
    at = data.draw(st.integers(0, len(stream)))
    strict, lenient = StrictEventDecoder(), EventDecoder()
    for piece in (stream[:at], stream[at:]):
        assert strict.feed(piece) == lenient.feed(piece)
    assert strict.eof() == lenient.eof()
    assert (strict.last_event_id, strict.reconnection_time) == (
        lenient.last_event_id,
        lenient.reconnection_time,
    )
