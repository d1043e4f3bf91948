"""The dialects' fixtures: streams as servers send them, and what a client must make of each.

A fixture is two files, `spec/dialects/<dialect>/<name>.sse`, the body of a response byte for byte,
and `<name>.json`, which says what comes of it. `complaint` says what our own dialect got wrong:

    for fixture in load():
        assert complaint(fixture, [fixture.stream]) is None
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http.client import responses as phrases
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from sse_core import (
    URL,
    Acquire,
    Acquired,
    Action,
    ApiError,
    Deliver,
    Done,
    Event,
    Message,
    Reader,
    Receive,
    Received,
    Release,
    Request,
    Response,
    Session,
    StreamError,
)
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    events,
    gemini,
    groq,
    interactions,
    json,
    mcp,
    openai,
    responses,
)
from sse_core.dialects.shared.lenient import convert_leniently
from sse_core.testing.pairs import Recorded, unlike
from sse_core.testing.vectors import json_schema, printed, spec_folder

__all__ = [
    "Expected",
    "ExpectedChunk",
    "ExpectedError",
    "ExpectedMessage",
    "ExpectedPart",
    "ExpectedToolCall",
    "ExpectedUsage",
    "Fixture",
    "Reading",
    "Recorded",
    "complaint",
    "find",
    "fixtures_folder",
    "load",
    "read",
    "read_with_reader",
    "response_of",
    "schema",
]

VerdictName = Literal["COMPLETE", "FINISHED", "UNFINISHED", "EVENT_CUT", "ERROR_EVENT", "INVALID", "REFUSED"]
"""How a stream ends, by the names of `sse_core.Verdict`."""


class ExpectedPart(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a tool call, as a chunk brings it."""

    index: int | None = None
    id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ExpectedUsage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many tokens it has been so far."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None


class ExpectedChunk(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a chunk says, by the names that all dialects share."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[ExpectedPart] = []
    finish_reason: str | None = None
    usage: ExpectedUsage | None = None


class ExpectedToolCall(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole tool call, or as much of it as has come."""

    id: str | None = None
    name: str = ""
    arguments: str = ""
    custom: bool = False


class ExpectedMessage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all chunks say together."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: list[ExpectedToolCall] = []
    finish_reason: str | None = None
    usage: ExpectedUsage | None = None


class ExpectedError(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The error that ends the stream, by its class in `sse_core`; the rest is the provider's own."""

    error: Literal["ApiError", "StatusError", "InvalidChunk", "StreamIncomplete", "NotAnEventStream"]
    retryable: bool
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    failed_generation: str | None = None
    request_id: str | None = None


class Expected(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What comes of a stream.

    `why` is what it shows, in one sentence; `from` where its shape was learnt: a public thread, or
    the provider's documentation. `status` and `content_type` are the response's. `chunks` come
    before the `error`, if there is one, and make the `message` together. `values` are the chunks of
    a dialect whose chunks are no parts of a model's answer, as JSON. `answer` is what the same server
    would have answered without streaming; of a recording, `recorded` is what it did answer.
    """

    why: str
    learnt_from: str = msgspec.field(name="from")
    verdict: VerdictName
    chunks: list[ExpectedChunk]
    message: ExpectedMessage
    values: list[Any] = []
    error: ExpectedError | None = None
    answer: Any = None
    recorded: Recorded | None = None
    status: Annotated[int, Meta(ge=200, le=599)] = 200
    content_type: str = "text/event-stream"


class Fixture(Struct, frozen=True):
    """A stream in a dialect, and what comes of it; `name` is `<dialect>/<file>`."""

    name: str
    stream: bytes
    expected: Expected

    @property
    def dialect(self) -> str:
        """The dialect's name."""
        return self.name.partition("/")[0]


class Reading(Struct, frozen=True):
    """What our own dialect made of a stream; `message` is None where its chunks make no whole."""

    chunks: list[Any]
    message: Message | None
    verdict: str
    error: StreamError | None


def load(folder: Path | None = None) -> list[Fixture]:
    """All fixtures of a folder, by default those of this project.

    FileNotFoundError: there is none, or one of two files is missing. msgspec.ValidationError: a file
    is not what the schema says; the message names the file and the place in it.
    """
    folder = folder or fixtures_folder()
    names = {path.with_suffix("") for path in (*folder.glob("*/*.json"), *folder.glob("*/*.sse"))}
    if not names:
        raise FileNotFoundError(f"no fixtures in {folder}")
    return [read_fixture(path) for path in sorted(names)]


def find(name: str, folder: Path | None = None) -> Fixture:
    """One fixture by its name, such as `groq/text`.

    KeyError: there is none; the message lists those of its dialect, or else the dialects.
    """
    fixtures = {fixture.name: fixture for fixture in load(folder)}
    if name in fixtures:
        return fixtures[name]
    dialect, _, _ = name.partition("/")
    of_dialect = [each.name for each in fixtures.values() if each.dialect == dialect]
    dialects = dict.fromkeys(f"{each.dialect}/..." for each in fixtures.values())
    raise KeyError(f"no fixture {name!r}; there are {', '.join(of_dialect or dialects)}")


def fixtures_folder() -> Path:
    """Where this project's fixtures are: in the installed package, or in `spec` beside its source."""
    return spec_folder("dialects")


def read(fixture: Fixture, pieces: Iterable[bytes]) -> Reading:
    """Read a fixture's stream, cut into these pieces, through a session."""
    request = REQUESTS[fixture.dialect]()
    session = Session(request, URL.parse("http://localhost/"))
    accumulator = request.dialect().accumulator()
    received = iter([head_of(fixture), *filter(None, pieces)])
    chunks: list[Any] = []
    action = session.start(now=0.0)
    while not isinstance(action, Release):
        if isinstance(action, Deliver):
            chunks += action.chunks
            if accumulator is not None:
                accumulator.add(action.chunks)
        action = session.step(outcome_of(action, received), now=0.0)
    assert session.verdict is not None  # there is one when the connection is released
    message = None if accumulator is None else accumulator.message()
    return Reading(chunks, message, session.verdict.name, session.error)


def read_with_reader(fixture: Fixture, pieces: Iterable[bytes]) -> Reading:
    """Read the same by a Reader alone, which is given the head of the response and the pieces of its body."""
    reader = Reader(REQUESTS[fixture.dialect](), response=response_of(fixture))
    chunks: list[Any] = []
    for piece in pieces:
        chunks += reader.feed(piece)
        if reader.verdict is not None:
            break
    chunks += reader.close()
    assert reader.verdict is not None  # for it is closed
    return Reading(chunks, reader.message, reader.verdict.name, reader.error)


def complaint(fixture: Fixture, pieces: Iterable[bytes]) -> str | None:
    """What our own dialect gets wrong on a fixture's stream in these pieces; None if nothing."""
    expected, found = fixture.expected, read(fixture, pieces)
    message = found.message or Message()
    answers, values = ([], found.chunks) if found.message is None else (found.chunks, [])
    for what, ours, theirs in (
        ("verdict", found.verdict, expected.verdict),
        ("chunks", [chunk_of(chunk) for chunk in answers], expected.chunks),
        ("values", [value_of(value) for value in values], expected.values),
        ("message", message_of(message), expected.message),
        ("error", error_of(found.error), expected.error),
    ):
        if ours != theirs:
            return f"{what} {ours}, not {theirs}"
    native: Any = message.native
    if expected.answer is not None and native != (answer := answer_of(fixture, type(native))):
        return f"answer {native}, not {answer}"
    if expected.recorded is not None:
        place = unlike(msgspec.json.decode(msgspec.json.encode(native)), expected.recorded)
        return None if place is None else f"answer {place}"
    return None


def schema() -> str:
    """The JSON Schema of a fixture's JSON, as `spec/dialects/schema.json` has it."""
    return printed(json_schema("What comes of a dialect's stream", Expected))


def read_fixture(path: Path) -> Fixture:
    stream, described = path.with_suffix(".sse").read_bytes(), path.with_suffix(".json").read_bytes()
    name = f"{path.parent.name}/{path.name}"
    try:
        return Fixture(name, stream, msgspec.json.decode(described, type=Expected))
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{name}.json: {error}") from error


def response_of(fixture: Fixture) -> Response:
    """The head of the response that has the stream for its body."""
    status, kind = fixture.expected.status, fixture.expected.content_type
    return Response(status, phrases.get(status, ""), (("content-type", kind),))


def head_of(fixture: Fixture) -> bytes:
    """The same as bytes, of a body that lasts until the connection ends."""
    head = response_of(fixture)
    lines = (f"HTTP/1.1 {head.status} {head.reason}", f"Content-Type: {head.header('content-type')}", "", "")
    return "\r\n".join(lines).encode()


def outcome_of(action: Action, received: Iterator[bytes]) -> Acquired | Done | Received:
    match action:
        case Acquire():
            return Acquired(reused=False)
        case Receive():
            return Received(next(received, b""))
        case _:
            return Done()


def value_of(chunk: object) -> object:
    if isinstance(chunk, Event):
        return {"type": chunk.type, "data": chunk.data, "last_event_id": chunk.last_event_id}
    return msgspec.to_builtins(chunk)


def chunk_of(chunk: Any) -> ExpectedChunk:
    return ExpectedChunk(
        text=chunk.text,
        reasoning=chunk.reasoning,
        tool_calls=[msgspec.convert(part, ExpectedPart, from_attributes=True) for part in chunk.tool_calls],
        finish_reason=chunk.finish_reason,
        usage=usage_of(chunk.usage),
    )


def message_of(message: Message) -> ExpectedMessage:
    calls = [msgspec.convert(call, ExpectedToolCall, from_attributes=True) for call in message.tool_calls]
    return ExpectedMessage(
        text=message.text,
        reasoning=message.reasoning,
        refusal=message.refusal,
        tool_calls=calls,
        finish_reason=message.finish_reason,
        usage=usage_of(message.usage),
    )


def usage_of(usage: Any) -> ExpectedUsage | None:
    return None if usage is None else msgspec.convert(usage, ExpectedUsage, from_attributes=True)


def error_of(error: StreamError | None) -> ExpectedError | None:
    if error is None:
        return None
    kind: Any = type(error).__name__
    if not isinstance(error, ApiError):
        return ExpectedError(kind, error.retryable)
    return ExpectedError(
        kind,
        error.retryable,
        message=error.message,
        type=error.type,
        code=error.code,
        failed_generation=error.failed_generation,
        request_id=error.request_id,
    )


def answer_of(fixture: Fixture, kind: Any) -> Any:
    """The answer without streaming, as the provider's own struct; null means absent."""
    return convert_leniently(fixture.expected.answer, kind)


class Greeting(Struct):
    """The events of the fixtures in `json`."""

    hello: str


MESSAGES = [{"role": "user", "content": "hello"}]
REQUESTS: dict[str, Callable[[], Request[Any]]] = {
    "groq": lambda: groq.chat(model="any", messages=MESSAGES),
    "openai": lambda: openai.chat(model="any", messages=MESSAGES),
    "anthropic": lambda: anthropic.messages(model="any", messages=MESSAGES, max_tokens=100),
    "cohere": lambda: cohere.chat(model="any", messages=MESSAGES),
    "completions": lambda: completions.create(model="any", prompt="hello"),
    "gemini": lambda: gemini.generate(model="any", contents=[{"parts": [{"text": "hello"}]}]),
    "interactions": lambda: interactions.create(model="any", input="hello"),
    "responses": lambda: responses.create(model="any", input="hello"),
    "mcp": lambda: mcp.post(mcp.JSONRPCRequest(id=1, method="tools/call", params={"name": "any"})),
    "json": lambda: json.request(Greeting),
    "events": lambda: events.request(),
}
"""A request in each dialect that has fixtures."""
