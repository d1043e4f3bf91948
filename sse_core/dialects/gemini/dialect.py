"""Gemini's own API.

The stream: `data:` events with a JSON chunk each, and lines that end with CRLF. It ends with
the body; the last chunk has a finish reason, or tells why the prompt was blocked. An error
comes as a chunk, `{"error": ...}`, or as such a text with no `data:` before its lines.

Field names are the provider's, in snake case.
Base URL: https://generativelanguage.googleapis.com/v1beta
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

# No `from __future__ import annotations`: TypedDict compiles each string, 0.6 ms at import.
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack, cast

import msgspec
from msgspec import UnsetType

from ...events.items import Event
from ...reading.dialect import Control
from ...reading.message import Accumulator, Message, ToolCall
from ...reading.partial_json import close_json
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.fast_dialect import LARGE, FastDialect, check_objects
from ..shared.joined import joined
from ..shared.lenient import Fields, convert_leniently
from ..shared.paths import path_segment
from ..shared.provider_dialect import JSON_HEADERS, control_of, is_heartbeat
from ..shared.provider_errors import NOT_JSON, find_error, invalid_chunk
from ..shared.strict import dialect_for
from ..shared.typed_events import merged, reported_error
from .answer import (
    Candidate,
    Content,
    FunctionCall,
    FunctionCallPart,
    GenerateContentResponse,
    ModalityTokenCount,
    Part,
)
from .arguments import ArgumentsBuilder


class GeminiDialect(FastDialect[GenerateContentResponse]):
    """Reads the events of Gemini's answers."""

    def __init__(self) -> None:
        self.decode_ordinary: Callable[[bytes], GenerateContentResponse] = decode
        self._calls: dict[int, ArgumentsBuilder] = {}  # by the index of their candidate

    def read(self, event: Event) -> GenerateContentResponse | Control:
        if len(event.raw) > LARGE:
            check_objects(event)
        chunks: list[GenerateContentResponse] = []
        return chunks[0] if self.read_batch([event.raw], chunks, event.type) else self.read_special(event)

    def read_batch(
        self, data: Sequence[bytes], chunks: list[GenerateContentResponse], type: str = "message"
    ) -> int:
        """As every dialect's; an ordinary event is a chunk that only adds to a text."""
        if type != "message":
            return 0
        read = 0
        decode = self.decode_ordinary
        try:
            for raw in data:
                chunk = decode(raw)
                if not is_ordinary(chunk):
                    break
                chunks.append(chunk)
                read += 1
        except NOT_JSON:
            pass
        return read

    def read_special(self, event: Event) -> GenerateContentResponse | Control:
        if event.type == "error":
            raise reported_error(event)
        if is_heartbeat(event.type):
            return Control.NOISE
        try:
            chunk = decode(event.raw)
        except NOT_JSON:
            control = control_of(event)
            if control is not None:
                return control
            chunk = self._read_leniently(event)
        if chunk.error is not None:
            raise reported_error(event)
        if not (chunk.candidates or chunk.prompt_feedback) and find_error(event.raw) is not None:
            raise reported_error(event)
        if not (chunk.candidates or chunk.prompt_feedback or chunk.usage_metadata):
            self._unread = event.raw
        if chunk.finish_reason:
            self.may_end = True
        return msgspec.structs.replace(
            chunk, candidates=tuple(map(self._replace_partial_calls, chunk.candidates))
        )

    def accumulator(self) -> Accumulator[GenerateContentResponse]:
        return AnswerAccumulator()

    def _read_leniently(self, event: Event) -> GenerateContentResponse:
        if find_error(event.raw) is not None:  # in an array
            raise reported_error(event)
        try:
            chunk: GenerateContentResponse = convert_leniently(
                msgspec.json.decode(self.repaired(event)), GenerateContentResponse
            )
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc
        return chunk

    def _replace_partial_calls(self, candidate: Candidate) -> Candidate:
        """Return the candidate with a FunctionCallPart in place of each call that is not complete."""
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
        continues_with = begun is not None and begun.continues_with(call)
        if not continues_with and not call.will_continue and call.partial_args is None:
            return call
        now = begun if begun is not None and continues_with else ArgumentsBuilder(call)
        if call.will_continue:
            self._calls[index] = now
        fields = msgspec.structs.asdict(call)
        return FunctionCallPart(**fields, begins=not continues_with, fragment=now.add(call))


def is_ordinary(chunk: GenerateContentResponse) -> bool:
    """Return whether a chunk only adds to a text."""
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


class CandidateBuilder:
    """Builds one candidate from its parts."""

    def __init__(self, index: int | None) -> None:
        self.candidate: Candidate = Candidate(index=index)
        self.joined: dict[str, Any] = {}  # values of which each chunk may have a part
        self.has_content: bool = False  # whether there is any, be it empty
        self.role: str | None = None
        self.parts: list[Part] = []
        self.texts: list[str] = []  # texts that belong to the last part
        self.arguments: dict[int, list[str]] = {}  # of calls that come in parts, by their index in `parts`

    def add(self, candidate: Candidate) -> bool:
        """Return whether it brings content."""
        content = candidate.content
        if candidate != Candidate(content=content, index=candidate.index):
            self.candidate = merged(self.candidate, candidate)
            for name in JOINED:
                value = getattr(candidate, name)
                if value is not None:
                    self.joined[name] = joined(
                        self.joined.get(name), value, cumulative=name != "logprobs_result"
                    )
        if content is None:
            return False
        self.has_content = True
        self.role = content.role or self.role
        with_content = False
        for part in content.parts:
            with_content = with_content or bool(part.text) or part.function_call is not None
            if not is_plain_text(part):
                if isinstance(part.function_call, FunctionCallPart):
                    self.add_call(part, part.function_call)
                else:
                    self._join_text()
                    self.parts.append(part)
            elif self.texts and bool(self.parts[-1].thought) == bool(part.thought):
                self.texts.append(part.text or "")
            elif part.text:
                self._join_text()
                self.parts.append(part)
                self.texts.append(part.text)
        return with_content

    def add_call(self, part: Part, call: FunctionCallPart) -> None:
        """Take a part of a call; the other fields of the part count with the first one only."""
        if call.begins or not self.arguments:
            self._join_text()
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

    def _join_text(self) -> None:
        """Join the texts of the last part."""
        if len(self.texts) > 1:
            self.parts[-1] = msgspec.structs.replace(self.parts[-1], text="".join(self.texts))
        self.texts = []

    def build(self) -> Candidate:
        parts = self.parts.copy()
        if self.texts:
            parts[-1] = msgspec.structs.replace(parts[-1], text="".join(self.texts))
        for at, fragments in self.arguments.items():
            call = parts[at].function_call
            assert call is not None  # or it would have no arguments
            call = msgspec.structs.replace(call, args=arguments_of("".join(fragments)))
            parts[at] = msgspec.structs.replace(parts[at], function_call=call)
        content = Content(role=self.role, parts=tuple(parts)) if self.has_content else None
        return msgspec.structs.replace(self.candidate, content=content, **joined(None, self.joined))


def arguments_of(text: str) -> Fields:
    """Return the arguments as far as their JSON text has come."""
    arguments: object = msgspec.json.decode(close_json(text) or "{}")
    return cast("Fields", arguments) if isinstance(arguments, dict) else {}


def is_plain_text(part: Part) -> bool:
    """Return whether a part is text alone. Text with a signature may not be joined with other text."""
    return part.text is not None and part == Part(text=part.text, thought=part.thought)


class AnswerAccumulator(Accumulator[GenerateContentResponse]):
    """Puts the candidates together; consecutive texts are joined into one part."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}  # of the response: the last value of each
        self._answers: dict[int, CandidateBuilder] = {}
        self.parts: int = 0

    def add(self, chunks: Sequence[GenerateContentResponse]) -> int:
        with_content = 0
        for chunk in chunks:
            for name in RESPONSE_FIELDS:
                value = getattr(chunk, name)
                if value is not None:
                    self._fields[name] = value
            has_content = False
            for candidate in chunk.candidates:
                index = candidate.index or 0
                answer = self._answers.get(index)
                if answer is None:
                    answer = self._answers[index] = CandidateBuilder(candidate.index)
                    self.parts += 1
                if candidate.content is not None and len(candidate.content.parts) > 1:
                    self.parts += len(candidate.content.parts)
                if answer.add(candidate) and index == 0:
                    has_content = True
            with_content += has_content
        return with_content

    def message(self) -> Message:
        candidates = tuple(answer.build() for _, answer in sorted(self._answers.items()))
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
    return Request(
        dialect=dialect_for(GeminiDialect, DOCUMENTED, strict),
        method="POST",
        path=f"{path_of(model)}:streamGenerateContent?alt=sse",
        headers=JSON_HEADERS,
        body=msgspec.json.encode({**params, **(extra or {}), "contents": contents}),
    )


def generate_content(
    *,
    model: str,
    contents: Sequence[Mapping[str, object]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[GeminiParams],
) -> Request[GenerateContentResponse]:
    """Ask for an answer that is not streamed; the arguments are those of `generate`.

    Raises TypeError for a value that JSON has no form for.
    """
    return Request(
        dialect=partial(ProviderDocumentDialect[GenerateContentResponse], GenerateContentResponse),
        method="POST",
        path=f"{path_of(model)}:generateContent",
        headers=(*JSON_HEADERS, *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), "contents": contents}),
    )


def path_of(model: str) -> str:
    """Return the path of a model, whose name may have its collection before it, as `tunedModels/mine` has."""
    path = path_segment(model, "model")
    if "/" not in model:
        return f"/models/{path}"
    return "".join(f"/{path_segment(name, 'model')}" for name in model.split("/"))


decode: Callable[[bytes], GenerateContentResponse] = msgspec.json.Decoder(GenerateContentResponse).decode
DOCUMENTED = ((ModalityTokenCount, "token_count", int | UnsetType),)
"""Fields that are documented otherwise than the structs say: Gemini leaves out a count of 0."""
JOINED = ("citation_metadata", "grounding_metadata", "url_context_metadata", "logprobs_result")
RESPONSE_FIELDS = (
    *("create_time", "model_status", "model_version", "prompt_feedback", "response_id"),
    "usage_metadata",
)
