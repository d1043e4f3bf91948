"""What has to come of a stream, and what is wrong with what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from sse_core.testing.reference import BOM, ReferenceDecoder
from sse_core.testing.subjects import Found, Run
from sse_core.testing.vectors import Clause

__all__ = ["Expected", "clause_of", "expectation", "lateness", "problem", "show"]


class Expected(NamedTuple):
    """What has to come of a stream. `due` has for each event how many bytes complete it."""

    events: Sequence[Found]
    due: Sequence[int]
    end: Found


@lru_cache(maxsize=1024)
def expectation(stream: bytes) -> Expected:
    """What has to come of a stream, as the reference decoder has it."""
    decoder = ReferenceDecoder()
    events: list[Found] = []
    due: list[int] = []
    for at in range(len(stream)):
        for event in decoder.feed(stream[at : at + 1]):
            events.append({"type": event.type, "data": event.data, "last_event_id": event.last_event_id})
            due.append(at + 1)
    end = {"last_event_id": decoder.last_event_id, "reconnection_time": decoder.reconnection_time}
    return Expected(events, due, end)


def problem(expected: Expected, run: Run) -> str | None:
    """What is wrong with a run, if anything. What the decoder does not show is not compared."""
    if run.error is not None:
        return f"it raised {type(run.error).__name__}: {run.error}"
    for number, (wanted, found) in enumerate(zip(expected.events, run.events, strict=False), 1):
        for name, value in found.items():
            if value != wanted[name]:
                return f"the {name} of event {number} is {value!r}, not {wanted[name]!r}"
    if len(run.events) < len(expected.events):
        return f"an event does not come: {show(expected.events[len(run.events)])}"
    if len(run.events) > len(expected.events):
        return f"an event comes that should not: {show(run.events[len(expected.events)])}"
    for name, value in run.end.items():
        if value != expected.end[name]:
            return f"the decoder's {name} is {value!r} at the end, not {expected.end[name]!r}"
    return None


def lateness(expected: Expected, run: Run, chunks: Sequence[bytes]) -> str | None:
    """Which event of a run that is right came later than the chunk that has its last byte, if one did."""
    ends = list(accumulate(map(len, chunks)))
    for number, (due, came) in enumerate(zip(expected.due, run.came, strict=True), 1):
        if came > next(end for end in ends if end >= due):
            when = f"after {came} bytes" if came <= ends[-1] else "at the end of the stream"
            return f"event {number} came {when}, and was complete after {due}"
    return None


def clause_of(stream: bytes) -> Clause:
    """The rule that a stream is about, if nothing can be left out of it: a guess from what it has."""
    if "\ufffd" in stream.decode("utf-8", "replace"):
        return "9.2.6 UTF-8 decoding"
    for signs, clause in SIGNS.items():
        if any(sign in b"\n" + stream for sign in signs):
            return clause
    return "9.2.6 dispatch" if stream.endswith(b"\n\n") else "9.2.6 end of stream"


def show(event: Found) -> str:
    """An event in one line, with what it has: `type 'ping', data 'x', last_event_id '1'`."""
    return ", ".join(f"{name} {value!r}" for name, value in event.items())


SIGNS: Mapping[Sequence[bytes], Clause] = {
    (BOM,): "9.2.5 byte order mark",
    (
        *(b"\r", b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e"),
        *("\u0085".encode(), "\u2028".encode(), "\u2029".encode()),
    ): "9.2.5 line endings",
    (b"\n:",): "9.2.5 comments",
    (b"\nretry",): "9.2.6 retry field",
    (b"\nid",): "9.2.6 id field",
    (b"\nevent",): "9.2.6 event field",
}
