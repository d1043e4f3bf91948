"""Lives as JSON Lines: each action and each outcome, with its time and its bytes, one to a line."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from .actions import (
    Acquire,
    Acquired,
    Action,
    Authorize,
    Authorized,
    Deliver,
    Done,
    Failed,
    Fetch,
    Fetched,
    Open,
    Outcome,
    Receive,
    Received,
    Release,
    Send,
    Sleep,
    StartTLS,
    Stop,
    Yield,
)
from .redacting import HIDDEN, HeadMasker, redact_fetch, redact_request, redact_response

Step: TypeAlias = tuple[float, Action | Outcome]
"""An action or an outcome, and the time in seconds at which it came."""


class Divergence(Exception):
    """A session asks for another action than the one that was recorded."""


class Transcript:
    """Writes a life down. Credentials are left out, unless `redact` is False: keys, tokens and cookies in
    headers, in URLs and in the JSON of requests, and what a proxy is told to log in.

    Of chunks only the number is written: they are in the bytes that came.
    """

    def __init__(self, *, redact: bool = True) -> None:
        self._redact = redact
        self._head = HeadMasker()
        self._secret_names: frozenset[str] = frozenset()  # of the headers with which a request is authorized

    def action(self, action: Action, now: float) -> str:
        """Return the line for an action."""
        if self._redact:
            match action:
                case Send(data, deadline):
                    self._head = HeadMasker()
                    action = Send(redact_request(data, self._secret_names), deadline)
                case Fetch():
                    action = redact_fetch(action, self._secret_names)
                case _:
                    pass
        return encode_step(action, now)

    def outcome(self, outcome: Outcome, now: float) -> str:
        """Return the line for its outcome."""
        if self._redact:
            match outcome:
                case Received(data):
                    outcome = Received(self._head.hide(data))
                case Authorized(headers):
                    self._secret_names |= {name.lower() for name, _ in headers}
                    outcome = Authorized(tuple((name, HIDDEN.decode()) for name, _ in headers))
                case Fetched(response):
                    outcome = Fetched(redact_response(response))
                case _:
                    pass
        return encode_step(outcome, now)


def encode_step(step: Action | Outcome, now: float) -> str:
    fields = msgspec.structs.asdict(step)
    match step:
        case Send() | Received():
            fields |= bytes_as_text(fields.pop("data"))
        case Deliver(chunks):
            fields["chunks"] = len(chunks)
        case Authorize(_, refused):
            fields["refused"] = refused and refused.status
        case Fetch():
            fields |= bytes_as_text(fields.pop("body"))
        case _:
            pass
    return msgspec.json.encode({"at": now, "type": type(step).__name__} | fields).decode() + "\n"


def bytes_as_text(data: bytes) -> dict[str, str]:
    """Write bytes down as text where they are text."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"data": b64encode(data).decode("ascii")}


def read_transcript(lines: Iterable[str]) -> list[Step]:
    """Read a life. A Deliver has no chunks.

    Raises ValueError if it is no transcript, and TypeError if the lines are one str.
    """
    if isinstance(lines, str):
        raise TypeError("the lines of a transcript have to be a file or a list, not one str")
    return [read_line(line) for line in lines]


def read_line(line: str) -> Step:
    try:
        fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        at, kind = msgspec.convert(fields.pop("at", None), float), fields.get("type")
        if "text" in fields:
            fields["data"] = fields.pop("text").encode()
        match kind:
            case "Deliver":
                fields["chunks"] = []
            case "Authorize" if fields["refused"] is not None:
                fields["refused"] = {"status": fields["refused"]}
            case "Fetch":
                fields["body"] = fields.pop("data")
            case _:
                pass
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
        self.start: float = self._steps[0][0]
        """When the life began."""

    def answer(self, action: Action) -> tuple[Outcome, float]:
        """Return what came of an action, and when.

        Raises Divergence unless the recorded life went the same way. Deadlines may differ, and credentials.
        """
        recorded = self._take()
        if comparable(action) != comparable(recorded):
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


def comparable(step: Action | Outcome | None) -> object:
    """What two lives that went the same way have in common."""
    match step:
        case None:
            return None
        case Send(data):
            head, _, body = redact_request(data).partition(b"\r\n\r\n")
            first, _, lines = head.partition(b"\r\n")
            # The query may come of a Location, in which it is hidden.
            return Send, first.partition(b"?")[0], lines, body
        case Fetch():
            fetch = redact_fetch(step)
            return Fetch, fetch.method, fetch.url, fetch.headers, fetch.body
        case Authorize(attempt, refused):
            return Authorize, attempt, refused and refused.status
        case _:
            fields = msgspec.structs.asdict(step)
            return type(step), {name: fields[name] for name in fields if name not in ("deadline", "chunks")}


OUTCOMES = (Done, Acquired, Authorized, Fetched, Received, Failed)
ACTIONS = (
    Acquire, Authorize, Fetch, Open, StartTLS, Send, Receive, Deliver, Release, Yield, Sleep, Stop
)  # fmt: skip
KINDS: dict[Any, Any] = {kind.__name__: kind for kind in (*ACTIONS, *OUTCOMES)}
SHOWN = 100
"""Characters of a line that a message shows."""
