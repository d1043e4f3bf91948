"""Reads the events of chat completions, and makes the requests: `openai` and `groq` are its fronts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from ...errors import StreamError
from ...events.items import Event
from ...reading.dialect import Control
from ...reading.request import Request
from ..shared.fast_dialect import FastDialect
from ..shared.provider_dialect import JSON_HEADERS, control_of
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
from .chunks import ChatCompletionChunk, Choice, Delta, ExecutedTool, ToolCallDelta, TopLogprob


class ChatDialect(FastDialect[ChatCompletionChunk]):
    """Reads a chat completion's events, from OpenAI, Groq and the servers that imitate them."""

    _decode: Callable[[bytes], ChatCompletionChunk]

    def __init__(self) -> None:
        self.decode_ordinary = self._decode = decode

    def read(self, event: Event) -> ChatCompletionChunk | Control:
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
                    if choice.finish_reason:
                        return read
                chunks.append(chunk)
                read += 1
        except NOT_JSON:
            pass
        return read

    def read_special(self, event: Event) -> ChatCompletionChunk | Control:
        if event.type == "error":
            raise api_error_from(event.raw)
        if event.type == "ping":
            return Control.PING
        try:
            chunk = self._decode(event.raw)
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
        """Read an event that the decoder has refused, and use the decoder that takes it from now on."""
        from . import tolerant  # most servers' chunks need none of it

        try:
            chunk = tolerant.decode(event.raw)
        except NOT_JSON:
            return tolerant.read_anything(event)
        self.decode_ordinary = self._decode = tolerant.decode
        return chunk


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
        path="/chat/completions",
        headers=JSON_HEADERS,
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


decode = msgspec.json.Decoder(ChatCompletionChunk).decode
DOCUMENTED = (
    (ChatCompletionChunk, "object", Literal["chat.completion.chunk"]),
    (ChatCompletionChunk, "created", int),
    (ChatCompletionChunk, "choices", tuple[Choice, ...]),
    (Choice, "delta", Delta),
    (Choice, "finish_reason", str | None),
    (ToolCallDelta, "index", int),
    (TopLogprob, "logprob", float),
    (ExecutedTool, "index", int),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""
