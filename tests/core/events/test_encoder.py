"""The encoder: what it writes, what it refuses, and that decoding gives the event back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Comment, Event, EventDecoder
from sse_core.events.encoder import comment, encode, retry
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.strategies import chunkings, encodable_events

ONE_LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("event", "encoded"),
    [
        (Event(b"x"), b"data: x\n\n"),
        (Event(b""), b"data: \n\n"),
        (Event(b"\n"), b"data: \ndata: \n\n"),
        (Event(b"a\nb\rc\r\nd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (Event(b"a\n\rb\n"), b"data: a\ndata: \ndata: b\ndata: \n\n"),
        (Event(b" x"), b"data:  x\n\n"),
        (Event(b"\xef\xbb\xbf"), b"data: \xef\xbb\xbf\n\n"),
        (Event(b"\xff\0"), b"data: \xff\0\n\n"),
        (Event("a\u2028b\u0085".encode()), b"data: a\xe2\x80\xa8b\xc2\x85\n\n"),
        (Event(b"x", "message"), b"data: x\n\n"),
        (Event(b"x", "ping"), b"event: ping\ndata: x\n\n"),
        (Event(b"x", " :\u00e9"), b"event:  :\xc3\xa9\ndata: x\n\n"),
        (Event(b"x", "message", "1"), b"id: 1\ndata: x\n\n"),
        (Event(b"x", "t", " "), b"id:  \nevent: t\ndata: x\n\n"),
    ],
)
def test_encode(event: Event, encoded: bytes) -> None:
    assert encode(event) == encoded


def test_an_id_is_written_where_the_receiver_has_another() -> None:
    assert encode(Event(b"x", last_event_id="1"), after="1") == b"data: x\n\n"
    assert encode(Event(b"x", last_event_id="2"), after="1") == b"id: 2\ndata: x\n\n"
    assert encode(Event(b"x"), after="1") == b"id: \ndata: x\n\n"


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("text", ["{}", "a{}", "{}b", "a{}data: forged"])
def test_type_and_id_are_one_line(character: str, text: str) -> None:
    with pytest.raises(ValueError, match="the type of an event cannot have"):
        encode(Event(b"x", text.format(character)))
    with pytest.raises(ValueError, match="the ID of an event cannot have"):
        encode(Event(b"x", last_event_id=text.format(character)))


def test_the_type_is_not_empty() -> None:
    with pytest.raises(ValueError, match="empty"):
        encode(Event(b"x", ""))


@pytest.mark.parametrize("event", [Event(b"x", "\ud800"), Event(b"x", "t", "\ud800")])
def test_half_a_surrogate_pair_is_refused(event: Event) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        encode(event)


@given(encodable_events(), st.data())
def test_decoding_gives_the_event_back(event: Event, data: st.DataObject) -> None:
    for stream in (encode(event), comment("\ufeff") + retry(5) + encode(event)):
        decoder = EventDecoder()
        events = [found for chunk in data.draw(chunkings(stream)) for found in decoder.feed(chunk)]
        assert events == [event]
        assert decoder.last_event_id == event.last_event_id
        assert decoder.eof().dropped == 0


@given(st.lists(encodable_events()))
def test_decoding_gives_a_sequence_back(events: list[Event]) -> None:
    stream, after = b"", ""
    for event in events:
        stream += encode(event, after=after)
        after = event.last_event_id
    assert EventDecoder().feed(stream) == events
    assert [(e.raw, e.type, e.last_event_id) for e in ReferenceDecoder().feed(stream)] == [
        (e.raw, e.type, e.last_event_id) for e in events
    ]


@given(st.binary())
def test_line_ends_in_data_arrive_as_lf(raw: bytes) -> None:
    (event,) = EventDecoder().feed(encode(Event(raw)))
    assert event.raw == raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@given(st.binary(), ONE_LINE, ONE_LINE)
def test_nothing_can_be_injected(raw: bytes, type: str, id: str) -> None:
    decoder = EventDecoder()
    items = decoder.feed_all(encode(Event(raw, type or "message", id)))
    assert [type_of(item) for item in items] == ["Event"]
    assert decoder.reconnection_time is None


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", b": \n"),
        ("ping", b": ping\n"),
        ("\u00e9:", b": \xc3\xa9:\n"),
        ("a\nb\r\nc\rd", b": a\n: b\n: c\n: d\n"),
        ("\n\ndata: forged\n\n", b": \n: \n: data: forged\n: \n: \n"),
    ],
)
def test_comment(text: str, encoded: bytes) -> None:
    assert comment(text) == encoded


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_comment_is_nothing_else(text: str) -> None:
    items = EventDecoder().feed_all(comment(text))
    assert {type_of(item) for item in items} == {"Comment"}
    found = b"\n".join(item.raw.removeprefix(b" ") for item in items if isinstance(item, Comment))
    assert found.decode() == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("milliseconds", [0, 1, 3000, 10**640 - 1], ids=["0", "1", "3000", "longest"])
def test_retry(milliseconds: int) -> None:
    for decoder in (EventDecoder(), ReferenceDecoder()):
        assert not decoder.feed(retry(milliseconds))
        assert decoder.reconnection_time == milliseconds
    assert retry(3000) == b"retry: 3000\n"


@pytest.mark.parametrize(
    "milliseconds", [-1, 10**640, 10**5000], ids=["negative", "too-long", "far-too-long"]
)
def test_retry_out_of_bounds(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        retry(milliseconds)


def type_of(item: object) -> str:
    return item.__class__.__name__
