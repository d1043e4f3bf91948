"""The reader: bytes of a body in, chunks and a verdict out, whoever received them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    BodyTruncated,
    DeadlineExceeded,
    EventTooLarge,
    Limits,
    Reader,
    Request,
    Response,
    StreamClosed,
    StreamError,
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
    Limits(max_error_body=0, max_document_size=0),
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


@pytest.mark.parametrize("fixture", dialects.load(), ids=lambda fixture: fixture.name)
@unhurried
@given(places=places)
def test_no_fixture_is_changed_by_a_cut(fixture: dialects.Fixture, places: list[int]) -> None:
    whole = dialects.read_with_reader(fixture, [fixture.stream])
    cut = dialects.read_with_reader(fixture, cut_at(fixture.stream, places))
    assert (cut.chunks, cut.message, cut.verdict) == (whole.chunks, whole.message, whole.verdict)
    assert told(cut.error) == told(whole.error)
