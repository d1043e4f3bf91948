"""OpenAI's chat completions, and the many servers that imitate them.

The stream: `data:` events with a JSON chunk each, until `data: [DONE]`. An error comes as
`{"error": ...}` in place of a chunk, or in one of half a dozen other ways of the imitations.

Unknown fields are ignored, and what is documented may be missing or null, unless `strict` asks for
chunks that are exactly as documented. Field names and meanings are the provider's own:
https://platform.openai.com/docs/api-reference/chat/streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, which takes long at import.
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

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
from .chat.dialect import ChatDialect, chat_request, completion_request

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
    "completion",
]


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


def completion(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ChatParams],
) -> Request[ChatCompletion]:
    """Ask for a chat completion that is not streamed; `extra` takes parameters that are not named here.

    Raises TypeError for a value that JSON has no form for.
    """
    return completion_request(model, messages, params, extra)
