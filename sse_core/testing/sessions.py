"""The session's vectors: lives of streams, and what must come of each.

A life says what the network and the caller do, step by step, in the form of a transcript. `complaint`
leads a session through it on a clock that only the life moves, and says what went wrong.

    for vector in load():
        assert complaint(vector) is None

What is not said of a life goes well: connections open, requests are sent, a Fetch gets an event stream,
nobody asks for credentials in vain, chunks are taken at once, and waits last as long as they were meant to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sse_core import (
    URL,
    Acquire,
    Acquired,
    Action,
    Authorize,
    Authorized,
    Deadlines,
    Deliver,
    Done,
    Failed,
    Fetch,
    Fetched,
    Limits,
    Outcome,
    Proxies,
    Proxy,
    Reason,
    Receive,
    Received,
    Reconnects,
    Release,
    Request,
    Response,
    Retries,
    Send,
    Session,
    Sleep,
    Stop,
    StreamError,
)
from sse_core.dialects import anthropic, events, mcp, openai
from sse_core.testing.vectors import json_schema, printed, read_folder, spec_folder

__all__ = [
    "ErrorName",
    "ExpectedError",
    "ExpectedRequest",
    "SessionVector",
    "Step",
    "VerdictName",
    "complaint",
    "load",
    "schema",
    "vectors_folder",
]

VerdictName = Literal[
    "COMPLETE",
    "FINISHED",
    "NO_CONTENT",
    "UNFINISHED",
    "EVENT_CUT",
    "BODY_CUT",
    "ERROR_EVENT",
    "REFUSED",
    "UNREACHABLE",
    "INVALID",
    "DEADLINE",
    "GAVE_UP",
    "CANCELLED",
]
"""The names of `sse_core.Verdict`."""
ErrorName = Literal[
    "ApiError",
    "BodyTruncated",
    "CertificateRejected",
    "ConnectionFailed",
    "DeadlineExceeded",
    "EventTooLarge",
    "InvalidChunk",
    "NotAnEventStream",
    "ProtocolError",
    "ProxyError",
    "StatusError",
    "StreamClosed",
    "StreamIncomplete",
    "UnsupportedCoding",
]
"""The classes of `sse_core` that a stream can end in."""
ActionName = Literal[
    "Acquire", "Authorize", "Fetch", "Open", "StartTLS", "Send", "Receive", "Deliver", "Release", "Yield",
    "Sleep", "Stop",
]  # fmt: skip
OutcomeName = Literal["Acquired", "Authorized", "Done", "Fetched", "Received", "Failed"]
Given: TypeAlias = bool | int | float | str | tuple[tuple[str, str], ...] | None


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a response that was fetched. Header names are in lower case."""

    status: int = 200
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    http_version: str = "1.1"


EVENT_STREAM = Head(reason="OK", headers=(("content-type", "text/event-stream"),))


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a transcript: an action or an outcome.

    An action's fields, as far as they are there, are what the action must have; the `text` of a Send, and
    of a Fetch's body, is only how it begins, `chunks` is a number, and `refused` a status. An outcome
    answers the action in the line before it; or else Authorized answers the next Authorize, Fetched the
    next Fetch, and any other the next Receive. It comes `at` so many seconds from the start, by default as
    soon as it can. `data`, in Base64, is for bytes that are not UTF-8. Fetched is by default the head of
    an event stream.
    """

    type: ActionName | OutcomeName
    at: float | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    proxy: str | UnsetType | None = UNSET
    fresh: bool | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: int | UnsetType = UNSET
    server_name: str | UnsetType = UNSET
    reuse: bool | UnsetType = UNSET
    deadline: float | UnsetType | None = UNSET
    reused: bool | UnsetType = UNSET
    attempt: int | UnsetType = UNSET
    refused: int | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    headers: tuple[tuple[str, str], ...] | UnsetType = UNSET
    response: Head | UnsetType = UNSET
    text: str | UnsetType = UNSET
    data: bytes | UnsetType = UNSET
    chunks: int | UnsetType = UNSET
    reason: Literal["network", "deadline", "certificate", "cancelled"] | UnsetType = UNSET
    message: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.type == "Received" and (self.text is UNSET) == (self.data is UNSET):
            raise ValueError("Received has either text or data")

    @property
    def octets(self) -> bytes:
        """The bytes that came."""
        data = b"" if self.data is UNSET else self.data
        return data if self.text is UNSET else self.text.encode()

    @property
    def is_outcome(self) -> bool:
        return self.type in get_args(OutcomeName)

    def answers(self, action: Action) -> bool:
        """Whether it is the outcome of an action of which no line says anything."""
        match self.type:
            case "Authorized":
                return isinstance(action, Authorize)
            case "Fetched":
                return isinstance(action, Fetch)
            case _:
                return self.is_outcome and isinstance(action, Receive)

    @property
    def outcome(self) -> Outcome:
        """What it is as an outcome."""
        match self.type:
            case "Acquired":
                return Acquired(self.reused is True)
            case "Authorized":
                return Authorized(self.headers or ())
            case "Fetched":
                head = EVENT_STREAM if self.response is UNSET else self.response
                return Fetched(Response(head.status, head.reason, head.headers, head.http_version))
            case "Received":
                return Received(self.octets)
            case "Failed":
                return Failed(Reason(self.reason), self.message or "")
            case _:
                return Done()


class ExpectedError(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}):
    """The error that there must be, and what it must have: of each field that is there, its value.

    `partial` is the text of the answer as far as it had come; `message` is a part of the whole message.
    """

    kind: ErrorName
    message: str | UnsetType = UNSET
    fault: Literal["caller", "network", "server"] | UnsetType = UNSET
    retryable: bool | UnsetType = UNSET
    status: int | UnsetType | None = UNSET
    which: str | UnsetType = UNSET
    seconds: float | UnsetType = UNSET
    type: str | UnsetType | None = UNSET
    code: str | int | UnsetType | None = UNSET
    request_id: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    partial: str | UnsetType = UNSET
    cursor: str | int | UnsetType | None = UNSET


class ExpectedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request that must be sent: its first line, and what its head must have and must not have.

    Each is a whole line, or in `has_not` the name of a field. A Fetch is compared as if it were sent; its
    first line is the method and the URL.
    """

    line: str
    has: list[str] = []
    has_not: list[str] = []
    body: str | UnsetType = UNSET


class SessionVector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The life of one stream, and all that must come of it.

    `events` is any event stream, asked for with `method`, and `mcp` a call whose answer may be a document;
    the other dialects are the providers' chat requests. `text` is that of all chunks delivered; for `events`
    it is their data, for `mcp` their JSON, one to a line. `chunks` is their number. `authorize` and `fetch`
    are the session's. `requests` counts those to the server, or says what each must be; `waits` has the
    seconds before each further attempt, with chance in the middle of its range. `reusable` says whether the
    last connection may carry another request. `from` names the public threads that a case was learnt from.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    why: str
    life: list[Step]
    verdict: VerdictName
    learnt_from: str | UnsetType = msgspec.field(default=UNSET, name="from")
    dialect: Literal["openai", "anthropic", "events", "mcp"] = "openai"
    url: str = "http://api.test/v1"
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    deadlines: Deadlines = Deadlines()
    limits: Limits = Limits()
    retries: Retries | None = None
    reconnects: Reconnects | None = None
    proxy: str | None = None
    authorize: bool = False
    fetch: bool = False
    error: ExpectedError | None = None
    text: str = ""
    chunks: int | UnsetType = UNSET
    requests: int | list[ExpectedRequest] = 1
    waits: list[float] = []
    reusable: bool | UnsetType = UNSET

    def session(self) -> Session[Any]:
        """The session that is to lead this life."""
        proxy = None if self.proxy is None else Proxy.parse(self.proxy)
        return Session(
            msgspec.structs.replace(REQUESTS[self.dialect](self), reconnects=self.reconnects),
            URL.parse(self.url),
            headers=self.headers.items(),
            deadlines=self.deadlines,
            limits=self.limits,
            retries=self.retries,
            proxies=Proxies(http=proxy, https=proxy),
            authorize=self.authorize,
            fetch=self.fetch,
        )


REQUESTS: dict[str, Callable[[SessionVector], Request[Any]]] = {
    "openai": lambda _: openai.chat(model="m", messages=[]),
    "anthropic": lambda _: anthropic.messages(model="m", messages=[], max_tokens=1),
    "events": lambda vector: events.request(
        method=vector.method, body=b"{}" if vector.method == "POST" else b""
    ),
    "mcp": lambda _: mcp.post(mcp.JSONRPCRequest(id=1, method="ping")),
}


def load(folder: Path | None = None) -> list[SessionVector]:
    """All vectors of a folder, by default those of this project; the errors are those of `vectors.load`."""
    return read_folder(folder or vectors_folder(), list[SessionVector])


def vectors_folder() -> Path:
    """Where this project's vectors are: in the installed package, or in `spec` beside its source."""
    return spec_folder("session")


def complaint(vector: SessionVector) -> str | None:
    """What a session gets wrong in a life; None if nothing."""
    session = vector.session()
    life = Life(vector.life)
    action = session.start(life.now)
    actions = [action]
    while not isinstance(action, Stop):
        try:
            action = session.step(life.answer(action), life.now)
        except (RuntimeError, ValueError) as exc:
            return str(exc)
        actions.append(action)
    if life.left:
        return f"the life ended before {life.left[0]}"
    return next(filter(None, judge(vector, session, actions, life.waits)), None)


class Life:
    """Answers actions as a life has it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.left: list[Step] = [step for step in steps if step.type != "Stop"]
        """The steps that are still to come."""
        self.now: float = 0.0
        self.waits: list[float] = []
        """How long each Sleep was to last."""

    def answer(self, action: Action) -> Outcome:
        """Return what comes of an action. Raises ValueError, which says why, if the life goes another way."""
        named = bool(self.left) and self.left[0].type == type(action).__name__
        if named:
            self._compare(self.left.pop(0), action)
        if isinstance(action, Sleep):
            self.waits.append(round(action.deadline - self.now, 6))
        if self.left and (self.left[0].is_outcome if named else self.left[0].answers(action)):
            step = self.left.pop(0)
            self.now = self.now if step.at is UNSET else step.at
            return step.outcome
        match action:
            case Receive():
                raise ValueError(f"the life has nothing more to receive at {self.now} s")
            case Acquire():
                return Acquired(reused=False)
            case Authorize():
                return Authorized(())
            case Fetch():
                return Step("Fetched").outcome
            case Sleep(deadline):
                self.now = deadline
            case _:
                pass
        return Done()

    def _compare(self, step: Step, action: Action) -> None:
        expected: dict[str, Given] = {
            name: value for name, value in msgspec.structs.asdict(step).items() if value is not UNSET
        }
        expected.pop("type")
        at = expected.pop("at", self.now)
        expected.pop("data", None)
        start = step.octets
        expected.pop("text", None)
        found = {name: getattr(action, name) for name in expected}
        begins = True
        match action:
            case Deliver(chunks) if "chunks" in expected:
                found["chunks"] = len(chunks)
            case Authorize(_, refused) if "refused" in expected:
                found["refused"] = refused and refused.status
            case Send(sent) | Fetch(body=sent):
                begins = sent.startswith(start)
            case _:
                pass
        if (found, self.now, begins) != (expected, at, True):
            raise ValueError(f"{action} at {self.now} s, not {step}")


def judge(
    vector: SessionVector, session: Session[Any], actions: list[Action], waits: list[float]
) -> list[str | None]:
    """Compare what came of a life with what must."""
    chunks = [chunk for action in actions if isinstance(action, Deliver) for chunk in action.chunks]
    sent = list(filter(None, map(request_of, actions)))
    reused = [action.reuse for action in actions if isinstance(action, Release)]
    requests = vector.requests if isinstance(vector.requests, list) else []
    return [
        differs("verdict", session.verdict and session.verdict.name, vector.verdict),
        complaint_about(session.error, vector.error),
        differs("text", text_of(vector.dialect, chunks), vector.text),
        differs("chunks", len(chunks), vector.chunks),
        differs("requests", len(sent), len(requests) or vector.requests),
        *map(complaint_about_request, sent, requests),
        differs("waits", waits, vector.waits),
        differs("reusable", any(reused[-1:]), vector.reusable),
    ]


def text_of(dialect: str, chunks: list[Any]) -> str:
    match dialect:
        case "events":
            return "\n".join(chunk.data for chunk in chunks)
        case "mcp":
            return "\n".join(msgspec.json.encode(chunk).decode() for chunk in chunks)
        case _:
            return "".join(chunk.text for chunk in chunks)


def complaint_about(error: StreamError | None, expected: ExpectedError | None) -> str | None:
    if error is None or expected is None:
        return differs("error", error, expected)
    for field in msgspec.structs.fields(ExpectedError):
        value = getattr(expected, field.name)
        match field.name:
            case "kind":
                found: object = type(error).__name__
            case "message":
                found = value if value is not UNSET and value in str(error) else str(error)
            case "fault":
                found = error.fault.value
            case "body":
                found = error.body.decode("utf-8", "replace")
            case "partial":
                found = None if error.partial is None else error.partial.text
            case name:
                found = getattr(error, name, None)
        if wrong := differs(f"the error's {field.encode_name}", found, value):
            return wrong
    return None


def complaint_about_request(sent: SentRequest, expected: ExpectedRequest) -> str | None:
    names = {field.partition(":")[0].lower() for field in sent.fields}
    if sent.line != expected.line:
        return f"the request {sent.line!r}, not {expected.line!r}"
    if missing := [field for field in expected.has if field not in sent.fields]:
        return f"a request without {missing}"
    if unwanted := [each for each in expected.has_not if each.lower() in names or each in sent.fields]:
        return f"a request with {unwanted}"
    return differs("a request's body", sent.body, expected.body)


def differs(what: str, found: object, expected: object) -> str | None:
    return None if expected is UNSET or found == expected else f"{what} {found!r}, not {expected!r}"


class SentRequest(NamedTuple):
    """A request, by its first line, the lines of its head and its body."""

    line: str
    fields: list[str]
    body: str


def request_of(action: Action) -> SentRequest | None:
    """The request that an action sends to the server; None for any other, and for what a proxy is asked."""
    match action:
        case Fetch(method, url, headers, body):
            fields = [f"{name}: {value}" for name, value in headers]
            return SentRequest(f"{method} {url}", fields, body.decode("utf-8", "replace"))
        case Send(data) if data.startswith((b"GET ", b"POST ")):
            head, _, text = data.decode("utf-8", "replace").partition("\r\n\r\n")
            line, *fields = head.split("\r\n")
            return SentRequest(line, fields, text)
        case _:
            return None


def schema() -> str:
    """The JSON Schema of a vector file, as `spec/session/schema.json` has it."""
    return printed(json_schema("Vectors for the life of an event stream", list[SessionVector]))
