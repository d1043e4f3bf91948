"""Groq's chat completions: OpenAI's, and what Groq adds to them.

What is added: usage and timing in `x_groq` on the last chunk, reasoning, tools that run
on the server, and two more ways to report an error, `event: error` and `x_groq.error`.
https://console.groq.com/docs/api-reference#chat-create
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import msgspec
from msgspec import Struct

from .._events import Event
from .._request import Mark, Request
from . import openai
from ._provider_errors import ErrorObject
from .openai import CHAT_PATH, JSON, ChatDialect, FunctionDelta, ToolCallDelta, api_error, chat_body

__all__ = [
    "Annotation",
    "BrowserResult",
    "ChatCompletionChunk",
    "ChatParams",
    "Choice",
    "CodeResult",
    "Debug",
    "Delta",
    "DocumentCitation",
    "ExecutedTool",
    "FunctionCitation",
    "FunctionDelta",
    "ModelUsage",
    "SearchResult",
    "SearchResults",
    "ToolCallDelta",
    "Usage",
    "UsageBreakdown",
    "XGroq",
    "chat",
]


class DocumentCitation(Struct, frozen=True, kw_only=True, gc=False):
    """Where in a document an answer comes from; indices are of characters in the answer."""

    document_id: str = ""
    start_index: int = 0
    end_index: int = 0


class FunctionCitation(Struct, frozen=True, kw_only=True, gc=False):
    """Which tool's result an answer comes from; indices are of characters in the answer."""

    tool_call_id: str = ""
    start_index: int = 0
    end_index: int = 0


class Annotation(Struct, frozen=True, kw_only=True, gc=False):
    """A source; `type` says which of the two it is."""

    type: str = ""
    document_citation: DocumentCitation | None = None
    function_citation: FunctionCitation | None = None


class SearchResult(Struct, frozen=True, kw_only=True, gc=False):
    """A page that a search found."""

    title: str | None = None
    url: str | None = None
    content: str | None = None
    score: float | None = None


class SearchResults(Struct, frozen=True, kw_only=True, gc=False):
    """What a search found."""

    images: tuple[str, ...] = ()
    results: tuple[SearchResult, ...] = ()


class CodeResult(Struct, frozen=True, kw_only=True, gc=False):
    """What code that was run gave: text, a picture in Base64, or charts as the provider describes them."""

    text: str | None = None
    png: str | None = None
    chart: Any = None
    charts: tuple[Any, ...] = ()


class BrowserResult(Struct, frozen=True, kw_only=True, gc=False):
    """A page that was visited."""

    title: str = ""
    url: str = ""
    content: str | None = None
    live_view_url: str | None = None


class ExecutedTool(Struct, frozen=True, kw_only=True, gc=False):
    """A tool that ran on the server."""

    index: int | None = None
    type: str = ""
    arguments: str = ""
    output: str | None = None
    search_results: SearchResults | None = None
    code_results: tuple[CodeResult, ...] = ()
    browser_results: tuple[BrowserResult, ...] = ()


class Delta(openai.Delta, frozen=True, kw_only=True, gc=False):
    """What a chunk adds to the message."""

    annotations: tuple[Annotation, ...] = ()
    executed_tools: tuple[ExecutedTool, ...] = ()


class Choice(openai.Choice, frozen=True, kw_only=True, gc=False):
    """A chunk's part of one answer; `index` tells the answers apart where several were asked for."""

    delta: Delta | None = None


class Usage(openai.Usage, frozen=True, kw_only=True, gc=False):
    """How many tokens, and how many seconds, the request and its answer took."""

    queue_time: float | None = None
    prompt_time: float | None = None
    completion_time: float | None = None
    total_time: float | None = None


class ModelUsage(Struct, frozen=True, kw_only=True, gc=False):
    """One model's part in a compound system's usage."""

    model: str = ""
    usage: Usage | None = None


class UsageBreakdown(Struct, frozen=True, kw_only=True, gc=False):
    """The usage of a compound system, model by model."""

    models: tuple[ModelUsage, ...] = ()


class Debug(Struct, frozen=True, kw_only=True, gc=False):
    """The tokens themselves, where the request asked for them."""

    input_token_ids: tuple[int, ...] = ()
    input_tokens: tuple[str, ...] = ()
    output_token_ids: tuple[int, ...] = ()
    output_tokens: tuple[str, ...] = ()


class XGroq(Struct, frozen=True, kw_only=True, gc=False):
    """What Groq says about the request, on the first chunk and the last."""

    id: str | None = None
    """The request's id, `req_...`."""
    usage: Usage | None = None
    usage_breakdown: UsageBreakdown | None = None
    seed: int | None = None
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""
    debug: Debug | None = None


class ChatCompletionChunk(openai.ChatCompletionChunk, frozen=True, kw_only=True, gc=False):
    """One chunk of a streamed chat completion."""

    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    """As sent, or else as `x_groq` has it."""
    x_groq: XGroq | None = None


class GroqDialect(ChatDialect[ChatCompletionChunk]):
    """Reads the events of Groq's chat completions."""

    def __init__(self) -> None:
        super().__init__(chunks)

    def read(self, event: Event) -> ChatCompletionChunk | Mark:
        chunk = super().read(event)
        if isinstance(chunk, Mark) or chunk.x_groq is None:
            return chunk
        if chunk.x_groq.error is not None:
            raise api_error(ErrorObject(str(chunk.x_groq.error) or event.data), event.raw)
        if chunk.usage is None and chunk.x_groq.usage is not None:
            return msgspec.structs.replace(chunk, usage=chunk.x_groq.usage)
        return chunk


class ChatParams(openai.ChatParams, total=False):
    """The common parameters of a chat request, by the provider's own names."""

    citation_options: str
    compound_custom: Mapping[str, object]
    disable_tool_validation: bool
    documents: Sequence[Mapping[str, object]]
    include_reasoning: bool
    reasoning_format: str
    search_settings: Mapping[str, object]


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
    return Request(dialect=GroqDialect, method="POST", path=CHAT_PATH, headers=JSON, body=body)


chunks = msgspec.json.Decoder(ChatCompletionChunk)
