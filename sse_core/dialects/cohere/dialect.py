"""Cohere's chat, version 2, which vLLM has as well.

The stream: events whose data is JSON with the event's `type` in it, until `message-end`, which is
delivered too; a `[DONE]` behind it is taken. The type in the JSON decides, since proxies drop the
`event:` lines. An answer that failed ends with a `message-end` that says so.

An answer is a list of content items, text or thinking; before it calls tools, the model may write a
plan. Each item begins with a `content-start`, goes on with deltas and ends with a `content-end`;
`index` tells the items apart, and tool calls and citations are counted for themselves.
Base URL: https://api.cohere.com
https://docs.cohere.com/v2/docs/streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, which takes time at import.
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Never, TypedDict, Unpack

import msgspec
from msgspec import UnsetType

from ...errors import InvalidChunk
from ...events.items import Event
from ...http.response import Response
from ...reading.dialect import Control
from ...reading.message import Accumulator
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.lenient import Fields, convert_leniently
from ..shared.provider_dialect import JSON_HEADERS
from ..shared.provider_errors import ErrorObject, api_error
from ..shared.strict import dialect_for
from ..shared.typed_events import Error, Ping, TypedEventDialect, UnknownEvent, reported_error
from .accumulator import ChatAccumulator
from .answer import ChatResponse, Citation, LogprobItem, ToolCall
from .changes import (
    CitationMessage,
    MessageEndChange,
    ToolCallChange,
    ToolCallMessage,
    ToolPlanChange,
    ToolPlanMessage,
)
from .events import (
    ChatStreamEvent,
    CitationEndEvent,
    CitationStartEvent,
    ContentDeltaEvent,
    ContentEndEvent,
    ContentStartEvent,
    MessageEndEvent,
    MessageStartEvent,
    ToolCallDeltaEvent,
    ToolCallEndEvent,
    ToolCallStartEvent,
    ToolPlanDeltaEvent,
)


class ChatDialect(TypedEventDialect[ChatStreamEvent]):
    """Reads the events of Cohere's chat."""

    def __init__(self) -> None:
        super().__init__(events, ordinary)
        self._has_begun = False
        self._id: str | None = None  # of the message that has begun

    def track(self, chunk: ChatStreamEvent, event: Event) -> ChatStreamEvent | Control:
        match chunk:
            case MessageStartEvent():
                return self._begin(chunk, event)
            case MessageEndEvent(delta=end):
                error = error_of(end)
                if error is not None:
                    raise api_error(error, event.raw)
                self.ended = True
            case UnknownEvent(name="message", fields={"message": str()}):  # as with a status that is not 200
                raise reported_error(event)
            case _:
                pass
        return chunk

    def read_whole(self, fields: Fields) -> ChatStreamEvent | None:
        if "type" in fields or not isinstance(fields.get("message"), dict):
            return None
        answer: ChatResponse = convert_leniently(fields, ChatResponse)
        end = MessageEndChange(finish_reason=answer.finish_reason, usage=answer.usage, message=answer.message)
        return MessageEndEvent(id=answer.id, delta=end)

    def _begin(self, chunk: MessageStartEvent, event: Event) -> ChatStreamEvent | Control:
        """Begin a message; pass over its start if it is repeated. Raises InvalidChunk for another's start."""
        if not self._has_begun:
            self._has_begun, self._id = True, chunk.id
            return chunk
        if self._id == chunk.id:
            return Control.NOISE
        message = f"the message {chunk.id!r} began though the message {self._id!r} had not ended"
        raise InvalidChunk(message, event.raw)

    def accumulator(self) -> Accumulator[ChatStreamEvent]:
        return ChatAccumulator()


def error_of(end: MessageEndChange) -> ErrorObject | None:
    """Return the error that a message ended with, or None if it ended well.

    ERROR is documented to mean an internal server error, and TIMEOUT that the time for an answer was up.
    """
    reason = (end.finish_reason or "").upper()
    if reason == "ERROR":
        return ErrorObject(end.error or "internal server error")
    if end.error or reason == "TIMEOUT" or reason.startswith("ERROR_"):
        message = end.error or f"the answer ended with finish_reason {end.finish_reason!r}"
        return ErrorObject(message, type=end.finish_reason)
    return None


class ChatResponseDialect(ProviderDocumentDialect[ChatResponse]):
    """Reads an answer that is not streamed."""

    def read_text(self, response: Response, text: bytes) -> ChatResponse:
        answer = super().read_text(response, text)
        error = error_of(MessageEndChange(finish_reason=answer.finish_reason))
        if error is not None:
            raise api_error(error, text, response)
        return answer


class ChatParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names."""

    citation_options: Mapping[str, object]
    documents: Sequence[str | Mapping[str, object]]
    frequency_penalty: float
    k: int
    logprobs: bool
    max_tokens: int
    p: float
    presence_penalty: float
    priority: int
    response_format: Mapping[str, object]
    safety_mode: str
    seed: int
    stop_sequences: Sequence[str]
    strict_tools: bool
    temperature: float
    thinking: Mapping[str, object]
    tool_choice: str
    tools: Sequence[Mapping[str, object]]


def chat(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ChatParams],
) -> Request[ChatStreamEvent]:
    """Ask for a streamed answer; `extra` takes parameters that are not named here.

    The key is a header of the client's, `Authorization: Bearer ...`. `strict` is for those who test
    servers: a chunk that is not exactly as documented is an InvalidChunk. Raises TypeError for a value
    that JSON has no form for.
    """
    fixed = {"model": model, "messages": messages, "stream": True}
    return Request(
        dialect=dialect_for(ChatDialect, DOCUMENTED, strict),
        method="POST",
        path=PATH,
        headers=JSON_HEADERS,
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def chat_response(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ChatParams],
) -> Request[ChatResponse]:
    """Ask for an answer that is not streamed; the arguments are those of `chat`.

    One that failed is raised as an ApiError. Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "messages": messages}
    return Request(
        dialect=partial(ChatResponseDialect, ChatResponse),
        method="POST",
        path=PATH,
        headers=(*JSON_HEADERS, *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


PATH = "/v2/chat"

events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ChatStreamEvent | Ping | Error)
ordinary: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    ContentStartEvent
    | ContentDeltaEvent
    | ContentEndEvent
    | ToolPlanDeltaEvent
    | ToolCallStartEvent
    | ToolCallDeltaEvent
    | ToolCallEndEvent
    | CitationStartEvent
    | CitationEndEvent
)
"""The events that are chunks and mean nothing else."""
DOCUMENTED = (
    (CitationMessage, "citations", Citation),
    (LogprobItem, "token_ids", tuple[int, ...]),
    (MessageEndChange, "message", Never),
    (ToolCallChange, "message", ToolCallMessage | UnsetType),
    (ToolCallMessage, "tool_calls", ToolCall),
    (ToolPlanChange, "message", ToolPlanMessage | UnsetType),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""
