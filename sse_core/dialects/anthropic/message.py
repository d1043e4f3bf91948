"""Puts a message of Anthropic's together."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import msgspec

from ...reading.message import Accumulator, Message, ToolCall
from ..shared.lenient import Fields
from ..shared.provider_errors import NOT_JSON
from ..shared.typed_events import UnknownEvent, merged
from .blocks import (
    Citation,
    CompactionBlock,
    ContentBlock,
    FallbackBlock,
    MCPToolUseBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from .blocks import Message as AnthropicMessage
from .events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageStreamEvent,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
)


class BlockBuilder:
    """Builds a content block from its start and its deltas."""

    def __init__(self, start: ContentBlock) -> None:
        self.start = start
        self.parts: list[str] = []
        self.signature = ""
        self.citations: list[Citation] = []
        self.stopped = False

    def build(self) -> ContentBlock:
        match self.start:
            case TextBlock(text=text, citations=citations):
                if self.citations:
                    citations = (*(citations or ()), *self.citations)
                return TextBlock(text=text + "".join(self.parts), citations=citations)
            case ThinkingBlock(thinking=thinking, signature=signature):
                thinking += "".join(self.parts)
                return ThinkingBlock(thinking=thinking, signature=self.signature or signature)
            case ToolUseBlock() | ServerToolUseBlock() | MCPToolUseBlock():
                return msgspec.structs.replace(self.start, input=self.input())
            case _:
                return self.start

    def input(self) -> Fields:
        """Return the input of a tool, empty as long as it is not complete."""
        try:
            return tool_input.decode("".join(self.parts))
        except NOT_JSON:
            return getattr(self.start, "input", {})

    def arguments(self) -> str:
        """Return the JSON text of a tool's input as far as it has come."""
        text = "".join(self.parts)
        if text:
            return text
        input = self.input()
        return msgspec.json.encode(input).decode() if input or self.stopped else ""


class MessageAccumulator(Accumulator[MessageStreamEvent]):
    """Puts a message together.

    A block begins with its start, or with a delta that does not fit the block at its index. If there already
    is a block at that index, the new one follows it: Ollama has repeated indices (ollama#17225).
    """

    def __init__(self) -> None:
        self._message = AnthropicMessage()
        self.parts: int = 0
        self._known = False  # an event of a known type has come
        self._blocks: list[tuple[int, BlockBuilder]] = []
        self._open: dict[int, BlockBuilder] = {}  # the last block of each index
        self._texts: dict[int, BlockBuilder] = {}  # those of them that are text

    def add(self, chunks: Sequence[MessageStreamEvent]) -> int:
        with_content = 0
        for chunk in chunks:
            if isinstance(chunk, ContentBlockDelta):
                delta = chunk.delta
                if isinstance(delta, TextDelta):
                    block = self._texts.get(chunk.index) or self._begin(chunk.index, TextBlock())
                    block.parts.append(delta.text)
                    with_content += bool(delta.text)
                else:
                    with_content += self._add_delta(chunk)
            elif not isinstance(chunk, UnknownEvent):
                self._known = True
                self._add_event(chunk)
                with_content += bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        return with_content

    @property
    def understood(self) -> bool:
        return self._known or super().understood

    def message(self) -> Message:
        blocks = [block for _, block in sorted(self._blocks, key=itemgetter(0))]
        content = tuple(block.build() for block in blocks)
        native = msgspec.structs.replace(self._message, content=content)
        calls = [(block.start, block) for block in blocks if isinstance(block.start, ToolUseBlock)]
        refusal = native.stop_details.explanation if native.stop_details else None
        return Message(
            text="".join(block.text for block in content if isinstance(block, TextBlock)),
            reasoning="".join(block.thinking for block in content if isinstance(block, ThinkingBlock)),
            refusal=refusal or "",
            tool_calls=tuple(
                ToolCall(id=start.id, name=start.name, arguments=block.arguments()) for start, block in calls
            ),
            finish_reason=native.stop_reason or None,
            usage=native.usage,
            native=native,
        )

    def _add_delta(self, chunk: ContentBlockDelta) -> bool:
        """Add a delta that is no text, and return whether it brings content."""
        block = self._open.get(chunk.index)
        match chunk.delta:
            case ThinkingDelta(thinking=part):
                if block is None or not isinstance(block.start, ThinkingBlock):
                    block = self._begin(chunk.index, ThinkingBlock())
                block.parts.append(part)
                return bool(part)
            case InputJSONDelta(partial_json=part):
                block = block or self._begin(chunk.index, ToolUseBlock())
                block.parts.append(part)
                return not chunk.of_server_tool
            case SignatureDelta(signature=signature):
                block = block or self._begin(chunk.index, ThinkingBlock())
                block.signature = signature
            case CitationsDelta(citation=citation):
                block = block or self._begin(chunk.index, TextBlock())
                if citation is not None:
                    block.citations.append(citation)
                    self.parts += 1
            case CompactionDelta(content=content, encrypted_content=encrypted) if block is None or isinstance(
                block.start, CompactionBlock
            ):
                block = block or self._begin(chunk.index, CompactionBlock())
                block.start = msgspec.structs.replace(
                    block.start, content=content, encrypted_content=encrypted
                )
            case _:
                pass
        return False

    def _begin(self, index: int, start: ContentBlock) -> BlockBuilder:
        block = self._open[index] = BlockBuilder(start)
        self.parts += 1
        self._blocks.append((index, block))
        if isinstance(start, TextBlock):
            self._texts[index] = block
        else:
            self._texts.pop(index, None)
        return block

    def _add_event(
        self, chunk: MessageStart | ContentBlockStart | ContentBlockStop | MessageDelta | MessageStop
    ) -> None:
        match chunk:
            case MessageStart(message=message):
                self._message = message
                for index, block in enumerate(message.content):
                    self._begin(index, block)
            case ContentBlockStart(index=index, content_block=FallbackBlock() as block):
                self._begin(index, block)
                self._message = msgspec.structs.replace(self._message, model=block.to.model)
            case ContentBlockStart(index=index, content_block=block):
                self._begin(index, block)
            case ContentBlockStop(index=index) if index in self._open:
                self._open[index].stopped = True
            case MessageDelta(delta=delta, usage=usage):
                names = ("context_management", "input_transformations")
                others = {name: value for name in names if (value := getattr(chunk, name)) is not None}
                self._message = msgspec.structs.replace(
                    with_usage(merged(self._message, delta), usage), **others
                )
            case _:
                pass


tool_input: msgspec.json.Decoder[Fields] = msgspec.json.Decoder(Fields)


def with_usage(message: AnthropicMessage, usage: Usage | None) -> AnthropicMessage:
    """Return the message with the counts of `usage` in place of its own."""
    if usage is None:
        return message
    return msgspec.structs.replace(message, usage=merged(message.usage or Usage(), usage))
