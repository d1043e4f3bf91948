"""Lives as JSON Lines: each action and each outcome, with its time and its bytes, one to a line."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from ._actions import (
    Acquire,
    Acquired,
    Action,
    Deliver,
    Done,
    Failed,
    Open,
    Outcome,
    Receive,
    Received,
    Release,
    Send,
    Sleep,
    StartTLS,
    Stop,
)

Step: TypeAlias = tuple[float, Action | Outcome]
"""An action or an outcome, and the time in seconds at which it came."""


class Divergence(Exception):
    """A session asks for another action than the one that was recorded."""


class Transcript:
    """Writes a life down. Credentials in what is sent are left out, unless `redact` is False.

    Of chunks only the number is written: they are in the bytes that came.
    """

    def __init__(self, *, redact: bool = True) -> None:
        self._redact = redact

    def action(self, action: Action, now: float) -> str:
        """Return the line for an action."""
        if isinstance(action, Send) and self._redact:
            action = Send(redacted(action.data), action.deadline)
        return line(action, now)

    def outcome(self, outcome: Outcome, now: float) -> str:
        """Return the line for what came of it."""
        return line(outcome, now)


def line(step: Action | Outcome, now: float) -> str:
    fields = msgspec.structs.asdict(step)
    data = fields.pop("data", None)
    if data is not None:
        fields |= readable(data)
    if "chunks" in fields:
        fields["chunks"] = len(fields["chunks"])
    return msgspec.json.encode({"at": now, "type": type(step).__name__} | fields).decode() + "\n"


def readable(data: bytes) -> dict[str, str]:
    """Write bytes down as text where they are text."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"data": b64encode(data).decode("ascii")}


def read_transcript(lines: Iterable[str]) -> list[Step]:
    """Read a life. A Deliver has no chunks.

    Raises ValueError for what is no transcript.
    """
    return [read_line(line) for line in lines]


def read_line(line: str) -> Step:
    try:
        fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        at, kind = msgspec.convert(fields.pop("at", None), float), fields.get("type")
        if "text" in fields:
            fields["data"] = fields.pop("text").encode()
        if "chunks" in fields:
            fields["chunks"] = []
        return at, msgspec.convert(fields, KINDS[kind])
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, UnicodeError, RecursionError) as exc:
        raise ValueError(f"not a line of a transcript: {line[:SHOWN]!r}") from exc


class Replay:
    """Answers a session's actions with the outcomes of a life that was recorded.

    Raises ValueError for a life without a beginning.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        if not self._steps:
            raise ValueError("an empty transcript")
        self._next = 0
        self.start = self._steps[0][0]
        """When the life began."""

    def answer(self, action: Action) -> tuple[Outcome, float]:
        """Return what came of an action, and when.

        Raises Divergence unless the recorded life went the same way. Deadlines may differ, and credentials.
        """
        recorded = self._take()
        if compared(action) != compared(recorded):
            raise Divergence(f"the transcript has {recorded!r} where the session asks for {action!r}")
        outcome = self._take()
        if not isinstance(outcome, OUTCOMES):
            raise Divergence(f"the transcript has no answer to {action!r}")
        return outcome, self._steps[self._next - 1][0]

    def _take(self) -> Action | Outcome | None:
        if self._next == len(self._steps):
            return None
        self._next += 1
        return self._steps[self._next - 1][1]


def compared(step: Action | Outcome | None) -> object:
    """What two lives that went the same way have in common."""
    match step:
        case None:
            return None
        case Send(data):
            return Send, redacted(data)
        case _:
            fields = msgspec.structs.asdict(step)
            return type(step), {name: fields[name] for name in fields if name not in ("deadline", "chunks")}


def redacted(data: bytes) -> bytes:
    """Leave credentials out of a request, and everything else as it is."""
    head, end, body = data.partition(b"\r\n\r\n")
    first, line_end, fields = head.partition(b"\r\n")
    return (
        SECRET_PARAMETER.sub(rb"\1***", first) + line_end + SECRET_FIELD.sub(rb"\1***", fields) + end + body
    )


SECRET_FIELD = re.compile(
    rb"^([^:\r\n]*(?:auth|cookie|key|password|secret|session|token)[^:\r\n]*: *)[^\r\n]*",
    re.IGNORECASE | re.MULTILINE,
)
SECRET_PARAMETER = re.compile(rb"([?&](?:key|api_key|token)=)[^& ]*", re.IGNORECASE)
OUTCOMES = (Done, Acquired, Received, Failed)
ACTIONS = (Acquire, Open, StartTLS, Send, Receive, Deliver, Release, Sleep, Stop)
KINDS: dict[Any, Any] = {kind.__name__: kind for kind in (*ACTIONS, *OUTCOMES)}
SHOWN = 100
"""Characters of a line that a message shows."""
