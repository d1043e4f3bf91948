"""The chunks of servers that send null where others have a list, or a list where others have text.

SGLang and Qwen have `"tool_calls": null` in every chunk, vLLM `"token_ids": null`, OpenAI's `logprobs` one
list that is null, and what Mistral's models think comes in parts. The structs here take that at msgspec's
speed, and once a chunk is whole, it is made what `_chat_chunks` promises: no list is null, and text is text.
"""

# No `from __future__ import annotations`: msgspec evaluates each string.
# mypy: disable-error-code="assignment"
# pyright: reportIncompatibleVariableOverride=false
# For until `__post_init__` a field may have what its base class does not promise.
from typing import Any, TypeAlias, cast

import msgspec

from ...events.items import Event
from ..shared.json_text import json_text
from ..shared.provider_errors import NOT_JSON, error_in, find_error, invalid_chunk
from .chunks import ChatCompletionChunk, Choice, Delta, Logprobs, TokenLogprob, ToolCallDelta

Part: TypeAlias = dict[str, Any] | str


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
            put(self, "prompt_token_ids", ())
        for choice in self.choices:
            if choice.token_ids is None:
                put(choice, "token_ids", ())
            logprobs = choice.logprobs
            if logprobs is not None:
                if logprobs.content is None:
                    put(logprobs, "content", ())
                if logprobs.refusal is None:
                    put(logprobs, "refusal", ())
            delta = choice.delta
            if delta is not None:
                if delta.tool_calls is None:
                    put(delta, "tool_calls", ())
                if isinstance(delta.content, tuple):
                    take_parts(delta, delta.content)


def take_parts(delta: TolerantDelta, parts: tuple[Part, ...]) -> None:
    """Put the text of content that is a list of parts where other servers have it."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            if "text" in part:
                add_text(part["text"], texts)
            if "thinking" in part:
                add_text(part["thinking"], thoughts)
        else:
            add_text(part, texts)
    put(delta, "content_parts", parts)
    put(delta, "content", "".join(texts))
    if delta.reasoning is None:
        put(delta, "reasoning", "".join(thoughts))


def add_text(value: str | list[Part] | None, texts: list[str]) -> None:
    """Add the text in a string or, as thoughts have it, in a list of parts; it may also be something else."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        for part in value:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                texts.append(text)


def read_leniently(event: Event) -> ChatCompletionChunk:
    """Read a chunk that has other nulls, numbers as strings, arguments that are no text, or no proper JSON.

    Raises InvalidChunk for what is no chunk, and ApiError for an error.
    """
    try:
        value = msgspec.json.decode(json_text(event))
        print_arguments(value)
        return msgspec.convert(without_nulls(value), TolerantChunk, strict=False)
    except NOT_JSON as exc:
        if find_error(event.raw) is not None:  # in an array, or beside what is no chunk
            raise error_in(event.raw) from None
        raise invalid_chunk(event, exc) from exc


def without_nulls(value: Any) -> Any:
    """Drop what is null from every object in a JSON value: in a chunk it means the same as absent."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: without_nulls(item) for name, item in fields.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    return value


def print_arguments(chunk: object) -> None:
    """Make JSON text of arguments that are a JSON value, as Ollama's own interface has them."""
    for choice in items(field(chunk, "choices")):
        delta = field(choice, "delta")
        functions = [field(call, "function") for call in items(field(delta, "tool_calls"))]
        for function in (*functions, field(delta, "function_call")):
            arguments = field(function, "arguments")
            if not isinstance(arguments, str | None):
                function["arguments"] = msgspec.json.encode(arguments).decode()


def field(value: object, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


put = msgspec.structs.force_setattr
decode = msgspec.json.Decoder(TolerantChunk).decode
