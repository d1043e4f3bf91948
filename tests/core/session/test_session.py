"""Ring 3: lives of sessions, each told from its start to its end."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given

from sse_core import (
    Acquired,
    ApiError,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Deliver,
    Done,
    EventTooLarge,
    Failed,
    Fault,
    InvalidChunk,
    Limits,
    NotAnEventStream,
    Open,
    Outcome,
    ProtocolError,
    Reason,
    Receive,
    Received,
    Release,
    Request,
    Send,
    StartTLS,
    State,
    StatusError,
    Stop,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    Verdict,
    __version__,
)
from sse_core.dialects import events, groq, mcp, openai
from support.core import DONE, ERROR, FINISH, HEAD, LAST, Life, answer, cut_at, framed, places, say, unhurried

STREAM = "Content-Type: text/event-stream"


def refused(head: bytes, *pieces: bytes, limits: Limits = Limits()) -> Life:
    return Life(limits=limits).ask().receive(head, *pieces, b"").end()


# Good lives.


def test_a_happy_life() -> None:
    life = Life()
    assert life.start() == Open("api.test", 80, 1010.0)
    sent = life.then(Done())
    assert isinstance(sent, Send) and sent.deadline == 1120.0
    assert life.then(Done()) == Receive(1120.0)
    assert life.then(Received(HEAD)) == Deliver([])
    assert life.then(Done()) == Receive(1120.0)
    assert isinstance(life.then(Received(framed(say("Hel")))), Deliver)
    assert life.then(Done()) == Receive(1120.0)
    assert isinstance(life.then(Received(framed(say("lo"), FINISH, DONE))), Deliver)
    assert isinstance(life.then(Done()), Release)
    assert life.then(Done()) == Stop()
    assert life.text == "Hello"
    life.ended_well(Verdict.COMPLETE)
    assert life.session.response is not None and life.session.response.status == 200


def test_a_life_under_tls() -> None:
    life = Life("https://api.test/v1")
    assert life.start() == Open("api.test", 443, 1010.0)
    assert life.then(Done()) == StartTLS("api.test", 1010.0)
    assert isinstance(life.then(Done()), Send)
    assert isinstance(life.then(Done()), Receive)
    life.receive(HEAD, framed(say("hi"), DONE)).ended_well(Verdict.COMPLETE)
    assert life.text == "hi"


def test_a_whole_response_in_one_piece_is_delivered_at_once() -> None:
    life = Life().ask()
    delivered = life.then(Received(HEAD + framed(say("a"), say("b"), DONE) + LAST))
    assert isinstance(delivered, Deliver) and len(delivered.chunks) == 2
    assert isinstance(life.then(Done()), Release)
    life.ended_well(Verdict.COMPLETE)


def test_the_terminal_marker_ends_the_stream_before_the_body_does() -> None:
    life = Life().ask().receive(HEAD, framed(say("a") + DONE + ERROR))
    assert life.state is State.RELEASING
    assert life.ended_well(Verdict.COMPLETE).text == "a"


def test_a_terminal_marker_with_no_chunk_beside_it_needs_no_delivery() -> None:
    life = Life().ask().receive(HEAD)
    assert isinstance(life.then(Received(framed(DONE))), Release)
    life.ended_well(Verdict.COMPLETE)


def test_a_finish_reason_and_then_the_end_of_the_body_is_a_good_end() -> None:
    Life().ask().receive(HEAD, framed(say("a"), FINISH), LAST).ended_well(Verdict.FINISHED)


def test_http_1_0_ends_the_body_by_closing() -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    life = Life().ask().receive(head, say("a"), FINISH)
    assert life.state is State.STREAMING
    life.end().ended_well(Verdict.FINISHED)
    Life().ask().receive(head, say("a"), b"").ended(Verdict.UNFINISHED, StreamIncomplete)


def test_interim_responses_are_passed_over() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    life = Life().ask()
    assert life.then(Received(b"HTTP/1.1 100 Continue\r\n\r\n")) == Receive(1120.0)
    life.receive(interim, HEAD, framed(say("a"), DONE)).ended_well(Verdict.COMPLETE)


def test_the_head_may_come_in_pieces_and_bring_a_piece_of_the_body() -> None:
    life = Life().ask()
    for at in range(len(HEAD) - 1):
        assert isinstance(life.then(Received(HEAD[at : at + 1])), Receive)
        assert life.state is State.AWAITING
    assert life.then(Received(HEAD[-1:] + framed(say("a"))[:9])) == Deliver([])


def test_keep_alives_are_not_delivered() -> None:
    life = Life().ask().receive(HEAD)
    for alive in (b": ping\n\n", b"event: ping\n\n", b'event: ping\ndata: {"type":"ping"}\n\n', b"data:\n\n"):
        assert isinstance(life.then(Received(framed(alive))), Receive)
    assert life.chunks == []


def test_any_event_stream_is_read_as_its_events() -> None:
    life = Life(request=events.request("/feed")).ask()
    life.receive(HEAD, framed(b"id: 7\nevent: add\ndata: 1\n\n", b": the end\n"), LAST)
    life.ended_well(Verdict.FINISHED)
    assert [(event.type, event.data, event.last_event_id) for event in life.chunks] == [("add", "1", "7")]


def test_any_event_stream_may_be_cut_inside_an_event() -> None:
    life = Life(request=events.request("/feed")).ask()
    life.receive(HEAD, framed(b"data: 1\n\n", b"data: half"), LAST)
    assert "10 bytes were dropped" in str(life.ended(Verdict.EVENT_CUT, StreamIncomplete))
    assert [event.data for event in life.chunks] == ["1"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'[{\n"error": {"code":\n503}}]', ApiError),
        (b'{"choices": []}\n', NotAnEventStream),
        (b"<html>no model</html>", NotAnEventStream),
        (b"Error: upstream connect error", NotAnEventStream),
        (b"status: 503\nreason: no healthy upstream\n\n", NotAnEventStream),
        (b" data: indented\n\n", NotAnEventStream),
        (b"model\r\rnot\r\nfound\n\n", NotAnEventStream),
    ],
)
def test_a_document_in_place_of_events_is_no_event_stream(body: bytes, error: type[StreamError]) -> None:
    life = Life().ask().receive(HEAD, framed(body[:5], body[5:]), LAST)
    assert life.ended(Verdict.REFUSED, error).body == body


@pytest.mark.parametrize(
    "body",
    [
        b": ping\n\n",
        b"\xef\xbb\xbf: ping\n\n",
        b"Error: no\r: ping\n\n",
        b"event: add\n\n",
        b"retry: 5\n\n",
        b"unknown: 1\nid\n\n",
        b"even",
        b"\n\nid",
        b"\n \n",
        b"",
    ],
)
def test_an_event_stream_may_be_without_events(body: bytes) -> None:
    Life(request=events.request("/feed")).ask().receive(HEAD, framed(body), LAST).ended_well(Verdict.FINISHED)
    Life().ask().receive(HEAD, framed(body), LAST).ended(Verdict.UNFINISHED, StreamIncomplete)


UNFRAMED = [
    b'{"error": "no model"}',
    b'\n [{"error": {"message": "no model"}}]',
    b'{\r\n  "error": {\r\n    "message": "no model"\r\n  }\r\n}',
    b'{\n  "error": "no model"\n}',
    b'error: {"message": "no model"}',
]


@pytest.mark.parametrize("line_end", [b"", b"\n", b"\r\n\r\n"])
@pytest.mark.parametrize("before", [b"", b": ping\n\n", say("a"), say("a") + b"event: error\n"])
@pytest.mark.parametrize("report", UNFRAMED)
def test_an_error_may_come_without_an_event(before: bytes, report: bytes, line_end: bytes) -> None:
    """Some servers that fail after the head send their error as it is (lemonade#2826)."""
    life = Life().ask().receive(HEAD, framed(before + report[:9], report[9:] + line_end), LAST)
    error = life.ended(Verdict.ERROR_EVENT, ApiError)
    assert error.message == "no model"
    assert life.text == ("a" if b"data" in before else "")


@pytest.mark.parametrize(
    "rest", [b'{"choices": []}', b'{"error": null}', b'{"error": "no', b'data: {"error": 1}']
)
def test_other_text_behind_an_event_is_only_unknown_fields(rest: bytes) -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), rest), LAST)
    assert isinstance(life.session.error, StreamIncomplete)


def test_an_error_behind_the_answer_is_one_all_the_same() -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), FINISH, b'{"error": "late"}'), LAST)
    assert life.ended(Verdict.ERROR_EVENT, ApiError).message == "late"


# An answer that is a document.

CALL = mcp.post(mcp.JSONRPCRequest(id=1, method="ping"))
RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
JSON = "Content-Type: application/json"


def test_an_answer_may_come_in_one_piece() -> None:
    life = Life(request=CALL).ask()
    life.then(Received(answer(RESULT, JSON)[:-5]))
    delivered = life.then(Received(RESULT[-5:]))
    assert delivered == Deliver([mcp.JSONRPCResponse(id=1, result={})])
    assert life.then(Done()) == Release(reuse=True)
    life.ended_well(Verdict.COMPLETE)


@pytest.mark.parametrize("outcome", [Received(b""), Failed(Reason.NETWORK, "reset")])
def test_one_that_is_cut_is_truncated(outcome: Received | Failed) -> None:
    life = Life(request=CALL).ask().receive(answer(RESULT, JSON, length=99))
    life.then(outcome)
    assert life.ended(Verdict.BODY_CUT, BodyTruncated).retryable


def test_one_that_is_late_is_late() -> None:
    life = Life(request=CALL, deadlines=Deadlines(between_bytes=30, total=100)).ask()
    assert life.then(Received(answer(RESULT[:5], JSON, length=36)), after=40) == Receive(1070.0)
    assert life.then(Received(RESULT[5:9]), after=29) == Receive(1099.0)
    life.then(Failed(Reason.DEADLINE), after=30)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "between_bytes"
    life = Life(request=CALL, deadlines=Deadlines(total=10)).ask()
    life.then(Received(answer(RESULT[:5], JSON, length=36)), after=10)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"


@pytest.mark.parametrize(
    ("response", "verdict", "error"),
    [
        (answer(b"{}", JSON), Verdict.INVALID, InvalidChunk),
        (answer(b"<p>", "Content-Type: text/html"), Verdict.REFUSED, NotAnEventStream),
        (answer(b"{}", JSON, status="404 Not Found"), Verdict.REFUSED, StatusError),
        (answer(b"{}", JSON, status="404 Not Found", length=9), Verdict.REFUSED, StatusError),
        (answer(b"{}", JSON, "Transfer-Encoding: chunked"), Verdict.INVALID, ProtocolError),
    ],
)
def test_another_document_is_no_answer(response: bytes, verdict: Verdict, error: type[StreamError]) -> None:
    life = Life(request=CALL).ask().receive(response, b"")
    life.ended(verdict, error)


@pytest.mark.parametrize("limit", [10, len(RESULT) - 1])
@pytest.mark.parametrize("coded", [False, True])
def test_one_that_is_over_the_limit_names_it(limit: int, coded: bool) -> None:
    body, fields = (gzip.compress(RESULT), (JSON, "Content-Encoding: gzip")) if coded else (RESULT, (JSON,))
    life = Life(request=CALL, limits=Limits(max_document_size=limit)).ask().receive(answer(body, *fields))
    error = life.ended(Verdict.INVALID, EventTooLarge)
    assert f"a document is larger than max_document_size: {error.seen}" in str(error)
    assert error.seen >= error.limit == limit


def test_one_within_the_limit_that_is_no_message_is_invalid() -> None:
    life = Life(request=CALL).ask().receive(answer(b"[]", JSON))
    life.ended(Verdict.INVALID, InvalidChunk)


def test_a_dialect_that_cannot_read_a_document_after_all_refuses_it() -> None:
    class Hopeful(events.EventsDialect):
        accepts_document = True

    life = Life(request=Request(dialect=Hopeful)).ask().receive(answer(b"1", "Content-Type: text/plain"))
    life.ended(Verdict.REFUSED, NotAnEventStream)


def test_an_event_may_be_large() -> None:
    """Some servers send lines of more than 128 KiB."""
    life = Life().ask().receive(HEAD, framed(say("x" * 2**18), FINISH, DONE))
    life.ended_well(Verdict.COMPLETE)
    assert life.text == "x" * 2**18


def test_a_read_may_be_large_and_the_marker_in_the_middle_of_it() -> None:
    life = Life().ask().receive(HEAD, framed(say("x" * 1000) * 200 + DONE + say("no") * 5000))
    life.ended_well(Verdict.COMPLETE)
    assert (len(life.chunks), len(life.text)) == (200, 200_000)


# What is sent.


def head_sent(life: Life) -> list[str]:
    life.start()
    sent = life.then(Done())
    assert isinstance(sent, Send)
    return sent.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def test_the_request_has_a_host_the_default_headers_and_its_own() -> None:
    line, *headers = head_sent(Life("http://api.test:8080/v1/?key=1"))
    body = json.dumps({"model": "m", "messages": [], "stream": True}, separators=(",", ":"))
    assert line == "POST /v1/chat/completions?key=1 HTTP/1.1"
    assert headers == [
        "Host: api.test:8080",
        f"User-Agent: sse-core/{__version__}",
        "Accept: text/event-stream",
        "Accept-Encoding: identity",
        "Cache-Control: no-cache",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]


def test_headers_replace_those_of_the_same_name_below_them() -> None:
    request = Request(
        dialect=events.EventsDialect, headers=(("X-B", "request"), ("accept", "a/1"), ("Accept", "a/2"))
    )
    own = [("USER-AGENT", "mine"), ("X-A", "client"), ("x-b", "client"), ("host", "other.test")]
    _, *headers = head_sent(Life(request=request, headers=own))
    fields = [header.split(": ") for header in headers]
    assert {name.lower() for name, _ in fields if fields.count([name, _]) != 1} == set()
    assert [value for name, value in fields if name.lower() == "accept"] == ["a/1", "a/2"]
    assert {name.lower(): value for name, value in fields if name.lower() != "accept"} == {
        "host": "other.test",
        "user-agent": "mine",
        "accept-encoding": "identity",
        "cache-control": "no-cache",
        "x-a": "client",
        "x-b": "request",
    }


def test_a_request_that_http_cannot_carry_is_a_value_error_without_the_credential() -> None:
    with pytest.raises(ValueError, match="characters that no header can carry") as caught:
        Life(headers=[("Authorization", "Bearer s3cret\n")])
    assert "s3cret" not in str(caught.value)


def test_a_send_action_shows_no_credential() -> None:
    life = Life(headers=[("Authorization", "Bearer s3cret")])
    life.start()
    sent = life.then(Done())
    assert isinstance(sent, Send) and b"s3cret" in sent.data
    assert repr(sent) == f"Send(<{len(sent.data)} bytes>, deadline=1120.0)"


# Bad ends: no connection, or none that lasted until the response.


def test_a_connection_that_cannot_be_opened() -> None:
    life = Life()
    life.start()
    assert isinstance(life.then(Failed(Reason.NETWORK, "refused")), Release)
    error = life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert str(error) == "api.test, opening a connection: refused"
    assert (error.fault, error.retryable, error.response, error.body) == (Fault.NETWORK, True, None, b"")


def test_a_certificate_that_is_not_accepted() -> None:
    life = Life("https://api.test:8443/")
    life.start()
    life.then(Done())
    assert isinstance(life.then(Failed(Reason.CERTIFICATE, "expired")), Release)
    error = life.ended(Verdict.UNREACHABLE, CertificateRejected)
    assert str(error) == "api.test:8443: expired"
    assert (error.fault, error.retryable) == (Fault.SERVER, False)


def test_tls_that_fails_for_another_reason() -> None:
    life = Life("https://api.test/")
    life.start()
    life.then(Done())
    life.then(Failed(Reason.NETWORK, "reset"))
    assert "agreeing on TLS: reset" in str(life.ended(Verdict.UNREACHABLE, ConnectionFailed))


def test_a_connection_lost_while_the_response_is_awaited() -> None:
    life = Life().ask()
    life.then(Failed(Reason.NETWORK, "reset"))
    error = life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert str(error) == "api.test, awaiting the response head: reset"


@pytest.mark.parametrize("came", [b"", b"HTTP/1.1 200", HEAD[:-2], b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_connection_that_ends_before_the_response_head_is_complete(came: bytes) -> None:
    life = Life().ask().receive(came).receive(b"")
    error = life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert str(error) == "the connection ended before the response head was complete"
    assert life.session.response is None


def lost_while_sending() -> Life:
    life = Life()
    life.start()
    life.then(Done())
    assert life.then(Failed(Reason.NETWORK, "broken pipe")) == Receive(1120.0)
    assert life.state is State.AWAITING
    return life


def test_a_server_may_answer_before_it_has_read_the_request() -> None:
    life = lost_while_sending().receive(answer(b'{"error":"too large"}', status="413 Content Too Large"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert (error.status, error.message) == (413, "too large")


@pytest.mark.parametrize("outcome", [Received(b""), Failed(Reason.NETWORK, "reset")])
def test_without_an_early_answer_the_lost_request_is_what_went_wrong(
    outcome: Received | Failed,
) -> None:
    life = lost_while_sending()
    life.then(outcome)
    error = life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert str(error) == "the connection was lost while sending: broken pipe"


# Bad ends: what came is not HTTP, no event stream, or broken off.


@pytest.mark.parametrize(
    "head",
    [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
)
def test_what_is_not_http_1_is_a_protocol_error(head: bytes) -> None:
    error = Life().ask().receive(head).ended(Verdict.INVALID, ProtocolError)
    assert (error.fault, error.retryable, error.response) == (Fault.SERVER, False, None)


def test_a_response_head_over_the_limit_is_a_protocol_error() -> None:
    life = Life(limits=Limits(max_head_size=100)).ask()
    life.receive(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 101).ended(Verdict.INVALID, ProtocolError)


def test_broken_framing_after_chunks_is_a_protocol_error_that_knows_the_response() -> None:
    life = Life().ask().receive(HEAD, framed(say("a")) + b"zz\r\n")
    error = life.ended(Verdict.INVALID, ProtocolError)
    assert error.response is life.session.response is not None
    assert life.text == "a"


def test_a_body_that_is_cut_is_truncated() -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), FINISH), b"")
    error = life.ended(Verdict.BODY_CUT, BodyTruncated)
    assert (error.fault, error.retryable) == (Fault.NETWORK, True)
    assert error.response is life.session.response is not None
    assert life.text == "a"


def test_a_body_shorter_than_its_length_is_truncated() -> None:
    life = Life().ask().receive(answer(say("a"), STREAM, length=10_000), b"")
    life.ended(Verdict.BODY_CUT, BodyTruncated)


def test_a_connection_lost_in_the_stream_truncates_the_body() -> None:
    life = Life().ask().receive(HEAD, framed(say("a")))
    life.then(Failed(Reason.NETWORK, "reset"))
    error = life.ended(Verdict.BODY_CUT, BodyTruncated)
    assert str(error) == "the connection was lost: reset"
    assert error.response is life.session.response is not None


def test_a_body_that_ends_with_neither_marker_nor_finish_reason_is_incomplete() -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), b": bye\n"), LAST)
    error = life.ended(Verdict.UNFINISHED, StreamIncomplete)
    assert str(error) == Verdict.UNFINISHED.value
    assert (error.fault, error.retryable) == (Fault.SERVER, True)
    assert error.response is life.session.response is not None


@pytest.mark.parametrize("rest", [b'data: {"choi', b"data: [DONE]\n", b"id: 1\ndata:\n"])
def test_a_body_that_ends_inside_an_event_says_so(rest: bytes) -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), rest), LAST)
    error = life.ended(Verdict.EVENT_CUT, StreamIncomplete)
    assert str(error) == f"the body ended inside an event: {len(rest)} bytes were dropped"
    assert life.text == "a"


# Bad ends: the provider's errors, and what the dialect cannot read.


def test_an_error_event_comes_after_the_chunks_before_it() -> None:
    life = Life().ask().receive(HEAD)
    delivered = life.then(Received(framed(say("a") + say("b") + ERROR + say("c") + DONE)))
    assert isinstance(delivered, Deliver) and life.text == "ab"
    assert life.session.verdict is Verdict.ERROR_EVENT
    assert isinstance(life.then(Done()), Release)
    error = life.ended(Verdict.ERROR_EVENT, ApiError)
    assert (error.message, error.type, error.code, error.status) == (
        "overloaded",
        "server_error",
        "busy",
        200,
    )
    assert error.raw == error.body == ERROR[6:-2]
    assert (error.fault, error.retryable) == (Fault.SERVER, True)


def test_an_invalid_chunk_comes_after_the_chunks_before_it() -> None:
    life = Life().ask().receive(HEAD, framed(say("a") + b"data: {\n\n" + say("b")))
    error = life.ended(Verdict.INVALID, InvalidChunk)
    assert error.raw == b"{" and error.response is life.session.response is not None
    assert life.text == "a"


@pytest.mark.parametrize("whole", [True, False])
def test_an_event_that_is_too_large_comes_after_the_chunks_before_it(whole: bool) -> None:
    life = Life(limits=Limits(max_event_size=100)).ask().receive(HEAD)
    large = b"data: " + b"x" * 101
    life.receive(framed(say("a") + large) if whole else framed(say("a")), framed(large))
    error = life.ended(Verdict.INVALID, EventTooLarge)
    assert (error.limit, error.seen) == (100, 101)
    assert error.response is life.session.response is not None
    assert life.text == "a"


def test_only_the_first_end_counts() -> None:
    life = Life().ask()
    life.then(Received(HEAD + framed(ERROR)))
    assert life.action == Deliver([])
    assert isinstance(life.then(Failed(Reason.CANCELLED)), Release)
    assert life.then(Failed(Reason.NETWORK)) == Stop()
    life.ended(Verdict.ERROR_EVENT, ApiError)


# Bad ends: refused responses.


def test_a_status_with_a_json_error_carries_what_the_provider_said() -> None:
    body = b'{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded","param":"n"}}'
    head = answer(body, "Content-Type: application/json", "X-Request-Id: req_1", status="429 Too Many")
    error = refused(head).ended(Verdict.REFUSED, StatusError)
    assert (str(error), error.message) == (f"HTTP 429: slow down{ASKED}", "slow down")
    assert (error.type, error.code, error.param) == ("tokens", "rate_limit_exceeded", "n")
    assert (error.status, error.request_id) == (429, "req_1")
    assert (error.body, error.raw) == (body, body)
    assert (error.fault, error.retryable) == (Fault.CALLER, True)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b'"text"', b"[]", b'{"error"', b"\xff"])
def test_a_status_without_a_json_error_has_its_own_words(body: bytes) -> None:
    error = refused(answer(body, status="502 Bad Gateway")).ended(Verdict.REFUSED, StatusError)
    assert (str(error), error.message) == (f"HTTP 502: Bad Gateway{ASKED}", "Bad Gateway")
    assert error.body == body
    assert (error.fault, error.retryable) == (Fault.SERVER, True)


def test_a_refusal_of_a_plain_event_stream_is_described_by_its_status() -> None:
    life = Life(request=events.request()).ask().receive(answer(b'{"error":"no"}', status="404 Not Found"))
    error = life.ended(Verdict.REFUSED, StatusError)
    assert (error.message, error.body) == ("Not Found", b'{"error":"no"}')


def test_no_more_of_a_refused_body_is_read_than_is_kept() -> None:
    life = Life(limits=Limits(max_error_body=10)).ask()
    assert isinstance(life.then(Received(answer(b"123456", status="500 Oops", length=1000))), Receive)
    assert life.state is State.COLLECTING
    assert isinstance(life.then(Received(b"789abcdef")), Release)
    assert life.ended(Verdict.REFUSED, StatusError).body == b"123456789a"


def test_a_refused_body_need_not_be_kept_at_all() -> None:
    life = Life(limits=Limits(max_error_body=0)).ask()
    assert isinstance(life.then(Received(answer(b"", status="500 Oops", length=1000))), Release)
    assert life.ended(Verdict.REFUSED, StatusError).body == b""


@pytest.mark.parametrize(
    "cut",
    [
        Received(b""),
        Failed(Reason.NETWORK, "reset"),
        Failed(Reason.DEADLINE, "late"),
        Failed(Reason.CERTIFICATE, "odd"),
    ],
)
def test_what_has_come_of_a_refused_body_has_to_do(cut: Received | Failed) -> None:
    life = Life().ask().receive(answer(b"sorr", status="503 Busy", length=1000))
    assert life.state is State.COLLECTING
    assert isinstance(life.then(cut), Release)
    error = life.ended(Verdict.REFUSED, StatusError)
    assert (error.message, error.body) == ("Busy", b"sorr")


def test_a_refused_body_with_broken_framing_is_still_a_refusal() -> None:
    head = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refused(head, framed(b"why"), b"zz\r\n").ended(Verdict.REFUSED, StatusError).body == b"why"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "302 Found", "500"])
def test_a_status_that_is_not_200_is_no_event_stream_even_with_its_type(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\n{STREAM}\r\nContent-Length: 0\r\n\r\n".encode()
    error = refused(head).ended(Verdict.REFUSED, StatusError)
    assert str(error) == f"HTTP {status.replace(' ', ': ', 1)}{ASKED}"
    assert error.status == int(status[:3])


def test_a_200_with_html_is_no_event_stream() -> None:
    error = refused(answer(b"<html>", "Content-Type: text/html")).ended(Verdict.REFUSED, NotAnEventStream)
    assert (error.body, error.fault, error.retryable) == (b"<html>", Fault.SERVER, False)
    assert str(error) == (
        "the response, text/html, is no event stream; it begins with b'<html>', which looks like HTML"
    )
    assert error.response is not None and error.response.status == 200


def test_a_200_of_no_type_is_no_event_stream() -> None:
    error = refused(answer(b"")).ended(Verdict.REFUSED, NotAnEventStream)
    assert "of no type" in str(error)


def test_a_200_with_a_json_error_is_the_providers_error() -> None:
    body = b'{"error":{"message":"no model","code":404}}'
    error = refused(answer(body, "Content-Type: application/json")).ended(Verdict.REFUSED, ApiError)
    assert (error.message, error.code, error.status, error.body) == ("no model", 404, 200, body)


@pytest.mark.parametrize(
    "kind",
    [
        "text/event-stream",
        "Text/Event-Stream",
        "text/event-stream;charset=utf-8",
        "text/event-stream ; charset=UTF-8; boundary=x",
        "TEXT/EVENT-STREAM;",
    ],
)
@pytest.mark.parametrize("coding", [None, "identity", "Identity", ""])
def test_a_content_type_is_compared_without_case_or_parameters(kind: str, coding: str | None) -> None:
    headers = [f"content-type: {kind}"] + ([] if coding is None else [f"Content-Encoding: {coding}"])
    Life().ask().receive(answer(say("a") + DONE, *headers)).ended_well(Verdict.COMPLETE)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/event-streams", "text/event-stream, text/html", "charset=utf-8"]
)
def test_another_content_type_is_refused(kind: str) -> None:
    refused(answer(b"hello\n\n", f"Content-Type: {kind}")).ended(Verdict.REFUSED, NotAnEventStream)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "text/event-stream, text/html"])
def test_what_begins_like_an_event_stream_is_one_to_the_dialects_of_providers(kind: str) -> None:
    """FAULTS D3."""
    head = answer(say("a") + DONE, f"Content-Type: {kind}")
    assert Life().ask().receive(head).ended_well(Verdict.COMPLETE).text == "a"


# The caller wants no more.


WAYS: dict[State, list[Outcome]] = {
    State.OPENING: [],
    State.SECURING: [Done()],
    State.SENDING: [Done(), Done()],
    State.AWAITING: [Done(), Done(), Done()],
    State.COLLECTING: [Done(), Done(), Done(), Received(b"HTTP/1.1 500 Oops\r\n\r\n")],
    State.DELIVERING: [Done(), Done(), Done(), Received(HEAD)],
    State.STREAMING: [Done(), Done(), Done(), Received(HEAD), Done()],
}


@pytest.mark.parametrize("state", WAYS)
def test_cancelling_releases_the_connection_once_and_stops(state: State) -> None:
    life = Life("https://api.test/")
    life.start()
    for outcome in WAYS[state]:
        life.then(outcome)
    assert life.state is state
    assert isinstance(life.then(Failed(Reason.CANCELLED)), Release)
    error = life.ended(Verdict.CANCELLED, StreamClosed)
    assert str(error) == "the stream was closed before its end"
    assert (error.fault, error.retryable) == (Fault.CALLER, False)


def test_cancelling_before_the_start_has_nothing_to_release() -> None:
    life = Life()
    assert life.then(Failed(Reason.CANCELLED)) == Stop()
    error = life.ended(Verdict.CANCELLED, StreamClosed)
    assert str(error) == "the stream was closed before its end"
    assert life.actions == [Stop()]
    with pytest.raises(RuntimeError, match=r"start\(\) in state STOPPED"):
        life.start()


def test_cancelling_the_last_delivery_does_not_undo_a_good_end() -> None:
    life = Life().ask()
    life.then(Received(HEAD + framed(say("a"), DONE)))
    assert isinstance(life.then(Failed(Reason.CANCELLED)), Release)
    life.ended_well(Verdict.COMPLETE)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_release_that_fails_is_done_all_the_same(reason: Reason) -> None:
    life = Life().ask().receive(HEAD, framed(say("a"), DONE))
    assert isinstance(life.action, Release)
    assert life.then(Failed(reason, "reset")) == Stop()
    life.ended_well(Verdict.COMPLETE)


# Mistakes of the adapter's.


def test_a_session_starts_once() -> None:
    life = Life()
    life.start()
    with pytest.raises(RuntimeError, match=r"start\(\) in state OPENING"):
        life.start()


def test_a_wrong_outcome_is_named() -> None:
    life = Life()
    life.start()
    with pytest.raises(RuntimeError, match=r"Acquired.* is no answer in state OPENING"):
        life.then(Acquired(reused=False))
    with pytest.raises(RuntimeError, match="is no answer in state OPENING") as raised:
        life.then(Received(b"x" * 65536))
    assert len(str(raised.value)) < 200


def test_a_delivery_can_only_be_cancelled() -> None:
    life = Life().ask()
    life.then(Received(HEAD))
    with pytest.raises(RuntimeError, match="is no answer in state DELIVERING"):
        life.then(Failed(Reason.NETWORK))
    assert life.state is State.DELIVERING


def test_a_move_outside_the_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sse_core.session.lifecycle.EDGES", dict.fromkeys(State, frozenset[State]()))
    with pytest.raises(RuntimeError, match="no edge from IDLE to ACQUIRING"):
        Life().start()


# However a response is cut.

BODY = say("Hel") + b": ping\n\n" + say("lo")
NO = say("no")
RESPONSES = {
    "complete": (HEAD + framed(BODY, DONE) + LAST, "Hello", Verdict.COMPLETE),
    "with CRLF": (HEAD + framed((BODY + DONE).replace(b"\n", b"\r\n")) + LAST, "Hello", Verdict.COMPLETE),
    "in small chunks": (
        HEAD + framed(*(BODY[at : at + 7] for at in range(0, len(BODY), 7)), FINISH) + LAST,
        "Hello",
        Verdict.FINISHED,
    ),
    "with a length": (answer(BODY + FINISH, STREAM), "Hello", Verdict.FINISHED),
    "by closing": (
        b"HTTP/1.0 200 OK\r\n" + STREAM.encode() + b"\r\n\r\n" + BODY + FINISH,
        "Hello",
        Verdict.FINISHED,
    ),
    "after interim responses": (
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + HEAD + framed(BODY, DONE),
        "Hello",
        Verdict.COMPLETE,
    ),
    "unfinished": (HEAD + framed(BODY) + LAST, "Hello", Verdict.UNFINISHED),
    "event cut": (HEAD + framed(BODY, b"data: {") + LAST, "Hello", Verdict.EVENT_CUT),
    "body cut": (HEAD + framed(BODY), "Hello", Verdict.BODY_CUT),
    "head cut": (HEAD[:-3], "", Verdict.UNREACHABLE),
    "error event": (HEAD + framed(BODY, ERROR, NO) + LAST, "Hello", Verdict.ERROR_EVENT),
    "invalid chunk": (HEAD + framed(BODY, b"data: }\n\n", NO) + LAST, "Hello", Verdict.INVALID),
    "too large": (
        HEAD + framed(BODY, b"data: " + b"x" * 300 + b"\n\n", NO) + LAST,
        "Hello",
        Verdict.INVALID,
    ),
    "broken framing": (HEAD + framed(BODY) + b"-1\r\n" + framed(NO), "Hello", Verdict.INVALID),
    "not HTTP": (b"ICY 200 OK\r\n\r\n" + BODY, "", Verdict.INVALID),
    "refused": (answer(b'{"error":{"message":"no"}}', status="400 Bad Request"), "", Verdict.REFUSED),
    "refused at length": (answer(b"x" * 900, status="500 Oops"), "", Verdict.REFUSED),
    "not a stream": (answer(b"<html>", "Content-Type: text/html"), "", Verdict.REFUSED),
}


def life_of(pieces: list[bytes]) -> Life:
    life = Life(limits=Limits(max_event_size=200, max_error_body=500)).ask()
    return life.receive(*(piece for piece in pieces if piece)).end()


def story(life: Life) -> tuple[object, ...]:
    """What the caller sees of a life, but for the words of errors that say how far it had come."""
    error = life.session.error
    words = str(error) if isinstance(error, ApiError | InvalidChunk | StreamIncomplete) else ""
    return life.chunks, life.session.verdict, type(error), words, error and error.body


@pytest.mark.parametrize("name", RESPONSES)
def test_byte_by_byte_a_response_ends_as_it_does_whole(name: str) -> None:
    response, text, verdict = RESPONSES[name]
    whole = life_of([response])
    assert (whole.text, whole.session.verdict) == (text, verdict)
    assert story(life_of([bytes([byte]) for byte in response])) == story(whole)


@pytest.mark.parametrize("name", RESPONSES)
@unhurried
@given(places=places)
def test_any_way_to_cut_a_response_gives_the_same_chunks_and_end(name: str, places: list[int]) -> None:
    response, _, _ = RESPONSES[name]
    assert story(life_of(cut_at(response, places))) == story(life_of([response]))


def test_groq_chunks_come_through_a_session_too() -> None:
    life = Life(request=groq.chat(model="m", messages=[])).ask()
    life.receive(HEAD, framed(b'event: error\ndata: {"error":{"message":"tool_use_failed"}}\n\n'))
    assert life.ended(Verdict.ERROR_EVENT, ApiError).message == "tool_use_failed"
    assert isinstance(openai.chat(model="m", messages=[]).dialect(), openai.ChatDialect)


ASKED = ", for POST http://api.test/v1/chat/completions"
"""What the error for a status says of the request (C13)."""
