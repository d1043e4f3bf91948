"""Putting a message of Anthropic's together."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import msgspec

from ...reading.message import Accumulator, ToolCall
from ...reading.message import Message as NeutralMessage
from ..shared.provider_errors import NOT_JSON
from ..shared.typed_events import Fields, UnknownEvent, updated
from .blocks import (
    Citation,
    CompactionBlock,
    ContentBlock,
    FallbackBlock,
    MCPToolUseBlock,
    Message,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
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


class Block:
    """A content block as far as it has come."""

    def __init__(self, start: ContentBlock) -> None:
        self.start = start
        self.parts: list[str] = []
        self.signature = ""
        self.citations: list[Citation] = []
        self.stopped = False

    def whole(self) -> ContentBlock:
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
        """Return the input of a tool, empty as long as it is not whole."""
        try:
            return tool_input.decode("".join(self.parts))
        except NOT_JSON:
            return getattr(self.start, "input", {})

    def arguments(self) -> str:
        """Return the JSON text of a tool's input, as far as it has come."""
        text = "".join(self.parts)
        if text:
            return text
        whole = self.input()
        return msgspec.json.encode(whole).decode() if whole or self.stopped else ""


class MessageAccumulator(Accumulator[MessageStreamEvent]):
    """Puts a message together.

    A block begins with its start, or with a delta that does not go on with what is at its index. Another
    block with that index then comes behind it: Ollama has not always counted (ollama#17225).
    """

    def __init__(self) -> None:
        self._message = Message()
        self._blocks: list[tuple[int, Block]] = []
        self._open: dict[int, Block] = {}  # the last block of each index
        self._texts: dict[int, Block] = {}  # those of them that are text

    def add(self, chunks: Sequence[MessageStreamEvent]) -> int:
        brought = 0
        for chunk in chunks:
            if isinstance(chunk, ContentBlockDelta):
                delta = chunk.delta
                if isinstance(delta, TextDelta):
                    block = self._texts.get(chunk.index) or self._begin(chunk.index, TextBlock())
                    block.parts.append(delta.text)
                    brought += bool(delta.text)
                else:
                    brought += self._add_delta(chunk)
            elif not isinstance(chunk, UnknownEvent):
                self._add_event(chunk)
                brought += bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        return brought

    def message(self) -> NeutralMessage:
        blocks = [block for _, block in sorted(self._blocks, key=itemgetter(0))]
        content = tuple(block.whole() for block in blocks)
        native = msgspec.structs.replace(self._message, content=content)
        calls = [(block.start, block) for block in blocks if isinstance(block.start, ToolUseBlock)]
        refusal = native.stop_details.explanation if native.stop_details else None
        return NeutralMessage(
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
        """Add what is no text, and return whether it brings content."""
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

    def _begin(self, index: int, start: ContentBlock) -> Block:
        block = self._open[index] = Block(start)
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
                    counted(updated(self._message, delta), usage), **others
                )
            case _:
                pass


tool_input = msgspec.json.Decoder(Fields)


def counted(message: Message, usage: Usage | None) -> Message:
    """Return the message with what `usage` counts anew."""
    if usage is None:
        return message
    return msgspec.structs.replace(message, usage=updated(message.usage or Usage(), usage))
