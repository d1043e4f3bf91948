"""Ring 3: every short life there is, tried out, and what must hold in all of them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    EDGES,
    Acquire,
    Acquired,
    Done,
    Failed,
    Limits,
    Outcome,
    Reason,
    Received,
    Release,
    State,
    Stop,
    Verdict,
)
from support_core import DONE, ERROR, FINISH, HEAD, LAST, Life, answer, framed, say, unhurried

COMPRESSED = "Content-Type: text/event-stream", "Content-Encoding: gzip"

START = "start"
"""Not an outcome, but tried like one: start() is the first move of most lives."""

PIECES = {
    "end": b"",
    "stream": HEAD,
    "part of a head": b"HTTP/1.1 200 OK\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "refusal": b"HTTP/1.1 500 Oops\r\nContent-Length: 8\r\n\r\n",
    "redirect": b"HTTP/1.1 307 There\r\nLocation: /there\r\n\r\n",
    "four bytes": b"why?",
    "chunk": framed(say("a")),
    "finish": framed(FINISH),
    "marker": framed(DONE),
    "error": framed(ERROR),
    "half an event": framed(b"data: {"),
    "last": LAST,
    "all": HEAD + framed(say("a"), DONE),
    "compressed": answer(gzip.compress(b":" * 2**16 + b"\n" + say("a")), *COMPRESSED),
    "large": framed(b"data: " + b"x" * 200),
    "noise": b"\xff\x00",
}
"""The compressed one is decoded in more than one step."""
UNDIVERTED = [piece for name, piece in PIECES.items() if name != "redirect"]
Move = Outcome | str
MOVES: list[Move] = [
    START,
    Done(),
    Acquired(reused=False),
    Acquired(reused=True),
    Done(),
    *(Received(piece) for piece in PIECES.values()),
    *(Failed(reason, "x") for reason in Reason),
]
MOST_RECEIVED = {"http://api.test/": 3, "https://api.test/": 1}


def move(life: Life, what: Move) -> None:
    if isinstance(what, str):
        life.begin()
    else:
        life.then(what)


def replay(url: str, moves: tuple[Move, ...]) -> Life:
    life = Life(url, limits=Limits(max_event_size=100, max_error_body=8, max_redirects=1))
    for what in moves:
        move(life, what)
    return life


def is_taken(life: Life, what: Move) -> bool:
    """Make a move; return whether it was taken, and check that nothing happened if not."""
    before = life.state, life.session.verdict, life.session.error, list(life.actions)
    try:
        move(life, what)
    except RuntimeError:
        assert before == (life.state, life.session.verdict, life.session.error, life.actions)
        return False
    return True


@dataclass(frozen=True)
class Moment:
    """A point that a life can come to: the moves up to it, and what may be done next."""

    url: str
    moves: tuple[Move, ...]
    legal: tuple[Move, ...]

    def life(self) -> Life:
        return replay(self.url, self.moves)


@cache
def moments() -> list[Moment]:
    """The moments of all lives within the bounds, breadth first, each replayed from its start.

    Of those that nothing can tell apart from here on, only the first is kept.
    """
    found: list[Moment] = []
    for url, most in MOST_RECEIVED.items():
        known: set[object] = set()
        level: list[tuple[Move, ...]] = [()]
        while level:
            reached = [Moment(url, moves, legal(url, moves)) for moves in level if is_new(url, moves, known)]
            found += reached
            level = [
                (*moment.moves, what)
                for moment in reached
                for what in moment.legal
                if sum(isinstance(each, Received) for each in (*moment.moves, what)) <= most
            ]
    return found


def is_new(url: str, moves: tuple[Move, ...], known: set[object]) -> bool:
    life = replay(url, moves)
    past: tuple[Move, ...] = () if life.session.verdict else moves  # which counts until the end is known
    now = (life.state, life.session.verdict, type(life.session.error), life.session.response, past)
    is_new = now not in known
    known.add(now)
    return is_new


def legal(url: str, moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """Which moves are taken here; those that are not must leave the life as good as it was."""
    taken: list[Move] = []
    life = replay(url, moves)
    for what in MOVES:
        if is_taken(life, what):
            fresh = replay(url, moves)
            move(fresh, what)
            assert fresh.actions == life.actions
            taken.append(what)
            life = replay(url, moves)
    return tuple(taken)


def test_every_edge_is_walked_by_some_life_and_no_other() -> None:
    walked: dict[State, set[State]] = {state: set() for state in State}
    for moment in moments():
        for what in moment.legal:
            life = moment.life()
            before = life.state
            move(life, what)
            walked[before].add(life.state)
    assert walked == EDGES


def test_every_verdict_is_reached_by_some_life() -> None:
    assert {moment.life().session.verdict for moment in moments()} == {None, *Verdict}


def test_a_stopped_life_takes_nothing_and_any_other_can_be_cancelled() -> None:
    for moment in moments():
        if moment.life().state is State.STOPPED:
            assert moment.legal == ()
        else:
            assert Failed(Reason.CANCELLED, "x") in moment.legal


def test_every_life_that_is_cancelled_is_released_if_it_was_opened_and_then_stops() -> None:
    for moment in moments():
        life = moment.life()
        verdict = life.session.verdict
        while life.state is not State.STOPPED:
            life.then(Failed(Reason.CANCELLED))
        assert life.action == Stop() and life.actions.count(Stop()) == 1
        connections = [type(action) for action in life.actions if isinstance(action, Acquire | Release)]
        assert connections == [Acquire, Release] * (len(connections) // 2)
        assert life.session.verdict is (verdict or Verdict.CANCELLED)


def test_a_verdict_once_set_stays_and_comes_with_its_error() -> None:
    for moment in moments():
        life = moment.life()
        verdict, error = life.session.verdict, life.session.error
        good = verdict in (None, Verdict.COMPLETE, Verdict.FINISHED)
        assert (error is None) == good
        assert verdict is not None or life.state is not State.STOPPED
        if verdict is not None:
            for what in moment.legal:
                later = moment.life()
                move(later, what)
                assert later.session.verdict is verdict
                assert type(later.session.error) is type(error)


def test_the_exploration_has_come_to_every_state() -> None:
    assert {moment.life().state for moment in moments()} == set(State)
    assert max(len(moment.moves) for moment in moments()) >= 8


@pytest.mark.parametrize("url", MOST_RECEIVED)
@unhurried
@given(moves=st.lists(st.sampled_from(MOVES) | st.binary(max_size=40).map(Received), max_size=40))
def test_no_sequence_of_outcomes_breaks_a_life(url: str, moves: list[Move]) -> None:
    life = replay(url, ())
    for what in moves:
        before = life.state
        assert not is_taken(life, what) or life.state in EDGES[before]
    while life.state is not State.STOPPED:
        assert is_taken(life, Failed(Reason.CANCELLED))
    assert life.count(Release) == life.count(Acquire)
    assert life.session.verdict is not None


@unhurried
@given(
    before=st.lists(st.sampled_from(UNDIVERTED), max_size=3),
    pieces=st.lists(st.sampled_from(UNDIVERTED) | st.binary(max_size=40), max_size=20),
)
def test_a_life_that_receives_anything_comes_to_an_end(before: list[bytes], pieces: list[bytes]) -> None:
    life = Life().ask().receive(*before, HEAD, *pieces).end()
    assert life.session.verdict is not None
