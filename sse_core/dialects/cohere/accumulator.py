"""Putting an answer of Cohere's chat together."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from ...reading.message import Accumulator, Message
from ...reading.message import ToolCall as NeutralToolCall
from ..shared.typed_events import ToolCallDelta, UnknownEvent
from .answer import (
    AssistantMessage,
    ChatResponse,
    Citation,
    Content,
    LogprobItem,
    TextContent,
    ThinkingContent,
    ToolCall,
    ToolCallFunction,
)
from .events import (
    ChatStreamEvent,
    CitationStartEvent,
    ContentDeltaEvent,
    ContentStartEvent,
    MessageEndEvent,
    MessageStartEvent,
    ToolCallDeltaEvent,
    ToolCallStartEvent,
    ToolPlanDeltaEvent,
    deltas_of,
    reasoning_of,
    text_of,
)


class ContentBuilder:
    """A content item as far as it has come."""

    def __init__(self, start: Content) -> None:
        self.start = start
        self.parts: list[str] = []

    def build(self) -> Content:
        match self.start:
            case TextContent(text=text):
                return TextContent(text=text + "".join(self.parts))
            case ThinkingContent(thinking=thinking):
                return ThinkingContent(thinking=thinking + "".join(self.parts))
            case _:
                return self.start


class ToolCallBuilder:
    """A tool call as far as it has come."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.name: str = ""
        self.arguments: list[str] = []

    def add(self, part: ToolCallDelta) -> None:
        self.id = part.id or self.id
        self.name = part.name or self.name
        self.arguments.append(part.arguments or "")

    def build(self) -> ToolCall:
        function = ToolCallFunction(name=self.name, arguments="".join(self.arguments))
        return ToolCall(id=self.id, type="function", function=function)


class ChatAccumulator(Accumulator[ChatStreamEvent]):
    """Puts an answer together.

    A content item begins with its start, or with a part that does not go on with the item at its index,
    and a tool call with its start, or with a part of a call that has not begun: servers leave out starts.
    """

    def __init__(self) -> None:
        self.parts: int = 0
        self._known = False  # an event of a known type has come
        self._id: str | None = None
        self._role: str | None = None
        self._contents: list[tuple[int, ContentBuilder]] = []
        self._open_contents: dict[int | None, ContentBuilder] = {}  # the last of each index
        self._tool_plan: list[str] = []
        self._calls: list[ToolCallBuilder] = []
        self._open_calls: dict[int | None, ToolCallBuilder] = {}  # the last of each index
        self._citations: list[Citation] = []
        self._logprobs: list[LogprobItem] = []
        self._end = MessageEndEvent()

    def add(self, chunks: Sequence[ChatStreamEvent]) -> int:
        brought = 0
        for chunk in chunks:
            if isinstance(chunk, ContentDeltaEvent):
                brought += self._add_part(chunk)
            elif not isinstance(chunk, UnknownEvent):
                self._known = True
                self._add_event(chunk)
                brought += bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        return brought

    @property
    def understood(self) -> bool:
        return self._known or super().understood

    def message(self) -> Message:
        message = AssistantMessage(
            role=self._role,
            content=tuple(item.build() for _, item in sorted(self._contents, key=itemgetter(0))),
            tool_plan="".join(self._tool_plan) or None,
            tool_calls=tuple(call.build() for call in self._calls),
            citations=tuple(self._citations),
        )
        native = ChatResponse(
            id=self._id,
            finish_reason=self._end.finish_reason,
            message=message,
            usage=self._end.usage,
            logprobs=tuple(self._logprobs),
        )
        return Message(
            text=text_of(message),
            reasoning=reasoning_of(message),
            tool_calls=tuple(
                NeutralToolCall(id=call.id, name=call.name, arguments="".join(call.arguments))
                for call in self._calls
            ),
            finish_reason=native.finish_reason,
            usage=native.usage,
            native=native,
        )

    def _add_part(self, chunk: ContentDeltaEvent) -> bool:
        """Add a part of a content item, and return whether it brings content."""
        part = chunk.part
        if part.text:
            self._item(chunk.index, TextContent).parts.append(part.text)
        if part.thinking:
            self._item(chunk.index, ThinkingContent).parts.append(part.thinking)
        if chunk.logprobs is not None:
            self._logprobs.append(chunk.logprobs)
            self.parts += 1
        return bool(part.text or part.thinking)

    def _item(self, index: int | None, kind: type[TextContent] | type[ThinkingContent]) -> ContentBuilder:
        """Return the item at an index if it is of this kind, or else a new one."""
        item = self._open_contents.get(index)
        return item if item and isinstance(item.start, kind) else self._begin(index, kind())

    def _begin(self, index: int | None, start: Content) -> ContentBuilder:
        item = self._open_contents[index] = ContentBuilder(start)
        self._contents.append((index or 0, item))
        self.parts += 1
        return item

    def _add_event(self, chunk: ChatStreamEvent) -> None:
        match chunk:
            case MessageStartEvent(id=id, message=message):
                self._id = id
                self._add_message(message)
            case ContentStartEvent(index=index, content=content):
                if content is not None:
                    self._begin(index, content)
            case ToolPlanDeltaEvent():
                self._tool_plan.append(chunk.reasoning)
            case ToolCallStartEvent():
                self._begin_calls(chunk.tool_calls)
            case ToolCallDeltaEvent():
                for part in chunk.tool_calls:
                    self._open_call(part.index).add(part)
            case CitationStartEvent(citations=citations):
                self._citations += citations
                self.parts += len(citations)
            case MessageEndEvent(id=id, delta=delta):
                self._id = self._id or id
                self._end = chunk
                if delta.message is not None:
                    self._add_message(delta.message)
            case _:
                pass

    def _add_message(self, message: AssistantMessage) -> None:
        """Add what a message begins with, or all of it."""
        self._role = message.role
        for index, content in enumerate(message.content):
            self._begin(index, content)
        self._tool_plan.append(message.tool_plan or "")
        self._begin_calls(deltas_of(message.tool_calls, 0))
        self._citations += message.citations
        self.parts += len(message.citations)

    def _begin_calls(self, parts: Sequence[ToolCallDelta]) -> None:
        for part in parts:
            self._open_calls.pop(part.index, None)
            self._open_call(part.index).add(part)

    def _open_call(self, index: int | None) -> ToolCallBuilder:
        """Return the call that a part at this index belongs to; a new one if none has begun there."""
        call = self._open_calls.get(index)
        if call is None:
            call = self._open_calls[index] = ToolCallBuilder()
            self._calls.append(call)
            self.parts += 1
        return call
