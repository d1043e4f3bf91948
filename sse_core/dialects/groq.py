"""Groq's chat completions: OpenAI's, and what Groq adds to them.

What is added: usage and timing in `x_groq` on the last chunk, reasoning, tools that run
on the server, and two more ways to report an error, `event: error` and `x_groq.error`.
https://console.groq.com/docs/api-reference#chat-create
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

from ..reading.request import Request
from . import openai
from .chat.chunks import (
    Annotation,
    BrowserResult,
    Chart,
    ChartElement,
    ChatCompletionChunk,
    Choice,
    CodeResult,
    Debug,
    Delta,
    DocumentCitation,
    ExecutedTool,
    FunctionCitation,
    FunctionDelta,
    ModelUsage,
    SearchResult,
    SearchResults,
    ToolCallDelta,
    Usage,
    UsageBreakdown,
    XGroq,
)
from .chat.completion import (
    ChatCompletion,
    ChatCompletionMessage,
    CompletionChoice,
    CompletionXGroq,
    FunctionCall,
    MessageToolCall,
)
from .chat.dialect import ChatDialect, chat_request, completion_request
from .openai import StreamOptions

__all__ = [
    "Annotation",
    "BrowserResult",
    "Chart",
    "ChartElement",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatDialect",
    "ChatParams",
    "Choice",
    "CodeResult",
    "CompletionChoice",
    "CompletionXGroq",
    "Debug",
    "Delta",
    "DocumentCitation",
    "ExecutedTool",
    "FunctionCall",
    "FunctionCitation",
    "FunctionDelta",
    "MessageToolCall",
    "ModelUsage",
    "SearchResult",
    "SearchResults",
    "StreamOptions",
    "ToolCallDelta",
    "Usage",
    "UsageBreakdown",
    "XGroq",
    "chat",
    "completion",
]


class ChatParams(openai.ChatParams, total=False):
    """The common parameters of a chat request, by the provider's own names.

    A parameter that is None is sent as null, and one that is left out is not sent.
    """

    citation_options: str | None
    compound_custom: Mapping[str, object] | None
    disable_tool_validation: bool
    documents: Sequence[Mapping[str, object]] | None
    include_reasoning: bool | None
    reasoning_format: str | None
    search_settings: Mapping[str, object] | None


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
