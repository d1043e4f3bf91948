"""The way through a proxy: by CONNECT and by SOCKS5, in any pieces, and every refusal."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Fault, Proxy, ProxyError
from sse_core.http.tunnel import Tunnel, tunnel_through
from support.core import cuts, unhurried

HTTP = Proxy.parse("http://proxy.test")
HTTP_LOGIN = Proxy.parse("http://me:s3cret@proxy.test")
SOCKS = Proxy.parse("socks5://proxy.test")
SOCKS_LOGIN = Proxy.parse("socks5h://me:s3cret@proxy.test")

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
HELLO = b"\x05\x01\x00"  # the only way to say who we are: not at all
FREE, LOGIN, NONE = b"\x05\x00", b"\x05\x02", b"\x05\xff"
WELCOME = b"\x01\x00"
CONNECTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"


def through(proxy: Proxy, host: str = "api.test", port: int = 443) -> Tunnel:
    return tunnel_through(proxy, host, port)


def talk(tunnel: Tunnel, answers: Iterable[bytes]) -> bytes:
    """Have the proxy give `answers` to what it is sent; return all of that."""
    sent = tunnel.data_to_send()
    assert tunnel.data_to_send() == b""
    for answer in answers:
        assert (tunnel.established, tunnel.error) == (False, None)
        tunnel.receive(answer)
        sent += tunnel.data_to_send()
    return sent


def refusal(proxy: Proxy, *answers: bytes, closed: bool = False) -> ProxyError:
    """The error that the last of these answers brings, however it is cut."""
    errors: list[ProxyError] = []
    for pieces in cuts(answers[-1]):
        tunnel = through(proxy)
        talk(tunnel, answers[:-1])
        for piece in [*pieces, *([b""] if closed else [])]:
            tunnel.receive(piece)
        assert not tunnel.established and tunnel.error is not None
        errors.append(tunnel.error)
        tunnel.receive(b"more")
        tunnel.receive(b"")
        assert tunnel.error is errors[-1] and tunnel.data_to_send() == b""
        assert "s3cret" not in str(tunnel.error)
    assert len({(error.status, error.fault, error.retryable) for error in errors}) == 1
    return errors[0]


# CONNECT.


@pytest.mark.parametrize(
    ("host", "port", "target"),
    [
        ("api.test", 443, b"api.test:443"),
        ("10.0.0.1", 80, b"10.0.0.1:80"),
        ("::1", 8443, b"[::1]:8443"),
    ],
)
def test_an_http_proxy_is_asked_by_connect(host: str, port: int, target: bytes) -> None:
    tunnel = through(HTTP, host, port)
    assert talk(tunnel, [ESTABLISHED]) == b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, target)
    assert tunnel.established and tunnel.error is None


def test_credentials_go_to_the_proxy() -> None:
    sent = through(HTTP_LOGIN).data_to_send()
    assert sent.endswith(b"\r\nProxy-Authorization: Basic bWU6czNjcmV0\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        ESTABLISHED,
        b"HTTP/1.0 200\r\n\r\n",
        b"HTTP/1.1 299 Fine\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_any_2xx_establishes_the_tunnel_with_its_head(answer: bytes) -> None:
    for pieces in cuts(answer):
        tunnel = through(HTTP)
        talk(tunnel, pieces)
        assert tunnel.established and tunnel.error is None


@pytest.mark.parametrize(
    ("status", "fault", "retryable"),
    [
        ("301 Moved", Fault.NETWORK, False),
        ("400 Bad Request", Fault.NETWORK, False),
        ("403 Forbidden", Fault.NETWORK, False),
        ("407 Proxy Authentication Required", Fault.CALLER, False),
        ("401 Unauthorized", Fault.CALLER, False),
        ("408 Request Timeout", Fault.NETWORK, True),
        ("429 Too Many Requests", Fault.NETWORK, True),
        ("500 Internal Server Error", Fault.NETWORK, True),
        ("502 Bad Gateway", Fault.NETWORK, True),
        ("503 Service Unavailable", Fault.NETWORK, True),
        ("504", Fault.NETWORK, True),
    ],
)
def test_another_status_is_a_refusal(status: str, fault: Fault, retryable: bool) -> None:
    error = refusal(HTTP_LOGIN, f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode())
    assert str(error) == f"the proxy answered {status}"
    assert (error.status, error.fault, error.retryable) == (int(status[:3]), fault, retryable)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ESTABLISHED + b"HTTP/1.1 200 OK\r\n", "the proxy sent more than its answer"),
        (ESTABLISHED + b"\x00", "the proxy sent more than its answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the proxy's answer is not HTTP/1.1: illegal status line"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "the proxy's answer is not HTTP/1.1: HTTP version '2.0'"),
    ],
)
def test_an_http_proxy_that_breaks_the_rules_is_an_error(answer: bytes, message: str) -> None:
    error = refusal(HTTP_LOGIN, answer)
    assert str(error).startswith(message)
    assert (error.status, error.fault, error.retryable) == (None, Fault.NETWORK, False)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200", ESTABLISHED])
def test_an_http_proxy_that_closes_is_an_error_to_try_again(answer: bytes) -> None:
    error = refusal(HTTP, answer, closed=True)
    assert (str(error), error.retryable) == ("the proxy closed the connection", True)


def test_the_head_of_a_proxys_answer_is_limited() -> None:
    tunnel = tunnel_through(HTTP, "api.test", 443, max_head_size=100)
    tunnel.receive(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100)
    assert str(tunnel.error).endswith("the response head is larger than 100 bytes")


# SOCKS5.


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("api.test", b"\x03\x08api.test"),
        ("a" * 255, b"\x03\xff" + b"a" * 255),
        ("10.0.0.1", b"\x01\x0a\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
    ],
)
def test_a_socks_proxy_is_asked_for_the_host_as_it_is(host: str, address: bytes) -> None:
    tunnel = through(SOCKS, host, 443)
    assert talk(tunnel, [FREE, CONNECTED]) == HELLO + b"\x05\x01\x00" + address + b"\x01\xbb"
    assert tunnel.established and tunnel.error is None


def test_a_socks_proxy_may_ask_who_we_are() -> None:
    tunnel = through(SOCKS_LOGIN)
    sent = talk(tunnel, [LOGIN, WELCOME, CONNECTED])
    assert sent == b"\x05\x02\x00\x02\x01\x02me\x06s3cret\x05\x01\x00\x03\x08api.test\x01\xbb"
    assert tunnel.established


def test_a_socks_proxy_need_not_ask_who_we_are() -> None:
    tunnel = through(SOCKS_LOGIN)
    assert b"s3cret" not in talk(tunnel, [FREE, CONNECTED])
    assert tunnel.established


@pytest.mark.parametrize(
    "answer",
    [
        CONNECTED,
        b"\x05\x00\x00\x04" + bytes(18),
        b"\x05\x00\x00\x03\x05proxy\x00\x50",
        b"\x05\x00\x00\x03\x00\x00\x00",
        b"\x05\x00\x00\x03\xff" + b"\xff" * 257,
    ],
)
def test_socks_answers_come_in_any_pieces(answer: bytes) -> None:
    for pieces in cuts(answer):
        tunnel = through(SOCKS_LOGIN)
        talk(tunnel, [LOGIN[:1], LOGIN[1:], WELCOME[:1], WELCOME[1:], *pieces])
        assert tunnel.established and tunnel.error is None


@pytest.mark.parametrize(
    ("code", "words", "retryable"),
    [
        (1, "general failure", True),
        (2, "not allowed by its rules", False),
        (3, "network unreachable", True),
        (4, "host unreachable", True),
        (5, "connection refused", True),
        (6, "time to live expired", True),
        (7, "command not supported", False),
        (8, "address type not supported", False),
        (240, "reply code 240", False),
    ],
)
@pytest.mark.parametrize("rest", [b"", b"\x00\x01" + bytes(6), b"\x00\x09"])
def test_each_refusal_of_a_socks_proxy_has_its_words(
    code: int, words: str, retryable: bool, rest: bytes
) -> None:
    error = refusal(SOCKS, FREE, bytes([5, code]) + rest)
    assert str(error) == f"the proxy made no connection: {words}"
    assert (error.status, error.fault, error.retryable) == (None, Fault.NETWORK, retryable)


@pytest.mark.parametrize(
    ("proxy", "answers", "message"),
    [
        (SOCKS, [NONE], "the proxy wants a user name and a password"),
        (SOCKS, [LOGIN], "the proxy wants a user name and a password"),
        (SOCKS_LOGIN, [NONE], "the proxy wants more than a user name and a password"),
        (SOCKS_LOGIN, [b"\x05\x01"], "the proxy wants more than a user name and a password"),
        (SOCKS_LOGIN, [LOGIN, b"\x01\x01"], "the proxy refused the user name or the password"),
    ],
)
def test_a_socks_proxy_that_wants_other_credentials_is_the_callers_fault(
    proxy: Proxy, answers: list[bytes], message: str
) -> None:
    error = refusal(proxy, *answers)
    assert (str(error), error.fault, error.retryable) == (message, Fault.CALLER, False)


@pytest.mark.parametrize(
    ("proxy", "answers", "message"),
    [
        (SOCKS, [FREE + b"\x05"], "the proxy sent more than its answer"),
        (SOCKS, [FREE, CONNECTED + b"\x16"], "the proxy sent more than its answer"),
        (SOCKS_LOGIN, [LOGIN + WELCOME], "the proxy sent more than its answer"),
        (SOCKS, [b"HTTP/1.1 400"], "the proxy's answer is not SOCKS5: b'H"),
        (SOCKS, [b"\x04\x00"], "the proxy's answer is not SOCKS5: b'\\x04"),
        (SOCKS, [b"\x05\x77"], "the proxy's answer is not SOCKS5: b'\\x05w"),
        (SOCKS, [FREE, b"\x05\x00\x00\x02\x00"], "the proxy's answer is not SOCKS5: b'\\x05"),
        (SOCKS_LOGIN, [LOGIN, b"\x05\x00"], "the proxy's answer is not SOCKS5: b'\\x05"),
    ],
)
def test_a_socks_proxy_that_breaks_the_rules_is_an_error(
    proxy: Proxy, answers: list[bytes], message: str
) -> None:
    error = refusal(proxy, *answers)
    assert str(error).startswith(message)
    assert (error.fault, error.retryable) == (Fault.NETWORK, False)


def test_a_socks_proxy_may_not_speak_before_it_is_asked() -> None:
    tunnel = through(SOCKS)
    tunnel.receive(FREE)
    assert tunnel.error is not None


@pytest.mark.parametrize("answers", [[b"\x05"], [FREE, b"\x05\x00"], [FREE, CONNECTED]])
def test_a_socks_proxy_that_closes_is_an_error_to_try_again(answers: list[bytes]) -> None:
    error = refusal(SOCKS, *answers, closed=True)
    assert (str(error), error.retryable) == ("the proxy closed the connection", True)


def test_a_host_that_socks_has_no_room_for_is_a_proxy_error() -> None:
    with pytest.raises(ProxyError, match="a host name of 255 bytes") as caught:
        through(SOCKS, "a" * 256)
    assert caught.value.fault is Fault.CALLER


def test_without_socksio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sse_core.http.socks", raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ProxyError, match=r"pip install 'sse-core\[socks\]'") as caught:
        through(SOCKS)
    assert (caught.value.fault, caught.value.retryable) == (Fault.CALLER, False)
    assert not through(HTTP).established


# Any bytes at all.

words = st.sampled_from(
    [ESTABLISHED, b"HTTP/1.1 407 No\r\n\r\n", FREE, LOGIN, NONE, WELCOME, CONNECTED, b"\x05"]
)


@unhurried
@given(
    st.sampled_from([HTTP, HTTP_LOGIN, SOCKS, SOCKS_LOGIN]),
    st.lists(words | st.binary(max_size=5), max_size=8),
    st.booleans(),
)
def test_no_bytes_raise_anything(proxy: Proxy, pieces: list[bytes], polite: bool) -> None:
    tunnel = through(proxy)
    for piece in pieces:
        if polite:
            tunnel.data_to_send()
        over = tunnel.error
        tunnel.receive(piece)
        assert over is None or tunnel.error is over
        assert not (tunnel.established and tunnel.error)
        assert "s3cret" not in str(tunnel.error)
