"""Anthropic's Messages.

The stream: events whose data is JSON with the event's `type` in it, until `message_stop`,
which is delivered too. The type in the JSON decides, since proxies drop the `event:` lines.
`ping` may come at any time; an error comes as `{"type": "error", "error": ...}`.

An answer is a list of content blocks. Each begins with a `content_block_start`, goes on
with deltas and ends with a `content_block_stop`; `index` tells the blocks apart.
Base URL: https://api.anthropic.com
https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, 0.8 ms at import.
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Never, TypedDict, Unpack

import msgspec

from ...errors import InvalidChunk
from ...events.items import Event
from ...reading.dialect import Control
from ...reading.message import Accumulator
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.fast_dialect import never_ordinary
from ..shared.lenient import Fields, convert_leniently
from ..shared.provider_dialect import JSON_HEADERS
from ..shared.strict import dialect_for
from ..shared.typed_events import Error, Ping, TypedEventDialect, Unknown
from .blocks import (
    Citation,
    ContentBlock,
    MCPToolUseBlock,
    Message,
    ServerToolUseBlock,
    ToolResultBlock,
    Usage,
)
from .events import (
    CitationsDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    MessageChange,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageStreamEvent,
)
from .message import MessageAccumulator


class MessagesDialect(TypedEventDialect[MessageStreamEvent]):
    """Reads the events of Anthropic's Messages."""

    decode_ordinary: Callable[[bytes], MessageStreamEvent]

    def __init__(self) -> None:
        super().__init__(events, ordinary)
        self._server_tools: set[int] = set()  # the indices of open blocks whose deltas are to be marked
        self._id: str | None = None  # of the message that has begun

    def track(self, chunk: MessageStreamEvent, event: Event) -> MessageStreamEvent | Control:
        match chunk:
            case MessageStart(message=message):
                self.may_end: bool = bool(message.stop_reason)  # as in a whole message
                return self._begin(chunk, event)
            case ContentBlockStart(
                content_block=ServerToolUseBlock() | MCPToolUseBlock() | Unknown(), index=index
            ):
                self._server_tools.add(index)
                self.decode_ordinary = never_ordinary
            case ContentBlockDelta(index=index) if index in self._server_tools:
                return msgspec.structs.replace(chunk, of_server_tool=True)
            case ContentBlockStart(index=index) | ContentBlockStop(index=index):
                self._server_tools.discard(index)
                self.decode_ordinary = never_ordinary if self._server_tools else ordinary.decode
            case MessageDelta(delta=MessageChange(stop_reason=reason)) if reason:
                self.may_end = True
            case MessageStop():
                self.ended = True
            case _:
                pass
        return chunk

    def read_whole(self, fields: Fields) -> MessageStreamEvent | None:
        if fields.get("type") != "message":
            return None
        return MessageStart(message=convert_leniently(fields, Message))

    def _begin(self, chunk: MessageStart, event: Event) -> MessageStreamEvent | Control:
        """Begin a message; pass over its start if it is repeated. Raises InvalidChunk for another's start."""
        began, self._id = self._id, chunk.message.id
        if began is None:
            return chunk
        if began == self._id:
            return Control.NOISE
        message = f"the message {self._id!r} began though the message {began!r} had not ended"
        raise InvalidChunk(message, event.raw)

    def accumulator(self) -> Accumulator[MessageStreamEvent]:
        return MessageAccumulator()


class MessagesParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names."""

    cache_control: Mapping[str, object] | None
    container: str | Mapping[str, object] | None
    context_management: Mapping[str, object]
    inference_geo: str | None
    mcp_servers: Sequence[Mapping[str, object]]
    metadata: Mapping[str, object]
    output_config: Mapping[str, object]
    service_tier: str
    speed: str | None
    stop_sequences: Sequence[str]
    system: str | Sequence[Mapping[str, object]]
    temperature: float
    thinking: Mapping[str, object]
    tool_choice: Mapping[str, object]
    tools: Sequence[Mapping[str, object]]
    top_k: int
    top_p: float


def messages(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    max_tokens: int,
    version: str = "2023-06-01",
    betas: Sequence[str] = (),
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[MessagesParams],
) -> Request[MessageStreamEvent]:
    """Ask for a streamed message; `extra` takes parameters that are not named here.

    `version` and `betas` are the API's, and go into headers. The key is a header of the
    client's, `x-api-key`. `strict` is for those who test servers: a chunk that is not exactly
    as documented is an InvalidChunk. Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "messages": messages, "max_tokens": max_tokens, "stream": True}
    return Request(
        dialect=dialect_for(MessagesDialect, DOCUMENTED, strict),
        method="POST",
        path=PATH,
        headers=headers_of(version, betas),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def message(
    *,
    model: str,
    messages: Sequence[Mapping[str, object]],
    max_tokens: int,
    version: str = "2023-06-01",
    betas: Sequence[str] = (),
    extra: Mapping[str, object] | None = None,
    **params: Unpack[MessagesParams],
) -> Request[Message]:
    """Ask for a message that is not streamed; the arguments are those of `messages`.

    Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "messages": messages, "max_tokens": max_tokens}
    return Request(
        dialect=partial(ProviderDocumentDialect[Message], Message),
        method="POST",
        path=PATH,
        headers=(*headers_of(version, betas), *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def headers_of(version: str, betas: Sequence[str]) -> tuple[tuple[str, str], ...]:
    beta = (("anthropic-beta", ",".join(betas)),) if betas else ()
    return (*JSON_HEADERS, ("anthropic-version", version), *beta)


PATH = "/v1/messages"


events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(MessageStreamEvent | Ping | Error)
ordinary: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ContentBlockDelta | ContentBlockStop)
"""The events that are chunks and mean nothing else."""
DOCUMENTED = (
    (CitationsDelta, "citation", Citation),
    (ContentBlockDelta, "of_server_tool", Never),
    (Message, "content", tuple[ContentBlock, ...]),
    (Message, "usage", Usage),
    (MessageDelta, "usage", Usage),
    (ToolResultBlock, "content", Any),
    (Usage, "output_tokens", int),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""
