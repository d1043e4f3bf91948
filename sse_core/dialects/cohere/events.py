"""The events of Cohere's chat; what each adds is in its `delta`."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import TypeAlias, TypeVar, cast

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
from .changes import (
    CitationChange,
    ContentChange,
    ContentPart,
    ContentStartChange,
    MessageEndChange,
    MessageStartChange,
    ToolCallChange,
    ToolPlanChange,
)

T = TypeVar("T")


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
