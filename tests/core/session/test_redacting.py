"""What is left out of transcripts (E4), and that it takes time linear in what a peer chose (A2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

from sse_core import Authorized, Fetch, Fetched, Received, Response, Send, Transcript
from sse_core.session.redacting import HeadMasker, redact_json, redact_request, redact_url
from support.core import cut_at, places, unhurried

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("/v1?key=s3cret&n=1", "/v1?key=***&n=1"),
        ("/v1?n=1&ACCESS_TOKEN=s3cret", "/v1?n=1&ACCESS_TOKEN=***"),
        ("/cb?code=s3cret&state=x", "/cb?code=***&state=x"),
        ("/v1?api%5Fk%65y=s3cret", "/v1?api%5Fk%65y=***"),
        ("https://h/#access_token=s3cret", "https://h/#access_token=***"),
        ("https://user:s3cret@h:1/a@b", "https://***@h:1/a@b"),
        ("/v1?key", "/v1?key"),
        ("/v1", "/v1"),
        ("*", "*"),
    ],
)
def test_a_url_shows_no_credentials(url: str, hidden: str) -> None:
    assert redact_url(url.encode()).decode() == hidden


def test_a_request_shows_none() -> None:
    data = (
        b"POST /v1?key=s3cret HTTP/1.1\r\nHost: h\r\n"
        b"X-Mine: s3cret\r\nauthorization:s3cret\r\nX-Design: kept\r\n\r\n"
        b'{"api_key": "s3cret", "token": "kept", "password":"s3\\"cret", "prompt": "\\"secret\\": kept"}'
    )
    redacted = redact_request(data, frozenset({"x-mine"}))
    assert redacted == (
        b"POST /v1?key=*** HTTP/1.1\r\nHost: h\r\nX-Mine: ***\r\nauthorization:***\r\nX-Design: kept\r\n\r\n"
        b'{"api_key": "***", "token": "kept", "password":"***", "prompt": "\\"secret\\": kept"}'
    )
    assert redact_request(b"\x01\x04user\x06s3cret") == b"\x01***"
    assert redact_json(b"secret=s3cret") == b"secret=s3cret"


def test_a_fetched_response_shows_none() -> None:
    headers = (
        ("set-cookie", "s3cret"),
        ("location", "/x?token=s3cret"),
        ("x-auth-token", "s3cret"),
        ("x", "kept"),
    )
    line = Transcript().outcome(Fetched(Response(302, headers=headers)), 0.0)
    assert SECRET not in line and "kept" in line and "/x?token=***" in line
    fetch = Fetch(
        "POST", "http://h/?key=s3cret", (("X-Key", "s3cret"), ("A", "kept")), b'{"secret":"s3cret"}', None
    )
    line = Transcript().action(fetch, 0.0)
    assert SECRET not in line and "kept" in line


HEAD = (
    b"HTTP/1.1 103 Early\r\nSet-Cookie: s3cret\r\n\r\n"
    b"HTTP/1.1 302 There\r\nLocation: https://h/cb?state=s3cret#s3cret\r\nX-Session-Token: s3cret\r\n"
    b"Set-Cookie: a=\r\n\ts3cret\r\nX-Kept: kept\r\nLocation: /kept\r\n\r\n"
)


@unhurried
@given(places=places)
def test_the_head_of_a_response_shows_none_however_it_is_cut(places: list[int]) -> None:
    transcript = Transcript()
    transcript.action(Send(b"GET / HTTP/1.1\r\n\r\n", None), 0.0)
    masker = HeadMasker()
    masked = b"".join(masker.hide(piece) for piece in cut_at(HEAD + b"body: s3cret?", places))
    assert len(masked) == len(HEAD) + 13
    head, _, body = masked.rpartition(b"\r\n\r\n")
    assert SECRET.encode() not in head and body == b"body: s3cret?"
    assert head.count(b"kept") == 2 and b"https://h/cb?******" in head


def test_no_repr_shows_what_authorizes() -> None:
    authorized = Authorized((("Authorization", SECRET),))
    fetch = Fetch("GET", f"http://h/?key={SECRET}", (("A", SECRET),), b"", None)
    assert repr(authorized) == "Authorized(<1 headers>)"
    assert repr(fetch) == "Fetch(GET http://h/, <0 bytes>, deadline=None)"
    assert authorized.__rich_repr__() == fetch.__rich_repr__() == []


def test_a_transcript_masks_what_is_received() -> None:
    assert SECRET not in Transcript().outcome(Received(HEAD), 0.0)


HOSTILE = [b"?key=", b"&", b"=", b'"key":', b'"secret":"\\', b"token", b"#?", b"@", b"://", b"key" * 3 + b"="]


@pytest.mark.parametrize("piece", HOSTILE)
def test_what_a_peer_chose_is_read_in_linear_time(piece: bytes) -> None:
    """Where a regular expression could go back, it is bounded: a megabyte takes a moment, and not hours."""
    long = piece * (2**20 // len(piece))
    for read in readers():
        read(long)


def in_a_request(data: bytes) -> object:
    return redact_request(b"GET /" + data + b" HTTP/1.1\r\nX: " + data + b"\r\n\r\n{" + data)


def in_a_response(data: bytes) -> object:
    return HeadMasker().hide(b"HTTP/1.1 302 A\r\nLocation: " + data + b"\r\n" + data + b"\r\n\r\n")


def in_json(data: bytes) -> object:
    return redact_json(b"{" + data)


def readers() -> list[Callable[[bytes], object]]:
    return [redact_url, in_a_request, in_a_response, in_json]
