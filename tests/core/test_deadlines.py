"""Ring 3: deadlines, on a clock that only moves when a test moves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sse_core import (
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
    Send,
    StartTLS,
    State,
    StatusError,
    Verdict,
)
from support_core import HEAD, Life, answer, framed, say

EACH = Deadlines(connect=1, tls=2, response_head=4, between_bytes=8, error_body=16)
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
        deadlines=Deadlines(
            connect=None, tls=None, response_head=None, between_bytes=None, first_content=None
        ),
    )
    stage(life)
    assert deadline_of(life) is None


@pytest.mark.parametrize("stage", [stage for stage, *_ in STAGES])
def test_the_total_counts_alone_too(stage: Callable[[Life], None]) -> None:
    life = Life(
        "https://api.test/",
        deadlines=Deadlines(connect=None, tls=None, response_head=None, between_bytes=None, total=3),
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
        connect=10, tls=10, response_head=120, between_bytes=120, error_body=5, total=None
    )
