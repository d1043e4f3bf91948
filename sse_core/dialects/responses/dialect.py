"""OpenAI's Responses.

The stream: events whose data is JSON with the event's `type` in it, until one of
`response.completed` and `response.incomplete`, which is delivered too, or `response.failed`
and `error`, which are raised. The type in the JSON decides, since proxies drop the `event:`
lines. `keepalive` may come at any time; a `[DONE]` at the end, which some servers send, is taken.

`sequence_number` says how far a stream has come: a response that was made in the background
can be resumed after it, with `resume`.
Base URL: https://api.openai.com/v1
https://platform.openai.com/docs/api-reference/responses-streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, 1 ms at import.
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, TypedDict, Unpack

import msgspec
from msgspec import UnsetType

from ...errors import ApiError, InvalidChunk
from ...events.items import Event
from ...reading.dialect import Control
from ...reading.message import Accumulator
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.fast_dialect import FastDialect, ReadBatch
from ..shared.lenient import Fields, convert_leniently
from ..shared.paths import path_segment
from ..shared.provider_dialect import JSON_HEADERS
from ..shared.provider_errors import ErrorObject, api_error, find_error
from ..shared.strict import dialect_for
from ..shared.typed_events import Error, Keepalive, Ping, TypedEventDialect
from .accumulator import ResponseAccumulator
from .answer import (
    Response,
)
from .events import (
    CommandEvent,
    OutputTextDelta,
    ReasoningSummaryTextDelta,
    ReasoningTextDelta,
    RefusalDelta,
    ResponseCompleted,
    ResponseCreated,
    ResponseIncomplete,
    SequencedEvent,
)
from .items import (
    Annotation,
    ContentPart,
    OutputItem,
    OutputMessage,
    OutputText,
    Reasoning,
)
from .tool_events import (
    ApplyPatchCallOperationDiffDelta,
    CodeInterpreterCallCodeDelta,
    CustomToolCallInputDelta,
    FunctionCallArgumentsDelta,
    MCPCallArgumentsDelta,
    ResponseStreamEvent,
)

Delta: TypeAlias = (
    OutputTextDelta
    | ReasoningTextDelta
    | ReasoningSummaryTextDelta
    | RefusalDelta
    | FunctionCallArgumentsDelta
    | CustomToolCallInputDelta
    | MCPCallArgumentsDelta
    | ApplyPatchCallOperationDiffDelta
    | CodeInterpreterCallCodeDelta
)
"""The ordinary events, which streams mostly consist of."""


class ResponseFailed(Error, frozen=True, kw_only=True, tag="response.failed"):
    """The last event of a response that failed."""

    response: Any = None

    def reported(self, event: Event) -> ApiError:
        """Return the error that the response has."""
        error = find_error(msgspec.json.encode(self.response))
        return api_error(error or ErrorObject("the response has failed"), event.raw)


class ResponsesDialect(TypedEventDialect[ResponseStreamEvent]):
    """Reads the events of OpenAI's Responses."""

    names_events = False  # OpenRouter's have no `event:` lines

    def read(self, event: Event) -> ResponseStreamEvent | Control:
        chunk = super().read(event)
        if isinstance(chunk, SequencedEvent):
            self.cursor = chunk.sequence_number
        return chunk

    def read_batch(
        self, data: Sequence[bytes], chunks: list[ResponseStreamEvent], type: str = "message"
    ) -> int:
        read = read_deltas(self, data, chunks, type)
        if read:
            last: Any = chunks[-1]
            self.cursor = last.sequence_number
        return read

    def __init__(self) -> None:
        super().__init__(events, deltas)
        self._id: str | None = None  # of the response that has begun

    def read_whole(self, fields: Fields) -> ResponseStreamEvent | None:
        if fields.get("object") != "response" or "type" in fields:
            return None
        if fields.get("status") == "failed":
            raise ResponseFailed(response=fields).reported(Event(msgspec.json.encode(fields)))
        response: Response = convert_leniently(fields, Response)
        ended = ResponseIncomplete if response.status == "incomplete" else ResponseCompleted
        return ended(response=response)

    def track(self, chunk: ResponseStreamEvent, event: Event) -> ResponseStreamEvent | Control:
        if isinstance(chunk, ResponseCreated):
            began, self._id = self._id, chunk.response.id
            if began is not None and began == self._id:
                return Control.NOISE
            if began is not None:
                message = f"the response {self._id!r} began though the response {began!r} had not ended"
                raise InvalidChunk(message, event.raw)
        if isinstance(chunk, ResponseCompleted | ResponseIncomplete):
            self.ended = True
        return chunk

    def accumulator(self) -> Accumulator[ResponseStreamEvent]:
        return ResponseAccumulator()


class ResponsesParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names."""

    background: bool | None
    context_management: Sequence[Mapping[str, object]]
    conversation: str | Mapping[str, object] | None
    include: Sequence[str] | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    moderation: Mapping[str, object] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: Mapping[str, object] | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, object]
    prompt_cache_retention: str | None
    reasoning: Mapping[str, object] | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    stream_options: Mapping[str, object] | None
    temperature: float | None
    text: Mapping[str, object]
    tool_choice: str | Mapping[str, object]
    tools: Sequence[Mapping[str, object]]
    top_logprobs: int | None
    top_p: float | None
    truncation: str | None
    user: str


def create(
    *,
    model: str,
    input: str | Sequence[Mapping[str, object]],
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ResponsesParams],
) -> Request[ResponseStreamEvent]:
    """Ask for a streamed response; `extra` takes parameters that are not named here.

    `strict` is for those who test servers: a chunk that is not exactly as documented is an InvalidChunk.
    Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "input": input, "stream": True}
    body = msgspec.json.encode({**params, **(extra or {}), **fixed})
    return Request(
        dialect=dialect_for(ResponsesDialect, DOCUMENTED, strict),
        method="POST",
        path="/responses",
        headers=JSON_HEADERS,
        body=body,
    )


def response(
    *,
    model: str,
    input: str | Sequence[Mapping[str, object]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[ResponsesParams],
) -> Request[Response]:
    """Ask for a response that is not streamed; the arguments are those of `create`.

    A response that failed is raised as an ApiError. Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "input": input}
    return Request(
        dialect=partial(ProviderDocumentDialect[Response], Response),
        method="POST",
        path="/responses",
        headers=(*JSON_HEADERS, *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def resume(
    response_id: str, *, starting_after: int | None = None, strict: bool = False
) -> Request[ResponseStreamEvent]:
    """Ask for the stream of a response made in the background, from its start or from after an event.

    `starting_after` is that event's `sequence_number`, and `strict` as in `create`.
    """
    behind = "" if starting_after is None else f"&starting_after={starting_after}"
    path = f"/responses/{path_segment(response_id, 'response_id')}?stream=true{behind}"
    return Request(dialect=dialect_for(ResponsesDialect, DOCUMENTED, strict), path=path)


events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    ResponseStreamEvent | Ping | Keepalive | Error | ResponseFailed
)
deltas: msgspec.json.Decoder[Delta] = msgspec.json.Decoder(Delta)
read_deltas: ReadBatch[ResponseStreamEvent] = FastDialect[ResponseStreamEvent].read_batch
"""The inherited method, found once: `super()` would look for it at every batch."""
DOCUMENTED = (
    (CommandEvent, "item_id", str | UnsetType),
    (OutputMessage, "id", str),
    (OutputMessage, "status", str),
    (OutputMessage, "content", tuple[ContentPart, ...]),
    (OutputText, "annotations", tuple[Annotation, ...]),
    (Reasoning, "id", str),
    (Reasoning, "summary", tuple[ContentPart, ...]),
    (Response, "output", tuple[OutputItem, ...]),
    (SequencedEvent, "sequence_number", int),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""
