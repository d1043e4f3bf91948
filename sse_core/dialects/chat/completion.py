"""A chat completion that is not streamed: what the chunks of a stream make together."""

from __future__ import annotations

from typing import Any

from ...reading.message import ShortRepr
from .chunks import (
    Annotation,
    Audio,
    Debug,
    ExecutedTool,
    Logprobs,
    ReasoningDetail,
    Timings,
    Usage,
    UsageBreakdown,
)


class FunctionCall(ShortRepr, frozen=True, kw_only=True):
    """A function call; `arguments` is JSON text."""

    ESSENTIAL = frozenset({"name", "arguments"})

    name: str = ""
    arguments: str = ""


class CustomCall(ShortRepr, frozen=True, kw_only=True):
    """A call of a custom tool; `input` is any text."""

    ESSENTIAL = frozenset({"name", "input"})

    name: str = ""
    input: str = ""


class MessageToolCall(ShortRepr, frozen=True, kw_only=True):
    """A tool call of a message; what it has is by `type`."""

    ESSENTIAL = frozenset({"function", "custom"})

    id: str | None = None
    type: str = "function"
    function: FunctionCall = FunctionCall()
    custom: CustomCall | None = None
    extra_content: Any = None


class ChatCompletionMessage(ShortRepr, frozen=True, kw_only=True):
    """One answer; the fields are those of `Delta`, put together.

    `content` is None where the answer has none, and "" where it has an empty one.
    """

    ESSENTIAL = frozenset({"content", "tool_calls", "function_call"})

    role: str = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: tuple[ReasoningDetail, ...] = ()
    tool_calls: tuple[MessageToolCall, ...] = ()
    function_call: FunctionCall | None = None
    audio: Audio | None = None
    annotations: tuple[Annotation, ...] = ()
    executed_tools: tuple[ExecutedTool, ...] = ()
    extra_content: Any = None
    content_parts: tuple[Any, ...] = ()
    """The content as sent, where it was a list: Mistral. Its text is in `content` and `reasoning`."""
    images: tuple[Any, ...] = ()


class CompletionChoice(ShortRepr, frozen=True, kw_only=True):
    """One answer of several, and why it ended; the fields are those of a chunk's `Choice`."""

    ESSENTIAL = frozenset({"message", "finish_reason"})

    index: int = 0
    message: ChatCompletionMessage = ChatCompletionMessage()
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    native_finish_reason: str | None = None
    stop_reason: int | str | None = None
    matched_stop: Any = None
    token_ids: tuple[int, ...] = ()
    content_filter_results: Any = None


class CompletionXGroq(ShortRepr, frozen=True, kw_only=True):
    """What Groq says about the request; `id` is the request's, `req_...`."""

    id: str | None = None
    seed: int | None = None
    usage: Any = None
    """How many tokens came from which cache; no chunk says it."""
    debug: Debug | None = None


class ChatCompletion(ShortRepr, frozen=True, kw_only=True):
    """A whole chat completion; the fields are those of the chunk."""

    ESSENTIAL = frozenset({"choices"})

    id: str = ""
    object: str = "chat.completion"
    created: int | float = 0
    model: str = ""
    choices: tuple[CompletionChoice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    metadata: Any = None
    """What the request had for it; no chunk says it."""
    moderation: Any = None
    mcp_list_tools: Any = None
    """The tools of MCP servers: Groq; no chunk has them."""
    usage_breakdown: UsageBreakdown | None = None
    """Groq."""
    x_groq: CompletionXGroq | None = None
    provider: str | None = None
    citations: Any = None
    search_results: Any = None
    prompt_filter_results: Any = None
    timings: Timings | None = None
    prompt_token_ids: tuple[int, ...] = ()
