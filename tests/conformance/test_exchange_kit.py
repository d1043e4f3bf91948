"""What only the exchange's vectors are, and what is said of an exchange that fails one."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import msgspec
import pytest

import sse_core
from sse_core import Exchange, StreamError
from sse_core.testing.exchanges import ErrorName, ExchangeVector, complaint, load

VECTORS = load()
RIGHT: dict[str, Any] = {
    "name": "empty",
    "why": "A body may be empty.",
    "clause": "RFC 9112, 6.3",
    "stream": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status": 200,
    "ended": True,
}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"body_hex": "61"}, "this body is valid UTF-8"),
        ({"error": "BodyTruncated"}, "ends well or in an error"),
    ],
)
def test_what_the_schema_cannot_say(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"empty: .*{why}"):
        msgspec.convert(RIGHT | wrong, ExchangeVector)


def test_the_errors_are_ours() -> None:
    assert all(issubclass(getattr(sse_core, name), StreamError) for name in get_args(ErrorName))
    assert {vector.error for vector in VECTORS} == {None, *get_args(ErrorName)}


def test_no_response_is_there_twice() -> None:
    responses = Counter((vector.method, vector.octets, vector.closed) for vector in VECTORS)
    assert [response for response, times in responses.items() if times > 1] == []


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [
        ({}, None),
        ({"headers": {"content-length": "0"}}, None),
        (
            {"headers": {"content-length": "1"}},
            "headers {'content-length': '0'}, not {'content-length': '1'}",
        ),
        ({"headers": {"x-a": ""}}, "headers {'x-a': None}, not {'x-a': ''}"),
        ({"status": 201}, "status, body, end and error (200, b'', True, None), not (201, b'', True, None)"),
        ({"body": "x"}, "status, body, end and error (200, b'', True, None), not (200, b'x', True, None)"),
        ({"ended": False}, "status, body, end and error (200, b'', True, None), not (200, b'', False, None)"),
    ],
)
def test_complaints(wrong: dict[str, Any], complains: str | None) -> None:
    vector = msgspec.convert(RIGHT | wrong, ExchangeVector)
    exchange = Exchange(vector.method, "/", [("Host", "localhost")])
    assert complaint(exchange, vector, [vector.octets]) == complains
