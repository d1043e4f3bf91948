"""What a decoder gets right, measured: vectors, chunking, promptness, random streams, time.

    score = measure(my_decoder)
    print(report(score))
    assert score.ok

`python -m sse_core.testing package.module:callable` is the same as a command, and `suite` the same
for pytest. `subjects` says what decoders can be measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import msgspec

from sse_core.testing.adversarial import adversarial_stream, split
from sse_core.testing.comparing import Expected, clause_of, expectation, lateness, problem, show
from sse_core.testing.shrinking import shrink
from sse_core.testing.subjects import Run, Subject
from sse_core.testing.timing import MOST, SHAPES, TIMES, growth
from sse_core.testing.vectors import Clause, Vector, chunkings, load

__all__ = ["Check", "Failure", "Score", "measure", "measure_time"]


class Failure(msgspec.Struct, frozen=True):
    """A case that fails: what was fed, in Python's notation for bytes, and what was wrong then."""

    name: str
    clause: str
    why: str
    fed: list[str]
    expected: list[str]
    problem: str


class Check(msgspec.Struct, frozen=True):
    """How many of those tried were right, and those that were not, the smallest first.

    `parts` tells it by clause: how many were right, of how many.
    """

    name: str
    right: int
    of: int
    note: str = ""
    parts: dict[str, tuple[int, int]] = {}
    failures: list[Failure] = []

    @property
    def ok(self) -> bool:
        """Whether all were right."""
        return self.right == self.of


class Score(msgspec.Struct, frozen=True):
    """All checks of one decoder. `compared` has what was looked at, with its name there."""

    form: str
    compared: dict[str, str]
    checks: list[Check]

    @property
    def ok(self) -> bool:
        """Whether every check was."""
        return all(check.ok for check in self.checks)


def measure(target: Callable[..., object], *, seed: int = 1, streams: int = 2000) -> Score:
    """Measure a decoder. `streams` random ones are made from the `seed`.

    Raises NotADecoder if the callable is none, see `subjects`.
    """
    subject = Subject(target)
    checks = [
        *_vectors(subject, seed),
        *_random_streams(subject, seed, streams),
        measure_time(subject),
    ]
    return Score(subject.form.value, dict(subject.names), checks)


def _vectors(subject: Subject, seed: int) -> Iterator[Check]:
    """Three checks on the vectors, apart from each other: a decoder can pass each of them alone."""
    wrong: dict[str, Failure] = {}
    uneven: dict[str, Failure] = {}
    late: dict[str, Failure] = {}
    timed: set[str] = set()
    vectors = sorted(load(), key=lambda vector: len(vector.octets))
    for vector in vectors:
        stream, name = vector.octets, vector.name
        expected = expectation(stream)
        whole = subject.run([stream])
        if found := problem(expected, whole):
            wrong[name] = _failure(vector, [stream], expected, found)
        for chunks in sorted(chunkings(stream, seed), key=len):
            run = subject.run(chunks)
            if name not in uneven and (found := _difference(whole, run)):
                uneven[name] = _failure(vector, chunks, expected, found)
            if expected.events and not problem(expected, run):
                timed.add(name)
                if name not in late and (found := lateness(expected, run, chunks)):
                    late[name] = _failure(vector, chunks, expected, found)

    def check(name: str, failures: dict[str, Failure], of: int, note: str) -> Check:
        return Check(name, of - len(failures), of, note, failures=list(failures.values()))

    of_clause = {clause: [v.name for v in vectors if v.clause == clause] for clause in get_args(Clause)}
    parts = {
        clause: (sum(name not in wrong for name in names), len(names)) for clause, names in of_clause.items()
    }
    yield msgspec.structs.replace(check("vectors", wrong, len(vectors), "each stream whole"), parts=parts)
    yield check("chunking", uneven, len(vectors), "the same result, right or wrong, however it is cut")
    yield check("promptness", late, len(timed), "each event out by its last byte, where the events are right")


def _random_streams(subject: Subject, seed: int, streams: int) -> Iterator[Check]:
    """Two checks on random streams, cut at random: right as the reference has it, and no exception."""
    dice = random.Random(seed)
    wrong: list[list[bytes]] = []
    raised: list[list[bytes]] = []
    for _ in range(streams):
        stream = adversarial_stream(dice)
        chunks = split(stream, dice)
        run = subject.run(chunks)
        if problem(expectation(stream), run):
            wrong.append(chunks)
        if run.error is not None:
            raised.append(chunks)

    def is_wrong(chunks: list[bytes]) -> bool:
        return problem(expectation(b"".join(chunks)), subject.run(chunks)) is not None

    def raises(chunks: list[bytes]) -> bool:
        return subject.run(chunks).error is not None

    def check(
        name: str, failing: list[list[bytes]], fails: Callable[[list[bytes]], bool], note: str
    ) -> Check:
        failures = [_shrunk(subject, failing, fails)] if failing else []
        return Check(name, streams - len(failing), streams, note, failures=failures)

    note = f"seed {seed}, cut at random"
    yield check("random streams", wrong, is_wrong, f"{note}; the same result as the reference's")
    yield check("no exception", raised, raises, f"{note}; whatever the bytes")


def measure_time(subject: Subject) -> Check:
    """Check that time grows with the bytes and not with their square, see `timing`."""
    ratios: list[str] = []
    failures: list[Failure] = []
    for name, (start, piece) in SHAPES.items():
        try:
            ratio = growth(subject, start, piece)
            wrong = f"{TIMES} times the bytes took {ratio:.0f} times the time" if ratio > MOST else ""
            ratios.append(f"{ratio:.1f}")
        except Exception as error:
            wrong = f"it raised {type(error).__name__}: {error}"
        if wrong:
            fed = [repr(start), f"{piece!r} again and again", repr(b"\n\n")]
            failures.append(
                Failure(name, "of no clause", "Time is linear in the bytes.", fed, [LINEAR], wrong)
            )
    note = f"CPU time for {TIMES} times the bytes, at most {MOST:.0f} times: {', '.join(ratios)}"
    return Check("linear time", len(SHAPES) - len(failures), len(SHAPES), note, failures=failures)


def _difference(whole: Run, run: Run) -> str | None:
    """How a run differs from that of the whole stream, if it does."""
    if whole.error is not None or run.error is not None:
        if (whole.error is None, whole.events) == (run.error is None, run.events):
            return None
        cut = "no exception" if run.error is None else f"{type(run.error).__name__}: {run.error}"
        return f"cut like this, {len(run.events)} events and {cut}; whole, {len(whole.events)} events" + (
            "" if whole.error is None else f" and {type(whole.error).__name__}"
        )
    found = problem(Expected(whole.events, [], whole.end), run)
    return f"unlike the whole stream: {found}" if found else None


def _shrunk(
    subject: Subject, failing: Sequence[list[bytes]], fails: Callable[[list[bytes]], bool]
) -> Failure:
    """The smallest case that can be made of those that fail."""
    chunks = shrink(min(failing, key=lambda chunks: sum(map(len, chunks))), fails)
    stream = b"".join(chunks)
    expected = expectation(stream)
    found = problem(expected, subject.run(chunks))
    return Failure(
        "a random stream",
        clause_of(stream),
        "Made as small as it can be and still fail.",
        [repr(chunk) for chunk in chunks],
        [show(event) for event in expected.events],
        str(found),
    )


def _failure(vector: Vector, chunks: Sequence[bytes], expected: Expected, found: str) -> Failure:
    return Failure(
        vector.name,
        vector.clause,
        vector.why,
        [repr(chunk) for chunk in chunks],
        [show(event) for event in expected.events],
        found,
    )


LINEAR = f"about {TIMES} times the time for {TIMES} times the bytes"
