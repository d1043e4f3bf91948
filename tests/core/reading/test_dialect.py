"""How a dialect describes a refusal by default."""

from __future__ import annotations

import pytest

from sse_core import NotAnEventStream, Response, StatusError
from sse_core.dialects.events import EventsDialect


def test_a_refusal_by_status_is_a_status_error() -> None:
    error = EventsDialect().error_for(Response(404, "Not Found"), b"why")
    assert isinstance(error, StatusError)
    assert (error.message, error.raw) == ("Not Found", b"why")
    assert str(EventsDialect().error_for(Response(404), b"")) == "HTTP 404"


def test_a_refused_200_says_what_it_is_and_shows_its_start() -> None:
    error = EventsDialect().error_for(Response(200), b"x" * 1000)
    assert isinstance(error, NotAnEventStream)
    shown = "x" * 200
    assert (
        str(error)
        == f"the response, of no type, is no event stream; it begins with b'{shown}', which looks like text"
    )
    assert error.body == b"x" * 1000


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (b"\n<!DOCTYPE html>", ", which looks like HTML"),
        (b'\xef\xbb\xbf {"choices": []}', ", which looks like JSON"),
        (b'[\n{"a": 1},\n{"a": 2}\n]', ", which looks like JSON"),
        (b'{"a": 1}\r\n\r\n{"a": 2}', ", which looks like lines of JSON"),
        ("zu spät\n".encode(), ", which looks like text"),
        (b"\x1f\x8b\x08\x00", ""),
        (b" ", ""),
    ],
)
def test_a_refused_200_says_what_it_looks_like(body: bytes, looks: str) -> None:
    error = EventsDialect().error_for(Response(200), body)
    assert str(error) == f"the response, of no type, is no event stream; it begins with {body!r}{looks}"
