"""What can be no head is an error at once, and all else is what h11 says (A8)."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ProtocolError
from sse_core.http.heads import STATUS, WHOLE_HEAD, HeadScanner
from support.core import unhurried

STARTS = [
    *[b"HTTP/1.1 200 OK\r\n"] * 8,
    *(
        b"HTTP/1.0 404\n",
        b"HTTP/1.1 999 \r\n",
        b"HTTP/1.1 200 O K\t\xe9\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.",
        b"",
    ),
]
PARTS = [
    *[
        b"X: y\r\n",
        b"X:y\n",
        b"x-y!: \t z \r\n",
        b"X:\r\n",
        b" folded\r\n",
        b"\t\r\n",
        b"X",
        b":",
        b" ",
        b"\r\n",
    ]
    * 2,
    *(b"\r", b"\n", b"\0", b"\v", b"\f", b"\xff", b"(", b"y", b"X : y\r\n", b": y\r\n", b"\r\n\r\n"),
]


def joined(start: bytes, parts: list[bytes]) -> bytes:
    return start + b"".join(parts)


heads = st.builds(
    joined,
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(PARTS) | st.binary(max_size=2), max_size=10),
)


def scans(data: bytes) -> bool:
    try:
        HeadScanner(status_line=True).feed(data)
    except ProtocolError:
        return False
    return True


def h11_takes(data: bytes) -> bool:
    """Whether h11 finds a head in this, or may still do so."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    try:
        connection.next_event()
    except h11.RemoteProtocolError:
        return False
    return True


@unhurried
@given(heads)
def test_a_head_is_right_if_h11_says_so(data: bytes) -> None:
    blank = min((end for end in (data.find(b"\n\n") + 2, data.find(b"\n\r\n") + 3) if end > 2), default=0)
    if blank:
        whole = WHOLE_HEAD.fullmatch(data, 0, blank) is not None
        assert scans(data) == scans(data[:blank]) == h11_takes(data[:blank]) == whole
    elif scans(data):
        ends = (b"", b"\n", b"\n\n", b"y:\n\n", b":\n\n", STATUS[len(data) :] + b"\n\n")
        assert any(h11_takes(data + end) for end in ends if (data + end).endswith(b"\n")), "too late"
    else:
        assert not h11_takes(data + b"\n\n"), "too soon"


@unhurried
@given(heads)
def test_any_head_fares_the_same_byte_by_byte(data: bytes) -> None:
    for status_line in (True, False):
        whole, piecewise = HeadScanner(status_line=status_line), HeadScanner(status_line=status_line)
        faults = ["", ""]
        try:
            whole.feed(data)
        except ProtocolError as error:
            faults[0] = str(error)
        for at in range(len(data)):
            try:
                piecewise.feed(data[at : at + 1])
            except ProtocolError as error:
                faults[1] = str(error)
                break
        assert bool(faults[0]) == bool(faults[1])  # the words depend on how much of the line is there


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "illegal status line: b'SSH-2.0-OpenSSH_9.6'"),
        (b"HTTP/2.0 200 OK\r\n", "HTTP version '2.0' is neither 1.0 nor 1.1"),
        (b"HTTP/1.1 200 OK\0\r\n", "illegal status line: b'HTTP/1.1 200 OK\\x00'"),
        (b"HTTP/1.1 200 OK\r\nno field\r\nX: y\r\n", "illegal header line: b'no field'"),
        (b"HTTP/1.1 200 OK\r\nX: y\0" + b"z" * 100, f"illegal header line: b'X: y\\x00{'z' * 55}'"),
    ],
)
def test_the_line_that_is_at_fault_is_shown(data: bytes, fault: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        HeadScanner(status_line=True).feed(data)
    assert str(caught.value) == fault
