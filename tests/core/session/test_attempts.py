"""Ring 3: other attempts at a stream, from its start or from where it broke off."""

from __future__ import annotations

import pytest

from sse_core import (
    ApiError,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Deliver,
    Dialect,
    Done,
    Event,
    EventTooLarge,
    Failed,
    InvalidChunk,
    Limits,
    Proxies,
    Proxy,
    ProxyError,
    Reason,
    Receive,
    Received,
    Reconnects,
    Release,
    Request,
    Retries,
    Sleep,
    State,
    StatusError,
    Stop,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import events, openai
from sse_core.session.reconnecting import resume_delay
from support.core import DONE, ERROR, FINISH, HEAD, LAST, ROLE, Life, answer, framed, say

OVERLOAD = ERROR.replace(b"server_error", b"overloaded_error")
RETRIES = Retries(attempts=2, base=1)


def retried(life: Life) -> float:
    """Check that another attempt is to follow; return after how many seconds."""
    assert isinstance(life.action, Release), life.action
    assert life.session.verdict is None
    slept = life.then(Done())
    assert isinstance(slept, Sleep) and life.state is State.WAITING
    return slept.deadline - life.now


# From the start.


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_refusal_that_may_pass_is_followed_by_another_attempt(status: int) -> None:
    life = Life(retries=RETRIES).ask().receive(answer(b"", status=f"{status} Later"))
    assert retried(life) == 0.75
    first, second = life.wake().reach().sent
    assert first == second
    life.receive(HEAD, framed(say("a"), DONE)).ended_well(Verdict.COMPLETE)
    assert (life.text, life.session.stats.attempts) == ("a", 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_that_will_not_pass_is_the_end(status: int) -> None:
    life = Life(retries=RETRIES).ask().receive(answer(b"", status=f"{status} No"))
    life.ended(Verdict.REFUSED, StatusError)


def test_the_server_has_the_last_word_on_whether_to_try_again() -> None:
    life = Life(retries=RETRIES).ask()
    life.receive(answer(b"", "X-Should-Retry: false", status="503 Busy")).ended(Verdict.REFUSED, StatusError)
    life = Life(retries=RETRIES).ask()
    retried(life.receive(answer(b"", "X-Should-Retry: true", status="400 Odd")))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Retry-After: 7"], 7),
        (["Retry-After-Ms: 70", "Retry-After: 7"], 0.07),
        (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:42 GMT"], 5),
        (["Retry-After: soon"], 0.75),
    ],
)
def test_the_server_says_how_long_to_wait(headers: list[str], seconds: float) -> None:
    life = Life(retries=RETRIES).ask().receive(answer(b"", *headers, status="429 Slow"))
    assert retried(life) == pytest.approx(seconds)


def test_a_wait_that_is_too_long_is_the_end() -> None:
    life = Life(retries=RETRIES).ask().receive(answer(b"", "Retry-After: 61", status="429 Slow"))
    life.ended(Verdict.REFUSED, StatusError)


def test_waits_grow_and_attempts_are_counted() -> None:
    life = Life(retries=RETRIES, random=lambda: 0.0)
    life.start()
    waits: list[float] = []
    for _ in range(2):
        life.then(Failed(Reason.NETWORK, "refused"))
        waits.append(retried(life))
        life.wake().pass_by(b"")
    assert waits == [0.5, 1.0]
    life.then(Failed(Reason.NETWORK, "refused"))
    life.ended(Verdict.UNREACHABLE, ConnectionFailed)
    assert life.session.stats.attempts == 3


def test_no_attempt_begins_behind_the_budget_or_the_total_deadline() -> None:
    for life in (Life(retries=Retries(budget=10)), Life(retries=RETRIES, deadlines=Deadlines(total=10.5))):
        life.start()
        life.then(Failed(Reason.NETWORK, "refused"), after=9.9)
        life.ended(Verdict.UNREACHABLE, ConnectionFailed)


def test_nothing_is_tried_again_unless_that_was_asked_for() -> None:
    life = Life().ask().receive(answer(b"", status="503 Busy"))
    life.ended(Verdict.REFUSED, StatusError)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(Failed(Reason.CERTIFICATE, "expired"), CertificateRejected), (Failed(Reason.CANCELLED), StreamClosed)],
)
def test_some_failures_will_not_pass(outcome: Failed, kind: type[StreamError]) -> None:
    life = Life("https://api.test/", retries=RETRIES)
    life.start()
    life.then(Done())
    life.then(outcome)
    life.end()
    assert type(life.session.error) is kind


@pytest.mark.parametrize(
    "broken",
    [
        [framed(OVERLOAD)],
        [framed(ROLE, OVERLOAD)],
        [framed(ROLE), LAST],
        [framed(ROLE), b""],
        [framed(ROLE, b"data: {")],
        [],
    ],
)
def test_before_any_content_a_stream_may_begin_again_and_nothing_comes_twice(broken: list[bytes]) -> None:
    """An overload inside the stream has status 200 (anthropic-sdk-python#1258)."""
    life = Life(retries=RETRIES).ask().receive(HEAD, *broken, b"")
    assert life.chunks == []
    retried(life)
    life.wake().reach().receive(HEAD, framed(ROLE, say("a")), framed(say("b"), DONE))
    life.ended_well(Verdict.COMPLETE)
    assert (life.text, len(life.chunks)) == ("ab", 3)


def test_a_deadline_before_content_is_followed_by_another_attempt() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD)
    life.then(Failed(Reason.DEADLINE))
    retried(life)


@pytest.mark.parametrize("broken", [framed(OVERLOAD), b"", LAST])
def test_behind_content_nothing_is_asked_for_again(broken: bytes) -> None:
    """A retry after output repeats it (open-interpreter#291, nuguard#455)."""
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE, say("a")), broken).end()
    assert life.text == "a"
    error = life.session.error
    assert error is not None and error.retryable
    assert error.partial is not None and error.partial.text == "a"
    assert error.__notes__ == ["chunks before it: 2, characters of text in them: 1"]


def test_chunks_without_content_are_held_back_and_delivered_with_the_first_that_has_it() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD)
    assert isinstance(life.then(Received(framed(ROLE))), Receive)
    delivered = life.then(Received(framed(say("a"))))
    assert isinstance(delivered, Deliver) and len(delivered.chunks) == 2
    life.then(Done())
    assert isinstance(life.then(Received(framed(FINISH))), Deliver)


def test_chunks_that_are_held_back_come_before_a_good_end() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE, FINISH))
    assert life.chunks == []
    life.receive(LAST).ended_well(Verdict.FINISHED)
    assert len(life.chunks) == 2


def test_chunks_that_are_held_back_come_before_an_error() -> None:
    """One that only turns up where there will be no other attempt: the server asks for too long a wait."""
    head = HEAD.replace(b"\r\n\r\n", b"\r\nRetry-After: 3600\r\n\r\n")
    life = Life(retries=RETRIES).ask().receive(head, framed(ROLE))
    assert life.chunks == []
    life.then(Failed(Reason.NETWORK, "reset"))
    life.then(Done())
    life.ended(Verdict.BODY_CUT, BodyTruncated)
    assert len(life.chunks) == 1


def test_chunks_that_are_held_back_are_dropped_by_closing() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE))
    life.then(Failed(Reason.CANCELLED))
    life.ended(Verdict.CANCELLED, StreamClosed)
    assert life.chunks == []


def test_in_the_last_attempt_nothing_is_held_back() -> None:
    life = Life(retries=Retries(attempts=1)).ask().receive(HEAD, framed(OVERLOAD)).again()
    life.receive(HEAD)
    assert isinstance(life.then(Received(framed(ROLE))), Deliver)
    life.then(Done())
    life.receive(framed(OVERLOAD)).ended(Verdict.ERROR_EVENT, ApiError)


def test_no_more_chunks_are_held_back_than_a_hundred() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD, *[framed(ROLE)] * 100)
    assert life.chunks == []
    life.receive(framed(ROLE))
    assert len(life.chunks) == 101
    life.receive(framed(OVERLOAD)).ended(Verdict.ERROR_EVENT, ApiError)
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE * 101 + OVERLOAD))
    life.ended(Verdict.ERROR_EVENT, ApiError)
    assert len(life.chunks) == 101


def test_a_wait_can_be_cancelled_and_so_can_the_release_before_it() -> None:
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE, OVERLOAD))
    retried(life)
    assert life.then(Failed(Reason.CANCELLED)) == Stop()
    life.ended(Verdict.CANCELLED, StreamClosed)
    life = Life(retries=RETRIES).ask().receive(HEAD, framed(ROLE, OVERLOAD))
    assert life.then(Failed(Reason.CANCELLED)) == Stop()
    life.ended(Verdict.CANCELLED, StreamClosed)


def test_a_wait_cannot_fail() -> None:
    life = Life(retries=RETRIES).ask()
    life.then(Failed(Reason.NETWORK, "reset"))
    retried(life)
    with pytest.raises(RuntimeError, match="is no answer in state WAITING"):
        life.then(Failed(Reason.NETWORK, "reset"))
    life.wake()


def test_every_attempt_may_be_redirected_as_often_as_the_first() -> None:
    there = b"HTTP/1.1 307 There\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    life = Life(retries=RETRIES, limits=Limits(max_redirects=1)).ask()
    life.receive(there).again().receive(answer(b"", status="503 Busy")).again()
    assert life.sent[-1] == life.sent[0]
    life.receive(there).again().receive(HEAD, framed(DONE)).ended_well(Verdict.COMPLETE)


# From where it broke off.

EVENTS = Request(dialect=events.EventsDialect, headers=(("X-A", "1"),), reconnects=Reconnects(delay=3))
CHAT = openai.chat(model="m", messages=[])


def header(sent: bytes, name: bytes) -> list[bytes]:
    lines = sent.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [value for field, _, value in (line.partition(b": ") for line in lines) if field.lower() == name]


def reconnecting(reconnects: Reconnects, *, method: str = "GET") -> Life:
    body = b"{}" if method == "POST" else b""
    headers = (("Content-Type", "application/json"), ("X-A", "1")) if body else ()
    return Life(
        request=Request(
            dialect=events.EventsDialect, method=method, headers=headers, body=body, reconnects=reconnects
        )
    )


@pytest.mark.parametrize("broken", [[LAST], [b""], [framed(b"data: 2"), LAST], [framed(b"id: 9\ndata: 2")]])
def test_a_stream_that_breaks_off_is_taken_up_behind_its_last_event(broken: list[bytes]) -> None:
    life = Life(request=EVENTS).ask().receive(HEAD, framed(b"id: 8\ndata: 1\n\n"), *broken, b"")
    assert retried(life) == 3
    life.wake().reach()
    first, second = life.sent
    assert header(first, b"last-event-id") == []
    assert header(second, b"last-event-id") == [b"8"]
    assert header(second, b"x-a") == [b"1"]
    life.receive(HEAD, framed(b"data: 2\n\n"))
    assert [(event.data, event.last_event_id) for event in life.chunks] == [("1", "8"), ("2", "8")]


@pytest.mark.parametrize("outcome", [Failed(Reason.NETWORK, "reset"), Failed(Reason.DEADLINE), Received(b"")])
def test_a_server_that_is_not_there_is_tried_again(outcome: Failed | Received) -> None:
    life = Life(request=EVENTS).ask()
    life.then(outcome)
    assert retried(life) == 3


def test_each_connection_is_seen_by_an_empty_delivery_and_none_is_mixed_into_the_events() -> None:
    life = Life(request=EVENTS).ask().receive(HEAD, LAST).again().receive(HEAD, LAST)
    assert [action for action in life.actions if isinstance(action, Deliver)] == [Deliver([])] * 2


@pytest.mark.parametrize("status", ["204 No Content"])
def test_a_server_says_by_204_that_it_is_enough(status: str) -> None:
    life = Life(request=EVENTS).ask().receive(HEAD, LAST).again().receive(answer(b"", status=status))
    life.ended_well(Verdict.NO_CONTENT)


@pytest.mark.parametrize(
    ("response", "verdict", "error"),
    [
        (answer(b"", status="503 Busy"), Verdict.REFUSED, StatusError),
        (answer(b"<p>", "Content-Type: text/html"), Verdict.REFUSED, StreamError),
        (HEAD + b"zz\r\n", Verdict.INVALID, StreamError),
    ],
)
def test_another_answer_is_the_end(response: bytes, verdict: Verdict, error: type[StreamError]) -> None:
    life = Life(request=EVENTS, retries=RETRIES).ask().receive(response).end()
    assert life.session.verdict is verdict and isinstance(life.session.error, error)


def test_closing_is_the_end() -> None:
    life = Life(request=EVENTS).ask().receive(HEAD)
    life.then(Failed(Reason.CANCELLED))
    life.ended(Verdict.CANCELLED, StreamClosed)


def test_a_certificate_that_is_rejected_is_the_end_and_so_is_a_proxy_that_wants_other_credentials() -> None:
    life = Life("https://api.test/", request=EVENTS)
    life.start()
    life.then(Done())
    life.then(Failed(Reason.CERTIFICATE, "expired"))
    life.ended(Verdict.UNREACHABLE, CertificateRejected)
    proxies = Proxies(https=Proxy.parse("http://proxy.test"))
    life = Life("https://api.test/", request=EVENTS, proxies=proxies).ask()
    life.receive(answer(b"", status="407 Who?"))
    life.ended(Verdict.UNREACHABLE, ProxyError)


def test_the_server_says_how_long_to_wait_before_that() -> None:
    life = Life(request=EVENTS).ask().receive(HEAD, framed(b"retry: 1500\ndata: 1\n\n"), LAST)
    assert retried(life) == 1.5
    life.wake().reach().receive(b"")
    assert retried(life) == 6 * 1.125  # it grows from the longer of what both sides say
    life.wake().reach().receive(HEAD, framed(b"data: 2\n\n"), LAST)
    assert retried(life) == 1.5


@pytest.mark.parametrize(
    ("digits", "seconds"), [(b"0", 0.1), (b"299999", 299.999), (b"1" + b"0" * 639, 300), (b"9" * 5000, 300)]
)
def test_no_server_has_anyone_wait_for_longer_than_agreed(digits: bytes, seconds: float) -> None:
    life = Life(request=EVENTS).ask().receive(HEAD, framed(b"retry: %b\n\n" % digits), LAST)
    assert retried(life) == pytest.approx(seconds)


def test_waits_grow_up_to_a_limit() -> None:
    policy = Reconnects(delay=3, max_delay=20)
    assert [resume_delay(policy, failures, None, 0) for failures in (1, 2, 3, 4, 1000)] == [3, 6, 12, 20, 20]
    assert [resume_delay(policy, failures, None, 0.5) for failures in (1, 2)] == [3, 6.75]
    assert resume_delay(policy, 2, 0, 0) == 6
    assert resume_delay(policy, 1, 30_000, 0) == 20


def test_only_progress_refills_the_budget() -> None:
    """A client that counts a mere connection as success reconnects for ever (MCP python-sdk#2393, #3257)."""
    life = reconnecting(Reconnects(attempts=2)).ask()
    for _ in range(2):
        life.receive(HEAD, framed(b": here I am\n\nid: 5\n\n"), LAST).again()
    life.receive(HEAD, LAST)
    error = life.ended(Verdict.GAVE_UP, StreamIncomplete)
    why = "it broke off, and was not taken up again: 3 attempts in a row brought nothing new"
    assert (str(error), error.cursor) == (why, "5")
    assert error.__notes__ == ["to be resumed behind: '5'"]
    assert error.response is life.session.response is not None


def test_an_event_refills_the_budget_and_one_that_was_there_before_does_not() -> None:
    life = reconnecting(Reconnects(attempts=1)).ask()
    for number in range(5):
        life.receive(HEAD, framed(b"id: %d\ndata: 1\n\n" % number), LAST).again()
    life.receive(HEAD, framed(b"id: 4\ndata: 1\n\n"), LAST)
    life.ended(Verdict.GAVE_UP, StreamIncomplete)


def test_events_without_ids_refill_the_budget_too() -> None:
    life = reconnecting(Reconnects(attempts=1)).ask()
    for _ in range(5):
        life.receive(HEAD, framed(b"data: 1\n\n"), LAST).again()
    assert life.session.verdict is None


def test_the_last_failure_is_the_error() -> None:
    life = reconnecting(Reconnects(attempts=1)).ask().receive(HEAD, LAST).again()
    life.then(Failed(Reason.NETWORK, "reset"))
    assert str(life.ended(Verdict.GAVE_UP, ConnectionFailed)) == "api.test, awaiting the response head: reset"


def test_it_is_not_taken_up_where_the_total_deadline_leaves_no_time() -> None:
    life = Life(request=EVENTS, deadlines=Deadlines(total=10)).ask().receive(HEAD)
    life.then(Received(LAST), after=8)
    error = life.ended(Verdict.GAVE_UP, StreamIncomplete)
    assert str(error).endswith(": the total deadline leaves no time for another attempt")
    life = Life(request=EVENTS, deadlines=Deadlines(total=10)).ask()
    life.then(Failed(Reason.DEADLINE), after=10)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"


@pytest.mark.parametrize(
    ("sent", "as_header"),
    [
        (b"a b", b"a b"),
        ("é…".encode(), "é…".encode()),
        (b"\xff", "\ufffd".encode()),
        (b"  \t7 ", b"7"),  # a field's value has no blanks at its ends (RFC 9110, 5.5)
        (b"  ", None),
        (b"", None),
    ],
)
def test_a_last_event_id_goes_out_as_utf8(sent: bytes, as_header: bytes | None) -> None:
    life = reconnecting(Reconnects()).ask().receive(HEAD, framed(b"id: %b\ndata: 1\n\n" % sent), LAST).again()
    assert header(life.sent[1], b"last-event-id") == ([] if as_header is None else [as_header])


@pytest.mark.parametrize("sent", [b"a\x0bb", b"\x01", b"\x7f", b"\x1f7"])
def test_a_last_event_id_that_no_header_can_carry_is_the_end(sent: bytes) -> None:
    """Without it the stream would begin elsewhere, with events lost or come twice."""
    life = reconnecting(Reconnects()).ask().receive(HEAD, framed(b"id: %b\ndata: 1\n\n" % sent), LAST)
    error = life.ended(Verdict.GAVE_UP, StreamIncomplete)
    assert str(error).endswith(": the last event ID has characters that no header can carry")
    assert error.cursor == sent.decode()


def test_the_last_event_id_replaces_one_that_the_request_had() -> None:
    request = Request(
        dialect=events.EventsDialect, headers=(("last-event-id", "1"),), reconnects=Reconnects()
    )
    life = Life(request=request).ask().receive(b"").again()
    assert header(life.sent[1], b"last-event-id") == [b"1"]
    life.receive(HEAD, framed(b"id: 2\ndata\n\n"), LAST).again()
    assert header(life.sent[2], b"last-event-id") == [b"2"]


def test_a_server_may_take_the_last_event_id_back() -> None:
    life = (
        reconnecting(Reconnects()).ask().receive(HEAD, framed(b"id: 2\ndata\n\nid\ndata\n\n"), LAST).again()
    )
    assert header(life.sent[1], b"last-event-id") == []


def test_a_post_is_made_again_as_it_was() -> None:
    life = reconnecting(Reconnects(), method="POST").ask().receive(HEAD, LAST).again()
    assert life.sent[0] == life.sent[1]
    life.receive(HEAD, framed(b"id: 1\n\n"), LAST).again()
    assert life.sent[2].startswith(b"POST /v1 ") and life.sent[2].endswith(b"\r\n\r\n{}")
    assert header(life.sent[2], b"last-event-id") == [b"1"]


@pytest.mark.parametrize("event", [b"id: 1\ndata: 1\n\n", b"id: 1\ndata:\n\n", b"id: 1\n\n"])
def test_a_post_that_had_an_id_is_taken_up_by_get(event: bytes) -> None:
    """MCP up to 2025-11-25; a server may begin with an ID and no data."""
    life = reconnecting(Reconnects(method="GET"), method="POST").ask()
    life.receive(HEAD, framed(event), LAST).again()
    sent = life.sent[1]
    assert sent.startswith(b"GET /v1 ") and sent.endswith(b"\r\n\r\n")
    assert header(sent, b"last-event-id") == [b"1"]
    assert header(sent, b"content-type") == header(sent, b"content-length") == []
    assert header(sent, b"x-a") == [b"1"]


def test_a_post_that_had_no_id_is_not_taken_up_by_get() -> None:
    life = reconnecting(Reconnects(method="GET"), method="POST").ask()
    life.receive(HEAD, framed(b"data: 1\n\n"), b"").ended(Verdict.BODY_CUT, BodyTruncated)


def test_without_reconnects_a_stream_that_had_an_id_is_not_taken_up() -> None:
    """MCP after 2025-11-25, where closing the connection is cancelling the request."""
    life = Life(
        request=Request(dialect=events.EventsDialect, method="POST", body=b"{}"), retries=RETRIES
    ).ask()
    error = life.receive(HEAD, framed(b"id: 1\ndata: 1\n\n"), b"").ended(Verdict.BODY_CUT, BodyTruncated)
    assert error.cursor == "1"
    assert error.__notes__ == ["chunks before it: 1, to be resumed behind: '1'"]


# An answer that is taken up where it broke off.


def chat(retries: Retries | None = None) -> Life:
    request = Request(
        dialect=CHAT.dialect, method="POST", path=CHAT.path, body=CHAT.body, reconnects=Reconnects()
    )
    return Life(request=request, retries=retries).ask()


def test_an_answer_goes_on_where_it_broke_off() -> None:
    life = chat().receive(HEAD, framed(b"id: 1\n" + say("Hel")), b"").again()
    life.receive(HEAD, framed(b"id: 2\n" + say("lo"), FINISH), b"").again()
    life.receive(HEAD, LAST).ended_well(Verdict.FINISHED)
    assert life.text == "Hello"
    assert life.session.message is not None and life.session.message.text == "Hello"


def test_an_answer_that_is_finished_is_not_taken_up() -> None:
    chat().receive(HEAD, framed(b"id: 1\n" + say("a"), FINISH), LAST).ended_well(Verdict.FINISHED)
    chat().receive(HEAD, framed(b"id: 1\n" + say("a"), DONE)).ended_well(Verdict.COMPLETE)


def test_an_answer_without_ids_is_not_begun_again() -> None:
    life = chat(RETRIES).receive(HEAD, framed(ROLE), b"")
    life.ended(Verdict.BODY_CUT, BodyTruncated)
    life = chat().receive(HEAD, b"").again().receive(HEAD, framed(say("a"), DONE))
    life.ended_well(Verdict.COMPLETE)


# What errors and messages hold.


def test_an_answer_of_exactly_the_limit_is_put_together() -> None:
    size = len(say("a"))
    for limit, whole in ((size, True), (size - 1, False)):
        life = Life(limits=Limits(max_answer_size=limit)).ask().receive(HEAD, framed(say("a")))
        assert (life.session.message is not None) is whole


def test_an_answer_that_is_too_long_is_not_put_together() -> None:
    life = Life(limits=Limits(max_answer_size=200)).ask().receive(HEAD, framed(say("a")))
    assert life.session.message is not None
    life.receive(framed(b": " + b"x" * 200 + b"\n"), framed(say("b")))
    assert life.session.message is None
    with pytest.raises(EventTooLarge, match=r"the answer is larger than max_answer_size: .* 200 allowed"):
        life.session.complete_message()
    error = life.receive(b"").ended(Verdict.BODY_CUT, BodyTruncated)
    assert (error.partial, life.text) == (None, "ab")


def test_the_cursor_is_the_providers_own_where_it_has_one() -> None:
    class Numbered(Dialect[int]):
        def read(self, event: Event) -> int:
            self.cursor = int(event.data)
            return self.cursor

    for number in (0, 2):
        life = Life(request=Request(dialect=Numbered)).ask()
        life.receive(HEAD, framed(b"id: x\ndata: 1\n\ndata: %d\n\n" % number), b"")
        assert life.ended(Verdict.BODY_CUT, BodyTruncated).cursor == number


def test_an_error_of_a_kind_that_is_not_known_is_invalid() -> None:
    class Odd(Dialect[int]):
        def read(self, event: Event) -> int:
            raise StreamError("odd")

    life = Life(request=Request(dialect=Odd)).ask().receive(HEAD, framed(b"data: 1\n\n"))
    life.ended(Verdict.INVALID, StreamError)


def test_a_dialect_may_say_which_chunk_is_the_last() -> None:
    class Ends(Dialect[str]):
        def read(self, event: Event) -> str:
            self.ended = event.data == "end"
            if event.data == "no":
                raise InvalidChunk("no", event.raw)
            return event.data

    life = Life(request=Request(dialect=Ends)).ask()
    life.receive(HEAD, framed(b"data: 1\n\ndata: end\n\ndata: no\n\n")).ended_well(Verdict.COMPLETE)
    assert life.chunks == ["1", "end"]
