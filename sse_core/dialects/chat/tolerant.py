"""Reads the chunks of servers that do not send what OpenAI documents.

SGLang and Qwen have `"tool_calls": null` in every chunk, vLLM `"token_ids": null`, OpenAI's `logprobs` one
list that is null; and the reasoning of Mistral's models comes as a list of parts. The structs here take that
at msgspec's speed, and then replace it by what `chunks` promises: no list is null, and text is a string. Any
other chunk is decoded to plain values, made like OpenAI's, and converted as far as possible.
"""

# No `from __future__ import annotations`: msgspec evaluates each string.
# mypy: disable-error-code="assignment"
# pyright: reportIncompatibleVariableOverride=false
# Fields may hold null until `__post_init__` replaces it, hence the disabled check.
from collections.abc import Callable
from typing import Any, cast

import msgspec
from msgspec import Struct

from ...events.items import Event
from ..shared.lenient import Fields, convert_leniently
from ..shared.provider_errors import NOT_JSON, api_error_from, find_error, invalid_chunk
from .chunks import ChatCompletionChunk, Choice, Delta, Logprobs, TokenLogprob, ToolCallDelta
from .content_parts import Part, texts_in


class TolerantDelta(Delta, frozen=True, kw_only=True, gc=False):
    """A `Delta`."""

    content: str | tuple[Any, ...] | None = None
    tool_calls: tuple[ToolCallDelta, ...] | None = ()


class TolerantLogprobs(Logprobs, frozen=True, kw_only=True, gc=False):
    """`Logprobs`."""

    content: tuple[TokenLogprob, ...] | None = ()
    refusal: tuple[TokenLogprob, ...] | None = ()


class TolerantChoice(Choice, frozen=True, kw_only=True, gc=False):
    """A `Choice`."""

    delta: TolerantDelta | None = None
    logprobs: TolerantLogprobs | None = None
    token_ids: tuple[int, ...] | None = ()


class TolerantChunk(ChatCompletionChunk, frozen=True, kw_only=True, gc=False):
    """A `ChatCompletionChunk`."""

    choices: tuple[TolerantChoice, ...] = ()
    prompt_token_ids: tuple[int, ...] | None = ()

    def __post_init__(self) -> None:
        if self.prompt_token_ids is None:
            set_field(self, "prompt_token_ids", ())
        for choice in self.choices:
            if choice.token_ids is None:
                set_field(choice, "token_ids", ())
            logprobs = choice.logprobs
            if logprobs is not None:
                if logprobs.content is None:
                    set_field(logprobs, "content", ())
                if logprobs.refusal is None:
                    set_field(logprobs, "refusal", ())
            delta = choice.delta
            if delta is not None:
                if delta.tool_calls is None:
                    set_field(delta, "tool_calls", ())
                if isinstance(delta.content, tuple):
                    join_parts(delta, delta.content)


def join_parts(delta: TolerantDelta, parts: tuple[Part, ...]) -> None:
    """Put the text of content that is a list of parts into the fields where other servers have it."""
    text, thoughts = texts_in(parts)
    set_field(delta, "content_parts", parts)
    set_field(delta, "content", text)
    if delta.reasoning is None:
        set_field(delta, "reasoning", thoughts)


def read_anything(event: Event, text: str) -> ChatCompletionChunk:
    """Read a chunk whose JSON text is `text`, and which may have anything in place of what is documented.

    Raises InvalidChunk if it is no chunk, and ApiError if it is an error.
    """
    try:
        value: object = msgspec.json.decode(text)
        normalise_chunk(value)
        chunk: ChatCompletionChunk = convert_leniently(value, TolerantChunk)
    except NOT_JSON as exc:
        if find_error(event.raw) is not None:  # in an array, or beside fields that are no chunk
            raise api_error_from(event.raw) from None
        raise invalid_chunk(event, exc) from exc
    return chunk


def normalise_chunk(chunk: object) -> None:
    """Make a chunk of any server's like OpenAI's: a whole message, or a legacy text, becomes the delta."""
    for choice in objects(field(chunk, "choices")):
        if choice.get("delta") is None:
            choice["delta"] = message_of(choice)
        write_arguments(choice["delta"])


def normalise_completion(completion: object) -> None:
    """Make a whole completion of any server's like OpenAI's: its content is text."""
    for choice in objects(field(completion, "choices")):
        choice["message"] = message = message_of(choice)
        write_arguments(message)
        content = field(message, "content")
        if isinstance(content, list):
            parts = cast("list[Part]", content)
            message["content"], thoughts = texts_in(parts)
            message["content_parts"] = parts
            message["reasoning"] = message.get("reasoning") or thoughts or None


def message_of(choice: Fields) -> Any:
    """Return a choice's message, or one with the text of a legacy completion."""
    text = choice.get("text")
    return choice.get("message") or ({"content": text} if isinstance(text, str) else None)


def write_arguments(message: object) -> None:
    """Replace arguments that are a JSON value, as in Ollama's own interface, with their JSON text."""
    calls = [field(call, "function") for call in objects(field(message, "tool_calls"))]
    for function in (*calls, field(message, "function_call")):
        arguments = field(function, "arguments")
        if not isinstance(arguments, str | None):
            function["arguments"] = msgspec.json.encode(arguments).decode()


def field(value: object, name: str) -> Any:
    return cast("Fields", value).get(name) if isinstance(value, dict) else None


def objects(value: object) -> list[Fields]:
    """Return the objects in a list."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Fields", item) for item in items if isinstance(item, dict)]


set_field: Callable[[Struct, str, Any], None] = msgspec.structs.force_setattr
decode: Callable[[bytes], TolerantChunk] = msgspec.json.Decoder(TolerantChunk).decode
