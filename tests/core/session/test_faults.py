"""What real servers, networks and callers broke in the life of a stream, by the rows of their kinds."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from sse_core import (
    Acquire,
    Acquired,
    BodyTruncated,
    DeadlineExceeded,
    Deadlines,
    Deliver,
    Done,
    Failed,
    Limits,
    NotAnEventStream,
    Open,
    ProtocolError,
    Reason,
    Receive,
    Received,
    Reconnects,
    Release,
    Retries,
    Sleep,
    StatusError,
    StreamIncomplete,
    Verdict,
    Yield,
)
from sse_core.dialects import events, mcp
from support.core import DONE, FINISH, HEAD, LAST, Life, answer, framed, say

CALL = mcp.post(mcp.JSONRPCRequest(id=1, method="ping"))
JSON = "Content-Type: application/json"
COMPRESSED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def source(**options: Any) -> Life:
    return Life(
        request=events.source("/", reconnects=Reconnects(**options)) if options else events.source("/")
    )


def test_a1_decoding_stops_at_a_deadline() -> None:
    """What gives no chunk is decoded in steps, between which the deadline is compared."""
    bomb = framed(gzip.compress(b":" * 2**24))
    life = Life(deadlines=Deadlines(total=10), limits=Limits(max_expansion=10**6)).ask()
    life.receive(COMPRESSED)
    life.then(Received(bomb))
    assert isinstance(life.action, Yield)
    life.then(Done(), after=5)
    assert isinstance(life.action, Yield)
    life.then(Done(), after=6)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"


def test_a1_a_refused_body_is_decoded_in_steps_too() -> None:
    body = gzip.compress(gzip.compress(gzip.compress(b"x" * 2**24)))
    head = answer(b"", "Content-Encoding: gzip, gzip, gzip", status="400 Bad", length=len(body))
    life = Life().ask().receive(head)
    life.then(Received(body))
    for _ in range(1000):
        if not isinstance(life.action, Yield):
            break
        life.then(Done(), after=0.01)
    assert isinstance(life.action, Release)
    assert len(life.ended(Verdict.REFUSED, StatusError).body) == Limits().max_error_body


def test_a1_no_step_does_more_than_so_much_work() -> None:
    """The guard of the class: the most expensive input, counted between two looks at the clock."""
    for piece in (b":" * 2**20, b"data: " + b"x" * 2**20, b"\n" * 2**20, say("a") * 2**13):
        life = Life(request=events.request(), limits=Limits(max_expansion=10**6)).ask().receive(COMPRESSED)
        life.then(Received(framed(gzip.compress(piece))))
        steps = [life.action]
        while isinstance(life.action, Yield | Deliver):
            steps.append(life.then(Done()))
        delivered = [len(step.chunks) for step in steps if isinstance(step, Deliver)]
        assert max(delivered, default=0) <= 2**17  # one for each two bytes of a step at the most
        assert len(steps) >= len(piece) // 2**17


@pytest.mark.parametrize(
    ("deadline", "seconds"), [("first_event", 1.0), ("between_bytes", 1.0), ("total", 1.0)]
)
def test_a4_documents_have_deadlines(deadline: str, seconds: float) -> None:
    life = Life(request=CALL, deadlines=Deadlines(**{deadline: seconds})).ask()
    life.receive(answer(b"", JSON, length=100))
    for _ in range(100):
        if not isinstance(life.action, Receive):
            break
        assert life.action.deadline is not None
        if deadline == "between_bytes":
            life.then(Failed(Reason.DEADLINE), after=1.0)
        else:
            life.then(Received(b" "), after=0.3)
    expected = deadline if deadline != "first_event" else "first_event"
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == expected


def test_a5_a_refusal_while_the_request_is_sent_is_delivered() -> None:
    """The transport says that it stopped to send, since something had come (RFC 9112, 9.5)."""
    life = Life()
    life.start()
    while not life.sent:
        life.then(Done())
    life.then(Failed(Reason.NETWORK, "the peer answered before all was sent"))
    life.receive(answer(b"", status="413 Too Large"))
    assert life.action == Release(reuse=False)
    assert life.ended(Verdict.REFUSED, StatusError).status == 413


def test_a7_what_is_named_first_runs_from_the_first_request() -> None:
    there = b"HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
    life = Life(deadlines=Deadlines(first_content=1)).ask()
    for _ in range(3):
        life.then(Received(there), after=0.25)
        life.then(Done())
        life.reach()
    assert isinstance(life.action, Receive) and life.action.deadline == 1001.0
    life.then(Failed(Reason.DEADLINE), after=0.25)
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == ("first_content", 1.0)


def test_a9_no_server_is_asked_all_the_time() -> None:
    life = source().ask()
    for number in range(20):
        life.receive(HEAD, framed(b"retry: 0\nid: %d\ndata: 1\n\n" % number), LAST)
        assert isinstance(life.then(Done()), Sleep)
        life.wake().reach()
    assert life.now - 1000 >= 20 * Reconnects().min_delay - 0.001


NOT_UNDERSTOOD = {
    "another provider's chunks": b'data: {"type":"content_block_delta","delta":{"text":"a"}}\n\n' + DONE,
    "html": b"<html>\n<p>Sign in</p>\n</html>\n" + DONE,
    "lines of json": b'{"response":"a"}\n{"response":"b"}\n' + DONE,
    "misspelled field names": b"dta: hello\n\nDATA: hello\n\n" + DONE,
}


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_c1_an_end_marker_is_no_success(body: bytes) -> None:
    """decolua/9router#3492, earendil-works/pi#2537, open-legal-products/mike#379."""
    life = Life().ask().receive(HEAD, framed(body), LAST).end()
    assert life.session.verdict in (Verdict.UNFINISHED, Verdict.REFUSED)
    assert isinstance(life.session.error, StreamIncomplete | NotAnEventStream)


def test_c1_an_empty_answer_is_one() -> None:
    Life().ask().receive(HEAD, framed(DONE), LAST).ended_well(Verdict.COMPLETE)


@pytest.mark.parametrize(
    ("head", "body", "seconds"),
    [
        ("Retry-After: 7", {}, 7.0),
        ("retry-after-ms: 1500", {}, 1.5),
        ("X-Other: 1", {"error": {"message": "Rate limit reached. Please try again in 20s."}}, 20.0),
        ("x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 12s", {}, 12.0),
    ],
)
def test_c4_the_wait_that_a_provider_asks_for_is_kept(head: str, body: Any, seconds: float) -> None:
    """vercel/ai#18627."""
    life = Life(retries=Retries(attempts=1)).ask()
    life.receive(answer(json.dumps(body).encode(), head, status="429 Too Many Requests"))
    slept = life.then(Done())
    assert isinstance(slept, Sleep) and slept.deadline == pytest.approx(life.now + seconds)
    life.wake().reach().receive(answer(json.dumps(body).encode(), head, status="429 Too Many Requests"))
    assert life.ended(Verdict.REFUSED, StatusError).retry_after == seconds


@pytest.mark.parametrize(
    ("framing", "verdict"), [("", Verdict.FINISHED), ("Content-Length: 500\r\n", Verdict.BODY_CUT)]
)
def test_c12_a_connection_that_ends_in_any_way_behind_the_end(framing: str, verdict: Verdict) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{framing}\r\n".encode()
    life = Life("https://api.test/").ask().receive(head, say("a") + FINISH)
    life.then(Failed(Reason.NETWORK, "no close_notify"))
    assert life.action == Release(reuse=False)
    if verdict is Verdict.FINISHED:
        life.ended_well(verdict)
    else:
        life.ended(verdict, BodyTruncated)


def test_c12_but_not_before_the_end() -> None:
    life = Life().ask().receive(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", say("a"))
    life.then(Failed(Reason.NETWORK, "no close_notify"))
    life.ended(Verdict.BODY_CUT, BodyTruncated)


def test_c13_an_error_says_what_was_asked_without_what_is_secret() -> None:
    life = Life("http://api.test/v1?key=s3cret").ask().receive(answer(b"", status="404 Not Found"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert error.request == "POST http://api.test/v1/chat/completions"
    assert str(error) == f"HTTP 404: Not Found, for {error.request}"


def test_c14_a_source_survives_a_deploy() -> None:
    busy = answer(b"", "Retry-After: 9", status="503 Busy")
    life = source().ask().receive(HEAD, framed(b"id: 1\ndata: a\n\n"), LAST)
    life.then(Done())
    life.wake().reach().receive(busy)
    slept = life.then(Done())
    assert isinstance(slept, Sleep) and slept.deadline - life.now >= 9
    life.wake().reach().receive(answer(b"", status="404 Gone"))
    life.ended(Verdict.REFUSED, StatusError)


def test_c14_the_standard_has_no_such_statuses() -> None:
    life = source(statuses=frozenset()).ask().receive(answer(b"", status="503 Busy"))
    life.ended(Verdict.REFUSED, StatusError)


def test_c15_a_quiet_source_is_no_failing_one() -> None:
    """punkpeye/fastmcp#120, google-gemini/gemini-cli#4333, anomalyco/opencode#29190."""
    life = source().ask()
    for _ in range(20):
        life.receive(HEAD, framed(b": ping\n\n"))
        life.then(Failed(Reason.NETWORK, "idle timeout"), after=30)
        assert isinstance(life.then(Done()), Sleep)
        life.wake().reach()


@pytest.mark.parametrize("attempts", [2, None])
def test_c15_one_that_brings_nothing_gives_up_unless_it_may_try_for_ever(attempts: int | None) -> None:
    life = source(attempts=attempts).ask()
    for _ in range(20):
        life.receive(HEAD, LAST)
        if life.session.verdict is not None:
            break
        life.then(Done())
        life.wake().reach()
    assert life.session.verdict is (None if attempts is None else Verdict.GAVE_UP)


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 201 Created\r\nContent-Type: text/event-stream\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html, text/event-stream\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: none\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n",
    ],
)
def test_d3_a_head_that_says_something_else_than_the_bytes(head: str) -> None:
    """microsoft/foundry-dev-tools#195, sigoden/aichat#651."""
    life = Life().ask().receive(head.encode() + b"\r\n", b"\n", b": hi\n\nda", b"ta" + say("a")[4:] + DONE)
    assert life.ended_well(Verdict.COMPLETE).text == "a"


def test_d3_a_plain_event_stream_is_as_strict_as_the_standard() -> None:
    life = Life(request=events.request()).ask()
    life.receive(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ndata: a\n\n", b"")
    life.ended(Verdict.REFUSED, NotAnEventStream)


def test_d4_the_limit_on_header_fields_is_an_option() -> None:
    """cpython#131724."""
    fields = "".join(f"X-{number}: y\r\n" for number in range(300))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{fields}\r\n".encode()
    Life().ask().receive(head, say("a") + DONE).ended_well(Verdict.COMPLETE)
    life = Life(limits=Limits(max_header_fields=200)).ask().receive(head)
    life.ended(Verdict.INVALID, ProtocolError)


def test_f4_a_408_that_races_a_reused_connection_is_asked_again() -> None:
    life = Life()
    life.begin()
    life.then(Acquired(reused=True))
    life.reach().receive(answer(b"", "Connection: close", status="408 Request Timeout"))
    assert life.action == Release(reuse=False)
    again = life.then(Done())
    assert isinstance(again, Acquire) and again.fresh
    assert isinstance(life.then(Acquired(reused=False)), Open)
    life.reach().receive(answer(b"", status="408 Request Timeout"))
    life.ended(Verdict.REFUSED, StatusError)
