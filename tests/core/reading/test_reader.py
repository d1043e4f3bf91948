"""The reader: bytes of a body in, chunks and a verdict out, whoever received them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    ApiError,
    BodyTruncated,
    DeadlineExceeded,
    Event,
    EventTooLarge,
    InvalidChunk,
    Limits,
    Mode,
    NotAnEventStream,
    Reader,
    Request,
    Response,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import events, json, mcp, openai
from sse_core.testing import dialects
from support.core import (
    DONE,
    ERROR,
    FINISH,
    ROLE,
    STREAM,
    cut_at,
    cuts,
    pieces_of,
    places,
    say,
    told,
    unhurried,
)

CHAT = openai.chat(model="m", messages=[])
CALL = mcp.post(mcp.JSONRPCRequest(id=1, method="ping"))
NUMBERS: Request[list[int]] = json.document(list[int])
RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
BOM = b"\xef\xbb\xbf"


def head(status: int, kind: str | None) -> Response:
    return Response(status, "", () if kind is None else (("content-type", kind),))


PAGE, JSON = head(200, "text/html"), head(200, "application/json")


def read(reader: Reader[Any], pieces: list[bytes], error: Exception | None = None) -> list[Any]:
    """Feed as much as is wanted, and close."""
    chunks: list[Any] = []
    for piece in pieces:
        chunks += reader.feed(piece)
        if reader.verdict is not None:
            break
    return chunks + reader.close(error)


def outcome(reader: Reader[Any], chunks: list[Any]) -> object:
    """All that a reader tells at its end. By how much something is too large depends on how it came."""
    error = reader.error
    return (
        (chunks, reader.verdict, type(error) if isinstance(error, EventTooLarge) else told(error)),
        (reader.mode, reader.message, reader.last_event_id),
        (reader.chunks, reader.content, reader.comments),
    )


# Any bytes.

REQUESTS: list[Request[Any]] = [
    CHAT,
    CALL,
    NUMBERS,
    events.request(),
    json.request(dict[str, int]),
    json.request(int, done=None),
]
HEADS = [
    None,
    STREAM,
    *(head(200, kind) for kind in (None, "application/json", "text/html", "text/event-stream;charset=utf-8")),
    *(head(status, "application/json") for status in (202, 206, 404, 500)),
    *(head(status, "text/event-stream") for status in (201, 204, 503)),
]
PARTS = [
    *(say("a"), ROLE, FINISH, DONE, ERROR, RESULT, BOM, b"\n", b"\r\n", b"\r", b" ", b"\n\n"),
    *(b": wait\n\n", b"id: 7\ndata: 1\n\n", b"id: 8\n", b"retry: 500\n", b"data: 1\n\n", b"data", b"data:"),
    *(b"event: ping\ndata: {}\n\n", b"event: error\ndata: {}\n\n", b"data: {", b"why?", b"why? not\n\n"),
    *(b"<html>", b"[1, 2]", b'{"error": {"message": "no"}}\n', b'error: {"message": "no"}\n', b'{"a":1}\n'),
    *(b" " * 2000, b"x" * 300, b"data: " + b"1" * 300 + b"\n\n", b": " + b"x" * 300),
]
LIMITS = [
    Limits(),
    Limits(max_event_size=64, max_error_body=16, max_document_size=64),
    Limits(max_error_body=0, max_document_size=1),
]
bodies = st.lists(st.sampled_from(PARTS) | st.binary(max_size=20), max_size=6).map(b"".join)
settings = st.fixed_dictionaries({"response": st.sampled_from(HEADS), "limits": st.sampled_from(LIMITS)})
requests = st.sampled_from(REQUESTS)
errors = st.sampled_from(
    [
        None,
        OSError("reset"),
        OSError(),
        ValueError("odd"),
        StreamClosed(),
        BodyTruncated("cut"),
        DeadlineExceeded("total", 1.0),
    ]
)


@unhurried
@given(requests, settings, bodies, places)
def test_it_does_not_matter_how_a_body_is_cut(
    request: Request[Any], options: dict[str, Any], body: bytes, places: list[int]
) -> None:
    whole = Reader(request, **options)
    expected = outcome(whole, read(whole, [body]))
    for pieces in (cut_at(body, places), pieces_of(body, 1)):
        reader = Reader(request, **options)
        assert outcome(reader, read(reader, pieces)) == expected


@unhurried
@given(requests, settings, bodies, places, errors)
def test_no_bytes_and_no_error_make_close_raise_and_after_it_nothing_changes(
    request: Request[Any], options: dict[str, Any], body: bytes, places: list[int], error: Exception | None
) -> None:
    reader = Reader(request, **options)
    chunks = read(reader, cut_at(body, places), error)
    end = outcome(reader, chunks)
    assert reader.verdict is not None
    assert (reader.error is None) == (reader.verdict in (Verdict.COMPLETE, Verdict.FINISHED))
    assert reader.close() == reader.close(OSError()) == []
    for data in (b"", say("b"), body):
        if reader.error is None:
            assert reader.feed(data) == []
        else:
            with pytest.raises(type(reader.error)) as info:
                reader.feed(data)
            assert info.value is reader.error
    assert outcome(reader, chunks) == end


@unhurried
@given(requests, settings, bodies)
def test_what_comes_before_an_error_is_returned_by_feed_and_the_error_by_the_next(
    request: Request[Any], options: dict[str, Any], body: bytes
) -> None:
    one_by_one = Reader(request, **options)
    chunks: list[Any] = []
    for piece in pieces_of(body, 1) or [b""]:
        if one_by_one.verdict is None:
            chunks += one_by_one.feed(piece)
    reader = Reader(request, **options)
    assert reader.feed(body) == chunks
    assert (reader.error is None) == (one_by_one.error is None)
    assert reader.verdict is one_by_one.verdict
    if reader.error is not None:
        with pytest.raises(StreamError) as info:
            reader.feed(b"")
        assert info.value is reader.error


@unhurried
@given(st.sampled_from(dialects.load()), places)
def test_no_fixture_is_changed_by_a_cut(fixture: dialects.Fixture, places: list[int]) -> None:
    whole = dialects.read_with_reader(fixture, [fixture.stream])
    cut = dialects.read_with_reader(fixture, cut_at(fixture.stream, places))
    assert (cut.chunks, cut.message, cut.verdict) == (whole.chunks, whole.message, whole.verdict)
    assert told(cut.error) == told(whole.error)


# What a body is.


def test_it_takes_a_request_or_a_dialect_and_nothing_else() -> None:
    for what in (CHAT, CHAT.dialect()):
        reader: Reader[Any] = Reader(what)
        assert reader.feed(say("a"))[0].text == "a"
        assert (reader.verdict, reader.chunks, reader.content) == (None, 1, 1)
    wrong: Any = openai.chat
    with pytest.raises(TypeError, match="a Request, or a dialect"):
        Reader(wrong)


@pytest.mark.parametrize("request_", [CHAT, NUMBERS])
def test_it_reads_bytes_and_nothing_else(request_: Request[Any]) -> None:
    wrong: Any = "data: 1"
    for before in (b"", say("a")):
        reader = Reader(request_)
        reader.feed(before)
        with pytest.raises(TypeError, match="data has to be bytes"):
            reader.feed(wrong)


def test_an_error_that_is_none_of_ours_is_the_dialects_own() -> None:
    class Wrong(events.EventsDialect):
        def read(self, event: Event) -> Event:
            raise TypeError("oops")

    with pytest.raises(TypeError, match="oops"):
        Reader(Wrong()).feed(b"data: 1\n\n")


@pytest.mark.parametrize(
    ("request_", "response", "mode"),
    [
        (CHAT, None, Mode.EVENTS),
        (CHAT, STREAM, Mode.EVENTS),
        (CALL, JSON, Mode.DOCUMENT),
        (CALL, head(404, "application/json"), Mode.REFUSAL),
        (CALL, head(202, None), Mode.DOCUMENT),
        (NUMBERS, None, Mode.DOCUMENT),
        (NUMBERS, STREAM, Mode.DOCUMENT),
        (NUMBERS, head(500, None), Mode.REFUSAL),
        (CHAT, head(503, "text/event-stream"), Mode.REFUSAL),
        (events.request(), PAGE, Mode.REFUSAL),
    ],
)
def test_the_head_says_what_a_body_is(request_: Request[Any], response: Response | None, mode: Mode) -> None:
    assert Reader(request_, response=response).mode is mode


def test_a_document_is_complete_only_when_it_is_closed() -> None:
    for response in (JSON, None):
        for pieces in cuts(RESULT):
            reader = Reader(CALL, response=response)
            assert [reader.feed(piece) for piece in pieces] == [[] for _ in pieces]
            assert reader.chunks == 0
            assert reader.close() == [mcp.JSONRPCResponse(id=1, result={})]
            assert (reader.verdict, reader.chunks) == (Verdict.COMPLETE, 1)


def test_a_document_may_begin_with_a_byte_order_mark() -> None:
    for response in (JSON, None):
        for pieces in cuts(BOM + b"[1, 2]"):
            assert read(Reader(NUMBERS, response=response), pieces) == [[1, 2]]


def test_a_document_that_breaks_off_is_none() -> None:
    reader = Reader(CALL, response=JSON)
    reader.feed(RESULT)
    assert reader.close(OSError("reset")) == []
    assert reader.verdict is Verdict.BODY_CUT
    assert isinstance(reader.error, BodyTruncated) and isinstance(reader.error.__cause__, OSError)
    assert str(reader.error) == "the body broke off: reset"


def test_a_document_that_reports_an_error_is_a_refusal() -> None:
    reader = Reader(NUMBERS, response=JSON)
    reader.feed(b'{"error":{"message":"no"}}')
    assert reader.close() == []
    assert (reader.verdict, type(reader.error)) == (Verdict.REFUSED, ApiError)


def test_one_that_is_not_as_it_should_be_is_invalid() -> None:
    for body in (b"[", b"{}", b""):
        reader = Reader(NUMBERS, response=JSON)
        assert read(reader, [body]) == []
        assert (reader.verdict, type(reader.error)) == (Verdict.INVALID, InvalidChunk)


@pytest.mark.parametrize("response", [JSON, None])
def test_one_over_the_limit_is_an_error_as_soon_as_that_is_known(response: Response | None) -> None:
    limits = Limits(max_document_size=8)
    reader = Reader(NUMBERS, response=response, limits=limits)
    assert read(reader, [b"[1, 2]  "]) == [[1, 2]]
    reader = Reader(NUMBERS, response=response, limits=limits)
    assert reader.feed(b"[1, 2]   ") == []
    assert isinstance(reader.error, EventTooLarge) and reader.error.seen == 9
    assert "a document is larger than max_document_size" in str(reader.error)


@pytest.mark.parametrize("size", [0, 1, 100])
def test_what_is_no_document_under_its_type_is_a_refusal_with_the_start_of_its_body(size: int) -> None:
    body = b"<html>" + b"x" * 300
    limits = Limits(max_error_body=100)
    reader = Reader(CALL, response=JSON, limits=limits)
    read(reader, pieces_of(body, size))
    assert isinstance(reader.error, NotAnEventStream) and reader.error.body == body[:100]
    assert "which looks like HTML" in str(reader.error)


def test_of_a_refusal_no_more_is_taken_than_is_shown() -> None:
    reader = Reader(CHAT, response=head(500, None), limits=Limits(max_error_body=4))
    assert reader.feed(b"oo") == []
    assert reader.verdict is None
    assert reader.feed(b"oops") == []
    assert isinstance(reader.error, StatusError) and reader.error.raw == b"oooo"
    assert reader.error.response == head(500, None)


def test_a_refusal_that_breaks_off_is_one_all_the_same() -> None:
    reader = Reader(CHAT, response=head(429, None))
    reader.feed(b'{"error":{"message":"slow down"}}')
    assert reader.close(DeadlineExceeded("error_body", 5.0)) == []
    assert isinstance(reader.error, StatusError) and reader.error.message == "slow down"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>Sign in</html>", NotAnEventStream),
        (b"upstream connect error", NotAnEventStream),
    ],
)
@pytest.mark.parametrize("response", [None, STREAM])
def test_without_a_head_and_under_the_wrong_one_a_refusal_is_known_by_its_bytes(
    body: bytes, error: type[StreamError], response: Response | None
) -> None:
    for pieces in cuts(body):
        reader = Reader(CHAT, response=response)
        assert read(reader, pieces) == []
        assert reader.verdict is Verdict.REFUSED
        assert type(reader.error) is error
        assert reader.error.body == body


def test_without_a_head_what_is_neither_a_document_nor_events_is_a_refusal() -> None:
    reader = Reader(CALL)
    assert read(reader, [b"<html>"]) == []
    assert (reader.verdict, type(reader.error)) == (Verdict.REFUSED, NotAnEventStream)
    reader = Reader(CALL)
    assert read(reader, [b"{}"]) == []
    assert (reader.verdict, type(reader.error)) == (Verdict.INVALID, InvalidChunk)


@pytest.mark.parametrize("response", [JSON, PAGE, head(201, None), head(206, "text/event-stream")])
@pytest.mark.parametrize("before", [b"", BOM, b"\n \n", b":\n", b"event: x\n", b" " * 1000 + b"\n"])
def test_events_under_another_head_are_events_where_the_dialect_says_so(
    response: Response, before: bytes
) -> None:
    body = before + say("a") + DONE
    for pieces in ([body], pieces_of(body, 1), [before, say("a") + DONE]):
        reader = Reader(CHAT, response=response)
        assert reader.may_be_events and reader.mode is Mode.REFUSAL
        (chunk,) = read(reader, pieces)
        assert chunk.text == "a"
        assert (reader.verdict, reader.mode) == (Verdict.COMPLETE, Mode.EVENTS)
    assert not Reader(events.request(), response=JSON).may_be_events


def test_nothing_of_them_is_lost_to_the_limit_of_a_refusal() -> None:
    reader = Reader(CHAT, response=JSON, limits=Limits(max_error_body=4))
    assert len(reader.feed(b"\n" * 10)) == 0
    assert len(reader.feed(say("a") * 5)) == 5


@pytest.mark.parametrize(
    "body", [b"", b"dat", b"<html>", b" " * 1100 + say("a"), b" " + say("a"), b"data\n\n", BOM[:2]]
)
def test_whatever_else_is_under_another_head_is_a_refusal(body: bytes) -> None:
    for pieces in ([body], pieces_of(body, 1)):
        reader = Reader(CHAT, response=PAGE)
        assert read(reader, pieces) == []
        assert isinstance(reader.error, NotAnEventStream)
        assert (reader.verdict, reader.error.body) == (Verdict.REFUSED, body)
        assert not reader.may_be_events
    reader = Reader(CHAT, response=PAGE, limits=Limits(max_error_body=0))
    assert read(reader, [b"dat"]) == []
    assert isinstance(reader.error, NotAnEventStream)


# How a stream ends.


@pytest.mark.parametrize(
    ("request_", "body", "verdict"),
    [
        (CHAT, say("a") + DONE, Verdict.COMPLETE),
        (CHAT, DONE, Verdict.COMPLETE),
        (CHAT, say("a") + FINISH, Verdict.FINISHED),
        (events.request(), b"", Verdict.FINISHED),
        (events.request(), b"data: 1\n\n", Verdict.FINISHED),
        (CHAT, say("a"), Verdict.UNFINISHED),
        (CHAT, say("a") + b"data: {", Verdict.EVENT_CUT),
        (events.request(), b"data: 1\n", Verdict.EVENT_CUT),
        (CHAT, say("a") + ERROR + say("b"), Verdict.ERROR_EVENT),
        (CHAT, say("a") + b"oops: {}", Verdict.UNFINISHED),
        (CHAT, say("a") + b'{"error":{"message":"no"}}', Verdict.ERROR_EVENT),
        (CHAT, say("a") + b'{"error":{"message":"no"}}\n' + say("b"), Verdict.ERROR_EVENT),
        (CHAT, say("a") + b"data: {\n\n" + say("b"), Verdict.INVALID),
        (CHAT, b"why?\n\n" + DONE + b"more", Verdict.REFUSED),
        (CHAT, b"data: ping\n\n" + DONE, Verdict.UNFINISHED),
    ],
)
def test_every_end_has_its_verdict(request_: Request[Any], body: bytes, verdict: Verdict) -> None:
    for pieces in ([body], pieces_of(body, 1)):
        reader = Reader(request_)
        chunks = read(reader, pieces)
        assert reader.verdict is verdict
        assert (reader.error is None) == (verdict in (Verdict.COMPLETE, Verdict.FINISHED))
        if body.startswith(say("a")):
            assert [chunk.text for chunk in chunks if chunk.text] == ["a"]
            assert reader.message is not None and reader.message.text == "a"
            assert reader.error is None or reader.error.partial == reader.message


def test_an_error_of_another_kind_than_ours_is_the_cause_of_ours() -> None:
    cause = ValueError()
    reader: Reader[Event] = Reader(events.request(), response=STREAM)
    reader.feed(b"id: 7\ndata: 1\n\n")
    assert reader.close(cause) == []
    assert isinstance(reader.error, BodyTruncated) and reader.error.__cause__ is cause
    assert str(reader.error) == "the body broke off: ValueError"
    assert (reader.error.cursor, reader.error.response) == ("7", STREAM)


@pytest.mark.parametrize("response", [STREAM, JSON, head(500, None)])
def test_closing_ends_everything(response: Response) -> None:
    reader = Reader(CALL, response=response)
    reader.feed(b" ")
    reader.close(StreamClosed())
    assert (reader.verdict, type(reader.error)) == (Verdict.CANCELLED, StreamClosed)


def test_an_event_over_the_limit_comes_after_those_before_it() -> None:
    reader = Reader(CHAT, limits=Limits(max_event_size=100))
    (chunk,) = reader.feed(say("a") + b"data: " + b"x" * 200)
    assert chunk.text == "a"
    assert isinstance(reader.error, EventTooLarge)
    assert reader.verdict is Verdict.INVALID


def test_a_piece_may_be_large_and_end_anywhere() -> None:
    body = say("x" * 50_000) * 4
    reader = Reader(CHAT)
    assert len(reader.feed(body + DONE + body)) == 4
    assert reader.verdict is Verdict.COMPLETE
    reader = Reader(CHAT, limits=Limits(max_event_size=60_000))
    assert len(reader.feed(body + b"data: " + b"x" * 200_000)) == 4
    assert isinstance(reader.error, EventTooLarge)


def test_of_what_is_read_the_counts_are_kept() -> None:
    reader = Reader(CHAT, response=STREAM)
    assert reader.detects_content and not reader.would_repeat
    reader.feed(b": wait\n\nretry: 500\n\n" + ROLE)
    assert (reader.comments, reader.chunks, reader.content) == (1, 1, 0)
    assert (reader.reconnection_time, reader.would_repeat) == (500, True)
    reader.feed(say("a") + say("b"))
    assert (reader.chunks, reader.content) == (3, 2)
    assert reader.complete_message().text == "ab"


def test_chunks_may_make_no_whole() -> None:
    reader: Reader[Event] = Reader(events.request())
    reader.feed(b"data: 1\n\n")
    assert (reader.message, reader.content, reader.detects_content) == (None, 1, False)
    with pytest.raises(TypeError, match="not put together"):
        reader.complete_message()


def test_an_answer_over_the_limit_is_not_put_together() -> None:
    reader = Reader(CHAT, limits=Limits(max_answer_size=60))
    assert len(reader.feed(say("a") * 2)) == 2
    assert reader.message is None
    with pytest.raises(EventTooLarge, match="max_answer_size"):
        reader.complete_message()


# Another body.


def test_the_last_event_id_is_that_of_the_last_event_that_was_read() -> None:
    reader = Reader(json.request(int, done=b"end"), last_event_id="1")
    assert reader.last_event_id == "1"
    assert reader.feed(b"id: 2\ndata: 1\n\n") == [1]
    assert reader.last_event_id == "2"
    reader.feed(b"id: 3\ndata: end\n\nid: 4\ndata: 2\n\n")
    assert reader.last_event_id == "3"


def test_a_stream_goes_on_with_another_body() -> None:
    reader = Reader(CHAT, response=STREAM)
    reader.feed(b"id: 7\n" + say("a") + b"data: {")
    reader.close(OSError("reset"))
    assert isinstance(reader.error, BodyTruncated)
    reader.resume()
    assert (reader.last_event_id, reader.chunks) == ("7", 0)
    reader.resume(STREAM)
    chunks = reader.feed(say("b") + DONE)
    assert [chunk.text for chunk in chunks] == ["b"]
    assert reader.verdict is Verdict.COMPLETE
    assert reader.complete_message().text == "ab"


def test_an_error_that_others_raise_is_told_what_came_before_it() -> None:
    reader = Reader(CHAT, response=STREAM)
    reader.feed(say("a"))
    error = StreamIncomplete("gave up")
    reader.annotate(error)
    assert error.partial is not None and error.partial.text == "a"
    assert error.response == STREAM
    assert "chunks before it: 1" in error.__notes__[0]
