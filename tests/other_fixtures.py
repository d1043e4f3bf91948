"""The streams of `spec/dialects` that are not chat completions, and what a dialect makes of one."""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sse_core import (
    ApiError,
    Dialect,
    Event,
    EventDecoder,
    InvalidChunk,
    Mark,
    Message,
    Request,
    StreamError,
    UnknownField,
)
from sse_core.dialects import anthropic, gemini, json, mcp, responses

FOLDER = Path(__file__).parents[1] / "spec" / "dialects"


class Number(Struct):
    n: int


REQUESTS: dict[str, Request[Any]] = {
    "anthropic": anthropic.messages(model="m", messages=[], max_tokens=1),
    "responses": responses.create(model="m", input="hello"),
    "gemini": gemini.generate(model="m", contents=[]),
    "mcp": mcp.post(mcp.JSONRPCRequest(id=1, method="tools/list")),
    "json": json.request(Number, "/numbers"),
}
WHOLE: dict[str, type[Struct]] = {
    "anthropic": anthropic.Message,
    "responses": responses.Response,
    "gemini": gemini.GenerateContentResponse,
}


class Expected(Struct, forbid_unknown_fields=True):
    """What a stream must give."""

    about: str
    source: str
    stream: list[str]
    chunks: list[dict[str, Any]]
    end: str
    error: dict[str, Any] | None
    message: dict[str, Any] | None
    answer: dict[str, Any] | None
    name: str = ""
    dialect: str = ""

    @property
    def octets(self) -> bytes:
        return "".join(self.stream).encode()

    @property
    def is_unframed(self) -> bool:
        items = EventDecoder().feed_all(self.octets)
        return any(isinstance(item, UnknownField) for item in items)


def load(path: Path) -> Expected:
    found = msgspec.json.decode(path.read_bytes(), type=Expected)
    return msgspec.structs.replace(found, name=path.stem, dialect=path.parent.name)


FIXTURES = [load(path) for dialect in REQUESTS for path in sorted((FOLDER / dialect).glob("*.json"))]


class Reading:
    """What became of a stream."""

    def __init__(self, dialect: Dialect[Any], pieces: Sequence[bytes]) -> None:
        self.chunks: list[Any] = []
        self.events: list[Event] = []  # one for each chunk
        self.error: StreamError | None = None
        self.dialect = dialect
        self.end = self._read(pieces)

    def _read(self, pieces: Sequence[bytes]) -> str:
        decoder = EventDecoder()
        try:
            for piece in pieces:
                for item in decoder.feed_all(piece):
                    if isinstance(item, UnknownField):
                        self.dialect.unknown_field(item)
                    elif isinstance(item, Event) and self._is_last(item):
                        return "COMPLETE"
        except ApiError as error:
            self.error = error
            return "ERROR_EVENT"
        except InvalidChunk as error:
            self.error = error
            return "INVALID"
        return "FINISHED" if self.dialect.finished or self.dialect.ends_with_body else "UNFINISHED"

    def _is_last(self, event: Event) -> bool:
        chunk = self.dialect.read(event)
        if not isinstance(chunk, Mark):
            self.chunks.append(chunk)
            self.events.append(event)
        return chunk is Mark.END or self.dialect.complete


def read(fixture: Expected, pieces: Sequence[bytes] | None = None) -> Reading:
    return Reading(REQUESTS[fixture.dialect].dialect(), [fixture.octets] if pieces is None else pieces)


def shown(chunk: Any) -> dict[str, Any]:
    """A chunk in the words of the fixtures."""
    if isinstance(chunk, Number):
        return {"n": chunk.n}
    if not hasattr(chunk, "finish_reason"):
        return {"struct": type(chunk).__name__, **plain(chunk)}
    neutral = {
        "type": getattr(chunk, "type", None),
        "text": chunk.text,
        "reasoning": chunk.reasoning,
        "tool_calls": plain(chunk.tool_calls),
        "finish_reason": chunk.finish_reason,
        "usage": counts(chunk.usage),
    }
    return {name: value for name, value in neutral.items() if value}


def plain(value: object) -> Any:
    """A value as JSON would have it."""
    return stdlib_json.loads(msgspec.json.encode(value))


def counts(usage: Any) -> dict[str, Any] | None:
    return usage and {
        name: getattr(usage, name) for name in ("input_tokens", "output_tokens", "total_tokens")
    }


def told(message: Message) -> dict[str, Any]:
    """A message in the words of the fixtures."""
    fields: dict[str, Any] = {**msgspec.structs.asdict(message), "usage": counts(message.usage)}
    fields["tool_calls"] = plain(message.tool_calls)
    return {name: value for name, value in fields.items() if value and name != "native"}
