"""Ring 3: deadlines, on a clock that only moves when a test moves it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sse_core import (
    Acquire,
    Acquired,
    Authorized,
    DeadlineExceeded,
    Deadlines,
    Deliver,
    Done,
    Failed,
    Fault,
    Open,
    Reason,
    Receive,
    Received,
    Release,
    Retries,
    Send,
    Sleep,
    StartTLS,
    State,
    StatusError,
    Verdict,
)
from sse_core.dialects import events
from support.core import FINISH, HEAD, ROLE, Life, answer, framed, say

EACH = Deadlines(connect=1, tls=2, response_head=4, between_bytes=8, error_body=16)
NONE = Deadlines(**{each.name: None for each in msgspec.structs.fields(Deadlines)})
START = 1000.0


def deadline_of(life: Life) -> float | None:
    assert isinstance(life.action, Open | StartTLS | Send | Receive)
    return life.action.deadline


def opening(life: Life) -> None:
    life.start()


def securing(life: Life) -> None:
    opening(life)
    life.then(Done(), after=0.5)


def sending(life: Life) -> None:
    securing(life)
    life.then(Done(), after=0.5)


def awaiting(life: Life) -> None:
    sending(life)
    life.then(Done(), after=0.5)


def streaming(life: Life) -> None:
    awaiting(life)
    life.then(Received(HEAD), after=0.5)
    life.then(Done(), after=0.5)


STAGES = [
    (opening, "connect", State.OPENING, START + 1),
    (securing, "tls", State.SECURING, START + 0.5 + 2),
    (sending, "response_head", State.SENDING, START + 1 + 4),
    (awaiting, "response_head", State.AWAITING, START + 1 + 4),
    (streaming, "between_bytes", State.STREAMING, START + 2.5 + 8),
]


@pytest.mark.parametrize(("stage", "which", "state", "deadline"), STAGES)
def test_each_stage_has_its_deadline(
    stage: Callable[[Life], None], which: str, state: State, deadline: float
) -> None:
    life = Life("https://api.test/", deadlines=EACH)
    stage(life)
    assert life.state is state
    assert deadline_of(life) == deadline

    life.now = deadline + 0.25
    assert isinstance(life.then(Failed(Reason.DEADLINE, "late")), Release)
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    seconds = getattr(EACH, which) + 0.25
    assert (error.which, error.seconds) == (which, seconds)
    assert str(error) == f"deadline {which!r} exceeded after {seconds:.3f} s"
    assert (error.fault, error.retryable) == (Fault.NETWORK, True)
    assert error.response is life.session.response


@pytest.mark.parametrize("stage", [stage for stage, *_ in STAGES])
def test_the_total_wins_where_it_is_sooner(stage: Callable[[Life], None]) -> None:
    life = Life("https://api.test/", deadlines=Deadlines(total=3))
    stage(life)
    assert deadline_of(life) == START + 3
    life.now = START + 3.5
    life.then(Failed(Reason.DEADLINE, "late"))
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == ("total", 3.5)


@pytest.mark.parametrize(("stage", "which", "state", "deadline"), STAGES)
def test_the_total_does_not_win_where_it_is_later(
    stage: Callable[[Life], None], which: str, state: State, deadline: float
) -> None:
    both = Deadlines(connect=1, tls=2, response_head=4, between_bytes=8, total=100)
    life = Life("https://api.test/", deadlines=both)
    stage(life)
    assert (life.state, deadline_of(life)) == (state, deadline)
    life.then(Failed(Reason.DEADLINE, "late"))
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == which


@pytest.mark.parametrize("stage", [stage for stage, *_ in STAGES])
def test_none_means_no_limit(stage: Callable[[Life], None]) -> None:
    life = Life(
        "https://api.test/",
        deadlines=NONE,
    )
    stage(life)
    assert deadline_of(life) is None


@pytest.mark.parametrize("stage", [stage for stage, *_ in STAGES])
def test_the_total_counts_alone_too(stage: Callable[[Life], None]) -> None:
    life = Life(
        "https://api.test/",
        deadlines=msgspec.structs.replace(NONE, total=3),
    )
    stage(life)
    assert deadline_of(life) == START + 3


def test_pieces_of_the_head_do_not_put_its_deadline_off() -> None:
    life = Life(deadlines=EACH).ask()
    due = deadline_of(life)
    for at in range(20):
        life.then(Received(HEAD[at : at + 1]), after=0.1)
        assert deadline_of(life) == due


def test_interim_responses_do_not_put_the_deadline_of_the_head_off() -> None:
    life = Life(deadlines=EACH).ask()
    due = deadline_of(life)
    life.then(Received(b"HTTP/1.1 100 Continue\r\n\r\n"), after=1)
    assert deadline_of(life) == due


def test_any_bytes_of_the_stream_put_its_deadline_off() -> None:
    life = Life(deadlines=EACH).ask().receive(HEAD)
    for piece in (framed(b": ping\n"), framed(b"da"), b"5"):
        life.then(Received(piece), after=7)
        assert deadline_of(life) == life.now + 8


def test_the_applications_time_does_not_count() -> None:
    life = Life(deadlines=EACH).ask().receive(HEAD)
    life.then(Received(framed(say("a"))), after=7)
    assert isinstance(life.action, Deliver)
    assert life.then(Done(), after=3600) == Receive(life.now + 8)


def test_the_applications_time_does_count_in_the_total() -> None:
    life = Life(deadlines=Deadlines(total=60)).ask().receive(HEAD)
    life.then(Received(framed(say("a"))))
    assert life.then(Done(), after=3600) == Release(reuse=False)
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == ("total", 3600)


def test_a_refused_body_has_one_deadline_for_all_of_it() -> None:
    life = Life(deadlines=EACH).ask()
    assert life.then(Received(answer(b"so", status="500 Oops", length=99)), after=1) == Receive(START + 17)
    assert life.then(Received(b"rr"), after=15) == Receive(START + 17)
    assert isinstance(life.then(Failed(Reason.DEADLINE, "late"), after=1), Release)
    assert life.ended(Verdict.REFUSED, StatusError).body == b"sorr"


def test_a_refused_body_is_within_the_total() -> None:
    life = Life(deadlines=Deadlines(total=3)).ask()
    assert life.then(Received(b"HTTP/1.1 500 Oops\r\n\r\n")) == Receive(START + 3)


def test_a_request_that_cannot_be_sent_in_time_is_late_and_not_answered_early() -> None:
    life = Life(deadlines=EACH)
    life.start()
    assert isinstance(life.then(Done()), Send)
    assert isinstance(life.then(Failed(Reason.DEADLINE, "late"), after=4), Release)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "response_head"


def test_the_defaults_leave_a_model_time_to_think() -> None:
    assert Deadlines() == Deadlines(
        pool=60,
        connect=10,
        tls=10,
        response_head=120,
        first_byte=None,
        first_event=None,
        first_content=600,
        between_bytes=120,
        between_events=None,
        between_content=300,
        error_body=5,
        total=None,
    )


# What is waited for, besides bytes.


def only(**deadlines: float) -> Deadlines:
    return msgspec.structs.replace(NONE, **deadlines)


def late(life: Life, which: str, seconds: float) -> None:
    """Check that only this deadline runs, and have it pass."""
    due = deadline_of(life)
    assert due is not None
    life.now = due
    life.then(Failed(Reason.DEADLINE, "late"))
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == (which, seconds)


def test_a_connection_of_the_pools_may_be_long_in_coming() -> None:
    life = Life(deadlines=only(pool=7))
    life.begin()
    assert isinstance(life.action, Acquire) and life.action.deadline == START + 7
    life.now += 7
    assert life.then(Failed(Reason.DEADLINE, "late")) == Release(reuse=False)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "pool"


def test_the_first_byte_is_that_of_the_response() -> None:
    late(Life(deadlines=only(first_byte=3, response_head=60)).ask(), "first_byte", 3)
    life = Life(deadlines=only(first_byte=3, between_bytes=1, response_head=60)).ask()
    assert life.then(Received(b"HTTP/1.1 103 Early Hints\r\n\r\n"), after=2) == Receive(START + 60)


def test_the_head_is_due_before_the_first_byte_if_that_has_longer() -> None:
    late(Life(deadlines=only(first_byte=90, response_head=60)).ask(), "response_head", 60)


@pytest.mark.parametrize(
    ("deadlines", "which"),
    [
        (only(response_head=3, first_byte=3, first_event=3, first_content=3, total=3), "response_head"),
        (only(first_byte=3, first_event=3, first_content=3, total=3), "first_event"),
        (only(first_byte=3, first_content=3, total=3), "first_byte"),
        (only(first_content=3, total=3), "first_content"),
    ],
)
def test_of_deadlines_that_pass_at_once_the_first_in_a_certain_order_is_named(
    deadlines: Deadlines, which: str
) -> None:
    late(Life(deadlines=deadlines).ask(), which, 3)


@pytest.mark.parametrize(
    ("deadlines", "which"),
    [
        (only(between_bytes=3, first_event=3, first_content=3, total=3), "between_bytes"),
        (only(first_event=3, first_content=3, total=3), "first_event"),
        (only(first_content=3, total=3), "first_content"),
    ],
)
def test_the_same_while_a_body_is_received(deadlines: Deadlines, which: str) -> None:
    late(Life(deadlines=deadlines).ask().receive(HEAD), which, 3)


def test_keep_alives_are_no_events_and_pings_are_none_either() -> None:
    life = Life(deadlines=only(between_bytes=10, first_event=25)).ask().receive(HEAD)
    life.then(Received(framed(b": alive\n\n")), after=9)
    life.then(Received(framed(b"event: ping\ndata: {}\n\n")), after=9)
    assert life.action == Receive(START + 25)
    late(life, "first_event", 25)


def test_an_event_puts_off_the_next_one_and_a_comment_does_not() -> None:
    life = Life(request=events.request(), deadlines=only(between_events=20)).ask().receive(HEAD)
    assert life.action == Receive(None)
    life.receive(framed(b"data: 1\n\n"))
    assert life.action == Receive(START + 20)
    life.then(Received(framed(b":\n")), after=15)
    late(life, "between_events", 20)


def test_comments_do_not_keep_an_answer_alive_that_has_no_content() -> None:
    """A proxy that sends a comment every few seconds kept a dead stream open (opencode#43519)."""
    life = Life(deadlines=only(first_content=60, between_bytes=20)).ask().receive(HEAD, framed(ROLE))
    for _ in range(5):
        life.then(Received(framed(b": OPENROUTER PROCESSING\n\n")), after=10)
    late(life, "first_content", 60)


def test_comments_keep_an_answer_alive_that_is_thought_about() -> None:
    """A watchdog that did not see comments killed a healthy stream (openclaw#152535)."""
    life = Life(deadlines=only(first_content=600, between_bytes=20)).ask().receive(HEAD)
    for _ in range(50):
        life.then(Received(framed(b": OPENROUTER PROCESSING\n\n")), after=10)
    life.receive(framed(say("at last")))
    assert life.text == "at last"


def test_content_puts_off_the_next_and_a_chunk_without_content_does_not() -> None:
    life = Life(deadlines=only(between_content=20)).ask().receive(HEAD, framed(say("a")))
    assert life.action == Receive(START + 20)
    life.now += 5
    life.receive(framed(FINISH))
    late(life, "between_content", 20)


def test_a_stream_whose_dialect_knows_no_content_is_not_waited_for_by_it() -> None:
    deadlines = only(first_content=1, between_content=1)
    life = Life(request=events.request(), deadlines=deadlines).ask().receive(HEAD, framed(b"data: 1\n\n"))
    assert life.action == Receive(None)


def test_the_applications_time_counts_for_none_of_them() -> None:
    deadlines = only(first_byte=10, first_event=20, first_content=30, between_content=40)
    life = Life(deadlines=deadlines).ask()
    life.then(Received(HEAD), after=5)
    assert life.then(Done(), after=1000) == Receive(START + 20 + 1000)
    life.then(Received(framed(ROLE)), after=5)
    assert life.then(Done(), after=1000) == Receive(START + 30 + 2000)
    life.then(Received(framed(say("a"))), after=5)
    assert life.then(Done(), after=1000) == Receive(life.now + 40)
    late(life, "between_content", 40)


def test_bytes_that_come_late_are_taken_before_the_deadline_counts() -> None:
    life = Life(deadlines=only(between_bytes=10, first_event=10)).ask().receive(HEAD)
    life.then(Received(framed(say("a"))[:20]), after=11)
    assert life.action == Release(reuse=False)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "first_event"


def test_every_attempt_begins_its_deadlines_anew_but_for_the_total() -> None:
    life = Life(deadlines=only(first_event=10, total=100), retries=Retries()).ask()
    life.then(Failed(Reason.NETWORK, "reset"), after=9)
    assert isinstance(life.then(Done()), Sleep)
    life.wake().reach()
    assert life.action == Receive(life.now + 10)
    life.then(Received(HEAD), after=9)
    life.then(Done(), after=91)
    error = life.ended(Verdict.DEADLINE, DeadlineExceeded)
    assert (error.which, error.seconds) == ("total", life.now - START)


def test_there_is_no_redirect_when_the_total_has_passed() -> None:
    life = Life(deadlines=only(total=10)).ask()
    life.then(Received(b"HTTP/1.1 307 There\r\nLocation: /x\r\n\r\n"), after=9)
    assert isinstance(life.action, Release)
    life.then(Done(), after=1)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"


def test_there_is_a_redirect_as_long_as_the_total_has_not_passed() -> None:
    life = Life(deadlines=only(total=10)).ask()
    life.then(Received(b"HTTP/1.1 307 There\r\nLocation: /x\r\n\r\n"), after=9)
    life.then(Done(), after=0.5)
    assert isinstance(life.action, Acquire)


def test_credentials_that_come_within_the_total_are_used() -> None:
    for after, used in ((9.5, True), (10, False)):
        life = Life(deadlines=only(total=10), authorize=True)
        life.begin()
        life.then(Authorized(()), after=after)
        assert isinstance(life.action, Acquire) is used
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"


def test_there_is_no_attempt_when_the_total_passed_in_sleep() -> None:
    life = Life(deadlines=only(total=10), retries=Retries()).ask()
    life.then(Failed(Reason.NETWORK, "reset"), after=1)
    assert isinstance(life.then(Done()), Sleep)
    life.then(Done(), after=9)
    assert life.ended(Verdict.DEADLINE, DeadlineExceeded).which == "total"
    assert life.session.stats.attempts == 1


# What the statistics say.


def test_the_statistics_of_a_stream() -> None:
    life = Life()
    life.begin()
    life.then(Acquired(reused=False), after=1)
    life.reach()
    life.then(Received(HEAD), after=1)
    life.then(Done())
    for piece, after in ((b":\n", 1), (ROLE, 1), (say("a"), 1), (say("b"), 5), (FINISH, 1), (say("c"), 2)):
        life.then(Received(framed(piece)), after=after)
        if isinstance(life.action, Deliver):
            life.then(Done())
    stats = life.session.stats
    assert stats.bytes == sum(map(len, life.received))
    assert (stats.attempts, stats.comments, stats.events, stats.content_events) == (1, 1, 5, 3)
    assert (stats.to_first_byte, stats.to_first_event, stats.to_first_content) == (2, 4, 5)
    assert (stats.to_last_content, stats.longest_gap) == (13, 5)
