"""Reads the events of chat completions, and makes the requests: `openai` and `groq` are its fronts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec import UnsetType

from ...errors import StreamError
from ...events.items import Event
from ...reading.dialect import Control
from ...reading.request import Request
from ..shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from ..shared.fast_dialect import LARGE, FastDialect, check_objects
from ..shared.provider_dialect import JSON_HEADERS, control_of, is_heartbeat
from ..shared.provider_errors import (
    NOT_JSON,
    ErrorObject,
    api_error,
    api_error_from,
    error_in_value,
    find_error,
)
from ..shared.strict import dialect_for
from .accumulator import ChatAccumulator
from .chunks import (
    ChatCompletionChunk,
    Choice,
    Delta,
    DocumentCitation,
    ExecutedTool,
    FunctionCitation,
    ToolCallDelta,
    TopLogprob,
)
from .completion import ChatCompletion


class ChatDialect(FastDialect[ChatCompletionChunk]):
    """Reads a chat completion's events, from OpenAI, Groq and the servers that imitate them."""

    decode_ordinary: Callable[[bytes], ChatCompletionChunk]
    _decode: Callable[[bytes], ChatCompletionChunk]

    def __init__(self) -> None:
        self.decode_ordinary = self._decode = decode

    def read(self, event: Event) -> ChatCompletionChunk | Control:
        if len(event.raw) > LARGE:
            check_objects(event)
        chunks: list[ChatCompletionChunk] = []
        return chunks[0] if self.read_batch([event.raw], chunks, event.type) else self.read_special(event)

    def read_batch(
        self, data: Sequence[bytes], chunks: list[ChatCompletionChunk], type: str = "message"
    ) -> int:
        """As every dialect's; an ordinary event is a chunk in the middle of an answer."""
        if type != "message":
            return 0
        read = 0
        decode = self.decode_ordinary
        try:
            for raw in data:
                chunk = decode(raw)
                choices = chunk.choices
                if (
                    not choices
                    or chunk.error is not None
                    or chunk.object == "error"
                    or chunk.x_groq is not None
                ):
                    break
                for choice in choices:
                    if choice.finish_reason or choice.delta is None:
                        return read
                chunks.append(chunk)
                read += 1
        except NOT_JSON:
            pass
        return read

    def read_special(self, event: Event) -> ChatCompletionChunk | Control:
        if event.type == "error":
            raise api_error_from(event.raw)
        if is_heartbeat(event.type):
            return Control.PING if event.type == "ping" else Control.NOISE
        try:
            chunk = self._with_deltas(self._decode(event.raw), event)
        except NOT_JSON:
            control = control_of(event)
            if control is not None:
                return control
            chunk = self._read_tolerantly(event)
        if chunk.error is not None or chunk.object == "error":
            if chunk.error or not chunk.choices or chunk.object == "error":
                raise api_error_from(event.raw)
            chunk = msgspec.structs.replace(chunk, error=None)  # an empty one beside an answer is none
        if not (chunk.choices or chunk.object) and find_error(event.raw) is not None:
            raise api_error_from(event.raw)
        if not (chunk.choices or chunk.object or chunk.usage):
            self._unread = event.raw
        if chunk.x_groq is not None:
            chunk = with_usage_of_groq(chunk, event)
        for choice in chunk.choices:
            if choice.finish_reason:
                if choice.finish_reason == "error":
                    raise failed_choice(choice, event)
                self.may_end = True
        return chunk

    def accumulator(self) -> ChatAccumulator:
        return ChatAccumulator()

    def _read_tolerantly(self, event: Event) -> ChatCompletionChunk:
        """Read an event that the decoder has refused, and keep the decoder that takes it, if there is one."""
        from . import tolerant  # most servers' chunks need none of it

        try:
            chunk = tolerant.decode(event.raw)
        except NOT_JSON:
            return tolerant.read_anything(event, self.repaired(event))
        self.decode_ordinary = self._decode = tolerant.decode
        return self._with_deltas(chunk, event)

    def _with_deltas(self, chunk: ChatCompletionChunk, event: Event) -> ChatCompletionChunk:
        """Read an event again if its choices may have a whole message, or a legacy text, for a delta."""
        if all(choice.delta for choice in chunk.choices):
            return chunk
        from . import tolerant

        return tolerant.read_anything(event, self.repaired(event))


def with_usage_of_groq(chunk: ChatCompletionChunk, event: Event) -> ChatCompletionChunk:
    """Return the chunk with the usage where others have it; raises ApiError for Groq's own kind of error."""
    assert chunk.x_groq is not None
    if chunk.x_groq.error is not None:
        error = error_in_value({"error": chunk.x_groq.error}) or ErrorObject(event.data)
        raise api_error(msgspec.structs.replace(error, request_id=chunk.x_groq.id), event.raw)
    if chunk.usage is None and chunk.x_groq.usage is not None:
        return msgspec.structs.replace(chunk, usage=chunk.x_groq.usage)
    return chunk


def failed_choice(choice: Choice, event: Event) -> StreamError:
    error = error_in_value({"error": choice.error})
    return api_error(error or ErrorObject("the answer ended with finish_reason 'error'"), event.raw)


def completion_request(
    model: str,
    messages: Sequence[Mapping[str, object]],
    params: Mapping[str, object],
    extra: Mapping[str, object] | None,
) -> Request[ChatCompletion]:
    """Return the request for a chat completion that is not streamed."""
    from .tolerant import normalise_completion  # whose structs take long to make

    fixed = {"model": model, "messages": messages}
    return Request(
        dialect=partial(ProviderDocumentDialect[ChatCompletion], ChatCompletion, normalise_completion),
        method="POST",
        path=PATH,
        headers=(*JSON_HEADERS, *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def chat_request(
    model: str,
    messages: Sequence[Mapping[str, object]],
    strict: bool,
    params: Mapping[str, object],
    extra: Mapping[str, object] | None,
) -> Request[ChatCompletionChunk]:
    """Return the request for a streamed chat completion."""
    fixed = {"model": model, "messages": messages, "stream": True}
    return Request(
        dialect=dialect_for(ChatDialect, DOCUMENTED, strict),
        method="POST",
        path=PATH,
        headers=JSON_HEADERS,
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


PATH = "/chat/completions"
decode: Callable[[bytes], ChatCompletionChunk] = msgspec.json.Decoder(ChatCompletionChunk).decode
DOCUMENTED = (
    (ChatCompletionChunk, "object", Literal["chat.completion.chunk", ""]),
    (ChatCompletionChunk, "created", int),
    (ChatCompletionChunk, "choices", tuple[Choice, ...]),
    (Choice, "delta", Delta | UnsetType),
    (Delta, "content", str | tuple[Any, ...] | None | UnsetType),
    (ToolCallDelta, "index", int),
    (TopLogprob, "logprob", float),
    (ExecutedTool, "index", int),
    (DocumentCitation, "start_index", int),
    (DocumentCitation, "end_index", int),
    (FunctionCitation, "start_index", int),
    (FunctionCitation, "end_index", int),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`.

Azure's chunks about filters have an empty `object` and no delta, and Mistral's content may be a list.
"""
