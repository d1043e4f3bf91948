"""What an answer of Gemini's consists of: a chunk of a stream and a whole answer have one form."""

# No `from __future__ import annotations`: msgspec evaluates each string, 2.2 ms at import.
from typing import Any

import msgspec

from ...reading.message import ShortRepr
from ..shared.lenient import Fields
from ..shared.typed_events import ToolCallDelta


class Blob(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Bytes, in Base64."""

    mime_type: str = ""
    data: str = ""
    display_name: str | None = None


class PartialArg(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A value in the arguments, or a part of a string; `json_path` (RFC 9535) says which."""

    json_path: str = ""
    string_value: str | None = None
    number_value: int | float | None = None
    bool_value: bool | None = None
    null_value: Any = None
    will_continue: bool | None = None
    """Whether more of the string follows."""

    @property
    def value(self) -> str | float | bool | None:
        """Whichever it is."""
        values = (self.string_value, self.number_value, self.bool_value)
        return next((value for value in values if value is not None), None)


class FunctionCall(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A call of a function that the caller is to run."""

    ESSENTIAL = frozenset({"name", "args", "partial_args"})

    id: str | None = None
    name: str | None = None
    args: Fields | None = None
    partial_args: tuple[PartialArg, ...] | None = None
    """Some of the arguments, where the request asked for such."""
    will_continue: bool | None = None
    """Whether more of the call follows."""

    @property
    def arguments(self) -> str:
        """What it adds to the JSON text of the arguments."""
        return msgspec.json.encode(self.args or {}).decode()


class FunctionCallPart(FunctionCall, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A part of a function call. The dialect makes it; on the wire is a `FunctionCall`."""

    begins: bool = False
    """Whether it is the first."""
    fragment: str = ""

    @property
    def arguments(self) -> str:
        """What it adds to the JSON text of the arguments."""
        return self.fragment


class ExecutableCode(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A program that the server runs."""

    language: str = ""
    code: str = ""
    id: str | None = None


class CodeExecutionResult(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """What a program gave."""

    outcome: str = ""
    output: str | None = None
    id: str | None = None
    """That of the program."""


class Part(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A part of an answer: one of text, a function call, data, a program, a tool of the server's, a result.

    What is said about data, and is seldom there, is left as JSON.
    """

    ESSENTIAL = frozenset({"text", "function_call"})

    text: str | None = None
    thought: bool | None = None
    """Whether the text is reasoning."""
    thought_signature: str | None = None
    """What is to go back to the server with this part as it is, in Base64."""
    function_call: FunctionCall | None = None
    function_response: Any = None
    inline_data: Blob | None = None
    file_data: Any = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeExecutionResult | None = None
    tool_call: Any = None
    """A call of a tool that the server runs."""
    tool_response: Any = None
    part_metadata: Any = None
    media_resolution: Any = None
    media_processing: Any = None
    audio_metadata: Any = None
    audio_transcription: Any = None
    document_metadata: Any = None
    speech_metadata: Any = None
    spreadsheet_metadata: Any = None
    video_metadata: Any = None


class Content(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The parts of an answer."""

    ESSENTIAL = frozenset({"parts"})

    role: str | None = None
    parts: tuple[Part, ...] = ()


class SafetyRating(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """How harmful an answer or a prompt may be."""

    category: str | None = None
    probability: str | None = None
    probability_score: float | None = None
    severity: str | None = None
    severity_score: float | None = None
    blocked: bool | None = None
    overwritten_threshold: str | None = None


class Candidate(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """One of the answers; `index` tells them apart where several were asked for."""

    ESSENTIAL = frozenset({"content", "finish_reason"})

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None
    safety_ratings: tuple[SafetyRating, ...] | None = None
    citation_metadata: Any = None
    grounding_metadata: Any = None
    url_context_metadata: Any = None
    avg_logprobs: float | None = None
    logprobs_result: Any = None
    token_count: int | None = None
    continuation_token: str | None = None


class PromptFeedback(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Why a prompt was blocked, if it was."""

    block_reason: str | None = None
    block_reason_message: str | None = None
    safety_ratings: tuple[SafetyRating, ...] | None = None


class ModalityTokenCount(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """How many tokens of one kind."""

    modality: str = ""
    token_count: int = 0


class UsageMetadata(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """How many tokens the request and its answer took so far."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: tuple[ModalityTokenCount, ...] | None = None
    candidates_tokens_details: tuple[ModalityTokenCount, ...] | None = None
    cache_tokens_details: tuple[ModalityTokenCount, ...] | None = None
    tool_use_prompt_tokens_details: tuple[ModalityTokenCount, ...] | None = None
    traffic_type: str | None = None
    service_tier: str | None = None

    @property
    def input_tokens(self) -> int | None:
        """Of the request, with what the tools on the server brought."""
        return added(self.prompt_token_count, self.tool_use_prompt_token_count)

    @property
    def output_tokens(self) -> int | None:
        """Of the answer, with the reasoning."""
        return added(self.candidates_token_count, self.thoughts_token_count)

    @property
    def total_tokens(self) -> int | None:
        """Of both."""
        if self.total_token_count is None and None not in (self.input_tokens, self.output_tokens):
            return added(self.input_tokens, self.output_tokens)
        return self.total_token_count


class GenerateContentResponse(ShortRepr, frozen=True, kw_only=True, gc=False, rename="camel"):
    """One chunk of a streamed answer, or a whole answer."""

    ESSENTIAL = frozenset({"candidates", "prompt_feedback"})

    candidates: tuple[Candidate, ...] = ()
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    model_status: Any = None
    response_id: str | None = None
    create_time: str | None = None
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""

    @property
    def text(self) -> str:
        """What the chunk adds to the text of the first answer."""
        return "".join(part.text for part in self.parts if part.text and not part.thought)

    @property
    def reasoning(self) -> str:
        """What the chunk adds to the reasoning of the first answer."""
        return "".join(part.text for part in self.parts if part.text and part.thought)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What the chunk adds to the function calls of the first answer: as a rule, whole ones."""
        return tuple(
            ToolCallDelta(id=call.id, name=call.name, arguments=call.arguments)
            for part in self.parts
            if (call := part.function_call) is not None
        )

    @property
    def finish_reason(self) -> str | None:
        """Why the first answer ended, or why the prompt was blocked, if the chunk says so."""
        for candidate in self.candidates:
            if not candidate.index and candidate.finish_reason:
                return candidate.finish_reason
        return None if self.prompt_feedback is None else self.prompt_feedback.block_reason or None

    @property
    def usage(self) -> UsageMetadata | None:
        """How many tokens it has been so far."""
        return self.usage_metadata

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the first answer."""
        parts: list[Part] = []
        for candidate in self.candidates:
            if not candidate.index and candidate.content is not None:
                parts += candidate.content.parts
        return tuple(parts)


def added(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
