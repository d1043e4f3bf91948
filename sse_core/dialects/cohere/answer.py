"""What an answer of Cohere's chat consists of."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import Any, TypeAlias

from ...reading.message import ShortRepr
from ..shared.typed_events import Tagged, Unknown

# Citations.


class ToolSource(Tagged, frozen=True, kw_only=True, gc=False, tag="tool"):
    """The output of a tool that a citation rests on."""

    id: str | None = None
    tool_output: Any = None


class DocumentSource(Tagged, frozen=True, kw_only=True, gc=False, tag="document"):
    """A document of the request's that a citation rests on."""

    id: str | None = None
    document: Any = None


Source: TypeAlias = ToolSource | DocumentSource | Unknown


class Citation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What a piece of the answer rests on; `start` and `end` count characters.

    `type` says whether that piece is in the content, in what the model thinks, or in its tool plan;
    `content_index`, in which content item.
    """

    start: int | None = None
    end: int | None = None
    text: str | None = None
    sources: tuple[Source, ...] = ()
    content_index: int | None = None
    type: str | None = None


# Content and tool calls.


class TextContent(Tagged, frozen=True, kw_only=True, gc=False, tag="text"):
    """Text."""

    ESSENTIAL = frozenset({"text"})

    text: str = ""


class ThinkingContent(Tagged, frozen=True, kw_only=True, gc=False, tag="thinking"):
    """What the model thinks."""

    thinking: str = ""


Content: TypeAlias = TextContent | ThinkingContent | Unknown


class ToolCallFunction(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Which function to call; `arguments` is JSON text, or a fragment of it."""

    ESSENTIAL = frozenset({"name", "arguments"})

    name: str | None = None
    arguments: str | None = None


class ToolCall(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A call of a function that the caller is to run, or a part of one."""

    ESSENTIAL = frozenset({"function"})

    id: str | None = None
    type: str | None = None
    function: ToolCallFunction | None = None


# Messages.


class AssistantMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What the model says; `tool_plan` is what it thinks before it calls tools."""

    ESSENTIAL = frozenset({"content", "tool_calls"})

    role: str | None = None
    content: tuple[Content, ...] = ()
    tool_plan: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    citations: tuple[Citation, ...] = ()


class LogprobItem(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The log probabilities of some tokens."""

    text: str | None = None
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


class BilledUnits(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What is to be paid for."""

    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    search_units: int | float | None = None
    classifications: int | float | None = None


class UsageTokens(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens the model read and wrote, those among them that are not billed."""

    input_tokens: int | float | None = None
    output_tokens: int | float | None = None


class Usage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What the request and its answer took."""

    billed_units: BilledUnits | None = None
    tokens: UsageTokens | None = None
    cached_tokens: int | float | None = None
    """How many of the request's tokens came from the cache."""

    @property
    def input_tokens(self) -> int | None:
        """Of the request, with those from the cache; only those that are billed, if nothing else is said."""
        counts = (self.tokens, self.billed_units)
        return first_count(*(each.input_tokens for each in counts if each is not None))

    @property
    def output_tokens(self) -> int | None:
        """Of the answer; only those that are billed, if nothing else is said."""
        counts = (self.tokens, self.billed_units)
        return first_count(*(each.output_tokens for each in counts if each is not None))

    @property
    def total_tokens(self) -> int | None:
        """Of both, if both are known."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


class ChatResponse(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A whole answer, as it comes when it is not streamed."""

    ESSENTIAL = frozenset({"message", "finish_reason"})

    id: str | None = None
    finish_reason: str | None = None
    message: AssistantMessage = AssistantMessage()
    usage: Usage | None = None
    logprobs: tuple[LogprobItem, ...] = ()


def first_count(*counts: float | None) -> int | None:
    """Return the first of the counts that is known: the documentation has them as floating point."""
    return next((int(count) for count in counts if count is not None), None)
