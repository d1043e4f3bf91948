"""Ring 2: one request, and its response however it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import BodyTruncated, ConnectionFailed, Exchange, ProtocolError, Response, StreamError
from support_core import HEAD, LAST, answer, cut_at, cuts, framed, places, unhurried

HOST = ("Host", "api.test")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\n\r\n"


def get(max_head_size: int = 2**16) -> Exchange:
    return Exchange("GET", "/", [HOST], max_head_size=max_head_size)


def received(pieces: list[bytes], max_head_size: int = 2**16) -> tuple[Exchange, bytes]:
    exchange = get(max_head_size)
    return exchange, b"".join(map(exchange.receive, pieces))


def failure(*pieces: bytes, error: type[StreamError], body: bytes = b"") -> str:
    """What went wrong with a response in these pieces, which bring `body` all the same."""
    exchange, came = received(list(pieces))
    assert exchange.error is not None and type(exchange.error) is error, exchange.error
    assert exchange.error.response is exchange.response
    assert (came, exchange.ended) == (body, False)
    assert exchange.receive(b"more") == exchange.receive(b"") == b""
    return str(exchange.error)


# The request.


def test_the_request_is_sent_once() -> None:
    exchange = Exchange("POST", "/v1?a=b", [HOST, ("X-A", "1")], b'{"a":1}')
    assert exchange.data_to_send() == (
        b'POST /v1?a=b HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\nContent-Length: 7\r\n\r\n{"a":1}'
    )
    assert exchange.data_to_send() == b""


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("DELETE", b"", None),
        ("GET", b"x", b"1"),
        ("POST", b"", b"0"),
        ("PUT", b"", b"0"),
        ("PATCH", b"", b"0"),
    ],
)
def test_a_body_has_its_length_and_so_has_a_method_that_means_one(
    method: str, body: bytes, length: bytes | None
) -> None:
    sent = Exchange(method, "/", [HOST], body).data_to_send()
    assert sent.endswith(b"\r\n\r\n" + body)
    assert (b"Content-Length" in sent) == (length is not None)
    assert length is None or b"\r\nContent-Length: " + length + b"\r\n" in sent


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "TRANSFER-ENCODING"])
def test_the_framing_is_not_the_callers_to_set(name: str) -> None:
    with pytest.raises(ValueError, match="not the caller's to set"):
        Exchange("POST", "/", [HOST, (name, "5")], b"hello")


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/", []),
        ("GET", "/", [HOST, HOST]),
        ("GET", "/a b", [HOST]),
        ("GET", "/a\r\nX: y", [HOST]),
        ("G T", "/", [HOST]),
        ("GET", "/", [HOST, ("a b", "c")]),
        ("GET", "/", [HOST, ("", "c")]),
        ("GET", "/", [HOST, ("ä", "c")]),
        ("GET", "/ä", [HOST]),
    ],
)
def test_a_request_that_http_cannot_carry_is_a_value_error(
    method: str, target: str, headers: list[tuple[str, str]]
) -> None:
    with pytest.raises(ValueError, match=r"HTTP/1\.1 cannot carry this request: ."):
        Exchange(method, target, headers)


@pytest.mark.parametrize("value", ["s3cret\n", "s3cret\r\nX: y", "s3cret\0", "s3cret\u2026", "s3cret\ud800"])
def test_a_header_value_is_never_shown(value: str) -> None:
    with pytest.raises(ValueError, match="a header value has characters that are not allowed") as caught:
        Exchange("GET", "/", [HOST, ("Authorization", value)])
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ and caught.value.__cause__ is None


@unhurried
@given(value=st.text(), name=st.text())
def test_any_request_is_carried_or_is_a_value_error_without_the_value(value: str, name: str) -> None:
    message = sent = ""
    try:
        sent = Exchange("GET", "/", [HOST, (name, f"s3cret{value}")]).data_to_send().decode("latin-1")
    except ValueError as error:
        message = str(error)
    assert bool(message) != bool(sent)
    assert "s3cret" not in message.replace(name, "")
    assert sent.count("\r\n") == (4 if sent else 0)


# The head.


def test_the_head_is_read_into_a_response() -> None:
    exchange, _ = received([b"HTTP/1.1 299 Fine by me\r\nX-A:  1 \r\nx-a: \xe9\r\n\r\n"])
    response = exchange.response
    assert response == Response(299, "Fine by me", (("x-a", "1"), ("x-a", "é")), "1.1")
    assert response is not None
    assert response.header("X-A") == "1, é"
    assert response.header("x-b") is None


def test_the_head_of_http_1_0_says_so() -> None:
    exchange, _ = received([b"HTTP/1.0 200\r\n\r\n"])
    assert exchange.response == Response(200, http_version="1.0")


@pytest.mark.parametrize("version", ["0.9", "2.0", "1.2", "3.0"])
def test_another_version_is_a_protocol_error(version: str) -> None:
    head = f"HTTP/{version} 200 OK\r\n\r\n".encode()
    assert "is neither 1.0 nor 1.1" in failure(head, error=ProtocolError)


def test_the_version_of_an_interim_response_is_looked_at_too() -> None:
    failure(b"HTTP/2.0 103 Early Hints\r\n\r\n" + CLOSING, error=ProtocolError)


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nspace : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_bad_head_is_a_protocol_error(head: bytes) -> None:
    assert failure(head, error=ProtocolError)


def test_repeated_lengths_that_agree_are_one() -> None:
    exchange, body = received([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nabc"])
    assert (body, exchange.ended) == (b"ab", True)


def test_chunks_count_more_than_a_length_beside_them() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    exchange, body = received([head + framed(b"abc") + LAST])
    assert (body, exchange.ended) == (b"abc", True)


def test_a_flood_of_headers_is_a_protocol_error() -> None:
    exchange, _ = received([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200], max_head_size=1000)
    assert isinstance(exchange.error, ProtocolError)
    assert exchange.response is None


def test_a_head_within_the_limit_is_not_a_flood() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100 + b"\r\n"
    exchange, _ = received([head[:-2], head[-2:]], max_head_size=len(head))
    assert exchange.error is None and exchange.response is not None


def test_a_few_interim_responses_are_passed_over_and_a_flood_is_a_protocol_error() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    exchange, body = received([interim * 16 + answer(b"hi")])
    assert (body, exchange.ended) == (b"hi", True)
    assert exchange.response is not None and exchange.response.status == 200
    assert failure(interim * 17 + answer(b"hi"), error=ProtocolError) == "more than 16 interim responses"


# The body.

BODIES = {
    "with a length": answer(b"Hello") + b"ignored",
    "empty": answer(b""),
    "in chunks": CHUNKED + framed(b"Hel", b"lo") + LAST,
    "in odd chunks": CHUNKED + b'003;a="b"\r\nHel\r\n2;\r\nlo\r\n00\r\nTrailer: x\r\n\r\n' + b"ignored",
    "up to the close": CLOSING + b"Hello",
    "of no content": b"HTTP/1.1 204 No Content\r\n\r\n" + b"ignored",
    "of no change": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "after interim responses": b"HTTP/1.1 102 Processing\r\n\r\n" + answer(b"Hello"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_received_to_its_end_however_it_is_cut(name: str) -> None:
    for pieces in cuts(BODIES[name]):
        exchange, body = received(pieces)
        assert exchange.error is None
        assert exchange.ended == (name != "up to the close")
        assert exchange.receive(b"") == b""
        assert exchange.ended and exchange.error is None
        assert exchange.receive(b"more") == b""
        assert body == (b"" if name in ("empty", "of no content", "of no change") else b"Hello")


@unhurried
@given(places=places)
def test_a_stream_in_chunks_may_be_cut_anywhere(places: list[int]) -> None:
    parts = [b"data: %d\n\n" % number for number in range(10)]
    exchange, body = received(cut_at(HEAD + framed(*parts) + LAST, places))
    # An empty piece means the end of the connection, so that what follows it is lost.
    assert exchange.ended or isinstance(exchange.error, BodyTruncated | ConnectionFailed)
    assert b"".join(parts).startswith(body)
    assert not exchange.ended or body == b"".join(parts)


def test_what_is_there_of_a_chunk_is_not_held_back() -> None:
    exchange = get()
    assert exchange.receive(CHUNKED) == b""
    assert exchange.receive(b"5\r\nHe") == b"He"
    assert exchange.receive(b"l") == b"l"
    assert exchange.receive(b"lo\r\n") == b"lo"


@pytest.mark.parametrize(
    ("came", "body"),
    [
        (answer(b"Hello", length=6), b"Hello"),
        (answer(b"", length=6), b""),
        (CHUNKED, b""),
        (CHUNKED + b"5", b""),
        (CHUNKED + b"5\r\nHel", b"Hel"),
        (CHUNKED + b"5\r\nHello", b"Hello"),
        (CHUNKED + framed(b"Hello"), b"Hello"),
        (CHUNKED + framed(b"Hello") + b"0\r\n", b"Hello"),
        (CHUNKED + framed(b"Hello") + b"0\r\nX: y\r\n", b"Hello"),
    ],
)
def test_a_body_that_is_cut_is_truncated(came: bytes, body: bytes) -> None:
    assert failure(came, b"", error=BodyTruncated, body=body)


@pytest.mark.parametrize("came", [b"", b"HTTP/1.1 200", CLOSING[:-2], b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_is_cut_is_a_failed_connection(came: bytes) -> None:
    message = failure(came, b"", error=ConnectionFailed)
    assert message == "the connection ended before the response head was complete"


@pytest.mark.parametrize(
    "bad", [b"zz\r\n", b"-5\r\n", b"\r\n", b" 5\r\n", b"0x5\r\n", b"5" * 21 + b"\r\n", b"\xff"]
)
def test_broken_framing_is_a_protocol_error_after_the_body_before_it(bad: bytes) -> None:
    failure(CHUNKED + framed(b"Hello") + bad + framed(b"again"), error=ProtocolError, body=b"Hello")


def test_a_chunk_longer_than_its_size_is_a_protocol_error() -> None:
    failure(CHUNKED + b"3\r\nHello\r\n", error=ProtocolError, body=b"Hel")


# Any bytes at all.

wire = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 404 \r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
        b"Connection: close\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"3\r\nabc\r\n",
        b"5;x=y\r\nHello\r\n",
        b"0\r\n",
        b"0\r\n\r\n",
        b"",
    ]
)


@unhurried
@given(st.lists(wire | st.binary(max_size=20), max_size=20))
def test_no_bytes_raise_anything(pieces: list[bytes]) -> None:
    exchange = get(max_head_size=200)
    for piece in pieces:
        over = exchange.ended or exchange.error is not None
        body = exchange.receive(piece)
        assert not (over and body)
        assert not (exchange.ended and exchange.error)
    exchange.receive(b"")
    assert exchange.ended or isinstance(exchange.error, StreamError)


@unhurried
@given(st.lists(wire | st.binary(min_size=1, max_size=20), max_size=20).map(b"".join))
def test_any_bytes_fare_the_same_one_by_one(data: bytes) -> None:
    whole, body = received([data, b""] if data else [b""])
    piecewise, same = received([*(bytes([byte]) for byte in data), b""])
    assert (piecewise.ended, type(piecewise.error)) == (whole.ended, type(whole.error))
    assert (piecewise.response, same) == (whole.response, body)
