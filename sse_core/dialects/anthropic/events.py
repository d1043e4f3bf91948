"""The events of Anthropic's Messages."""

# No `from __future__ import annotations`: msgspec evaluates each string, 2.5 ms at import.
from typing import Any, TypeAlias

import msgspec

from ...reading.message import ShortRepr
from ..shared.typed_events import Tagged, TaggedEvent, ToolCallDelta, Unknown, UnknownEvent
from .blocks import (
    Citation,
    Container,
    ContentBlock,
    Message,
    StopDetails,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)

# The deltas of content blocks.


class TextDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="text_delta"):
    """A part of a block's text."""

    ESSENTIAL = frozenset({"text"})

    text: str = ""


class InputJSONDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="input_json_delta"):
    """A fragment of the JSON text of a tool's input; all of them empty means `{}`."""

    ESSENTIAL = frozenset({"partial_json"})

    partial_json: str = ""


class ThinkingDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="thinking_delta"):
    """A part of what the model thinks."""

    thinking: str = ""
    estimated_tokens: int | None = None
    """How many tokens it has grown by, roughly, where its text is not sent."""


class SignatureDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="signature_delta"):
    """The signature of a thinking block."""

    signature: str = ""


class CitationsDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="citations_delta"):
    """One more citation of a text block."""

    citation: Citation | None = None


class CompactionDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="compaction_delta"):
    """The whole of what came before, made shorter."""

    content: str | None = None
    encrypted_content: str | None = None


Delta: TypeAlias = (
    TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta | CompactionDelta | Unknown
)

# The events.


class MessageStart(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="message_start"):
    """The first event: the message, as a rule without content yet."""

    ESSENTIAL = frozenset({"message"})

    message: Message = Message()

    @property
    def text(self) -> str:
        """What the message begins with."""
        return "".join([text_of(block) for block in self.message.content])

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return "".join([thinking_of(block) for block in self.message.content])

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The tool calls that the message begins with."""
        return tuple(
            call for index, block in enumerate(self.message.content) for call in calls_of(block, index)
        )

    @property
    def finish_reason(self) -> str | None:
        """Why the message ended, if it came whole."""
        return self.message.stop_reason or None

    @property
    def usage(self) -> Usage | None:
        """How many tokens the request took."""
        return self.message.usage


class ContentBlockStart(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content_block_start"):
    """The start of the block at `index`, as a rule empty yet."""

    ESSENTIAL = frozenset({"index", "content_block"})

    index: int = 0
    content_block: ContentBlock = Unknown()

    @property
    def text(self) -> str:
        """What the block begins with."""
        return text_of(self.content_block)

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return thinking_of(self.content_block)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The tool call that the block begins; its `index` is the block's."""
        return calls_of(self.content_block, self.index)


class ContentBlockDelta(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content_block_delta"):
    """What is added to the block at `index`."""

    ESSENTIAL = frozenset({"index", "delta"})

    index: int = 0
    delta: Delta = Unknown()
    of_server_tool: bool = False
    """Whether it is input of a tool that the server runs. The dialect sets it; it is not on the wire."""

    @property
    def text(self) -> str:
        """What it adds to the text."""
        return self.delta.text if isinstance(self.delta, TextDelta) else ""

    @property
    def reasoning(self) -> str:
        """What it adds to the thinking."""
        return self.delta.thinking if isinstance(self.delta, ThinkingDelta) else ""

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to the input of a tool that the caller is to run."""
        if self.of_server_tool or not isinstance(self.delta, InputJSONDelta):
            return ()
        return (ToolCallDelta(index=self.index, arguments=self.delta.partial_json),)


class ContentBlockStop(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="content_block_stop"):
    """The end of the block at `index`."""

    index: int = 0


class MessageChange(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How the message ended."""

    ESSENTIAL = frozenset({"stop_reason"})

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    container: Container | None = None


class MessageDelta(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="message_delta"):
    """Why the message ends; the counts of `usage` are of the whole stream so far."""

    ESSENTIAL = frozenset({"delta"})

    delta: MessageChange = MessageChange()
    usage: Usage | None = None  # pyright: ignore[reportIncompatibleMethodOverride] - a field, where others have none
    context_management: Any = None
    input_transformations: Any = None

    @property
    def finish_reason(self) -> str | None:
        """Why the message ended."""
        return self.delta.stop_reason or None  # proxies send "" for none


class MessageStop(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="message_stop"):
    """The last event."""


MessageStreamEvent: TypeAlias = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | UnknownEvent
)
"""What a stream consists of."""


def text_of(block: ContentBlock) -> str:
    return block.text if isinstance(block, TextBlock) else ""


def thinking_of(block: ContentBlock) -> str:
    return block.thinking if isinstance(block, ThinkingBlock) else ""


def calls_of(block: ContentBlock, index: int) -> tuple[ToolCallDelta, ...]:
    """Return the call that a block at `index` begins, if it does."""
    if not isinstance(block, ToolUseBlock):
        return ()
    arguments = msgspec.json.encode(block.input).decode() if block.input else ""
    return (ToolCallDelta(index=index, id=block.id, name=block.name, arguments=arguments),)
