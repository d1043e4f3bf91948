"""Ring 1, beyond what the vectors in spec/decoder can say: limits, memory, work, and any bytes at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sse_core import (
    Comment,
    EndOfStream,
    Event,
    EventDecoder,
    EventTooLarge,
    Item,
    StrictEventDecoder,
    UnknownField,
)
from sse_core.testing.reference import ReferenceDecoder
from support.core import cut_at, cuts, places, unhurried
from support.counting import most_memory

MIB = 2**20
MAX_IGNORED = 64 * 2**10

line_starts = st.sampled_from(
    [
        *(b"data", b"data:", b"data: ", b"data:  ", b"data: x", b"data: \xff", b"Data: ", b"dat", b"datax: "),
        *(b"event: ", b"id: ", b"id", b"id: \0", b"retry: ", b"retry:", b"retry: 07", b":", b"error: "),
        *(b"\xef\xbb\xbf", b"\xc3"),
    ]
)
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n", b""])
starts = st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf"])
parts = st.lists(
    st.one_of(line_starts, line_ends, st.just(b"data: 1\n\n"), st.binary(max_size=6)), max_size=25
)
streams = st.tuples(starts, parts.map(b"".join)).map(b"".join)


def fields(event: Event) -> tuple[str, str, str, bytes]:
    return event.type, event.data, event.last_event_id, event.raw


def decoded(pieces: Iterable[bytes]) -> tuple[object, ...]:
    """All that a decoder makes of a stream in these pieces, and of its end."""
    decoder = EventDecoder()
    batches = [[fields(event) for event in decoder.feed(piece)] for piece in pieces]
    end = decoder.eof()
    rest = decoder.last_event_id, decoder.reconnection_time, end.dropped, end.unfinished_event
    return batches, *rest


def by_reference(pieces: Iterable[bytes]) -> tuple[object, ...]:
    decoder = ReferenceDecoder()
    batches = [
        [(event.type, event.data, event.last_event_id, event.raw) for event in decoder.feed(piece)]
        for piece in pieces
    ]
    end = decoder.eof()
    return batches, decoder.last_event_id, decoder.reconnection_time, end.dropped, end.unfinished_event


def no_bulk(decoder: EventDecoder, data: bytes) -> None:
    """What switches the fast path off."""


# Equal to the reference, and to itself.


@settings(unhurried, max_examples=500)
@given(stream=streams, places=places)
def test_any_stream_in_any_pieces_is_decoded_as_the_reference_does(stream: bytes, places: list[int]) -> None:
    pieces = cut_at(stream, places)
    assert decoded(pieces) == by_reference(pieces)
    assert decoded([stream]) == by_reference([stream])


@settings(unhurried, max_examples=500)
@given(stream=streams, places=places)
def test_without_the_fast_path_the_results_are_the_same(stream: bytes, places: list[int]) -> None:
    pieces = cut_at(stream, places)
    fast = decoded(pieces), everything(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventDecoder, "_whole_blocks", no_bulk)
        assert (decoded(pieces), everything(pieces)) == fast


def everything(pieces: Iterable[bytes], limit: int = MIB) -> tuple[list[str], str]:
    decoder = EventDecoder(max_event_size=limit)
    items: list[Item] = []
    try:
        for piece in pieces:
            items += decoder.feed_all(piece)
    except EventTooLarge as error:
        return [repr(item) for item in items], type(error).__name__
    return [repr(item) for item in items], type(decoder.error).__name__


@unhurried
@given(stream=streams, places=places, limit=st.integers(min_value=0, max_value=12))
def test_any_stream_in_any_pieces_comes_to_the_same_limit(
    stream: bytes, places: list[int], limit: int
) -> None:
    assert everything(cut_at(stream, places), limit) == everything([stream], limit)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_stream_may_be_cut_anywhere(end: bytes) -> None:
    lines = [
        b": hi",
        b"data: a",
        b"data",
        b"id: 1",
        b"",
        b"event: e",
        b"error: x",
        b"data: b",
        b"",
        b"data: c",
    ]
    stream = b"\xef\xbb\xbf" + end.join([*lines, b""])
    for pieces in cuts(stream):
        assert everything(pieces) == everything([stream])


# What feeding gives.


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_can_be_fed(kind: Callable[[bytes], bytes | bytearray | memoryview]) -> None:
    decoder = EventDecoder()
    assert decoder.feed(kind(b"data: 1\n\ndata: ")) == [Event(b"1")]
    assert decoder.feed_all(kind(b"2\n\n:x\n")).pop(0) == Event(b"2")


def test_what_was_fed_may_be_changed_afterwards() -> None:
    decoder = EventDecoder()
    buffer = bytearray(b"data: 1")
    assert decoder.feed(buffer) == []
    buffer[:] = b"xxxxxxx"
    assert decoder.feed(b"\n\n") == [Event(b"1")]


def test_feed_all_has_comments_and_unknown_fields_in_their_places() -> None:
    decoder = EventDecoder()
    items = decoder.feed_all(b":one\ndata: 1\n: two\nerror: {}\n\n:\nwhat\n: three\xff\ndata: 2\n\n")
    assert items == [
        Comment(b"one"),
        Comment(b" two"),
        UnknownField("error", b"{}"),
        Event(b"1"),
        Comment(b""),
        UnknownField("what", b""),
        Comment(b" three\xff"),
        Event(b"2"),
    ]
    assert [type(item) for item in items[:4]] == [Comment, Comment, UnknownField, Event]


def test_feed_leaves_comments_and_unknown_fields_out_and_both_can_take_turns() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b":one\ndata: 1\nwhat\n\n") == [Event(b"1")]
    assert len(decoder.feed_all(b":two\ndata: 2\n\n")) == 2
    assert decoder.feed(b"data: 3\n\n") == [Event(b"3")]


def test_events_are_values() -> None:
    event = Event(b"caf\xe9", "add", "7")
    assert event == Event(b"caf\xe9", "add", "7")
    assert len({event, Event(b"caf\xe9", "add", "7"), Event(b"caf\xe9")}) == 2
    assert event != Event(b"caf\xe9", "add") and event != Event(b"caf\xe9", "put", "7")
    assert event.data == "caf\ufffd"
    assert repr(event) == r"Event(raw=b'caf\xe9', type='add', last_event_id='7')"


def test_a_decoder_may_begin_with_the_last_id_of_the_connection_before() -> None:
    decoder = EventDecoder(last_event_id="41")
    assert decoder.last_event_id == "41"
    assert decoder.feed(b"data: 1\n\n") == [Event(b"1", last_event_id="41")]
    assert decoder.feed(b"id: 42\n") == []
    assert decoder.last_event_id == "41"
    assert decoder.feed(b"\n") == []
    assert decoder.last_event_id == "42"
    assert decoder.feed(b"id\n\n") == []
    assert decoder.last_event_id == ""


@pytest.mark.parametrize(
    ("stream", "dropped", "unfinished"),
    [
        (b"", 0, False),
        (b"data: 1\n\n", 0, False),
        (b"data: 1\n\n: bye\n", 6, False),
        (b"data: 1\n", 8, True),
        (b"data: 1", 7, True),
        (b"data", 4, True),
        (b"dat", 3, False),
        (b"\r\n\r\nid: 1\r\nda", 8, False),
        (b"\xef\xbb", 2, False),
        (b"\xef\xbb\xbf", 0, False),
        (b":" + b"x" * (2 * MAX_IGNORED), 2 * MAX_IGNORED + 1, False),
        (b":" + b"x" * (2 * MAX_IGNORED) + b"\ndata: 1", 2 * MAX_IGNORED + 9, True),
    ],
)
def test_the_end_of_the_stream_reports_what_it_cut_off(stream: bytes, dropped: int, unfinished: bool) -> None:
    for pieces in ([stream], [stream[:1], stream[1:]], [stream[:-1], stream[-1:]]):
        decoder = EventDecoder()
        for piece in pieces:
            decoder.feed(piece)
        end = decoder.eof()
        assert end == EndOfStream(dropped, unfinished)


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        (b"", None),
        (b"other: 1\n", None),
        (b": comment", None),
        (b"data: 1", None),
        (b"retry", None),
        (b"data: 1\ndat", UnknownField("dat", b"")),
        (b"data: 1\n\nerror: {", UnknownField("error", b"{")),
        (b"a:" + b"x" * (2 * MAX_IGNORED), UnknownField("a", b"x" * (MAX_IGNORED - 2))),
    ],
)
def test_an_unknown_field_without_its_line_end_can_be_had(stream: bytes, field: UnknownField | None) -> None:
    decoder = EventDecoder()
    decoder.feed_all(stream)
    assert decoder.unfinished_field() == field
    decoder.eof()
    assert decoder.unfinished_field() is None


STREAMS = st.lists(
    st.sampled_from(
        [
            *(b"data: 1\n", b"\n", b"\r", b"data: half of one", b"event: a\n", b"event: b\ndata: 2\n\n"),
            *(
                b"id: 7\n",
                b"id: 8",
                b": x\n",
                b"x",
                b"retry: 9\n",
                b"\xef\xbb",
                b"\xef\xbb\xbf",
                b"data: 1\n\n",
            ),
            *(b"data: " + b"x" * 50, b":" + b"x" * MAX_IGNORED),
        ]
    ),
    max_size=6,
)


@pytest.mark.parametrize("kind", [EventDecoder, StrictEventDecoder])
@unhurried
@given(first=STREAMS, second=STREAMS)
def test_what_comes_after_the_end_is_another_stream(
    kind: type[EventDecoder], first: list[bytes], second: list[bytes]
) -> None:
    """F2: it is decoded as by a new decoder, which knows the last event ID and the reconnection time."""
    used = kind(max_event_size=40)
    with suppress(EventTooLarge):
        for piece in first:
            if used.feed_batch(piece) is None:
                used.feed_all(piece)
    used.eof()
    assert used.eof() == EndOfStream(0, False)
    new = kind(last_event_id=used.last_event_id, max_event_size=40)
    new.reconnection_time = used.reconnection_time

    def seen(decoder: EventDecoder) -> list[object]:
        items: list[object] = []
        try:
            for piece in second:
                items += decoder.feed_batch(piece) or decoder.feed_all(piece)
        except EventTooLarge as error:
            items.append(str(error))
        return [*items, decoder.last_event_id, decoder.reconnection_time, decoder.eof()]

    assert seen(used) == seen(new)


def test_two_connections_are_not_joined() -> None:
    """F2: `half of onedata: b` was an event."""
    decoder = EventDecoder()
    decoder.feed(b"id: 7\ndata: a\n\nid: 8\ndata: half of one")
    assert decoder.eof() == EndOfStream(23, True)
    assert decoder.feed(b"data: b\n\n") == [Event(b"b", "message", "7")]


# The limit on an event.


@pytest.mark.parametrize("limit", [0, 1, 10, MAX_IGNORED - 1, MAX_IGNORED, MAX_IGNORED + 1, 2 * MAX_IGNORED])
@pytest.mark.parametrize("rest", [b"\n\n", b"\r\n\r\n", b"\ndata\n\n"])
def test_an_event_of_just_the_limit_is_let_through_and_one_byte_more_is_not(limit: int, rest: bytes) -> None:
    extra = rest.count(b"data")  # the LF between the lines
    fits, over = b"data: " + b"x" * (limit - extra) + rest, b"data: " + b"x" * (limit - extra + 1) + rest
    if limit >= extra:
        decoder = EventDecoder(max_event_size=limit)
        events = decoder.feed(fits[:3]) + decoder.feed(fits[3:])
        assert [len(event.raw) for event in events] == [limit]
        assert decoder.error is None
    with pytest.raises(EventTooLarge) as caught:
        EventDecoder(max_event_size=limit).feed(over)
    assert (caught.value.limit, caught.value.seen) == (limit, limit + 1)


@pytest.mark.parametrize("field", [b"data", b"event", b"id", b"retry"])
@pytest.mark.parametrize("space", [b"", b" "])
def test_the_limit_holds_for_every_field_before_its_line_ends(field: bytes, space: bytes) -> None:
    decoder = EventDecoder(max_event_size=10)
    assert decoder.feed(field + b":" + space + b"1" * 10) == []
    assert decoder.error is None
    with pytest.raises(EventTooLarge) as caught:
        decoder.feed(b"1")
    assert (caught.value.limit, caught.value.seen) == (10, 11)
    assert caught.value is decoder.error
    with pytest.raises(EventTooLarge):
        decoder.feed_all(b"\n\ndata: 1\n\n")


@pytest.mark.parametrize(
    "large", [b"data: 12345", b"data: 12345\n", b"data: 12345\n\n", b"data: 123\ndata:4\n\n"]
)
@pytest.mark.parametrize("before", [b"data: 1\n\ndata: 2\n\n", b"data: 1\n\n:x\ndata: 2\n\n"])
def test_the_events_before_a_large_one_are_given_first(before: bytes, large: bytes) -> None:
    decoder = EventDecoder(max_event_size=4)
    assert decoder.feed(before + large + b"\n\ndata: 3\n\n") == [Event(b"1"), Event(b"2")]
    assert isinstance(decoder.error, EventTooLarge)
    assert (decoder.error.limit, decoder.error.seen) == (4, 5)
    for _ in range(2):
        with pytest.raises(EventTooLarge):
            decoder.feed(b"data: 4\n\n")


def test_comments_alone_do_not_hold_the_error_back_unless_they_are_asked_for() -> None:
    stream = b":x\ndata: 12345\n\n"
    with pytest.raises(EventTooLarge):
        EventDecoder(max_event_size=4).feed(stream)
    decoder = EventDecoder(max_event_size=4)
    assert len(decoder.feed_all(stream)) == 1
    with pytest.raises(EventTooLarge):
        decoder.feed_all(b"")


def test_many_small_events_are_not_one_large_one() -> None:
    decoder = EventDecoder(max_event_size=4)
    assert len(decoder.feed(b"data: 1234\n\n" * 100 + b"id: 1\nid: 2\nid: 3\n\n")) == 100
    assert decoder.error is None


def test_a_comment_or_an_unknown_field_has_no_limit_but_only_its_start_is_kept() -> None:
    for line in (b":" + b"x" * MIB, b"x" * MIB, b"datum: " + b"x" * MIB):
        small = [line[at : at + 999] for at in range(0, len(line), 999)]
        for pieces in ([line], [line[:9], line[9:]], small):
            decoder = EventDecoder(max_event_size=10)
            items = [item for piece in [*pieces, b"\ndata: 1\n\n"] for item in decoder.feed_all(piece)]
            assert items[1:] == [Event(b"1")]
            assert repr(items[:1]) == repr(EventDecoder().feed_all(line[:MAX_IGNORED] + b"\n"))


# Memory, and work.


@pytest.mark.parametrize("start", [b":", b"unknown: ", b"line", b"datax: ", b"data: 1\n: "])
def test_memory_is_bounded_while_a_line_without_meaning_goes_on(start: bytes) -> None:
    decoder = EventDecoder()
    piece = b"x" * 4096

    def feed() -> None:
        decoder.feed(start)
        for _ in range(8 * MIB // len(piece)):
            decoder.feed(piece)

    assert most_memory(feed) < 8 * MAX_IGNORED
    assert decoder.eof().dropped == len(start) + 8 * MIB


@pytest.mark.parametrize(
    "line", [b"x" * 100 + b"\n", b":\n", b"\n", b"id: 1\n", b"event: x\n", b"retry: 1\r"]
)
def test_memory_is_bounded_while_lines_without_data_go_on(line: bytes) -> None:
    decoder = EventDecoder()
    piece = line * (4096 // len(line))

    def feed() -> None:
        for _ in range(64):
            decoder.feed(piece)

    assert most_memory(feed) < 800_000


@pytest.mark.parametrize("piece", [b"x" * 1000, b"x" * 999 + b"\ndata:", b"\ndata" * 200])
def test_memory_is_bounded_by_the_limit_while_an_event_goes_on(piece: bytes) -> None:
    decoder = EventDecoder(max_event_size=100_000)
    decoder.feed(b"data: ")

    def feed() -> None:
        with suppress(EventTooLarge):
            for _ in range(1000):
                decoder.feed(piece)

    assert most_memory(feed) < 600_000
    assert isinstance(decoder.error, EventTooLarge)


class Counted(bytearray):
    """A buffer that counts the bytes that move in and out of it."""

    moved = 0

    def __iadd__(self, data: object) -> Counted:
        assert isinstance(data, bytes)
        Counted.moved += len(data)
        super().__iadd__(data)
        return self

    def __getitem__(self, key: object) -> bytearray:  # type: ignore[override]  # one index is all it is asked for
        assert isinstance(key, slice)
        found = bytearray(bytes(self)[key])
        Counted.moved += len(found)
        return found


@pytest.mark.parametrize("start", [b"data: ", b": ", b"unknown: "])
def test_the_work_on_a_long_line_in_small_pieces_is_linear(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sse_core.events.decoder.bytearray", Counted, raising=False)
    monkeypatch.setattr(Counted, "moved", 0)
    decoder = EventDecoder()
    decoder.feed(start)
    for _ in range(MIB // 64):
        decoder.feed(b"x" * 64)
    items = decoder.feed_all(b"\n\n")
    assert len(items) == 1
    assert 0 < Counted.moved < 4 * MIB


@pytest.mark.parametrize("digits", [640, 641, 5000])
def test_a_reconnection_time_of_any_length_is_a_number(digits: int) -> None:
    decoder = EventDecoder()
    decoder.feed(b"retry: 000" + b"8" * digits + b"\n")
    expected = int("8" * 640) if digits == 640 else 10**640 - 1
    assert decoder.reconnection_time == expected
