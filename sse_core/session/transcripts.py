"""Lives as JSON Lines: each action and each outcome, with its time and its bytes, one to a line."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from ..http.response import Response
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

Step: TypeAlias = tuple[float, Action | Outcome]
"""An action or an outcome, and the time in seconds at which it came."""


class Divergence(Exception):
    """A session asks for another action than the one that was recorded."""


class Transcript:
    """Writes a life down. Credentials are left out, unless `redact` is False: keys, tokens and cookies,
    and what a proxy is told to log in.

    Of chunks only the number is written: they are in the bytes that came.
    """

    def __init__(self, *, redact: bool = True) -> None:
        self._redact = redact
        self._cookies = CookieMasker()
        self._secret_names: frozenset[str] = frozenset()  # of the headers with which a request is authorized

    def action(self, action: Action, now: float) -> str:
        """Return the line for an action."""
        if self._redact:
            match action:
                case Send(data, deadline):
                    self._cookies = CookieMasker()
                    action = Send(redact(data, self._secret_names), deadline)
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
                    outcome = Received(self._cookies.hide(data))
                case Authorized(headers):
                    self._secret_names |= {name.lower() for name, _ in headers}
                    outcome = Authorized(tuple((name, HIDDEN) for name, _ in headers))
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
        self.start = self._steps[0][0]
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
            return Send, redact(data)
        case Fetch():
            fetch = redact_fetch(step)
            return Fetch, fetch.method, fetch.url, fetch.headers, fetch.body
        case Authorize(attempt, refused):
            return Authorize, attempt, refused and refused.status
        case _:
            fields = msgspec.structs.asdict(step)
            return type(step), {name: fields[name] for name in fields if name not in ("deadline", "chunks")}


def redact_fetch(fetch: Fetch, secret_names: frozenset[str] = frozenset()) -> Fetch:
    """Leave credentials out of a request that another HTTP client sends."""
    url = SECRET_PARAMETER.sub(rb"\1***", fetch.url.encode()).decode()
    headers = tuple(
        (name, HIDDEN if name.lower() in secret_names or SECRET_NAME.search(name) else value)
        for name, value in fetch.headers
    )
    return msgspec.structs.replace(fetch, url=url, headers=headers)


def redact_response(response: Response) -> Response:
    """Leave cookies out of the head of a response."""
    headers = tuple((name, HIDDEN if name == "set-cookie" else value) for name, value in response.headers)
    return Response(response.status, response.reason, headers, response.http_version)


def redact(data: bytes, secret_names: frozenset[str] = frozenset()) -> bytes:
    """Leave credentials out of what is sent, and everything else as it is."""
    if data.startswith(b"\x01"):  # RFC 1929, 2: no method begins like this
        return b"\x01***"
    head, end, body = data.partition(b"\r\n\r\n")
    first, line_end, fields = head.partition(b"\r\n")
    first, fields = SECRET_PARAMETER.sub(rb"\1***", first), SECRET_FIELD.sub(rb"\1***", fields)
    for name in secret_names:
        own = re.compile(rb"^(%b: *)[^\r\n]*" % re.escape(name.encode()), re.IGNORECASE | re.MULTILINE)
        fields = own.sub(rb"\1***", fields)
    return first + line_end + fields + end + body


class CookieMasker:
    """Puts as many asterisks for the cookies in the head of a response, which may come in pieces."""

    def __init__(self) -> None:
        self._ended = False
        self._interim = False  # another head follows this one
        self._start = b""  # of a line, as long as its field is not known
        self._known = False
        self._secret = False  # the line is a cookie's, or the line before was

    def hide(self, data: bytes) -> bytes:
        """Return the next bytes, as many as are given."""
        hidden: list[bytes] = []
        while data and not self._ended:
            end = data.find(b"\n") + 1 or len(data)
            hidden.append(self._hide(data[:end]))
            data = data[end:]
        return b"".join(hidden) + data

    def _hide(self, part: bytes) -> bytes:
        """Hide a line, or what has come of it."""
        value = 0  # where it begins
        if not self._known:
            line = self._start + part
            name, colon, _ = line.partition(b":")
            goes_on = line[:1] in (b" ", b"\t")  # with the field before (RFC 9112, 5.2)
            if not (goes_on or colon or line.endswith(b"\n") or len(name) > len(COOKIE)):
                self._start = line
                return part
            self._known = True
            if not goes_on:
                self._secret = bool(colon) and name.lower() == COOKIE
                value = max(len(name) + 1 - len(self._start), 0)
            if not line.strip(b"\r\n"):
                self._ended, self._interim = not self._interim, False
            elif INTERIM.match(line):
                self._interim = True
        if part.endswith(b"\n"):
            self._start, self._known = b"", False
        return part[:value] + VISIBLE.sub(b"*", part[value:]) if self._secret else part


SECRET = rb"(?:auth|cookie|credential|jwt|key|password|secret|session|sig|token)"
"""What the name of a credential has in it."""
SECRET_FIELD = re.compile(rb"^([^:\r\n]*" + SECRET + rb"[^:\r\n]*: *)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
SECRET_PARAMETER = re.compile(rb"([?&][^=& ]*" + SECRET + rb"[^=& ]*=)[^& ]*", re.IGNORECASE)
SECRET_NAME = re.compile(SECRET.decode(), re.IGNORECASE)
HIDDEN = "***"
COOKIE = b"set-cookie"
INTERIM = re.compile(rb"HTTP/1\.[01] 1")
VISIBLE = re.compile(rb"\S")
OUTCOMES = (Done, Acquired, Authorized, Fetched, Received, Failed)
ACTIONS = (
    Acquire, Authorize, Fetch, Open, StartTLS, Send, Receive, Deliver, Release, Yield, Sleep, Stop
)  # fmt: skip
KINDS: dict[Any, Any] = {kind.__name__: kind for kind in (*ACTIONS, *OUTCOMES)}
SHOWN = 100
"""Characters of a line that a message shows."""
