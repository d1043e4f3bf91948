"""Ring 3: connections that were used before, those that may be used again, and those through a proxy."""

from __future__ import annotations

import pytest

from sse_core import (
    Acquire,
    Acquired,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Done,
    Failed,
    Fault,
    Limits,
    Open,
    Outcome,
    Proxies,
    Proxy,
    ProxyError,
    Reason,
    Receive,
    Received,
    Release,
    Send,
    StartTLS,
    State,
    StatusError,
    Stop,
    StreamClosed,
    Verdict,
)
from support.core import DONE, HEAD, LAST, Life, answer, framed, say

STREAM = "Content-Type: text/event-stream"


def reused(url: str = "http://api.test/v1") -> Life:
    life = Life(url)
    life.begin()
    assert isinstance(life.then(Acquired(reused=True)), Send)
    life.then(Done())
    return life


# Used before.


@pytest.mark.parametrize("url", ["http://api.test/", "https://api.test/"])
def test_a_connection_that_was_used_before_needs_no_opening(url: str) -> None:
    life = reused(url).receive(HEAD, framed(say("a"), DONE), LAST)
    life.ended_well(Verdict.COMPLETE)
    assert life.count(Open) == life.count(StartTLS) == 0


@pytest.mark.parametrize("outcomes", [[Received(b"")], [Failed(Reason.NETWORK, "reset")]])
@pytest.mark.parametrize("sent", [True, False])
def test_one_that_turns_out_to_be_dead_is_replaced_once(outcomes: list[Outcome], sent: bool) -> None:
    life = Life()
    life.begin()
    life.then(Acquired(reused=True))
    life.then(Done() if sent else Failed(Reason.NETWORK, "broken pipe"))
    for outcome in outcomes:
        life.then(outcome)
    assert life.action == Release(reuse=False)
    assert life.then(Done()) == Acquire("http://api.test", True, 1060.0)
    with pytest.raises(RuntimeError, match="is no answer to Acquire"):
        life.then(Acquired(reused=True))
    assert isinstance(life.then(Acquired(reused=False)), Open)
    life.reach()
    assert life.sent[0] == life.sent[1]
    life.receive(b"")
    life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert life.session.stats.attempts == 1


@pytest.mark.parametrize("came", [b"HTTP/1.1 100 Continue\r\n\r\n", b"H"])
def test_one_that_has_brought_anything_is_not_replaced(came: bytes) -> None:
    reused().receive(came, b"").ended(Verdict.UNREACHABLE, ConnectionFailed)


def test_one_that_is_only_slow_is_not_replaced() -> None:
    life = reused()
    life.then(Failed(Reason.DEADLINE))
    life.ended(Verdict.DEADLINE, DeadlineExceeded)


def test_closing_while_one_is_replaced() -> None:
    life = reused().receive(b"")
    assert life.then(Failed(Reason.CANCELLED)) == Stop()
    life.ended(Verdict.CANCELLED, StreamClosed)


def test_a_redirect_may_go_over_a_connection_that_was_used_before() -> None:
    life = Life().ask().receive(b"HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
    assert life.action == Release(reuse=True)
    assert life.then(Done()) == Acquire("http://api.test", False, 1060.0)
    life.then(Acquired(reused=True))
    life.reach().receive(HEAD, framed(DONE)).ended_well(Verdict.COMPLETE)


def test_waiting_for_one_can_fail_and_be_cancelled() -> None:
    for reason, verdict, error in (
        (Reason.NETWORK, Verdict.UNREACHABLE, ConnectionFailed),
        (Reason.DEADLINE, Verdict.DEADLINE, DeadlineExceeded),
        (Reason.CANCELLED, Verdict.CANCELLED, StreamClosed),
    ):
        life = Life()
        life.begin()
        assert life.then(Failed(reason, "odd")) == Release(reuse=False)
        life.ended(verdict, error)


# To be used again.


def release_after(*pieces: bytes) -> Release:
    action = Life().ask().receive(*pieces).action
    assert isinstance(action, Release)
    return action


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, framed(say("a"), DONE), LAST],
        [HEAD, framed(say("a"), DONE)],  # the rest of the body is for the pool to wait for
        [answer(say("a") + DONE, STREAM)],
        [answer(b"no", status="404 Not Found")],
        [answer(b"<html>", "Content-Type: text/html")],
        [answer(DONE, STREAM, "Content-Encoding: none-that-exists")],
    ],
)
def test_a_sound_connection_may_be_used_again(pieces: list[bytes]) -> None:
    assert release_after(*pieces) == Release(reuse=True)


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, framed(say("a")), b""],
        [HEAD, framed(say("a"), DONE) + b"zz\r\n"],
        [HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), framed(DONE)],
        [b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\n" + DONE],
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + DONE],
        [answer(DONE, STREAM) + b"HTTP/1.1 200 OK\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ],
)
def test_any_other_is_closed(pieces: list[bytes]) -> None:
    assert release_after(*pieces) == Release(reuse=False)


def test_one_that_was_lost_while_sending_is_closed_though_an_answer_came() -> None:
    life = Life()
    life.start()
    life.then(Done())
    life.then(Failed(Reason.NETWORK, "broken pipe"))
    life.receive(answer(b"no", status="413 Content Too Large"))
    assert life.action == Release(reuse=False)


@pytest.mark.parametrize("came", [HEAD, answer(b"so", status="500 Oops", length=9)])
def test_one_on_which_something_is_left_to_do_is_closed_by_closing(came: bytes) -> None:
    life = Life().ask().receive(came)
    assert life.then(Failed(Reason.CANCELLED)) == Release(reuse=False)


def test_what_is_left_of_the_response_is_for_the_exchange_to_read() -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), DONE))
    exchange = life.session.exchange
    assert not exchange.ended
    exchange.receive(LAST)
    assert exchange.ended


# Through a proxy.

HTTP = Proxy.parse("http://user:pass@proxy.test:3128")
HTTPS = Proxy.parse("https://proxy.test")
SOCKS = Proxy.parse("socks5://proxy.test:1080")
AUTHORIZATION = b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def through(
    proxy: Proxy | None, url: str = "https://api.test/v1", deadlines: Deadlines = Deadlines()
) -> Life:
    life = Life(url, proxies=Proxies(http=proxy, https=proxy), deadlines=deadlines)
    life.start()
    return life


def test_http_goes_to_the_proxy_by_its_whole_url() -> None:
    life = through(HTTP, "http://api.test:8080/v1?a=b")
    assert life.action == Open("proxy.test", 3128, 1010.0)
    life.reach()
    assert life.sent[0].startswith(b"POST http://api.test:8080/v1/chat/completions?a=b HTTP/1.1\r\n")
    assert AUTHORIZATION in life.sent[0] and b"\r\nHost: api.test:8080\r\n" in life.sent[0]
    life.receive(HEAD, framed(DONE)).ended_well(Verdict.COMPLETE)


def test_a_proxy_without_a_user_gets_no_credentials() -> None:
    life = through(Proxy.parse("http://proxy.test"), "http://api.test/").reach()
    assert b"Proxy-Authorization" not in life.sent[0]


def test_https_goes_through_a_tunnel_that_does_not_see_the_request() -> None:
    life = through(HTTP)
    assert life.action == Open("proxy.test", 3128, 1010.0)
    assert isinstance(life.then(Done(), after=1), Send)
    assert life.state.name == "ASKING_PROXY"
    assert life.sent[0].startswith(b"CONNECT api.test:443 HTTP/1.1\r\n") and AUTHORIZATION in life.sent[0]
    assert life.then(Done(), after=1) == Receive(1011.0)
    assert life.state.name == "AWAITING_PROXY"
    assert life.then(Received(CONNECTED[:20]), after=1) == Receive(1011.0)
    assert life.then(Received(CONNECTED[20:])) == StartTLS("api.test", 1013.0)
    life.then(Done())
    assert life.sent[1].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"Proxy-Authorization" not in life.sent[1]
    life.reach().receive(HEAD, framed(DONE)).ended_well(Verdict.COMPLETE)


def test_the_way_to_the_proxy_may_be_under_tls_itself() -> None:
    life = through(HTTPS)
    assert life.action == Open("proxy.test", 443, 1010.0)
    assert life.then(Done()) == StartTLS("proxy.test", 1010.0)
    assert isinstance(life.then(Done()), Send)
    life.then(Done())
    assert life.then(Received(CONNECTED)) == StartTLS("api.test", 1010.0)
    life = through(HTTPS, "http://api.test/")
    assert life.then(Done()) == StartTLS("proxy.test", 1010.0)
    assert isinstance(life.then(Done()), Send) and life.state is State.SENDING


def test_a_zone_is_for_this_machine_alone() -> None:
    url = "https://[fe80::1%25eth0]/"
    life = through(None, url)
    assert life.action == Open("fe80::1%eth0", 443, 1010.0)
    assert life.then(Done()) == StartTLS("fe80::1", 1010.0)
    life = through(Proxy.parse("https://[fe80::2%25eth0]"), url)
    assert life.action == Open("fe80::2%eth0", 443, 1010.0)
    assert life.then(Done()) == StartTLS("fe80::2", 1010.0)
    life.then(Done())
    assert life.sent[0].startswith(b"CONNECT [fe80::1]:443 HTTP/1.1\r\n")
    life.then(Done())
    assert life.then(Received(CONNECTED)) == StartTLS("fe80::1", 1010.0)


def test_an_absolute_name_is_certified_without_its_dot() -> None:
    life = through(Proxy.parse("https://proxy.test."), "https://api.test./")
    assert life.action == Open("proxy.test.", 443, 1010.0)
    assert life.then(Done()) == StartTLS("proxy.test", 1010.0)
    life.then(Done())
    assert life.sent[0].startswith(b"CONNECT api.test.:443 HTTP/1.1\r\n")
    life.then(Done())
    assert life.then(Received(CONNECTED)) == StartTLS("api.test", 1010.0)
    life.then(Done())
    assert b"\r\nHost: api.test.\r\n" in life.sent[1]


@pytest.mark.parametrize("url", ["http://api.test/", "https://api.test/"])
def test_socks_leads_to_either(url: str) -> None:
    life = through(SOCKS, url)
    assert life.action == Open("proxy.test", 1080, 1010.0)
    assert life.then(Done()) == Send(b"\x05\x01\x00", 1010.0)
    life.then(Done())
    assert isinstance(life.then(Received(b"\x05\x00")), Send)
    assert b"api.test" in life.sent[1]
    life.then(Done())
    life.then(Received(b"\x05\x00\x00\x01" + bytes(6)))
    assert life.count(StartTLS) == url.startswith("https")
    life.reach()
    assert life.sent[-1].startswith(b"POST /chat/completions HTTP/1.1\r\n")


def test_a_connection_through_a_proxy_is_not_one_without() -> None:
    origins: list[str] = []
    for proxies in (Proxies(), Proxies(http=HTTP), Proxies(http=SOCKS)):
        life = Life(proxies=proxies)
        life.begin()
        assert isinstance(life.action, Acquire)
        origins.append(life.action.pool_key)
    through = (
        "http://api.test through http://proxy.test:3128",
        "http://api.test through socks5://proxy.test:1080",
    )
    assert origins == ["http://api.test", *through]


def test_a_proxy_that_refuses() -> None:
    life = through(HTTP).reach().receive(answer(b"", status="407 Who are you?"))
    error = life.ended(Verdict.UNREACHABLE, ProxyError)
    assert (error.status, error.retryable, error.response) == (407, False, None)


def test_a_proxy_that_refuses_a_request_that_it_sees() -> None:
    """C11: it asks for credentials of its own."""
    life = through(HTTP, "http://api.test/").reach().receive(answer(b"", status="407 Who are you?"))
    error = life.ended(Verdict.REFUSED, ProxyError)
    assert (error.status, error.fault, error.retryable) == (407, Fault.CALLER, False)
    assert str(error).startswith("api.test through http://proxy.test:3128: HTTP 407: Who are you?")


@pytest.mark.parametrize(("url", "seen"), [("http://api.test/", True), ("https://api.test/", False)])
def test_what_a_proxy_may_have_answered_is_said_to_come_through_it(url: str, seen: bool) -> None:
    """C11."""
    life = through(HTTP, url).reach()
    if not seen:
        life.receive(CONNECTED).reach()
    life.receive(answer(b"", status="503 No"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert (error.message, error.proxy) == ("No", "http://proxy.test:3128" if seen else "")
    through_it = " (through the proxy http://proxy.test:3128)" if seen else ""
    assert str(error) == f"HTTP 503: No, for POST {url}chat/completions{through_it}"


@pytest.mark.parametrize("step", [0, 1])
def test_a_proxy_that_is_lost_on_the_way(step: int) -> None:
    life = through(HTTP)
    life.then(Done())
    for _ in range(step):
        life.then(Done())
    where = life.state.value
    assert life.then(Failed(Reason.NETWORK, "reset")) == Release(reuse=False)
    error = life.ended(Verdict.UNREACHABLE, ProxyError)
    assert str(error) == f"api.test through http://proxy.test:3128, {where}: reset"
    assert error.retryable


def test_a_proxy_that_closes_the_connection() -> None:
    life = through(HTTP).reach().receive(b"")
    assert life.ended(Verdict.UNREACHABLE, ProxyError).retryable


def test_a_proxy_that_is_not_there() -> None:
    life = through(HTTP)
    life.then(Failed(Reason.NETWORK, "refused"))
    error = life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert str(error) == "api.test through http://proxy.test:3128, opening a connection: refused"


def test_a_proxy_that_cannot_be_used_is_an_error_of_the_stream_that_needs_it() -> None:
    """D6: also if it is a redirect that leads there. Nothing is connected, nor an open connection used."""
    proxies = Proxies.from_environment({"HTTPS_PROXY": "socks4://p"})
    life = Life("http://api.test/", proxies=proxies).ask()
    life.receive(answer(b"", "Location: https://other.test/", status="307 There"))
    opened = life.count(Open)
    assert life.then(Done()) == Acquire("https://other.test", True, 1060.0)
    assert life.then(Acquired(reused=False)) == Release(reuse=False)
    error = life.ended(Verdict.UNREACHABLE, ProxyError)
    assert str(error).startswith("HTTPS_PROXY: the scheme of a proxy is ")
    assert life.count(Open) == opened


def test_a_name_that_no_proxy_can_be_asked_for() -> None:
    life = through(SOCKS, f"http://{'.'.join(['a' * 60] * 5)}/")
    life.then(Done())
    life.ended(Verdict.UNREACHABLE, ProxyError)


def test_getting_through_has_the_deadline_of_connecting_once_more() -> None:
    life = through(HTTP, deadlines=Deadlines(connect=5))
    life.then(Done(), after=4)
    assert life.then(Done(), after=4) == Receive(1009.0)
    life.then(Failed(Reason.DEADLINE), after=1)
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == ("connect", 5)


def test_an_answer_that_comes_too_late_is_not_followed() -> None:
    life = through(HTTP, deadlines=Deadlines(total=5)).reach()
    life.then(Received(CONNECTED), after=5)
    life.ended(Verdict.DEADLINE, DeadlineExceeded)


def test_a_proxy_may_not_send_an_endless_head() -> None:
    proxies = Proxies(https=HTTP)
    life = Life("https://api.test/", proxies=proxies, limits=Limits(max_head_size=100)).ask()
    life.receive(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 101).ended(Verdict.UNREACHABLE, ProxyError)


def test_redirects_go_through_the_proxy_that_is_meant_for_them() -> None:
    life = Life(proxies=Proxies(https=HTTP)).ask()
    assert Open("api.test", 80, 1010.0) in life.actions
    life.receive(b"HTTP/1.1 307 There\r\nLocation: https://other.test/x\r\n\r\n").again()
    assert life.actions[-3] == Open("proxy.test", 3128, 1010.0)
    assert life.sent[-1].startswith(b"CONNECT other.test:443 ")
    life.receive(CONNECTED)
    assert life.action == StartTLS("other.test", 1010.0)
    life.reach()
    assert life.sent[-1].startswith(b"POST /x ")
