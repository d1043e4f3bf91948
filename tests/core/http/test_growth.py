"""Whatever a peer or an environment writes is read in linear time.

CPU time is compared for some text and for eight times as much of it, as the kit does for decoders,
because the steps of a regular expression cannot be counted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from sse_core import URL, Exchange, ProxyError, Response, rate_limits
from sse_core.error_codes import worth_retrying
from sse_core.http.dates import http_date, timestamp
from sse_core.http.media_types import media_type
from sse_core.http.proxies import NoProxy
from sse_core.http.redirects import PreparedRequest, request_after
from sse_core.http.url import to_ascii
from sse_core.testing.timing import MOST, growth

REQUEST = PreparedRequest(URL.parse("https://api.test/v1"), "/v1/chat", "GET", (), b"")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
numbers = count()


def header(name: str, value: str) -> Response:
    return Response(307, headers=((name, value),))


def receive(start: bytes) -> Callable[[str], object]:
    def read(text: str) -> object:
        exchange = Exchange("GET", "/", [("Host", "a")], max_head_size=2**30, max_header_fields=2**30)
        return exchange.receive(start) + exchange.receive(text.encode("latin-1"))

    return read


def receive_dripped(text: str) -> None:
    exchange = Exchange("GET", "/", [("Host", "a")], max_head_size=2**30)
    for at in range(0, len(text), 16):
        exchange.receive(text[at : at + 16].encode("latin-1"))


def redirect(text: str) -> object:
    # What has been parsed once is cached by `urllib`.
    return request_after(REQUEST, header("location", f"/{next(numbers)}{text}"))


READERS: dict[str, tuple[Callable[[str], object], list[tuple[str, str]]]] = {
    "http_date": (http_date, [("Sun, 06 Nov 1994 08:49:37 GMT", " "), ("", "Sun, ")]),
    "timestamp": (timestamp, [("1994-11-06T08:49:37.", "1"), ("1994-11-06T08:49:37.5+00:00", "0")]),
    "limit": (
        lambda text: rate_limits(header("x-ratelimit-limit", text)),
        [("", "1,000"), ("", "1"), ("1.", "0"), ("", "1 "), ("1", " ")],
    ),
    "reset": (
        lambda text: rate_limits(header("x-ratelimit-reset", text)),
        [("", "1m"), ("", "1ms "), ("1", "."), ("1.", "1"), ("", "111111111111111111"), ("1", " ")],
    ),
    "name of a limit": (
        lambda text: rate_limits(header(f"x-ratelimit-{text}", "1")),
        [("limit-", "limit-"), ("", "reset-"), ("limit-", "a")],
    ),
    "name of one of Anthropic's": (
        lambda text: rate_limits(header(f"anthropic-ratelimit-{text}", "1")),
        [("", "limit-"), ("a", "-limit")],
    ),
    "RateLimit": (
        lambda text: rate_limits(header("ratelimit", text)),
        [
            ("", '"a";r=1,'),
            ("", '"'),
            ('"', '\\"'),
            ("", "limit=1,"),
            ("", "1;"),
            ("", "a=1;r=1,"),
            ("", "\\"),
        ],
    ),
    "media type": (
        lambda text: media_type(header("content-type", text)),
        [
            ("", "a/b,"),
            ("a/b", ";x=y"),
            ("a/b;", '"'),
            ('a/b;charset="', '\\"'),
            ("a/", "b"),
            ("", "a/b, "),
            ("a/b", " "),
        ],
    ),
    "many content types": (
        lambda text: media_type(
            Response(200, headers=tuple(("content-type", each) for each in text.split(",")))
        ),
        [("", "a/b,")],
    ),
    "location": (
        redirect,
        [
            ("", "../"),
            ("", "/"),
            ("", "a"),
            ("", "%"),
            ("", "?"),
            ("", "\xe9"),
            ("", ";"),
            ("", "./a/"),
            ("", " "),
        ],
    ),
    "host of a location": (
        lambda text: request_after(REQUEST, header("location", f"https://{text}{next(numbers)}/")),
        [
            ("", "a."),
            ("", "a"),
            ("", "\xc3\xa9"),
            ("", "["),
            ("[", ":"),
            ("", "@"),
            ("a:", "1"),
            ("", "xn--a."),
        ],
    ),
    "host name": (to_ascii, [("", "\xe9"), ("", "a."), ("", "\u0627"), ("", "\N{SOFT HYPHEN}")]),
    "exempt host": (
        lambda text: NoProxy.parse("*a*a*a*a*b*a*").covers(text, 80),
        [("", "a"), ("", "aab"), ("", "b")],
    ),
    "NO_PROXY": (NoProxy.parse, [("", "*"), ("", "["), ("", "a:"), ("", "1."), ("", '"'), ("", "://")]),
    "error code": (worth_retrying, [("", "a"), ("", "1"), ("", "error"), ("", "_")]),
    "status line": (receive(b"HTTP/1.1 200"), [(" ", "a"), (" ", " "), (" ", "\t\xe9"), ("", "2")]),
    "broken status line": (
        lambda text: receive(b"")(f"HTTP/1.1 200 {text}\0\r\n\r\n"),
        [("", "a"), ("", " ")],
    ),
    "fields": (
        receive(b"HTTP/1.1 200 OK\r\n"),
        [("", "X: y\r\n"), ("X: y\r\n", " z\r\n"), ("X: ", " "), ("X", "y"), ("X: ", "y ")],
    ),
    "broken field": (  # h11's pattern for these takes quadratic time
        lambda text: receive(b"HTTP/1.1 200 OK\r\n")(f"X:{text}\0\r\n\r\n"),
        [("", " "), ("", "y "), ("", "\t")],
    ),
    "whole heads": (
        lambda text: receive(b"")(f"HTTP/1.1 200 OK\r\n{text}\r\n\r\n"),
        [
            ("X: ", " "),
            ("X: y", " "),
            ("Connection: ", "a,"),
            ("Transfer-Encoding: ", "a,"),
            ("Content-Length: ", "1,"),
        ],
    ),
    "dripped head": (
        receive_dripped,
        [("HTTP/1.1 200 ", "a"), ("HTTP/1.1 200 OK\r\nX: ", "y "), ("HTTP/1.1 200 OK\r\n", "X")],
    ),
    "chunk-size lines": (
        receive(CHUNKED),
        [("", "1;a=b\r\nx\r\n"), ("1;", "a"), ("1", " "), ("", "1\r\nx\r\n")],
    ),
    "trailers": (receive(CHUNKED + b"0\r\n"), [("", "X: y\r\n"), ("X: ", " "), ("X: y\r\n", " z\r\n")]),
}


class Reads:
    """What the kit measures: a subject that is given text in pieces, here put together first."""

    error = None

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read

    def run(self, chunks: list[bytes]) -> Reads:
        text = b"".join(chunks[:-1]).decode()  # without the end of a stream that the kit adds
        with suppress(ValueError, ProxyError):
            self._read(text)
        return self


@pytest.mark.parametrize(
    ("name", "start", "piece"),
    [(name, start, piece) for name, (_, texts) in READERS.items() for start, piece in texts],
)
def test_time_grows_with_the_text_and_no_more(name: str, start: str, piece: str) -> None:
    subject: Any = Reads(READERS[name][0])
    assert growth(subject, start.encode(), piece.encode() * max(1, 16 // len(piece))) < MOST
