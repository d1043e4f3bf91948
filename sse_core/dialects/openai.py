"""OpenAI's chat completions, and the many servers that imitate them.

The stream: `data:` events with a JSON chunk each, until `data: [DONE]`. An error comes as
`{"error": ...}` in place of a chunk, or in one of half a dozen other ways of the imitations.

Unknown fields are ignored, and what is documented may be missing or null, unless `strict` asks for
chunks that are exactly as documented. Field names and meanings are the provider's own:
https://platform.openai.com/docs/api-reference/chat/streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, 0.3 ms at import.
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypedDict, Unpack

import msgspec

from ..errors import StreamError
from ..events.items import Event
from ..reading.dialect import Mark
from ..reading.request import Request
from .chat.accumulator import ChatAccumulator
from .chat.chunks import (
    Annotation,
    Audio,
    ChatCompletionChunk,
    Choice,
    CompletionTokensDetails,
    CustomDelta,
    Delta,
    ExecutedTool,
    FunctionDelta,
    Logprobs,
    PromptTokensDetails,
    ReasoningDetail,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    TopLogprob,
    URLCitation,
    Usage,
)
from .chat.completion import (
    ChatCompletion,
    ChatCompletionMessage,
    CompletionChoice,
    CustomCall,
    FunctionCall,
    MessageToolCall,
)
from .shared.provider_dialect import JSON, ApiDialect, mark_of
from .shared.provider_errors import NOT_JSON, ErrorObject, api_error, error_in, error_of, find_error
from .shared.strictly import strictly

__all__ = [
    "Annotation",
    "Audio",
    "ChatAccumulator",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatDialect",
    "ChatParams",
    "Choice",
    "CompletionChoice",
    "CompletionTokensDetails",
    "CustomCall",
    "CustomDelta",
    "Delta",
    "FunctionCall",
    "FunctionDelta",
    "Logprobs",
    "MessageToolCall",
    "PromptTokensDetails",
    "ReasoningDetail",
    "StreamOptions",
    "Timings",
    "TokenLogprob",
    "ToolCallDelta",
    "TopLogprob",
    "URLCitation",
    "Usage",
    "chat",
]


class ChatDialect(ApiDialect[ChatCompletionChunk]):
    """Reads a chat completion's events, from OpenAI, Groq and the servers that imitate them."""

    def __init__(self) -> None:
        self._decode: Callable[[bytes], ChatCompletionChunk] = decode

    def read(self, event: Event) -> ChatCompletionChunk | Mark:
        if event.type != "message":
            if event.type == "error":
                raise error_in(event.raw)
            if event.type == "ping":
                return Mark.PING
        plain = self._decode  # as in TaggedDialect
        try:
            chunk = plain(event.raw)
        except NOT_JSON:
            mark = mark_of(event)
            if mark is not None:
                return mark
            chunk = self._read_tolerantly(event)
        if chunk.error is not None or chunk.object == "error":
            if chunk.error or not chunk.choices or chunk.object == "error":
                raise error_in(event.raw)
            chunk = msgspec.structs.replace(chunk, error=None)  # an empty one beside an answer is none
        if not (chunk.choices or chunk.object) and find_error(event.raw) is not None:
            raise error_in(event.raw)
        if chunk.x_groq is not None:
            chunk = with_usage_of_groq(chunk, event)
        for choice in chunk.choices:
            if choice.finish_reason:
                if choice.finish_reason == "error":
                    raise failed_choice(choice, event)
                self.finished = True
        return chunk

    def read_plain(
        self, data: Sequence[bytes], chunks: list[ChatCompletionChunk], type: str = "message"
    ) -> int:
        """The short way of `read`, for chunks in the middle of an answer: 0.6 us in place of 0.75 us."""
        if type != "message":
            return 0
        read = 0
        plain = self._decode
        try:
            for raw in data:
                chunk = plain(raw)
                choices = chunk.choices
                if (
                    not choices
                    or chunk.error is not None
                    or chunk.object == "error"
                    or chunk.x_groq is not None
                ):
                    break
                for choice in choices:
                    if choice.finish_reason:
                        return read
                chunks.append(chunk)
                read += 1
        except NOT_JSON:
            pass
        return read

    def accumulator(self) -> ChatAccumulator:
        return ChatAccumulator()

    def _read_tolerantly(self, event: Event) -> ChatCompletionChunk:
        """Read what the decoder has refused, and the chunks after it as well, if that is all it takes."""
        from .chat import tolerant  # most servers' chunks need none of it

        try:
            chunk = tolerant.decode(event.raw)
        except NOT_JSON:
            return tolerant.read_leniently(event)
        self._decode = tolerant.decode
        return chunk


def with_usage_of_groq(chunk: ChatCompletionChunk, event: Event) -> ChatCompletionChunk:
    """Return the chunk with the usage where others have it; raises ApiError for Groq's own kind of error."""
    assert chunk.x_groq is not None
    if chunk.x_groq.error is not None:
        error = error_of({"error": chunk.x_groq.error}) or ErrorObject(event.data)
        raise api_error(msgspec.structs.replace(error, request_id=chunk.x_groq.id), event.raw)
    if chunk.usage is None and chunk.x_groq.usage is not None:
        return msgspec.structs.replace(chunk, usage=chunk.x_groq.usage)
    return chunk


def failed_choice(choice: Choice, event: Event) -> StreamError:
    error = error_of({"error": choice.error})
    return api_error(error or ErrorObject("the answer ended with finish_reason 'error'"), event.raw)


class StreamOptions(TypedDict, total=False):
    """What a stream is to have beside the answer."""

    include_obfuscation: bool
    include_usage: bool


class ChatParams(TypedDict, total=False):
    """The common parameters of a chat request, by the provider's own names.

    A parameter that is None is sent as null, and one that is left out is not sent.
    """

    audio: Mapping[str, object]
    frequency_penalty: float | None
    function_call: str | Mapping[str, object]
    functions: Sequence[Mapping[str, object]]
    logit_bias: Mapping[str, float] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[str] | None
    moderation: Mapping[str, object] | None
    n: int | None
    parallel_tool_calls: bool
    prediction: Mapping[str, object] | None
    presence_penalty: float | None
    prompt_cache_key: str
    prompt_cache_options: Mapping[str, object]
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    response_format: Mapping[str, object]
    safety_identifier: str
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: StreamOptions | None
    temperature: float | None
    tool_choice: str | Mapping[str, object]
    tools: Sequence[Mapping[str, object]]
    top_logprobs: int | None
    top_p: float | None
    user: str
    verbosity: str | None
    web_search_options: Mapping[str, object]


def chat(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ChatParams],
) -> Request[ChatCompletionChunk]:
    """Ask for a streamed chat completion; `extra` takes parameters that are not named here.

    `strict` is for those who test servers: a chunk that is not exactly as documented is an InvalidChunk.
    Raises TypeError for a value that JSON has no form for.
    """
    return chat_request(model, messages, strict, params, extra)


def chat_request(
    model: str,
    messages: Sequence[Mapping[str, object]],
    strict: bool,
    params: Mapping[str, object],
    extra: Mapping[str, object] | None,
) -> Request[ChatCompletionChunk]:
    fixed = {"model": model, "messages": messages, "stream": True}
    body = msgspec.json.encode({**params, **(extra or {}), **fixed})
    dialect = strictly(ChatDialect, OTHERWISE) if strict else ChatDialect
    return Request(dialect=dialect, method="POST", path=CHAT_PATH, headers=JSON, body=body)


decode = msgspec.json.Decoder(ChatCompletionChunk).decode
CHAT_PATH = "/chat/completions"
OTHERWISE = (
    (ChatCompletionChunk, "object", Literal["chat.completion.chunk"]),
    (ChatCompletionChunk, "created", int),
    (ChatCompletionChunk, "choices", tuple[Choice, ...]),
    (Choice, "delta", Delta),
    (Choice, "finish_reason", str | None),
    (ToolCallDelta, "index", int),
    (TopLogprob, "logprob", float),
    (ExecutedTool, "index", int),
)
"""What is documented otherwise than the structs say: see `_strict_chunks`."""
