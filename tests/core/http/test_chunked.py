"""The short ways through a body give what h11 alone gives, for any bytes, however they are cut."""

from __future__ import annotations

import pickle
import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sse_core import BodyTruncated, Exchange, ProtocolError
from sse_core.http.chunked import ChunkedFraming
from support.core import PlainExchange

HEADS = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"\r\n",
]
CANONICAL = [b"5\r\nhello\r\n", b"A\r\n0123456789\r\n", b"2\r\n\r\n\r\n", b"1\r\n0\r\n"]
LAST = [b"0\r\n\r\n", b"00\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0;a=b\r\n\r\n"]
ODD = [
    b"05\r\nhello\r\n",
    b"5;a=b\r\nhello\r\n",
    b"05; a ;b\t\r\nhello\r\n",
    b"5;a\rb\r\r\nhello\r\n",
    b"5;a\nb\r\nhello\r\n",
    b"5;a\n",
    b"5 \r\nhello\r\n",
    b"5 \t \r\nhello\r\n",
    b"5 5\r\n",
    b"5 \rx\r\n",
    b"5;",
    b"5 ",
    b"5\r\nhelloX\r\n",
    b"5\r\nhello\n\r",
    b"5\nhello\r\n",
    b"-1\r\n",
    b"+5\r\nhello\r\n",
    b"0x5\r\nhello\r\n",
    b"1_0\r\n0123456789012345\r\n",
    b"zz\r\n",
    b"zzzzzzzzzzz",
    b"ffffff\r\nabc",
    b"123456789\r\n",
    b"ffffffffffffffffffff\r\nabc",
    b"00000000000000000000a\r\nabc",
    b"5\r\nhel",
    b"5\r\nhello\r",
    b"\r\n",
    b"\r",
    b"1",
]
EXTENSIONS = [b"", b";", b";a", b";a=b", b'; a = "b"', b";a ;b"]
SPACE_AND_EXTENSION = re.compile(rb"[0-9A-Fa-f][ \t]+;")
"""What h11 refuses, and RFC 9112, 7.1.1, allows."""
BODIES = st.lists(st.sampled_from([*CANONICAL * 6, *LAST, *ODD]) | st.binary(max_size=3), max_size=8)


def received(exchange: Exchange, pieces: list[bytes]) -> list[object]:
    """All that can be seen after each piece, and after the end."""
    seen: list[object] = []
    body = b""
    for piece in [*filter(None, pieces), b""]:
        body += exchange.receive(piece)
        seen.append((body, exchange.ended, exchange.excess_data, type(exchange.error), exchange.response))
    return seen


def new(kind: type[Exchange] = Exchange) -> Exchange:
    return kind("GET", "/", [("Host", "localhost")])


@given(st.sampled_from([*HEADS[:1] * 6, *HEADS[1:]]), BODIES, st.data())
@example(HEADS[0], [b"5\r\nhello\r", b"X"], None)
def test_any_bytes_in_any_pieces_give_what_h11_gives(
    head: bytes, body: list[bytes], data: st.DataObject | None
) -> None:
    stream = head + b"".join(body)
    assume(not SPACE_AND_EXTENSION.search(stream))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8)) if data else []
    for pieces in (
        [stream[start:end] for start, end in pairwise([0, *sorted(cuts), len(stream)])],
        [stream[at : at + 1] for at in range(len(stream))],
    ):
        ours, theirs = received(new(), pieces), received(new(PlainExchange), pieces)
        at = next(
            (at for at, (our, their) in enumerate(zip(ours, theirs, strict=True)) if our != their), None
        )
        assert at is None or refused_too_at_the_end_of_the_line(pieces, at, ours[at])


def refused_too_at_the_end_of_the_line(pieces: list[bytes], at: int, seen: object) -> bool:
    """Whether h11 makes the same of a response once the line that ours refuses at once has its end (A8)."""
    exchange = new(PlainExchange)
    so_far = [*filter(None, pieces), b""][: at + 1]
    body = b"".join(map(exchange.receive, [*filter(None, so_far), b"\r\n", b"\r\n"]))
    return seen == (body, False, False, ProtocolError, exchange.response)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"", b" ", b"\t \t"]), st.sampled_from(EXTENSIONS), st.integers(0, 20))
    ),
    st.lists(st.integers(0, 500), max_size=8),
)
def test_white_space_before_an_extension_makes_no_difference(
    chunks: list[tuple[bytes, bytes, int]], cuts: list[int]
) -> None:
    spaced, plain = (
        HEADS[0]
        + b"".join(
            b"%x%b%b\r\n%b\r\n" % (size, space if kept and extension else b"", extension, b";" * size)
            for space, extension, size in chunks
        )
        for kept in (True, False)
    )
    whole = received(new(PlainExchange), [plain])[-1]
    inside = sorted(cut % len(spaced) for cut in cuts)
    for pieces in (
        [spaced[start:end] for start, end in pairwise([0, *inside, len(spaced)])],
        [spaced[at : at + 1] for at in range(len(spaced))],
    ):
        assert received(new(), pieces)[-1] == whole


@pytest.mark.parametrize("size", [999, 1000, 1001])
@pytest.mark.parametrize("step", [1, 7, 5000])
def test_a_limit_on_framing_is_the_same_however_it_comes(size: int, step: int) -> None:
    for framing in (
        b"5;" + b"x" * (size - 4) + b"\r\nhello\r\n0\r\n\r\n",
        b"5" + b" " * (size - 3) + b"\r\nhello\r\n0\r\n\r\n",
        b"0;" + b"x" * (size - 4) + b"\r\nA: b\r\n\r\n",
        b"0\r\nX: " + b"x" * (size - 7) + b"\r\n\r\nbehind",
    ):
        exchange = Exchange("GET", "/", [("Host", "localhost")], max_head_size=1000)
        exchange.receive(HEADS[0])
        for at in range(0, len(framing), step):
            exchange.receive(framing[at : at + step])
        assert (exchange.ended, isinstance(exchange.error, ProtocolError)) == (size <= 1000, size > 1000)


def test_a_first_line_without_end_is_not_kept() -> None:
    chunks, body = ChunkedFraming(max_line=10**9), list[bytes]()
    for piece in (b"5", b" ", b";"):
        assert chunks.feed(piece * (1 if piece == b"5" else 10**6), body) == b""
    assert len(pickle.dumps(chunks)) < 1000
    assert (chunks.feed(b"\r\nhello\r\n", body), body) == (b"", [b"hello"])


def test_data_comes_out_of_an_unfinished_chunk() -> None:
    exchange = new()
    assert exchange.receive(HEADS[0] + b"ff\r\nsome") == b"some"
    assert exchange.receive(b" more") == b" more"


@pytest.mark.parametrize(
    ("sent", "missing"), [(b"5\r\n", 7), (b"5\r\nhel", 4), (b"5\r\nhello", 2), (b"5\r\nhello\r", 1)]
)
def test_a_cut_says_how_much_of_the_chunk_was_missing(sent: bytes, missing: int) -> None:
    exchange = new()
    exchange.receive(HEADS[0] + sent)
    exchange.receive(b"")
    assert isinstance(exchange.error, BodyTruncated)
    assert str(exchange.error) == f"the connection ended {missing} bytes before the end of a chunk"
    assert exchange.error.response is exchange.response


def test_a_chunk_that_does_not_end_in_crlf_is_an_error_behind_its_data() -> None:
    exchange = new()
    assert exchange.receive(HEADS[0] + b"5\r\nhello!!") == b"hello"
    assert isinstance(exchange.error, ProtocolError)
    assert exchange.error.response is exchange.response
    assert exchange.receive(b"5\r\nhello\r\n") == b""


@pytest.mark.parametrize("size", [16, 1000])
def test_the_limit_on_the_head_is_the_same_however_it_comes(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500 + b"\r\n\r\n"
    for step in (1, 7, len(head)):
        exchange = Exchange("GET", "/", [("Host", "localhost")], max_head_size=size)
        for at in range(0, len(head), step):
            exchange.receive(head[at : at + step])
        assert isinstance(exchange.error, ProtocolError) is (size < len(head))
        assert (exchange.response is None) is (size < len(head))
