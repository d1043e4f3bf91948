"""A score as text that a person reads."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sse_core.testing.scoring import Check, Failure, Score
from sse_core.testing.subjects import NAMES, NAMES_AT_THE_END

__all__ = ["report"]


def report(score: Score, *, every_failure: bool = False) -> str:
    """The score, what was compared, and of every check the smallest failure in full, or all of them."""
    lines = [*_compared(score), ""]
    for check in score.checks:
        lines += _check(check)
    for check in score.checks:
        shown = check.failures if every_failure else check.failures[:1]
        for number, failure in enumerate(shown):
            title = f"Failure {number + 1}" if every_failure else "The smallest failure"
            lines += ["", f"{title} of {check.name}:", *_failure(failure)]
    failed = ", ".join(check.name for check in score.checks if not check.ok)
    return "\n".join([*lines, "", f"Failed: {failed}." if failed else "All right."])


def _compared(score: Score) -> Iterator[str]:
    compared = [
        name if name.split()[-1] == alias else f"{name} (called {alias})"
        for name, alias in score.compared.items()
    ]
    known = [*NAMES, *(f"the decoder's {name}" for name in NAMES_AT_THE_END)]
    missing = [name for name in known if name not in score.compared]
    yield f"The decoder {score.form}."
    yield from _wrapped("Compared: ", ", ".join(compared) or "nothing", "  ")
    if missing:
        yield from _wrapped("Not there, so not scored: ", ", ".join(missing), "  ")


def _check(check: Check) -> Iterator[str]:
    yield f"{check.name:{WIDTH}}{check.right:6} of {check.of:<6}{'' if check.ok else 'FAILED'}".rstrip()
    for part, (right, of) in check.parts.items():
        example = next((failure.name for failure in check.failures if failure.clause == part), "")
        yield f"  {part:{WIDTH - 2}}{right:6} of {of:<6}{example and f'as {example}'}".rstrip()
    yield from _wrapped("  (", f"{check.note})", "   ")


def _failure(failure: Failure) -> Iterator[str]:
    yield f"  {failure.name}, {failure.clause}"
    yield from _wrapped("  ", failure.why, "  ")
    yield from _wrapped("  fed       ", ", ".join(failure.fed), " " * 12)
    yield from _wrapped("  expected  ", "; ".join(failure.expected) or "no event", " " * 12)
    yield from _wrapped("  but       ", failure.problem, " " * 12)


def _wrapped(first: str, text: str, then: str) -> list[str]:
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


WIDTH = 30
COLUMNS = 100
