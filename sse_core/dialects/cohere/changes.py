"""What the events of Cohere's chat add to an answer.

It is in the message of a change, at the place where a whole answer has it.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from ...reading.message import ShortRepr
from .answer import AssistantMessage, Citation, Content, ToolCall, Usage


class MessageStartChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The message as it begins, as a rule without content."""

    ESSENTIAL = frozenset({"message"})

    message: AssistantMessage = AssistantMessage()


class ContentStartMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A message with one content item."""

    ESSENTIAL = frozenset({"content"})

    content: Content | None = None


class ContentStartChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A content item begins."""

    ESSENTIAL = frozenset({"message"})

    message: ContentStartMessage = ContentStartMessage()


class ContentPart(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a content item: of its text, or of what the model thinks."""

    ESSENTIAL = frozenset({"text"})

    text: str | None = None
    thinking: str | None = None


class ContentMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A message with one part of a content item."""

    ESSENTIAL = frozenset({"content"})

    content: ContentPart = ContentPart()


class ContentChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a content item is added."""

    ESSENTIAL = frozenset({"message"})

    message: ContentMessage = ContentMessage()


class ToolPlanMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A message with one part of the tool plan."""

    tool_plan: str | None = None


class ToolPlanChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of the tool plan is added; the first documentation had it without a message."""

    message: ToolPlanMessage = ToolPlanMessage()
    tool_plan: str | None = None


class ToolCallMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A message with one part of a tool call."""

    ESSENTIAL = frozenset({"tool_calls"})

    tool_calls: ToolCall | tuple[ToolCall, ...] | None = None


class ToolCallChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a tool call is added; the first documentation had it without a message."""

    ESSENTIAL = frozenset({"message", "tool_call"})

    message: ToolCallMessage = ToolCallMessage()
    tool_call: ToolCall | None = None


class CitationMessage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A message with one citation."""

    citations: Citation | tuple[Citation, ...] | None = None


class CitationChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A citation is added."""

    message: CitationMessage = CitationMessage()


class MessageEndChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How the message ended."""

    ESSENTIAL = frozenset({"finish_reason"})

    finish_reason: str | None = None
    error: str | None = None
    usage: Usage | None = None
    message: AssistantMessage | None = None
    """The message, of an answer that comes whole in one event. The dialect sets it; it is not on the wire."""
