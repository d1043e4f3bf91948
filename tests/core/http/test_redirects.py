"""Redirects, by RFC 9110, 15.4: where they lead, what goes there, and which are not followed."""

from __future__ import annotations

import pytest

from sse_core import (
    URL,
    Acquire,
    Acquired,
    ConnectionFailed,
    Deadlines,
    Done,
    Failed,
    Limits,
    Open,
    Reason,
    Receive,
    Release,
    Request,
    Send,
    StartTLS,
    State,
    StatusError,
    Stop,
    StreamClosed,
    Verdict,
)
from sse_core.dialects.events import EventsDialect
from sse_core.http.redirects import PreparedRequest
from support.core import DONE, HEAD, LAST, Life, answer, framed, say

CLIENT = [
    ("Authorization", "Bearer secret"),
    ("X-Api-Key", "secret"),
    ("Cookie", "a=b"),
    ("User-Agent", "me"),
]


def redirect(location: str, status: int = 307) -> bytes:
    return answer(b"moved", f"Location: {location}", status=f"{status} Moved")


def asked(
    method: str = "POST",
    url: str = "https://api.test/v1",
    deadlines: Deadlines = Deadlines(),
    limits: Limits = Limits(),
) -> Life:
    request = Request(
        dialect=EventsDialect,
        method=method,
        path="/chat",
        headers=(("Content-Type", "application/json"), ("Last-Event-ID", "7")),
        body=b"{}" if method == "POST" else b"",
    )
    return Life(url, request=request, headers=CLIENT, deadlines=deadlines, limits=limits).ask()


def follow(life: Life, location: str, status: int = 307) -> str:
    """Have a redirect come, and return the request that follows it, headers in lower case."""
    life.receive(redirect(location, status))
    assert isinstance(life.action, Release), life.session.error
    assert isinstance(life.then(Done()), Acquire)
    life.reach()
    sent = [action.data for action in life.actions if isinstance(action, Send)]
    return sent[-1].decode().lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_the_method_and_the_body_are_kept_unless_the_status_says_get(status: int, method: str) -> None:
    life = asked(method)
    if method == "POST" and status in (301, 302):
        life.receive(redirect("/there", status))
        error = life.ended(Verdict.REFUSED, StatusError)  # D10: psf/requests#5494
        assert error.message == (
            f"the redirect was not followed: after a POST, {status} asks with GET and without the body"
        )
        return
    sent = follow(life, "/there", status)
    kept = status != 303
    assert sent.startswith(f"{method.lower() if kept else 'get'} /there http/1.1\r\n")
    assert ("\r\ncontent-type: application/json\r\n" in sent) is kept
    assert sent.endswith("\r\n\r\n{}") is (kept and method == "POST")
    assert ("content-length" in sent) is (kept and method != "GET")


@pytest.mark.parametrize(
    ("location", "opened", "target"),
    [
        ("/there", ("api.test", 443), "/there"),
        ("there?a=b#c", ("api.test", 443), "/v1/there?a=b"),
        ("?a=b", ("api.test", 443), "/v1/chat?a=b"),
        ("https://api.test", ("api.test", 443), "/"),
        ("https://API.test:8443/x", ("api.test", 8443), "/x"),
        ("//other.test/x y", ("other.test", 443), "/x%20y"),
        ("//b\xc3\xbccher.test/\xc3\xbc", ("xn--bcher-kva.test", 443), "/%c3%bc"),
        ("/\xfc", ("api.test", 443), "/%c3%bc"),
        ("https://[::1]/", ("::1", 443), "/"),
    ],
)
def test_a_location_is_resolved_against_the_request(
    location: str, opened: tuple[str, int], target: str
) -> None:
    life = asked()
    sent = follow(life, location)
    opening = [action for action in life.actions if isinstance(action, Open)][-1]
    assert (opening.host, opening.port) == opened
    assert sent.startswith(f"post {target} http/1.1\r\n")


@pytest.mark.parametrize(
    ("location", "same_origin"),
    [
        ("/there", True),
        ("https://api.test:443/there", True),
        ("https://other.test/there", False),
        ("https://api.test:444/there", False),
    ],
)
def test_another_origin_gets_no_credentials(location: str, same_origin: bool) -> None:
    sent = follow(asked(), location)
    assert ("secret" in sent) is same_origin
    assert ("cookie" in sent) is same_origin
    for always in (
        "user-agent: me",
        "last-event-id: 7",
        "content-type: application/json",
        "accept: text/event",
    ):
        assert always in sent
    assert sent.count("\r\nhost: ") == 1


def test_a_host_of_the_callers_does_not_go_to_another_origin() -> None:
    life = Life("http://10.0.0.1/", headers=[("Host", "api.test")]).ask()
    assert "\r\nhost: api.test\r\n" in follow(life, "/there")
    assert "\r\nhost: other.test\r\n" in follow(life, "http://other.test/")


@pytest.mark.parametrize(
    ("url", "location", "credentials"),
    [
        ("http://api.test/v1", "https://api.test/v1/chat", True),
        ("http://api.test:8080/", "https://api.test:8080/", True),
        ("http://api.test/", "https://api.test:8443/", False),
        ("http://api.test:8080/", "https://api.test/", False),
        ("http://api.test/", "https://www.api.test/", False),
        ("http://api.test/", "http://api.test:8080/", False),
    ],
)
def test_the_same_host_gets_the_credentials_by_https_too(url: str, location: str, credentials: bool) -> None:
    """D10: as it does for requests and browsers, which would have asked there first."""
    life = asked(url=url)
    sent = follow(life, location)
    assert any(isinstance(action, StartTLS) for action in life.actions) is location.startswith("https")
    assert ("secret" in sent) is credentials


def test_the_answer_to_the_last_request_is_the_stream() -> None:
    life = Life().ask()
    follow(life, "/there")
    life.receive(HEAD, framed(say("a"), DONE), LAST).end()
    life.ended_well(Verdict.COMPLETE)
    assert life.text == "a"
    assert life.session.response is not None and life.session.response.status == 200


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://api.test/", "it leads from https to http"),
        ("ftp://api.test/", "not an absolute http or https URL"),
        ("https://user:secret@other.test/", "credentials in a URL are not supported"),
        ("https://api.test:99999/", "the port is not a number up to 65535"),
    ],
)
def test_a_redirect_that_must_not_be_followed_is_a_status_error_that_says_why(
    location: str, why: str
) -> None:
    life = asked()
    life.receive(redirect(location))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert error.message.startswith("the redirect was not followed: ")
    assert why.lower() in error.message.lower()
    assert (error.status, error.body, error.retryable) == (307, b"moved", False)
    assert "secret" not in error.message


@pytest.mark.parametrize("most", [0, 1, 3])
def test_redirects_are_followed_up_to_a_limit(most: int) -> None:
    life = asked(limits=Limits(max_redirects=most))
    for number in range(most):
        follow(life, f"/{number}")
    life.receive(redirect("/again"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert error.message == f"the redirect was not followed: it is one more than {most}"


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
def test_other_statuses_are_no_redirects(status: int) -> None:
    life = asked()
    life.receive(redirect("/there", status))
    assert life.ended(Verdict.REFUSED, StatusError).message == "Moved"


@pytest.mark.parametrize("second", ["/there", "https://other.test/", ""])
def test_of_two_locations_none_is_followed(second: str) -> None:
    """E7."""
    life = asked()
    life.receive(answer(b"moved", "Location: /there", f"Location: {second}", status="307 Moved"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert error.message == "the redirect was not followed: it has more than one Location"


def test_a_prepared_request_shows_no_credentials() -> None:
    headers = (("Authorization", "Bearer s3cret"),)
    prepared = PreparedRequest(URL.parse("https://a.test"), "/v1?key=s3cret", "POST", headers, b"s3cret")
    assert repr(prepared) == "<PreparedRequest POST https://a.test/v1>"
    assert prepared.__rich_repr__() == []


def test_a_location_may_have_a_comma() -> None:
    assert follow(asked(), "/a, /b").startswith("post /a,%20/b http/1.1")


def test_a_redirect_to_nowhere_is_a_status_error() -> None:
    life = asked()
    life.receive(answer(b"", status="302 Found"))
    assert life.ended(Verdict.REFUSED, StatusError).message == "Found"


def test_a_failure_to_close_does_not_keep_a_redirect_from_being_followed() -> None:
    life = asked()
    life.receive(redirect("/there"))
    assert isinstance(life.then(Failed(Reason.NETWORK, "odd")), Acquire)


def test_a_redirect_can_be_cancelled() -> None:
    life = asked()
    life.receive(redirect("/there"))
    assert life.state is State.RELEASING
    assert life.then(Failed(Reason.CANCELLED)) == Stop()
    life.ended(Verdict.CANCELLED, StreamClosed)


def test_each_request_has_its_own_deadlines_and_all_have_the_total() -> None:
    life = asked(deadlines=Deadlines(connect=5, total=60))
    life.now += 30
    life.receive(redirect("/there"))
    life.then(Done())
    assert life.then(Acquired(reused=False)) == Open("api.test", 443, 1035.0)
    life.then(Done())
    life.then(Done())
    assert life.then(Done()) == Receive(1060.0)


def test_what_went_wrong_with_one_request_is_not_told_of_the_next() -> None:
    life = Life()
    life.start()
    life.then(Done())
    life.then(Failed(Reason.NETWORK, "broken pipe"))
    follow(life, "/there")
    life.receive(b"")
    assert "sending" not in str(life.ended(Verdict.UNREACHABLE, ConnectionFailed))
