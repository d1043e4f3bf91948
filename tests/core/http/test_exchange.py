"""Ring 2: one request, and its response however it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import BodyTruncated, ConnectionFailed, Exchange, ProtocolError, Response, StreamError
from support.core import HEAD, LAST, PlainExchange, answer, cut_at, cuts, framed, places, unhurried

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
        ("GET", "", [HOST]),  # E1, and those below
        ("GET", "x", [HOST]),
        ("GET", "@evil.test/", [HOST]),
        ("GET", "?x", [HOST]),
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


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("HTTP/2.0 200 OK", "HTTP version '2.0' is neither 1.0 nor 1.1"),
        ("HTTP/0.9 103 Early Hints", "HTTP version '0.9' is neither 1.0 nor 1.1"),
        ("HTTP/1.1 200 OK" + "\nX: y" * 501, "more than 500 header fields"),
        ("HTTP/1.0 200 OK\nTransfer-Encoding: chunked", "Transfer-Encoding in an HTTP/1.0 response"),
        (
            "HTTP/1.1 200 OK\nContent-Length: 2\nTransfer-Encoding: chunked",
            "both Transfer-Encoding and Content-Length",
        ),
        ("HTTP/1.1 200 OK\nContent-Length: 2\ncontent-length: 2", "more than one Content-Length"),
        ("HTTP/1.1 200 OK\nContent-Length: 2, 2", "a list for a Content-Length"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n , 2", "a list for a Content-Length"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3", "conflicting Content-Length headers"),
        ("HTTP/1.1 200 OK\nContent-Length: -1", "bad Content-Length"),
        ("HTTP/1.1 200 OK\nContent-Length: " + "9" * 5000, "bad Content-Length"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip", "Only Transfer-Encoding: chunked is supported"),
        ("HTTP/1.1 200 OK\nspace : x", "illegal header line: b'space : x'"),
    ],
)
def test_a_bad_head_is_a_protocol_error_that_names_the_fault(lines: str, fault: str) -> None:
    for end in ("\n", "\r\n"):
        head = (lines + "\n\n").replace("\n", end).encode()
        assert failure(head + b"hi", error=ProtocolError) == fault


def test_what_cannot_be_a_response_is_not_called_a_request() -> None:
    assert failure(b"\x15\x03\x01\x00\x02\x02F", error=ProtocolError) == (
        "illegal status line: b'\\x15\\x03\\x01\\x00\\x02\\x02F'"
    )


def test_an_error_does_not_quote_a_peer_at_length() -> None:
    message = failure(b"HTTP/1.1 200 OK\r\n" + b"x" * 5000 + b"\r\n\r\n", error=ProtocolError)
    assert message == f"illegal header line: b'{'x' * 60}'"
    message = failure(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + b"x" * 5000 + b"\r\n\r\n", error=ProtocolError
    )
    assert len(message) <= 100


@pytest.mark.parametrize(("limit", "fault"), [(38, "the response head is larger than 38 bytes"), (39, "")])
def test_a_head_over_the_limit_is_a_protocol_error(limit: int, fault: str) -> None:
    exchange, _ = received([CLOSING[:-2], b"X: " + b"y" * 15, b"\r\n\r\n"], max_head_size=limit)
    assert str(exchange.error or "") == fault and (exchange.response is None) == bool(fault)


def test_a_few_interim_responses_are_passed_over_and_a_flood_is_a_protocol_error() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    exchange, body = received([interim * 16 + answer(b"hi")])
    assert (body, exchange.ended) == (b"hi", True)
    assert exchange.response is not None and exchange.response.status == 200
    assert failure(interim * 17 + answer(b"hi"), error=ProtocolError) == "more than 16 interim responses"


def test_the_limits_on_what_comes_besides_the_body_are_the_callers() -> None:
    """D4: cpython#131724."""

    def fault(data: bytes) -> str:
        exchange = Exchange("GET", "/", [HOST], max_header_fields=3, max_interim_responses=1)
        exchange.receive(data)
        return str(exchange.error or "")

    interim, field, last = b"HTTP/1.1 100 Continue\r\n\r\n", b"X: y\r\n", CHUNKED + b"0\r\n"
    assert not fault(interim + b"HTTP/1.1 200 OK\r\n" + field * 3 + b"\r\n")
    assert fault(b"HTTP/1.1 200 OK\r\n" + field * 4 + b"\r\n") == "more than 3 header fields"
    assert not fault(last + field * 3 + b"\r\n")
    assert fault(last + field * 4 + b"\r\n") == "more than 3 trailer fields"
    assert fault(interim * 2) == "more than 1 interim responses"


# The body.


@pytest.mark.parametrize("response", [answer(b"Hello"), CHUNKED + framed(b"Hel", b"lo") + LAST])
def test_nothing_comes_behind_the_end(response: bytes) -> None:
    for pieces in cuts(response + b"ignored"):
        exchange, body = received(pieces)
        assert (body, exchange.ended, exchange.error) == (b"Hello", True, None)
        assert exchange.receive(b"more") == exchange.receive(b"") == b""
        assert exchange.ended and exchange.error is None


@pytest.mark.parametrize(
    ("method", "response"),
    [
        ("GET", answer(b"Hello")),
        ("GET", answer(b"", status="204 No Content")),
        ("HEAD", answer(b"", length=5)),
        ("GET", CHUNKED + framed(b"Hello") + LAST),
        ("GET", CHUNKED + framed(b"Hello") + b"0\r\nX: y\r\n\r\n"),
        ("CONNECT", CLOSING),
    ],
)
def test_it_is_known_whether_anything_came_behind_the_end(method: str, response: bytes) -> None:
    for extra in (b"", b"H", b"HTTP/1.1 200 OK\r\n"):
        for pieces in cuts(response + extra):
            exchange = Exchange(method, "/", [HOST])
            for piece in [*pieces, b""]:
                exchange.receive(piece)
            assert exchange.ended and exchange.excess_data is bool(extra)


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


NO_LAST_CHUNK = "the connection ended before the last chunk and the blank line behind it"


@pytest.mark.parametrize("kind", [Exchange, PlainExchange])
@pytest.mark.parametrize(
    ("came", "body", "missing"),
    [
        (answer(b"Hello", length=6), b"Hello", "the connection ended with 1 of the body's 6 bytes missing"),
        (answer(b"", length=6), b"", "the connection ended with 6 of the body's 6 bytes missing"),
        (CHUNKED, b"", NO_LAST_CHUNK),
        (CHUNKED + b"5", b"", NO_LAST_CHUNK),
        (CHUNKED + framed(b"Hello"), b"Hello", NO_LAST_CHUNK),
        (CHUNKED + framed(b"Hello") + b"0\r\n", b"Hello", NO_LAST_CHUNK),
        (CHUNKED + framed(b"Hello") + b"0\r\nX: y\r\n", b"Hello", NO_LAST_CHUNK),
    ],
)
def test_a_body_that_is_cut_says_what_is_missing(
    kind: type[Exchange], came: bytes, body: bytes, missing: str
) -> None:
    for pieces in cuts(came):
        exchange = kind("GET", "/", [HOST])
        assert b"".join(map(exchange.receive, [*filter(None, pieces), b""])) == body
        assert isinstance(exchange.error, BodyTruncated)
        assert (str(exchange.error), exchange.error.response) == (missing, exchange.response)


def test_h11_alone_says_how_much_of_a_chunk_came() -> None:
    exchange = PlainExchange("GET", "/", [HOST])
    assert exchange.receive(CHUNKED + b"5\r\nlo") == b"lo"
    exchange.receive(b"")
    assert str(exchange.error) == "the connection ended 2 bytes into a chunk, before its end"


@pytest.mark.parametrize("came", [b"", b"HTTP/1.1 200", CLOSING[:-2], b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_is_cut_is_a_failed_connection(came: bytes) -> None:
    message = failure(came, b"", error=ConnectionFailed)
    assert message == "the connection ended before the response head was complete"


def test_a_flood_of_trailers_is_a_protocol_error() -> None:
    came = CHUNKED + framed(b"Hello") + b"0\r\n" + b"X: y\r\n" * 501 + b"\r\n"
    assert failure(came, error=ProtocolError, body=b"Hello") == "more than 500 trailer fields"


@pytest.mark.parametrize(
    ("endless", "what"),
    [
        (b"0\r\nX: ", "a chunk-size line or the trailers are"),
        (b"5;", "a chunk-size line is"),
    ],
)
def test_framing_without_end_is_a_protocol_error(endless: bytes, what: str) -> None:
    message = failure(CHUNKED + framed(b"Hello") + endless, b"y" * 2**16, error=ProtocolError, body=b"Hello")
    assert message == f"{what} larger than 65536 bytes"


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
