"""Gemini's own API.

The stream: `data:` events with a JSON chunk each, and lines that end with CRLF. It ends with
the body; the last chunk has a finish reason, or tells why the prompt was blocked. An error
comes as a chunk, `{"error": ...}`, or as such a text with no `data:` before its lines.

Field names are the provider's, in snake case.
Base URL: https://generativelanguage.googleapis.com/v1beta
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

# No `from __future__ import annotations`: TypedDict compiles each string, 0.6 ms at import.
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast

import msgspec
from msgspec import UnsetType

from ...events.items import Event
from ...reading.dialect import Mark
from ...reading.message import Accumulator, Message, ToolCall
from ...reading.partial_json import completed
from ...reading.request import Request
from ..shared.json_text import json_text
from ..shared.provider_dialect import JSON, ApiDialect, mark_of
from ..shared.provider_errors import NOT_JSON, find_error, invalid_chunk
from ..shared.strictly import strictly
from ..shared.typed_events import Fields, converted, reported_error, updated
from .answer import (
    Candidate,
    Content,
    FunctionCall,
    FunctionCallPart,
    GenerateContentResponse,
    ModalityTokenCount,
    Part,
)
from .arguments import OpenFunctionCall


class GeminiDialect(ApiDialect[GenerateContentResponse]):
    """Reads the events of Gemini's answers."""

    def __init__(self) -> None:
        self._calls: dict[int, OpenFunctionCall] = {}  # by the index of their answer

    def read(self, event: Event) -> GenerateContentResponse | Mark:
        if event.type == "error":
            raise reported_error(event)
        try:
            chunk = decode(event.raw)
        except NOT_JSON:
            mark = mark_of(event)
            if mark is not None:
                return mark
            chunk = self._read_leniently(event)
        if chunk.error is not None:
            raise reported_error(event)
        if chunk.prompt_feedback is not None:
            return self._noted(chunk)
        if not chunk.candidates and find_error(event.raw) is not None:
            raise reported_error(event)
        for candidate in chunk.candidates:  # as `is_plain`, whose call would be 30 ns more
            if candidate.finish_reason is not None:
                return self._noted(chunk)
            content = candidate.content
            if content is not None:
                for part in content.parts:
                    if part.function_call is not None:
                        return self._noted(chunk)
        return chunk

    def read_plain(
        self, data: Sequence[bytes], chunks: list[GenerateContentResponse], type: str = "message"
    ) -> int:
        """The short way of `read`, for chunks in the middle of an answer."""
        if type == "error":
            return 0
        read = 0
        try:
            for raw in data:
                chunk = decode(raw)
                if not is_plain(chunk):
                    break
                chunks.append(chunk)
                read += 1
        except NOT_JSON:
            pass
        return read

    def accumulator(self) -> Accumulator[GenerateContentResponse]:
        return AnswerAccumulator()

    def _read_leniently(self, event: Event) -> GenerateContentResponse:
        if find_error(event.raw) is not None:  # in an array
            raise reported_error(event)
        try:
            chunk: GenerateContentResponse = converted(
                msgspec.json.decode(json_text(event)), GenerateContentResponse
            )
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc
        return chunk

    def _noted(self, chunk: GenerateContentResponse) -> GenerateContentResponse:
        """Return a chunk that may mean more, having noted what."""
        if chunk.finish_reason:
            self.finished = True
        return msgspec.structs.replace(chunk, candidates=tuple(map(self._with_parts, chunk.candidates)))

    def _with_parts(self, candidate: Candidate) -> Candidate:
        """Return the same, with parts of function calls in place of what is not whole."""
        content = candidate.content
        if content is None:
            return candidate
        parts = tuple(
            part
            if part.function_call is None
            else msgspec.structs.replace(
                part, function_call=self._read_call(part.function_call, candidate.index or 0)
            )
            for part in content.parts
        )
        return msgspec.structs.replace(candidate, content=msgspec.structs.replace(content, parts=parts))

    def _read_call(self, call: FunctionCall, index: int) -> FunctionCall:
        begun = self._calls.pop(index, None)
        goes_on = begun is not None and begun.goes_on(call)
        if not goes_on and not call.will_continue and call.partial_args is None:
            return call
        now = begun if begun is not None and goes_on else OpenFunctionCall(call)
        if call.will_continue:
            self._calls[index] = now
        fields = msgspec.structs.asdict(call)
        return FunctionCallPart(**fields, begins=not goes_on, fragment=now.add(call))


def is_plain(chunk: GenerateContentResponse) -> bool:
    """Whether a chunk means nothing but what it adds to a text."""
    candidates = chunk.candidates
    if not candidates or chunk.error is not None or chunk.prompt_feedback is not None:
        return False
    for candidate in candidates:
        if candidate.finish_reason is not None:
            return False
        content = candidate.content
        if content is not None:
            for part in content.parts:
                if part.function_call is not None:
                    return False
    return True


class Answer:
    """One of the answers, as far as it has come."""

    def __init__(self, index: int | None) -> None:
        self.candidate = Candidate(index=index)
        self.any_content = False  # if only empty
        self.role: str | None = None
        self.parts: list[Part] = []
        self.texts: list[str] = []  # that follow the last part and go on with it
        self.arguments: dict[int, list[str]] = {}  # of calls that come in parts, by their place among `parts`

    def add(self, candidate: Candidate) -> bool:
        """Return whether it brings content."""
        content = candidate.content
        if candidate != Candidate(content=content, index=candidate.index):
            self.candidate = updated(self.candidate, candidate)
        if content is None:
            return False
        self.any_content = True
        self.role = content.role or self.role
        brought = False
        for part in content.parts:
            brought = brought or bool(part.text) or part.function_call is not None
            if not is_plain_text(part):
                if isinstance(part.function_call, FunctionCallPart):
                    self.add_call(part, part.function_call)
                else:
                    self.close()
                    self.parts.append(part)
            elif self.texts and bool(self.parts[-1].thought) == bool(part.thought):
                self.texts.append(part.text or "")
            elif part.text:
                self.close()
                self.parts.append(part)
                self.texts.append(part.text)
        return brought

    def add_call(self, part: Part, call: FunctionCallPart) -> None:
        """Take a part of a call; what else the part has counts with the first one only."""
        if call.begins or not self.arguments:
            self.close()
            self.arguments[len(self.parts)] = []
            self.parts.append(
                msgspec.structs.replace(part, function_call=FunctionCall(id=call.id, name=call.name))
            )
        self.arguments[next(reversed(self.arguments))].append(call.fragment)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        calls = [(at, part.function_call) for at, part in enumerate(self.parts) if part.function_call]
        return tuple(
            ToolCall(
                id=call.id,
                name=call.name or "",
                arguments="".join(self.arguments[at]) if at in self.arguments else call.arguments,
            )
            for at, call in calls
        )

    def close(self) -> None:
        """Put the text together that the last part consists of."""
        if len(self.texts) > 1:
            self.parts[-1] = msgspec.structs.replace(self.parts[-1], text="".join(self.texts))
        self.texts = []

    def whole(self) -> Candidate:
        parts = self.parts.copy()
        if self.texts:
            parts[-1] = msgspec.structs.replace(parts[-1], text="".join(self.texts))
        for at, fragments in self.arguments.items():
            call = parts[at].function_call
            assert call is not None  # or it would have no arguments
            call = msgspec.structs.replace(call, args=arguments_of("".join(fragments)))
            parts[at] = msgspec.structs.replace(parts[at], function_call=call)
        content = Content(role=self.role, parts=tuple(parts)) if self.any_content else None
        return msgspec.structs.replace(self.candidate, content=content)


def arguments_of(text: str) -> Fields:
    """Return arguments as far as their JSON text has come."""
    arguments: object = msgspec.json.decode(completed(text) or "{}")
    return cast("Fields", arguments) if isinstance(arguments, dict) else {}


def is_plain_text(part: Part) -> bool:
    """Whether a part is text and nothing else. With a signature it may not be joined with another."""
    return part.text is not None and part == Part(text=part.text, thought=part.thought)


class AnswerAccumulator(Accumulator[GenerateContentResponse]):
    """Puts the answers together: of each chunk's parts, text that goes on becomes one."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}  # of the response, as they came last
        self._answers: dict[int, Answer] = {}

    def add(self, chunks: Sequence[GenerateContentResponse]) -> int:
        brought = 0
        for chunk in chunks:
            for name in RESPONSE_FIELDS:
                value = getattr(chunk, name)
                if value is not None:
                    self._fields[name] = value
            any_content = False
            for candidate in chunk.candidates:
                index = candidate.index or 0
                answer = self._answers.get(index)
                if answer is None:
                    answer = self._answers[index] = Answer(candidate.index)
                if answer.add(candidate) and index == 0:
                    any_content = True
            brought += any_content
        return brought

    def message(self) -> Message:
        candidates = tuple(answer.whole() for _, answer in sorted(self._answers.items()))
        native = GenerateContentResponse(candidates=candidates, **self._fields)
        first = self._answers.get(0)
        return Message(
            text=native.text,
            reasoning=native.reasoning,
            tool_calls=() if first is None else first.tool_calls(),
            finish_reason=native.finish_reason,
            usage=native.usage,
            native=native,
        )


class GeminiParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names."""

    cachedContent: str
    generationConfig: Mapping[str, object]
    labels: Mapping[str, str]
    safetySettings: Sequence[Mapping[str, object]]
    systemInstruction: Mapping[str, object]
    toolConfig: Mapping[str, object]
    tools: Sequence[Mapping[str, object]]


def generate(
    *,
    model: str,
    contents: Sequence[Mapping[str, object]],
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[GeminiParams],
) -> Request[GenerateContentResponse]:
    """Ask for a streamed answer; `extra` takes parameters that are not named here.

    The key is a header of the client's, `x-goog-api-key`. `strict` is for those who test servers: a
    chunk that is not exactly as documented is an InvalidChunk. Raises TypeError for a value that JSON
    has no form for.
    """
    name = model if "/" in model else f"models/{model}"
    return Request(
        dialect=strictly(GeminiDialect, OTHERWISE) if strict else GeminiDialect,
        method="POST",
        path=f"/{name}:streamGenerateContent?alt=sse",
        headers=JSON,
        body=msgspec.json.encode({**params, **(extra or {}), "contents": contents}),
    )


decode = msgspec.json.Decoder(GenerateContentResponse).decode
OTHERWISE = ((ModalityTokenCount, "token_count", int | UnsetType),)
"""What is documented otherwise than the structs say: what is 0 may be left out."""
RESPONSE_FIELDS = (
    *("create_time", "model_status", "model_version", "prompt_feedback", "response_id"),
    "usage_metadata",
)
