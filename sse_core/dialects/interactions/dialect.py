"""Gemini's Interactions.

The stream: events whose data is JSON with the event's `event_type` in it, until `interaction.completed`,
which is delivered too, or `error`, which is raised. The type in the JSON decides, since proxies drop the
`event:` lines. A `[DONE]` at the end, in an event of type `done`, is taken. An error may also come as
`{"error": ...}` with no `data:` before its lines, as Gemini's always have.

An interaction is a list of steps. Each begins with a `step.start`, goes on with deltas and ends with a
`step.stop`; `index` tells them apart. Until 2026, it was a list of content, with `content.start` and so
on, between `interaction.start` and `interaction.complete`: that is read as well.

`event_id` says how far a stream has come: an interaction that runs in the background can be taken up
again behind it, with `resume`.
Base URL: https://generativelanguage.googleapis.com/v1beta
https://ai.google.dev/gemini-api/docs/streaming
"""

# No `from __future__ import annotations`: TypedDict compiles each string, which takes time at import.
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Never, TypedDict, Unpack
from urllib.parse import quote

import msgspec
from msgspec import UnsetType

from ...errors import InvalidChunk
from ...events.items import Event
from ...http.response import Response
from ...reading.dialect import Control
from ...reading.message import Accumulator
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.fast_dialect import FastDialect, ReadBatch, never_ordinary
from ..shared.lenient import Fields, convert_leniently, fields_in, items_in
from ..shared.paths import path_segment
from ..shared.provider_dialect import JSON_HEADERS
from ..shared.provider_errors import ErrorObject, api_error, error_in_value
from ..shared.strict import dialect_for
from ..shared.typed_events import TypedEventDialect, Unknown, reported_error
from .accumulator import InteractionAccumulator
from .answer import Interaction
from .content import TextContent
from .events import (
    BeginEvent,
    ContentDelta,
    ContentStop,
    DeltaEvent,
    EndEvent,
    InteractionCompleted,
    InteractionError,
    InteractionEvent,
    InteractionStreamEvent,
    StartEvent,
    StepDelta,
    StepStop,
    UnknownEvent,
)
from .steps import (
    FunctionResultStep,
    MCPServerToolCallStep,
    ModelOutputStep,
    ServerToolCall,
    ServerToolResult,
)

REVISION = "2026-05-20"
"""The first revision of the API that has steps."""
REVISION_HEADER = "Api-Revision"
PATH = "/interactions"


class InteractionsDialect(TypedEventDialect[InteractionStreamEvent]):
    """Reads the events of Gemini's Interactions."""

    decode_ordinary: Callable[[bytes], InteractionStreamEvent]

    def __init__(self) -> None:
        super().__init__(events, ordinary)
        self._server_tools: set[int] = set()  # the open steps whose arguments are to be marked
        self._id: str | None = None  # of the interaction that has begun

    def read(self, event: Event) -> InteractionStreamEvent | Control:
        chunk = super().read(event)
        if not isinstance(chunk, Control):
            self.cursor = id_of(chunk) or self.cursor
        return chunk

    def read_batch(
        self, data: Sequence[bytes], chunks: list[InteractionStreamEvent], type: str = "message"
    ) -> int:
        read = read_ordinary(self, data, chunks, type)
        for chunk in islice(reversed(chunks), read):  # from the last: some events have no ID
            id = id_of(chunk)
            if id:
                self.cursor = id
                break
        return read

    def track(self, chunk: InteractionStreamEvent, event: Event) -> InteractionStreamEvent | Control:
        match chunk:
            case DeltaEvent(index=index) if index in self._server_tools:
                return msgspec.structs.replace(chunk, of_server_tool=True)
            case StartEvent(index=index) | StepStop(index=index) | ContentStop(index=index):
                self._server_tools.discard(index)
                if isinstance(chunk, StartEvent) and isinstance(chunk.begun, ServerToolCall | Unknown):
                    self._server_tools.add(index)
                self.decode_ordinary = never_ordinary if self._server_tools else ordinary.decode
            case BeginEvent(interaction=interaction):
                return self._begin(interaction.id, chunk, event)
            case EndEvent(interaction=Interaction(status="failed") as interaction):
                raise api_error(error_of(interaction), event.raw)
            case EndEvent():
                self.ended = True
            case UnknownEvent(fields={"error": dict() | str()}):
                raise reported_error(event)
            case _:
                pass
        return chunk

    def read_whole(self, fields: Fields) -> InteractionStreamEvent | None:
        if "event_type" in fields or fields.get("object") != "interaction":
            return None
        return InteractionCompleted(interaction=convert_leniently(fields, Interaction))

    def _begin(
        self, id: str, chunk: InteractionStreamEvent, event: Event
    ) -> InteractionStreamEvent | Control:
        """Begin an interaction; pass over its start if it is repeated. InvalidChunk: it is another's."""
        began, self._id = self._id, id
        if began is None:
            return chunk
        if began == id:
            return Control.NOISE
        message = f"the interaction {id!r} began though the interaction {began!r} had not ended"
        raise InvalidChunk(message, event.raw)

    def accumulator(self) -> Accumulator[InteractionStreamEvent]:
        return InteractionAccumulator()


def id_of(chunk: InteractionStreamEvent) -> str | None:
    """Return the ID of an event, if it has one."""
    if isinstance(chunk, InteractionEvent):
        return chunk.event_id
    id = chunk.fields.get("event_id")
    return id if isinstance(id, str) else None


def error_of(interaction: Interaction) -> ErrorObject:
    """Return the error of an interaction that has failed: its own, or else that of a step."""
    errors = items_in(interaction.errors) or []
    steps = [step.error for step in interaction.steps if isinstance(step, ModelOutputStep)]
    for each in (*errors, *steps):
        error = error_in_value({"error": each})
        if error is not None:
            return error
    return ErrorObject("the interaction has failed")


class InteractionDialect(ProviderDocumentDialect[Interaction]):
    """Reads an interaction that is not streamed."""

    def read_text(self, response: Response, text: bytes) -> Interaction:
        interaction = super().read_text(response, text)
        if interaction.status == "failed":
            raise api_error(error_of(interaction), text, response)
        return interaction

    def error_in(self, value: object) -> ErrorObject | None:
        """As of any document; but an interaction may have `errors` that did not make it fail."""
        fields = fields_in(value) or {}
        is_interaction = "status" in fields and "error" not in fields
        return None if is_interaction else super().error_in(value)


class InteractionParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names."""

    agent_config: Mapping[str, object]
    background: bool
    cached_content: str
    continuation_token: str
    environment: str | Mapping[str, object]
    generation_config: Mapping[str, object]
    labels: Mapping[str, str]
    previous_interaction_id: str
    response_format: Mapping[str, object] | Sequence[Mapping[str, object]]
    response_mime_type: str
    response_modalities: Sequence[str]
    safety_settings: Sequence[Mapping[str, object]]
    service_tier: str
    store: bool
    system_instruction: str
    tools: Sequence[Mapping[str, object]]
    webhook_config: Mapping[str, object]


def create(
    *,
    input: str | Mapping[str, object] | Sequence[Mapping[str, object]],
    model: str | None = None,
    agent: str | None = None,
    revision: str = REVISION,
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[InteractionParams],
) -> Request[InteractionStreamEvent]:
    """Ask a model or an agent for a streamed interaction; `extra` takes parameters that are not named here.

    `revision` is the API's, and goes into a header. The key is a header of the client's,
    `x-goog-api-key`. `strict` is for those who test servers: a chunk that is not exactly as documented is
    an InvalidChunk. Raises TypeError for a value that JSON has no form for.
    """
    fixed = {**answerer(model, agent), "input": input, "stream": True}
    return Request(
        dialect=dialect_for(InteractionsDialect, DOCUMENTED, strict),
        method="POST",
        path=PATH,
        headers=(*JSON_HEADERS, (REVISION_HEADER, revision)),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def interaction(
    *,
    input: str | Mapping[str, object] | Sequence[Mapping[str, object]],
    model: str | None = None,
    agent: str | None = None,
    revision: str = REVISION,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[InteractionParams],
) -> Request[Interaction]:
    """Ask for an interaction that is not streamed; the arguments are those of `create`.

    One that failed is raised as an ApiError. Raises TypeError for a value that JSON has no form for.
    """
    fixed = {**answerer(model, agent), "input": input}
    return Request(
        dialect=partial(InteractionDialect, Interaction),
        method="POST",
        path=PATH,
        headers=(*JSON_HEADERS, (REVISION_HEADER, revision), *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def answerer(model: str | None, agent: str | None) -> dict[str, str]:
    """Return the fields of a request that say who is to answer."""
    return {name: value for name, value in (("model", model), ("agent", agent)) if value is not None}


def resume(
    interaction_id: str, *, last_event_id: str | None = None, revision: str = REVISION, strict: bool = False
) -> Request[InteractionStreamEvent]:
    """Ask for the stream of an interaction that runs in the background, from its start or behind an event.

    `last_event_id` is that event's `event_id`; `revision` and `strict` are as in `create`.
    """
    behind = "" if last_event_id is None else f"&last_event_id={quote(last_event_id, safe='')}"
    path = f"{PATH}/{path_segment(interaction_id, 'interaction_id')}?stream=true{behind}"
    return Request(
        dialect=dialect_for(InteractionsDialect, DOCUMENTED, strict),
        path=path,
        headers=((REVISION_HEADER, revision),),
    )


read_ordinary: ReadBatch[InteractionStreamEvent] = FastDialect[InteractionStreamEvent].read_batch
"""What `super()` finds, found once."""
events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(InteractionStreamEvent | InteractionError)
ordinary: msgspec.json.Decoder[Any] = msgspec.json.Decoder(StepDelta | StepStop | ContentDelta | ContentStop)
"""The events that are chunks and mean nothing else."""
DOCUMENTED = (
    (DeltaEvent, "of_server_tool", Never),
    (FunctionResultStep, "call_id", str | UnsetType),
    (Interaction, "id", str | UnsetType),
    (MCPServerToolCallStep, "name", str | UnsetType),
    (MCPServerToolCallStep, "server_name", str | UnsetType),
    (ServerToolCall, "id", str | UnsetType),
    (ServerToolResult, "call_id", str | UnsetType),
    (TextContent, "text", str | UnsetType),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`.

A delta that has the form of a step lacks what only its start says.
"""
