"""OpenAI's chat completions, and the many servers that imitate them.

The stream: `data:` events with a JSON chunk each, until `data: [DONE]`. An error comes
as `{"error": ...}` in place of a chunk.

Every field has a default, since the imitations leave out any of them; unknown fields are
ignored. Field names and meanings are the provider's own:
https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypedDict, TypeVar, Unpack, cast

import msgspec
from msgspec import Struct

from .._errors import ApiError, InvalidChunk, StatusError, StreamError
from .._events import Event
from .._exchange import Response
from .._request import Dialect, Mark, Request
from ._provider_errors import NOT_JSON, ErrorObject, find_error

__all__ = [
    "Audio",
    "ChatCompletionChunk",
    "ChatDialect",
    "ChatParams",
    "Choice",
    "CompletionTokensDetails",
    "Delta",
    "FunctionDelta",
    "Logprobs",
    "PromptTokensDetails",
    "TokenLogprob",
    "ToolCallDelta",
    "TopLogprob",
    "Usage",
    "chat",
]


class FunctionDelta(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a function call; `arguments` is a fragment of JSON text, to be put together."""

    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a tool call; `id`, `type` and the function's name come with the first part only."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None


class Audio(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a spoken answer; `data` is Base64, `expires_at` in Unix seconds."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class Delta(Struct, frozen=True, kw_only=True, gc=False):
    """What a chunk adds to the message."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    """What the model thinks, as Groq, OpenRouter and newer vLLM spell it."""
    reasoning_content: str | None = None
    """The same, as DeepSeek, llama.cpp, SGLang and older vLLM spell it."""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    function_call: FunctionDelta | None = None
    audio: Audio | None = None


class TopLogprob(Struct, frozen=True, kw_only=True, gc=False):
    """A token that might have come, and the natural logarithm of its probability."""

    token: str = ""
    logprob: float | None = None
    bytes: tuple[int, ...] | None = None


class TokenLogprob(TopLogprob, frozen=True, kw_only=True, gc=False):
    """A token that came, and those that might have."""

    top_logprobs: tuple[TopLogprob, ...] = ()


class Logprobs(Struct, frozen=True, kw_only=True, gc=False):
    """The log probabilities of the tokens in a chunk."""

    content: tuple[TokenLogprob, ...] = ()
    refusal: tuple[TokenLogprob, ...] = ()


class Choice(Struct, frozen=True, kw_only=True, gc=False):
    """A chunk's part of one answer; `index` tells the answers apart where several were asked for."""

    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class PromptTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the prompt had."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    text_tokens: int | None = None


class CompletionTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the answer had."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    text_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class ChatCompletionChunk(Struct, frozen=True, kw_only=True, gc=False):
    """One chunk of a streamed chat completion."""

    id: str = ""
    object: str = ""
    created: int | float = 0
    """When the answer was begun, in Unix seconds."""
    model: str = ""
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str | None = None
    moderation: Any = None
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""

    @property
    def text(self) -> str:
        """What the chunk adds to the text of the first answer."""
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                return choice.delta.content or ""
        return ""

    @property
    def reasoning(self) -> str:
        """What the chunk adds to the reasoning of the first answer."""
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                return choice.delta.reasoning or choice.delta.reasoning_content or ""
        return ""

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What the chunk adds to the tool calls of the first answer."""
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                return choice.delta.tool_calls
        return ()

    @property
    def finish_reason(self) -> str | None:
        """Why the first answer ended, if it did with this chunk."""
        for choice in self.choices:
            if choice.index == 0:
                return choice.finish_reason
        return None


C = TypeVar("C", bound=ChatCompletionChunk)


class ChatDialect(Dialect[C], Generic[C]):
    """Reads a chat completion's events as the chunks that `decoder` makes."""

    def __init__(self, decoder: msgspec.json.Decoder[C]) -> None:
        self._decoder = decoder
        self._decode = decoder.decode

    def read(self, event: Event) -> C | Mark:
        if event.type != "message":
            if event.type == "error":
                raise api_error(find_error(event.raw, bare=True) or ErrorObject(event.data), event.raw)
            if event.type == "ping":
                return Mark.PING
        try:
            chunk = self._decode(event.raw)
        except NOT_JSON:
            mark = mark_of(event)
            if mark is not None:
                return mark
            chunk = self._read_leniently(event)
        if chunk.error is not None or chunk.object == "error":
            raise api_error(find_error(event.raw) or ErrorObject(event.data), event.raw)
        for choice in chunk.choices:
            if choice.finish_reason is not None:
                if choice.finish_reason == "error":
                    raise api_error(ErrorObject("the answer ended with finish_reason 'error'"), event.raw)
                self.finished = True
        return chunk

    def refusal(self, response: Response, body: bytes) -> StreamError:
        error = find_error(body, bare=response.status != 200)
        if error is None:
            return super().refusal(response, body)
        if response.status == 200:
            return api_error(error, body)
        return StatusError(**msgspec.structs.asdict(error), response=response, raw=body)

    def _read_leniently(self, event: Event) -> C:
        """Read a chunk that has null where nothing should be, numbers as strings, or invalid UTF-8."""
        try:
            value = msgspec.json.decode(event.data)
            return msgspec.convert(without_nulls(value), self._decoder.type, strict=False)
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc


def mark_of(event: Event) -> Mark | None:
    """Return what an event means that has no JSON, if it means anything."""
    if event.raw.startswith(b"[DONE]"):
        return Mark.END
    return None if event.raw.strip() else Mark.PING


def invalid_chunk(event: Event, reason: Exception) -> InvalidChunk:
    message = f"{reason}; the data begins with {event.raw[:SHOWN]!r}"
    if b"}\n{" in event.raw:
        message = f"several chunks in one event: something dropped the blank lines between them; {message}"
    return InvalidChunk(message, event.raw)


def api_error(error: ErrorObject, raw: bytes) -> ApiError:
    return ApiError(**msgspec.structs.asdict(error), raw=raw)


def without_nulls(value: Any) -> Any:
    """Drop what is null from every object in a JSON value: in a chunk it means the same as absent."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: without_nulls(item) for name, item in fields.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    return value


SHOWN = 200
"""Bytes of an event that a message shows."""


class ChatParams(TypedDict, total=False):
    """The common parameters of a chat request, by the provider's own names."""

    audio: Mapping[str, object]
    frequency_penalty: float
    logit_bias: Mapping[str, float]
    logprobs: bool
    max_completion_tokens: int
    max_tokens: int
    metadata: Mapping[str, str]
    modalities: Sequence[str]
    n: int
    parallel_tool_calls: bool
    prediction: Mapping[str, object]
    presence_penalty: float
    reasoning_effort: str
    response_format: Mapping[str, object]
    seed: int
    service_tier: str
    stop: str | Sequence[str]
    store: bool
    stream_options: Mapping[str, object]
    temperature: float
    tool_choice: str | Mapping[str, object]
    tools: Sequence[Mapping[str, object]]
    top_logprobs: int
    top_p: float
    user: str
    verbosity: str


def chat(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ChatParams],
) -> Request[ChatCompletionChunk]:
    """Ask for a streamed chat completion; `extra` takes parameters that are not named here.

    Raises TypeError for a value that JSON has no form for.
    """
    body = chat_body(model, messages, params, extra)
    return Request(dialect=new_dialect, method="POST", path=CHAT_PATH, headers=JSON, body=body)


def chat_body(
    model: str,
    messages: Sequence[Mapping[str, object]],
    params: Mapping[str, object],
    extra: Mapping[str, object] | None,
) -> bytes:
    fixed = {"model": model, "messages": messages, "stream": True}
    return msgspec.json.encode({**params, **(extra or {}), **fixed})


def new_dialect() -> ChatDialect[ChatCompletionChunk]:
    return ChatDialect(chunks)


chunks = msgspec.json.Decoder(ChatCompletionChunk)
CHAT_PATH = "/chat/completions"
JSON = (("Content-Type", "application/json"),)
