"""Puts a response of OpenAI's Responses together."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import cast

import msgspec

from ...reading.message import Accumulator, Message, ToolCall
from ..shared.lenient import Fields
from ..shared.typed_events import UnknownEvent
from .answer import Response
from .events import (
    ContentPartAdded,
    ContentPartDone,
    ItemEvent,
    OutputItemAdded,
    OutputItemDone,
    OutputTextAnnotationAdded,
    OutputTextDelta,
    ReasoningPartAdded,
    ReasoningPartDone,
    ReasoningSummaryPartAdded,
    ReasoningSummaryPartDone,
    ReasoningSummaryTextDelta,
    ReasoningTextDelta,
    RefusalDelta,
    StatusEvent,
)
from .items import (
    Annotation,
    ApplyPatchCall,
    CodeInterpreterCall,
    ContentPart,
    CustomToolCall,
    FunctionCall,
    MCPCall,
    OutputItem,
    OutputMessage,
    OutputRefusal,
    OutputText,
    Reasoning,
    ReasoningText,
    SummaryText,
)
from .tool_events import (
    ApplyPatchCallOperationDiffDelta,
    CodeInterpreterCallCodeDelta,
    CustomToolCallInputDelta,
    FunctionCallArgumentsDelta,
    MCPCallArgumentsDelta,
    ResponseStreamEvent,
)


class PartBuilder:
    """Builds one part of an item's content."""

    def __init__(self, start: ContentPart) -> None:
        self.start = start
        self.deltas: list[str] = []
        self.annotations: list[Annotation] = []

    def build(self) -> ContentPart:
        added = "".join(self.deltas)
        match self.start:
            case OutputText(text=text, annotations=annotations):
                annotations = (*annotations, *self.annotations)
                return msgspec.structs.replace(self.start, text=text + added, annotations=annotations)
            case OutputRefusal(refusal=refusal):
                return OutputRefusal(refusal=refusal + added)
            case ReasoningText(text=text) | SummaryText(text=text):
                return msgspec.structs.replace(self.start, text=text + added)
            case _:
                return self.start


class PartListBuilder:
    """Builds an item's content, or its summaries, from parts with an index."""

    def __init__(self) -> None:
        self.parts: dict[int, PartBuilder] = {}

    def begin(self, index: int, start: ContentPart) -> PartBuilder:
        part = self.parts[index] = PartBuilder(start)
        return part

    def at(self, index: int, empty: ContentPart) -> PartBuilder:
        """Return the part at `index`; a new one begins as `empty`."""
        return self.parts.get(index) or self.begin(index, empty)

    def build(self) -> tuple[ContentPart, ...]:
        return tuple(part.build() for _, part in sorted(self.parts.items()))


class ItemBuilder:
    """Builds an item of the output."""

    def __init__(self, start: OutputItem) -> None:
        self.start = start
        self.done = False
        self.content: PartListBuilder = PartListBuilder()
        self.summary: PartListBuilder = PartListBuilder()
        self.deltas: list[str] = []  # of a call's arguments, input or code

    def build(self) -> OutputItem:
        if self.done:
            return self.start
        added = "".join(self.deltas)
        match self.start:
            case OutputMessage(content=content):
                return msgspec.structs.replace(self.start, content=self.content.build() or content)
            case Reasoning(content=content, summary=summary):
                return msgspec.structs.replace(
                    self.start,
                    content=self.content.build() or content,
                    summary=self.summary.build() or summary,
                )
            case FunctionCall(arguments=arguments) | MCPCall(arguments=arguments):
                return msgspec.structs.replace(self.start, arguments=arguments + added)
            case CustomToolCall(input=input):
                return msgspec.structs.replace(self.start, input=input + added)
            case CodeInterpreterCall(code=code):
                return msgspec.structs.replace(self.start, code=(code or "") + added)
            case ApplyPatchCall(operation=dict()) if added:
                operation = cast("Fields", self.start.operation)
                return msgspec.structs.replace(self.start, operation={**operation, "diff": added})
            case _:
                return self.start


class ResponseAccumulator(Accumulator[ResponseStreamEvent]):
    """Puts a response together: from its last event, or else from its items.

    An event belongs to the item with its `item_id`, or else to the last one with its `output_index`.
    Gateways give two items one index (9router#2611, llmgateway#2908), or one item several ids.
    """

    def __init__(self) -> None:
        self._response = Response()
        self.parts: int = 0
        self._known = False  # an event of a known type has come
        self._finish_reason: str | None = None
        self._items: list[tuple[int, ItemBuilder]] = []
        self._by_index: dict[int, ItemBuilder] = {}
        self._by_id: dict[str, ItemBuilder] = {}

    def add(self, chunks: Sequence[ResponseStreamEvent]) -> int:
        with_content = 0
        for chunk in chunks:
            if isinstance(chunk, OutputTextDelta):
                item = self._by_id.get(chunk.item_id) or self._at(chunk, OutputMessage())
                part = item.content.parts.get(chunk.content_index)
                if part is None:
                    part = item.content.begin(chunk.content_index, OutputText())
                    self.parts += 1
                part.deltas.append(chunk.delta)
                with_content += bool(chunk.delta)
            else:
                self.parts += 1
                self._known = self._known or not isinstance(chunk, UnknownEvent)
                self._add(chunk)
                refusal = isinstance(chunk, RefusalDelta) and chunk.delta
                with_content += bool(chunk.text or chunk.reasoning or chunk.tool_calls or refusal)
        return with_content

    @property
    def understood(self) -> bool:
        return self._known or super().understood

    def message(self) -> Message:
        native = self._response
        if self._finish_reason is None or not native.output:
            output = tuple(item.build() for _, item in sorted(self._items, key=itemgetter(0)))
            native = msgspec.structs.replace(native, output=output or native.output)
        said = message_parts(native)
        return Message(
            text="".join(part.text for part in said if isinstance(part, OutputText)),
            reasoning="".join(
                part.text for part in reasoning_parts(native) if isinstance(part, ReasoningText | SummaryText)
            ),
            refusal="".join(
                part.refusal for part in message_parts(native) if isinstance(part, OutputRefusal)
            ),
            tool_calls=tuple(
                tool_call(item) for item in native.output if isinstance(item, FunctionCall | CustomToolCall)
            ),
            finish_reason=self._finish_reason,
            usage=native.usage,
            native=native,
        )

    def _begin(self, index: int, id: str | None, start: OutputItem) -> ItemBuilder:
        item = self._by_index[index] = ItemBuilder(start)
        self._items.append((index, item))
        self.parts += 1
        if id:
            self._by_id[id] = item
        return item

    def _at(self, chunk: ItemEvent, empty: OutputItem) -> ItemBuilder:
        """Return the item that an event belongs to; a new one begins as `empty`."""
        index, id = chunk.output_index, chunk.item_id
        return self._by_id.get(id) or self._by_index.get(index) or self._begin(index, id, empty)

    def _end(self, index: int, complete: OutputItem) -> None:
        id: str | None = getattr(complete, "id", None)
        item = self._by_id.get(id or "")
        if item is None:
            item = self._by_index.get(index)
            if item is None or item.done:
                item = self._begin(index, id, complete)
        item.start = complete
        item.done = True

    def _add(self, chunk: ResponseStreamEvent) -> None:
        match chunk:
            case StatusEvent(response=response):
                self._response = response
                self._finish_reason = chunk.finish_reason
            case OutputItemAdded(output_index=index, item=item):
                self._begin(index, getattr(item, "id", None), item)
            case OutputItemDone(output_index=index, item=item):
                self._end(index, item)
            case _:
                self._add_to_item(chunk)

    def _add_to_item(self, chunk: ResponseStreamEvent) -> None:
        match chunk:
            case ContentPartAdded(part=part) | ContentPartDone(part=part):
                empty = Reasoning() if isinstance(part, ReasoningText) else OutputMessage()
                self._at(chunk, empty).content.begin(chunk.content_index, part)
            case ReasoningPartAdded(part=part) | ReasoningPartDone(part=part):
                self._at(chunk, Reasoning()).content.begin(chunk.content_index, part)
            case ReasoningSummaryPartAdded(part=part) | ReasoningSummaryPartDone(part=part):
                self._at(chunk, Reasoning()).summary.begin(chunk.summary_index, part)
            case OutputTextAnnotationAdded(annotation=annotation):
                text = self._at(chunk, OutputMessage()).content.at(chunk.content_index, OutputText())
                if annotation is not None:
                    text.annotations.append(annotation)
            case RefusalDelta(delta=delta):
                refusal = self._at(chunk, OutputMessage()).content.at(chunk.content_index, OutputRefusal())
                refusal.deltas.append(delta)
            case ReasoningTextDelta(delta=delta):
                thinking = self._at(chunk, Reasoning()).content.at(chunk.content_index, ReasoningText())
                thinking.deltas.append(delta)
            case ReasoningSummaryTextDelta(delta=delta):
                summary = self._at(chunk, Reasoning()).summary.at(chunk.summary_index, SummaryText())
                summary.deltas.append(delta)
            case FunctionCallArgumentsDelta(delta=delta):
                self._at(chunk, FunctionCall()).deltas.append(delta)
            case CustomToolCallInputDelta(delta=delta):
                self._at(chunk, CustomToolCall()).deltas.append(delta)
            case MCPCallArgumentsDelta(delta=delta):
                self._at(chunk, MCPCall()).deltas.append(delta)
            case ApplyPatchCallOperationDiffDelta(delta=delta):
                self._at(chunk, ApplyPatchCall()).deltas.append(delta)
            case CodeInterpreterCallCodeDelta(delta=delta):
                self._at(chunk, CodeInterpreterCall()).deltas.append(delta)
            case _:
                pass


def tool_call(item: FunctionCall | CustomToolCall) -> ToolCall:
    if isinstance(item, CustomToolCall):
        return ToolCall(id=item.call_id, name=item.name, arguments=item.input, custom=True)
    return ToolCall(id=item.call_id, name=item.name, arguments=item.arguments)


def message_parts(response: Response) -> list[ContentPart]:
    """Return the content of all messages."""
    return [part for item in response.output if isinstance(item, OutputMessage) for part in item.content]


def reasoning_parts(response: Response) -> list[ContentPart]:
    """Return the parts of all reasoning."""
    return [
        part
        for item in response.output
        if isinstance(item, Reasoning)
        for part in (*item.summary, *(item.content or ()))
    ]
