"""The events of Cohere's chat.

What an event adds is in its `delta.message`, at the place where a whole answer has it.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import TypeAlias, TypeVar, cast

from ...reading.message import ShortRepr
from ..shared.typed_events import TaggedEvent, ToolCallDelta, UnknownEvent
from .answer import (
    AssistantMessage,
    Citation,
    Content,
    LogprobItem,
    TextContent,
    ThinkingContent,
    ToolCall,
    ToolCallFunction,
    Usage,
)

T = TypeVar("T")

# What the events add.


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


# The events.


class MessageStartEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="message-start"):
    """The first event."""

    ESSENTIAL = frozenset({"delta"})

    id: str | None = None
    delta: MessageStartChange = MessageStartChange()

    @property
    def message(self) -> AssistantMessage:
        """The message as it begins."""
        return self.delta.message

    @property
    def text(self) -> str:
        """What the text begins with."""
        return text_of(self.message)

    @property
    def reasoning(self) -> str:
        """What the thinking and the tool plan begin with."""
        return reasoning_of(self.message)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The tool calls that the message begins with."""
        return deltas_of(self.message.tool_calls, 0)


class ContentStartEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content-start"):
    """The start of the content item at `index`, as a rule empty yet."""

    ESSENTIAL = frozenset({"index", "delta"})

    index: int | None = None
    delta: ContentStartChange = ContentStartChange()

    @property
    def content(self) -> Content | None:
        """The item as it begins."""
        return self.delta.message.content

    @property
    def text(self) -> str:
        """What the item's text begins with."""
        return self.content.text if isinstance(self.content, TextContent) else ""

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return self.content.thinking if isinstance(self.content, ThinkingContent) else ""


class ContentDeltaEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content-delta"):
    """What is added to the content item at `index`."""

    ESSENTIAL = frozenset({"index", "delta"})

    index: int | None = None
    delta: ContentChange = ContentChange()
    logprobs: LogprobItem | None = None

    @property
    def part(self) -> ContentPart:
        """What it adds."""
        return self.delta.message.content

    @property
    def text(self) -> str:
        """What it adds to the text."""
        return self.part.text or ""

    @property
    def reasoning(self) -> str:
        """What it adds to the thinking."""
        return self.part.thinking or ""


class ContentEndEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content-end"):
    """The end of a content item."""

    index: int | None = None


class ToolPlanDeltaEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="tool-plan-delta"):
    """A part of what the model thinks before it calls tools."""

    delta: ToolPlanChange = ToolPlanChange()

    @property
    def reasoning(self) -> str:
        """What it adds to the tool plan."""
        return self.delta.message.tool_plan or self.delta.tool_plan or ""


class ToolCallEvent(TaggedEvent, frozen=True, kw_only=True, gc=False):
    """An event that adds to the tool call at `index`; calls are counted apart from content items."""

    ESSENTIAL = frozenset({"index", "delta"})

    index: int | None = None
    delta: ToolCallChange = ToolCallChange()

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """What it adds: one call, or a part of one. Some servers send several."""
        return in_tuple(self.delta.message.tool_calls) or in_tuple(self.delta.tool_call)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to the tool calls."""
        return deltas_of(self.calls, self.index)


class ToolCallStartEvent(ToolCallEvent, frozen=True, kw_only=True, gc=False, tag="tool-call-start"):
    """The start of a tool call: its ID and its name."""


class ToolCallDeltaEvent(ToolCallEvent, frozen=True, kw_only=True, gc=False, tag="tool-call-delta"):
    """A fragment of a tool call's arguments."""


class ToolCallEndEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="tool-call-end"):
    """The end of a tool call."""

    index: int | None = None


class CitationStartEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="citation-start"):
    """One more citation, the whole of it."""

    index: int | None = None
    delta: CitationChange = CitationChange()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What it adds: one citation. Some servers send several."""
        return in_tuple(self.delta.message.citations)


class CitationEndEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="citation-end"):
    """The end of a citation."""

    index: int | None = None


class MessageEndEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="message-end"):
    """The last event."""

    ESSENTIAL = frozenset({"delta"})

    id: str | None = None
    delta: MessageEndChange = MessageEndChange()

    @property
    def text(self) -> str:
        """The text of an answer that comes whole."""
        return "" if self.delta.message is None else text_of(self.delta.message)

    @property
    def reasoning(self) -> str:
        """The reasoning of an answer that comes whole."""
        return "" if self.delta.message is None else reasoning_of(self.delta.message)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The tool calls of an answer that comes whole."""
        return () if self.delta.message is None else deltas_of(self.delta.message.tool_calls, 0)

    @property
    def finish_reason(self) -> str | None:
        """Why the message ended."""
        return self.delta.finish_reason or None

    @property
    def usage(self) -> Usage | None:
        """How many tokens the request and its answer took."""
        return self.delta.usage


class DebugEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="debug"):
    """The prompt as the model gets it."""

    prompt: str | None = None


ChatStreamEvent: TypeAlias = (
    MessageStartEvent
    | ContentStartEvent
    | ContentDeltaEvent
    | ContentEndEvent
    | ToolPlanDeltaEvent
    | ToolCallStartEvent
    | ToolCallDeltaEvent
    | ToolCallEndEvent
    | CitationStartEvent
    | CitationEndEvent
    | MessageEndEvent
    | DebugEvent
    | UnknownEvent
)
"""What a stream consists of."""


def text_of(message: AssistantMessage) -> str:
    return "".join([item.text for item in message.content if isinstance(item, TextContent)])


def reasoning_of(message: AssistantMessage) -> str:
    """Return the thinking of a message, and its tool plan after it."""
    thinking = [item.thinking for item in message.content if isinstance(item, ThinkingContent)]
    return "".join([*thinking, message.tool_plan or ""])


def deltas_of(calls: tuple[ToolCall, ...], index: int | None) -> tuple[ToolCallDelta, ...]:
    """Return tool calls in the neutral form; the first has this index, and those after it the next ones."""
    functions = [(call.id, call.function or ToolCallFunction()) for call in calls]
    return tuple(
        ToolCallDelta(
            index=None if index is None else index + place,
            id=id,
            name=function.name,
            arguments=function.arguments,
        )
        for place, (id, function) in enumerate(functions)
    )


def in_tuple(value: T | tuple[T, ...] | None) -> tuple[T, ...]:
    """Return what may be one value, several or none as several."""
    if value is None:
        return ()
    return cast("tuple[T, ...]", value) if isinstance(value, tuple) else (value,)
