"""Events whose data is JSON of any type that msgspec knows."""

from __future__ import annotations

import json as stdlib_json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from sse_core import ApiError, Control, Event, InvalidChunk, Response, StatusError
from sse_core.dialects import json
from support.core import unhurried
from support.dialects import read_event


class Number(Struct):
    n: int


def read(data: bytes, type: Any = Number, *, event: str = "message", done: bytes | None = b"[DONE]") -> Any:
    return read_event(json.request(type, done=done), data, event)


def test_a_request() -> None:
    request = json.request(Number, "/numbers", body={"up_to": 3}, headers=(("X-A", "1"),))
    assert (request.method, request.path) == ("POST", "/numbers")
    assert request.headers == (("Content-Type", "application/json"), ("X-A", "1"))
    assert stdlib_json.loads(request.body) == {"up_to": 3}


def test_a_request_without_a_body() -> None:
    request = json.request(Number, method="GET")
    assert (request.method, request.path, request.headers, request.body) == ("GET", "", (), b"")


def test_what_cannot_be_asked_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        json.request(Number, body=object())
    with pytest.raises(TypeError):
        json.request(dict[Number, int] | list[int] | set[int])


@pytest.mark.parametrize(
    ("type", "data", "chunk"),
    [
        (Number, b'{"n":1,"new":null}', Number(1)),
        (dict, b'{"a":[null]}', {"a": [None]}),
        (int | str, b'"x"', "x"),
        (Any, b"null", None),
    ],
)
def test_chunks(type: Any, data: bytes, chunk: object) -> None:
    assert read(data, type) == chunk
    assert read(data, type, event="tick") == chunk


def test_the_marker_ends_the_stream() -> None:
    assert read(b"[DONE]") is read(b" [DONE]") is Control.END
    assert read(b'"end"', str, done=b'"end"') is Control.END
    with pytest.raises(InvalidChunk):
        read(b"[DONE]", done=None)


def test_without_a_marker_the_body_ends_the_stream() -> None:
    assert json.request(Number, done=None).dialect().ends_with_body
    assert not json.request(Number).dialect().ends_with_body


def test_an_event_without_data_is_a_keep_alive() -> None:
    assert read(b"") is read(b" ") is Control.PING


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"n":"1"}', b"[5]", b"\xff"])
def test_what_is_of_another_type_says_so(data: bytes) -> None:
    with pytest.raises(InvalidChunk) as caught:
        read(data)
    assert caught.value.raw == data


def test_errors_in_the_stream() -> None:
    bare = b'{"message":"no","code":5}'
    for data, event in ((b'{"error":%b}' % bare, "message"), (bare, "error")):
        with pytest.raises(ApiError) as caught:
            read(data, event=event)
        assert (caught.value.message, caught.value.code, caught.value.raw) == ("no", 5, data)


def test_errors_by_status() -> None:
    error = json.request(Number).dialect().error_for(Response(500, "No"), b'{"detail":"broken"}')
    assert isinstance(error, StatusError)
    assert (error.message, error.retryable) == ("broken", True)


@unhurried
@given(data=st.binary(), event=st.text())
def test_any_event_is_a_chunk_a_mark_or_a_documented_error(data: bytes, event: str) -> None:
    with suppress(ApiError, InvalidChunk):
        read(data, Any, event=event)


@pytest.mark.parametrize("data", [b'{"detail":"no"}', b'{"code":5,"message":"no"}'])
def test_what_does_not_say_that_it_is_an_error_is_what_the_type_refuses(data: bytes) -> None:
    with pytest.raises(InvalidChunk, match="missing required field"):
        json.request(Number).dialect().read(Event(data))
